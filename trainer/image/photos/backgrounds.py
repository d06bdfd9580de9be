"""Grounds for training photos: finds the plain ground of a web photo and makes the ones that stations have.

Web photos show an object on white or on one grey wall, a look of its own for each bin; a model learns the
look instead of the object. So the object is cut out where the ground is plain and laid on something else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

_MASK_SIDE = 96
_TOLERANCE = 26.0  # grey levels between a pixel and the fitted ground; TrashNet's soft shadows are within it
_PLAIN_BORDER = 0.72  # this much of the border must be ground before a photo counts as cut out
_OBJECT_SHARE = (0.03, 0.80)  # of the picture; outside it the cut is surely wrong
TEXTURE_SIDE = 320


@dataclass(frozen=True)
class Cutout:
    """A photo's object: `mask` (L, 255 = object, the photo's size) and its ground's colour (3 floats)."""

    mask: Image.Image
    ground: tuple[float, float, float]


def find_cutout(photo: Image.Image) -> Cutout | None:
    """Return the object's mask where the photo's ground is plain (one smooth colour), else None."""
    small = np.asarray(photo.resize((_MASK_SIDE, _MASK_SIDE), Image.Resampling.BOX), np.float32)
    ground = _fit_ground(small)
    near = np.abs(small - ground).max(axis=2) < _TOLERANCE
    border = _border_mask()
    if near[border].mean() < _PLAIN_BORDER:
        return None
    outside = _grow(near & border, near)
    share = 1.0 - float(outside.mean())
    if not _OBJECT_SHARE[0] <= share <= _OBJECT_SHARE[1]:
        return None
    mask = Image.fromarray(np.where(outside, 0, 255).astype(np.uint8), mode="L")
    mask = mask.filter(ImageFilter.MedianFilter(3)).resize(photo.size, Image.Resampling.BICUBIC)
    red, green, blue = (float(v) for v in ground[outside].mean(axis=0))
    return Cutout(mask=mask, ground=(red, green, blue))


def _border_mask() -> NDArray[np.bool_]:
    border = np.ones((_MASK_SIDE, _MASK_SIDE), bool)
    border[3:-3, 3:-3] = False
    return border


def _fit_ground(small: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fit a quadratic surface per channel to the border, twice, the second time without its outliers."""
    y, x = np.mgrid[-1 : 1 : _MASK_SIDE * 1j, -1 : 1 : _MASK_SIDE * 1j].astype(np.float32)
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)
    border = _border_mask()
    points, colours = terms[border], small[border]
    keep = np.abs(colours - np.median(colours, axis=0)).max(axis=1) < 2.0 * _TOLERANCE
    fitted = np.broadcast_to(np.median(colours, axis=0), small.shape).astype(np.float32)
    for _ in range(2):
        if keep.sum() < 60:
            break
        weights, *_rest = np.linalg.lstsq(points[keep], colours[keep], rcond=None)
        fitted = np.clip(terms @ weights, 0, 255).astype(np.float32)
        keep = np.abs(colours - fitted[border]).max(axis=1) < _TOLERANCE
    return fitted


def _grow(seeds: NDArray[np.bool_], allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Flood fill: the part of `allowed` that is connected to `seeds`."""
    region = seeds
    while True:
        wider = region.copy()
        wider[1:] |= region[:-1]
        wider[:-1] |= region[1:]
        wider[:, 1:] |= region[:, :-1]
        wider[:, :-1] |= region[:, 1:]
        wider &= allowed
        if wider.sum() == region.sum():
            return wider
        region = wider


def noise(rng: np.random.Generator, cells: tuple[int, int]) -> NDArray[np.float32]:
    """Smooth noise in 0..1 of (TEXTURE_SIDE, TEXTURE_SIDE), `cells` = grid (down, across) it varies over."""
    grid = Image.fromarray(rng.random(cells, np.float32), mode="F")
    field = np.asarray(grid.resize((TEXTURE_SIDE, TEXTURE_SIDE), Image.Resampling.BICUBIC))
    return np.asarray(np.clip(field, 0.0, 1.0), np.float32)


_WOOD = ((92, 60, 38), (150, 105, 66), (188, 143, 96), (214, 178, 134), (120, 84, 60), (228, 205, 170))
_PLAIN = (
    *((190, 188, 184), (168, 164, 158), (140, 138, 135), (120, 118, 120), (210, 205, 196), (232, 230, 226)),
    *((90, 90, 92), (60, 60, 64), (36, 36, 38), (180, 160, 130), (200, 190, 170), (150, 120, 100)),
)
_GRASS = ((70, 100, 40), (100, 125, 60), (120, 115, 70), (90, 75, 50))
_CLOTH = ((60, 70, 110), (130, 50, 50), (200, 190, 170), (80, 80, 80), (150, 130, 110), (60, 100, 90))


def make_texture(rng: np.random.Generator) -> Image.Image:
    """Draw a ground that a station or a phone photo may have: wood, table top, concrete, carpet, tiles,
    grass.
    """
    kind = rng.choice(
        ["wood", "plain", "concrete", "carpet", "tiles", "grass", "stone"],
        p=[0.25, 0.15, 0.16, 0.09, 0.09, 0.08, 0.18],
    )
    if kind == "stone":
        return _stone(rng)
    if kind == "wood":
        shade = _wood(rng)
        colour = _WOOD[rng.integers(len(_WOOD))]
    elif kind == "plain":
        shade = 1.0 + 0.10 * (noise(rng, (2, 2)) - 0.5)
        colour = _PLAIN[rng.integers(len(_PLAIN))]
    elif kind == "concrete":
        cells = int(rng.integers(12, 40))
        shade = 1.0 + 0.22 * (noise(rng, (5, 5)) - 0.5) + 0.18 * (noise(rng, (cells, cells)) - 0.5)
        shade = shade + 0.10 * (noise(rng, (200, 200)) - 0.5)
        colour = _PLAIN[rng.integers(len(_PLAIN))]
    elif kind == "carpet":
        shade = 1.0 + 0.5 * (noise(rng, (150, 150)) - 0.5) + 0.2 * (noise(rng, (4, 4)) - 0.5)
        colour = _CLOTH[rng.integers(len(_CLOTH))]
    elif kind == "tiles":
        shade = _tiles(rng)
        colour = _PLAIN[rng.integers(len(_PLAIN))]
    else:
        shade = 1.0 + 0.7 * (noise(rng, (70, 40)) - 0.5) + 0.6 * (noise(rng, (160, 120)) - 0.5)
        colour = _GRASS[rng.integers(len(_GRASS))]
    tint = np.asarray(colour, np.float32) * rng.uniform(0.85, 1.15, 3).astype(np.float32)
    pixels = np.clip(shade[..., None] * tint, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels)


def _stone(rng: np.random.Generator) -> Image.Image:
    """A worktop of granite or terrazzo: specks of several colours on one."""
    pixels = np.empty((TEXTURE_SIDE, TEXTURE_SIDE, 3), np.float32)
    base = np.asarray(_PLAIN[rng.integers(len(_PLAIN))], np.float32) * rng.uniform(0.3, 1.05)
    pixels[:] = base * (1.0 + 0.25 * (noise(rng, (12, 12)) - 0.5))[..., None]
    for _ in range(int(rng.integers(2, 5))):
        cells = int(rng.integers(40, 220))
        speck = np.clip((noise(rng, (cells, cells)) - rng.uniform(0.55, 0.8)) * 12, 0, 1)[..., None]
        colour = base * rng.uniform(0.3, 1.5) + rng.uniform(-25, 40) * np.array([1.0, 0.6, 0.2], np.float32)
        pixels = pixels * (1 - speck) + colour.astype(np.float32) * speck
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _wood(rng: np.random.Generator) -> NDArray[np.float32]:
    grain = noise(rng, (int(rng.integers(40, 160)), int(rng.integers(2, 6))))
    fine = noise(rng, (TEXTURE_SIDE, int(rng.integers(4, 14))))
    shade = 1.0 + rng.uniform(0.15, 0.5) * (grain - 0.5) + 0.15 * (fine - 0.5)
    if rng.random() < 0.6:  # boards
        board = int(rng.integers(40, 150))
        for start in range(int(rng.integers(board)), TEXTURE_SIDE, board):
            shade[start:] *= rng.uniform(0.88, 1.12)
            shade[start : start + 2] *= 0.55
    return np.asarray(shade, np.float32)


def _tiles(rng: np.random.Generator) -> NDArray[np.float32]:
    shade = 1.0 + 0.15 * (noise(rng, (8, 8)) - 0.5) + 0.06 * (noise(rng, (160, 160)) - 0.5)
    side = int(rng.integers(60, 180))
    joint = rng.uniform(0.6, 1.2)
    for start in range(int(rng.integers(side)), TEXTURE_SIDE, side):
        shade[start : start + 4] *= joint
        shade[:, start : start + 4] *= joint
    return np.asarray(shade, np.float32)
