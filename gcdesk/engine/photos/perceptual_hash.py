"""A short fingerprint of what a photo looks like: the same thing photographed twice has nearly the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from gcdesk.engine.photos.decoding import decode_photo

# Of 64 bits, so many may differ between two photos of the same thing from the same place.
ALIKE_BITS = 6
_SIDE = 8


def photo_hash(path: Path | str) -> int:
    """The difference hash (64 bits) of a photo: where a grey 9 x 8 copy grows brighter to the right.

    Raises PhotoError for a photo that cannot be read.
    """
    grey = decode_photo(path, 4 * _SIDE).convert("L").resize((_SIDE + 1, _SIDE), Image.Resampling.BOX)
    values = np.asarray(grey, dtype=np.int16)
    bits = (values[:, 1:] > values[:, :-1]).ravel()
    return int("".join("1" if bit else "0" for bit in bits), 2)


def alike(one: int, other: int) -> bool:
    """Whether two photos look like the same thing."""
    return (one ^ other).bit_count() <= ALIKE_BITS
