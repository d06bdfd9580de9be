"""Write resources/phrases.txt, the item phrases that the caption box completes, from the cities' lists.

python scripts/make_phrases.py ../shared/data/captions/municipal.csv
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

CREDIT = """\
# Item phrases that captions complete to: what residents of two cities look up.
# Contains information licensed under the Open Government Licence - Toronto (Waste Wizard).
# From City of Calgary, "What goes where". Made by scripts/make_phrases.py.
"""
_LONGEST = 48  # characters; longer entries are explanations, not names


def main(source: str) -> None:
    with open(source, newline="", encoding="utf-8") as file:
        texts = {" ".join(row["text"].lower().split()) for row in csv.DictReader(file)}
    phrases = sorted(text for text in texts if 3 <= len(text) <= _LONGEST)
    target = Path(__file__).resolve().parent.parent / "resources" / "phrases.txt"
    target.write_text(CREDIT + "\n".join(phrases) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
