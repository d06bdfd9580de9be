"""More than 200 odd photos decode to what they show: compared with a reference within a tolerance."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from odd_photos import Odd, all_odd
from PIL import Image

from gcdesk.engine.photos.decoding import decode_photo

PHOTO = Path(__file__).resolve().parents[3] / "resources" / "samples" / "orange peel.jpg"
TARGET = 64


def difference(odd: Odd, folder: Path) -> float:
    """The mean difference in grey levels at the size at which the two can be compared."""
    path = folder / "photo"
    path.write_bytes(odd.data)
    got = decode_photo(path, TARGET)
    assert got.mode == "RGB"
    size = odd.shown.size if min(odd.shown.size) < 8 else (48, 48)
    if size == odd.shown.size:
        assert got.size == size
    a, b = (np.asarray(one.resize(size, Image.Resampling.BOX), dtype=float) for one in (got, odd.shown))
    return float(np.abs(a - b).mean())


def test_every_odd_photo_shows_what_it_should(tmp_path: Path) -> None:
    with Image.open(PHOTO) as photo:
        odd = list(all_odd(photo))
    assert len(odd) == len({one.name for one in odd}) >= 200
    differences = {one.name: (difference(one, tmp_path), one.tolerance) for one in odd}
    wrong = {name: f"{got:.1f}" for name, (got, allowed) in differences.items() if got > allowed}
    assert wrong == {}


@pytest.mark.parametrize("name", ["photo upside down", "another photo"])
def test_the_comparison_sees_a_wrong_picture(tmp_path: Path, name: str) -> None:
    with Image.open(PHOTO) as photo:
        first = next(all_odd(photo))
    turned = first.shown.transpose(Image.Transpose.ROTATE_180)
    shown = turned if name == "photo upside down" else Image.new("RGB", first.shown.size, "green")
    assert difference(Odd(name, first.data, shown), tmp_path) > 10


def main() -> None:
    """Print the table of docs/fuzzing.md: kinds, how many, and the largest difference of each."""
    with Image.open(PHOTO) as photo, tempfile.TemporaryDirectory() as folder:
        table: dict[str, list[float]] = {}
        for one in all_odd(photo):
            table.setdefault(one.name.split()[0], []).append(difference(one, Path(folder)))
    for kind, values in table.items():
        print(f"| {kind} | {len(values)} | {max(values):.1f} |")
    print(f"| all | {sum(map(len, table.values()))} | {max(map(max, table.values())):.1f} |")


if __name__ == "__main__":
    main()
