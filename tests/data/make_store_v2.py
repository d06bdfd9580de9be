"""Made `store-v2.sqlite`, a store of the second format: run once, before the third format existed.

It stays here to show what is in the file. Do not make the file anew: it is what users have on their disks.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np

from gcdesk.store.schema import APPLICATION_ID, STEPS

HERE = Path(__file__).parent


def main() -> None:
    target = HERE / "store-v2.sqlite"
    target.unlink(missing_ok=True)
    connection = sqlite3.connect(target)
    for step in STEPS[:2]:
        connection.executescript(step)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 2")
    connection.execute(
        "INSERT INTO sessions (name, source, created, opened) VALUES ('Line 3', '/srv/camera', 1.7e9, 1.7e9)"
    )
    image = np.array([0.1, 0.2, 0.6, 0.1], "<f4").tobytes()
    text = np.array([0.01, 0.02, 0.95, 0.02], "<f4").tobytes()
    for number, (operator, spot) in enumerate(((-1, 0), (2, 2), (0, 0), (2, 0), (4, 0)), 1):
        connection.execute(
            "INSERT INTO items (session, path, size, mtime_ns, caption, status, image, text, label, winner,"
            " confidence, margin, reason, operator, spot, added) VALUES (1, ?, ?, ?, 'banana peel', 2, ?, ?, 2, 2,"
            " 0.95, 0.35, 'Both models say Green: 0.95 together', ?, ?, 1.7e9)",
            (f"/srv/camera/IMG_{number}.jpg", 1000 * number, 17 * 10**17, image, text, operator, spot),
        )
    connection.commit()
    connection.close()


if __name__ == "__main__":
    main()
