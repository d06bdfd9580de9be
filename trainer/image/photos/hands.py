"""Draws a hand that holds a thing: a palm from the picture's edge under it, and fingers that may lie over it."""

from __future__ import annotations

from typing import cast

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from trainer.image.photos.backgrounds import TEXTURE_SIDE, noise

# Skin and glove colours (RGB).
_SKIN = (
    *((236, 201, 176), (224, 172, 140), (198, 134, 96), (160, 102, 70), (112, 72, 50), (78, 50, 38)),
    *((244, 214, 196), (60, 110, 170), (235, 235, 230)),
)
_FINGERS = 4


def draw_hand(size: int, rng: np.random.Generator) -> tuple[Image.Image, Image.Image, Image.Image]:
    """A hand that reaches to the middle: its colours (RGB), the mask of palm and arm, and that of the finger tips.

    All are size x size; masks are L with 255 = hand. The tips belong over the thing, the rest under it.
    """
    palm, tips = Image.new("L", (size, size), 0), Image.new("L", (size, size), 0)
    angle = float(rng.uniform(0, 2 * np.pi))
    toward = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-toward[1], toward[0]])
    wide = size * float(rng.uniform(0.28, 0.42))
    middle = np.array([size / 2, size / 2]) + rng.uniform(-0.08, 0.08, 2) * size
    wrist = middle - toward * size * 0.9
    under = ImageDraw.Draw(palm)
    _stroke(under, wrist, middle - toward * wide * 0.5, wide * 0.75)
    _disc(under, middle - toward * wide * 0.2, wide * 0.6)
    over = ImageDraw.Draw(tips)
    for finger in range(_FINGERS):
        side = (finger - (_FINGERS - 1) / 2) / _FINGERS
        root = middle + across * side * wide * 1.1
        tip = root + toward * wide * float(rng.uniform(0.5, 1.0)) + across * side * wide * 0.3
        _stroke(under, root, tip, wide * 0.2)
        bent = tip - toward * wide * float(rng.uniform(0.1, 0.3))
        _stroke(over, tip, bent, wide * 0.2)
    colour = np.array(_SKIN[int(rng.integers(len(_SKIN)))], np.float32) * rng.uniform(0.8, 1.1)
    shade = 1.0 + 0.35 * (noise(rng, (4, 4)) - 0.5) + 0.08 * (noise(rng, (90, 90)) - 0.5)
    pixels = np.clip(shade[..., None] * colour, 0, 255).astype(np.uint8)
    skin = Image.fromarray(pixels).resize((size, size), Image.Resampling.BILINEAR)
    if size > TEXTURE_SIDE:
        skin = skin.filter(ImageFilter.GaussianBlur(1.0))
    return skin, palm.filter(ImageFilter.GaussianBlur(1.0)), tips.filter(ImageFilter.GaussianBlur(1.0))


def _stroke(draw: ImageDraw.ImageDraw, start: np.ndarray, end: np.ndarray, width: float) -> None:
    points = cast(list[float], [*start.tolist(), *end.tolist()])
    draw.line(points, fill=255, width=max(2, int(width)))
    for point in (start, end):
        _disc(draw, point, width / 2)


def _disc(draw: ImageDraw.ImageDraw, middle: np.ndarray, radius: float) -> None:
    x, y = (float(value) for value in middle)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
