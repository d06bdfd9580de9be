"""The tables, as the steps that led to them. A step that shipped never changes; a new one is added at the end.

The file's `user_version` is the number of steps that it has taken. Texts from outside (paths, captions) may hold
surrogates, which UTF-8 has no bytes for; such a text is stored as a BLOB (see `records.as_text`).

Codes in `items`: status 0 queued, 2 done, 3 failed; label and operator 0 to 3 a bin, 4 none of these (operator
only), -1 not set; winner 0 none, 1 image, 2 text, 3 both. `image` and `text` hold four little-endian float32
probabilities, NULL where that model abstained. `run` says which models and which rule gave the answer. Times
are seconds since 1970.
"""

from __future__ import annotations

# "gcdk": tells our files from other SQLite files.
APPLICATION_ID = 0x6763646B

_TABLES = """
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    source TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL,
    opened REAL NOT NULL
);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    image_model TEXT,
    image_sha256 TEXT,
    text_model TEXT,
    text_sha256 TEXT,
    rule TEXT NOT NULL,
    weight REAL NOT NULL,
    review_threshold REAL NOT NULL,
    disagreement_margin REAL NOT NULL,
    device TEXT NOT NULL,
    started REAL NOT NULL
);
CREATE TABLE items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    size INTEGER,
    mtime_ns INTEGER,
    content_hash BLOB,
    caption TEXT NOT NULL DEFAULT '',
    caption_edited REAL,
    status INTEGER NOT NULL DEFAULT 0,
    image BLOB,
    text BLOB,
    label INTEGER NOT NULL DEFAULT -1,
    winner INTEGER NOT NULL DEFAULT 0,
    confidence REAL,
    margin REAL,
    review INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    run INTEGER REFERENCES runs (id),
    operator INTEGER NOT NULL DEFAULT -1,
    operator_at REAL,
    thumbnail TEXT NOT NULL DEFAULT '',
    width INTEGER NOT NULL DEFAULT 0,
    height INTEGER NOT NULL DEFAULT 0,
    seconds REAL NOT NULL DEFAULT 0,
    added REAL NOT NULL,
    finished REAL,
    hidden INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX items_identity ON items (session, path, size, mtime_ns) WHERE hidden = 0;
CREATE INDEX items_listed ON items (session, hidden, status);
CREATE TABLE caption_history (
    id INTEGER PRIMARY KEY,
    item INTEGER NOT NULL REFERENCES items (id) ON DELETE CASCADE,
    caption TEXT NOT NULL,
    replaced REAL NOT NULL
);
CREATE INDEX caption_history_item ON caption_history (item);
"""

# Sure rows that were offered for confirmation at random (`spot`: 0 no, 1 offered, 2 answered), and equal content
# in another file of the session (`duplicate_of`: the item that came first). The list of sessions counts rows by an
# index alone.
_RANDOM_CONFIRMATION = """
ALTER TABLE items ADD COLUMN spot INTEGER NOT NULL DEFAULT 0;
ALTER TABLE items ADD COLUMN duplicate_of INTEGER;
CREATE INDEX items_spot ON items (spot) WHERE spot > 0;
CREATE INDEX items_size ON items (session, size) WHERE hidden = 0;
CREATE INDEX items_edited ON items (caption_edited) WHERE caption_edited IS NOT NULL;
DROP INDEX items_listed;
CREATE INDEX items_counted ON items (session, hidden, status, operator, label);
"""

# The station's own test set (see `held_out_set`): what an item is known by, and whether it is set aside for ever.
# `photo_hash`: 16 hexadecimal digits, NULL where it was not needed yet.
_STATION_SET = """
ALTER TABLE items ADD COLUMN photo_hash TEXT;
CREATE TABLE station_keys (
    key TEXT PRIMARY KEY,
    held INTEGER NOT NULL,
    since REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX items_operator ON items (operator) WHERE operator >= 0;
"""

# The journal of photos that are copied or moved into folders (see `moves`): written before a file gets another name.
_MOVES = """
CREATE TABLE move_batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    moved INTEGER NOT NULL,
    began REAL NOT NULL
);
CREATE TABLE moves (
    id INTEGER PRIMARY KEY,
    batch INTEGER NOT NULL REFERENCES move_batches (id) ON DELETE CASCADE,
    item INTEGER NOT NULL,
    source TEXT NOT NULL,
    work TEXT NOT NULL,
    target TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    state INTEGER NOT NULL
);
CREATE INDEX moves_state ON moves (state, batch);
CREATE INDEX moves_batch ON moves (batch);
CREATE TABLE move_folders (
    batch INTEGER NOT NULL REFERENCES move_batches (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    path TEXT NOT NULL,
    PRIMARY KEY (batch, place)
) WITHOUT ROWID;
"""

STEPS: tuple[str, ...] = (_TABLES, _RANDOM_CONFIRMATION, _STATION_SET, _MOVES)
VERSION = len(STEPS)
