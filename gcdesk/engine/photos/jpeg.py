"""JPEG pixels and whether all of them are there: libjpeg's own warnings, which Pillow keeps to itself.

simplejpeg hands the same libjpeg-turbo's pixels over, bit by bit, and its warnings as errors: the check costs nothing
as long as a photo is sound.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

try:
    import simplejpeg
except ImportError:  # on a cluster, which reads photos that were looked through before
    simplejpeg = None

DAMAGE = "damage"  # where decode_photo notes what is wrong with a photo that can be read
_DAMAGED = "Part of the photo is damaged or missing in its file, so what is seen of it may be wrong"
# How libjpeg words what is wrong with the pixels' data (jerror.h); other refusals are about what it does not read.
_SIGNS = ("corrupt jpeg", "premature end", "unsupported marker", "invalid jpeg", "bogus", "huffman")


def load_checked(image: Image.Image, data: bytes) -> tuple[Image.Image, str]:
    """The pixels of an opened JPEG at the scale that `draft` chose, and what is wrong with them, "" for nothing.

    RGB from simplejpeg where all is well; else what Pillow makes of it, in the mode of the file.
    """
    damage = ""
    if simplejpeg is not None and image.mode in ("RGB", "L"):
        width, height = image.size
        try:
            pixels: np.ndarray = simplejpeg.decode_jpeg(
                data, "RGB", min_height=height, min_width=width, min_factor=1, strict=True
            )
        except ValueError as error:
            damage = _DAMAGED if any(sign in str(error).lower() for sign in _SIGNS) else ""
        else:
            if pixels.shape == (height, width, 3):
                return Image.fromarray(pixels), ""
    image.load()
    return image, damage
