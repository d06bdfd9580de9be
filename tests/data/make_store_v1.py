"""Made `store-v1.sqlite`, a store of the first format: run once, before the second format existed.

It stays here to show what is in the file. Do not make the file anew: it is what users have on their disks.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np

from gcdesk.store.schema import APPLICATION_ID, STEPS

HERE = Path(__file__).parent


def main() -> None:
    target = HERE / "store-v1.sqlite"
    target.unlink(missing_ok=True)
    connection = sqlite3.connect(target)
    connection.executescript(STEPS[0])
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 1")
    connection.execute(
        "INSERT INTO sessions (name, source, created, opened) VALUES ('Line 2', '/srv/camera', 1.7e9, 1.7e9)"
    )
    connection.execute(
        "INSERT INTO runs (image_model, text_model, rule, weight, review_threshold, disagreement_margin, device,"
        " started) VALUES ('starter-image', 'starter-text', 'calibrated', 0.5, 0.8, 0.2, 'CPU', 1.7e9)"
    )
    image = np.array([0.1, 0.2, 0.6, 0.1], "<f4").tobytes()
    text = np.array([0.01, 0.02, 0.95, 0.02], "<f4").tobytes()
    for number in range(1, 6):
        connection.execute(
            "INSERT INTO items (session, path, size, mtime_ns, caption, status, image, text, label, winner,"
            " confidence, margin, reason, run, operator, added) VALUES (1, ?, ?, ?, 'banana peel', 2, ?, ?, 2, 2,"
            " 0.95, 0.35, 'Text is more confident: 0.95 against 0.60, so Green', 1, ?, 1.7e9)",
            (
                f"/srv/camera/IMG_{number}.jpg",
                1000 * number,
                17 * 10**17,
                image,
                text,
                0 if number == 3 else -1,
            ),
        )
    connection.execute("INSERT INTO caption_history (item, caption, replaced) VALUES (2, 'banana', 1.7e9)")
    connection.commit()
    connection.close()


if __name__ == "__main__":
    main()
