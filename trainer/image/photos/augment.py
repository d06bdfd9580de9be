"""Augmented views of training photos; every random choice comes from the generator that is handed in."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from trainer.image.photos.backgrounds import TEXTURE_SIDE, Cutout, make_texture

Preset = Literal["none", "original", "station"]


@dataclass(frozen=True)
class AugmentSettings:
    """What is done to a training photo. `original` is the course project's; `station` is for real photos."""

    preset: Preset = "original"
    # station only:
    gentle: float = 0.25  # probability of the original's view instead, so that the training look stays known
    new_ground: float = 0.6  # probability of laying a cut-out object on another ground
    smallest_object: float = 0.35  # longest side of the laid object, as a share of the picture
    smallest_crop: float = 0.30  # area of the random crop
    zoom_out: float = 0.25  # probability of showing an uncut photo smaller, on a ground
    colour: float = 1.0  # strength of exposure, contrast, saturation and colour temperature
    spoil: float = 0.35  # probability each of blur, noise, JPEG artefacts and a shadow


def generator(seed: int, epoch: int, index: int) -> np.random.Generator:
    """The generator for one view: depends on nothing but (seed, epoch, index), so a resume repeats it."""
    return np.random.default_rng((seed, epoch, index))


class GroundBank:
    """A fixed set of drawn grounds, and the photos whose blurred crops serve as others."""

    def __init__(self, seed: int, count: int = 160) -> None:
        self._textures = [make_texture(np.random.default_rng((seed, 7, i))) for i in range(count)]

    def pick(self, rng: np.random.Generator, size: int, other: Image.Image | None) -> Image.Image:
        """Return a ground (RGB, size x size): a piece of a drawn one or a blurred piece of `other`."""
        if other is not None and rng.random() < 0.25:
            piece = _random_crop(other, rng, 0.1, 0.5).resize((size, size), Image.Resampling.BILINEAR)
            return piece.filter(ImageFilter.GaussianBlur(float(rng.uniform(2, 8))))
        texture = self._textures[rng.integers(len(self._textures))]
        side = int(TEXTURE_SIDE * rng.uniform(0.4, 1.0))
        left, top = (int(rng.integers(0, TEXTURE_SIDE - side + 1)) for _ in range(2))
        piece = texture.crop((left, top, left + side, top + side))
        if rng.random() < 0.5:
            piece = piece.transpose(Image.Transpose.ROTATE_90)
        return piece.resize((size, size), Image.Resampling.BILINEAR)


def make_view(
    photo: Image.Image,
    cutout: Cutout | None,
    other: Image.Image | None,
    settings: AugmentSettings,
    bank: GroundBank,
    rng: np.random.Generator,
    size: int,
) -> Image.Image:
    """Return one augmented view (RGB, size x size). `other` is another training photo, for grounds only."""
    if settings.preset == "none":
        return photo.resize((size, size), Image.Resampling.BILINEAR)
    if settings.preset == "original" or rng.random() < settings.gentle:
        return _original(photo, rng, size)
    if cutout is not None and rng.random() < settings.new_ground:
        view = lay(photo, cutout, bank.pick(rng, size, other), settings, rng)
    elif rng.random() < settings.zoom_out:
        view = _shrink_onto(photo, bank.pick(rng, size, other), settings, rng)
    else:
        piece = _random_crop(photo, rng, settings.smallest_crop, 1.0)
        view = piece.resize((size, size), Image.Resampling.BICUBIC)
        if rng.random() < 0.3:
            view = _turn(view, rng, 25.0)
    if rng.random() < 0.5:
        view = view.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    quarter = int(
        rng.integers(0, 6)
    )  # stations look straight down: no way is up, but web photos mostly have one
    if quarter in (1, 2, 3):
        view = view.rotate(90 * quarter)
    return spoil(recolour(view, settings.colour, rng), settings.spoil, rng)


def _original(photo: Image.Image, rng: np.random.Generator, size: int) -> Image.Image:
    """The course project's: squash, horizontal flip, rotation up to 10 degrees, mild colour jitter."""
    view = photo.resize((size, size), Image.Resampling.BILINEAR)
    if rng.random() < 0.5:
        view = view.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    view = view.rotate(float(rng.uniform(-10, 10)), Image.Resampling.BILINEAR)
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        view = enhance(view).enhance(float(rng.uniform(0.8, 1.2)))
    return view


def _random_crop(
    photo: Image.Image, rng: np.random.Generator, smallest: float, largest: float
) -> Image.Image:
    width, height = photo.size
    area = rng.uniform(smallest, largest) * width * height
    ratio = float(np.exp(rng.uniform(np.log(0.7), np.log(1.43))))
    w = min(width, max(8, int(np.sqrt(area * ratio))))
    h = min(height, max(8, int(np.sqrt(area / ratio))))
    left, top = int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1))
    return photo.crop((left, top, left + w, top + h))


def _turn(view: Image.Image, rng: np.random.Generator, degrees: float) -> Image.Image:
    """Rotate and cut the corners off, so that no black wedge tells that a view was turned."""
    angle = float(rng.uniform(-degrees, degrees))
    side = view.size[0]
    inner = side / (abs(np.cos(np.radians(angle))) + abs(np.sin(np.radians(angle))))
    margin = int((side - inner) / 2)
    turned = view.rotate(angle, Image.Resampling.BILINEAR)
    return turned.crop((margin, margin, side - margin, side - margin)).resize(
        (side, side), Image.Resampling.BILINEAR
    )


def lay(
    photo: Image.Image,
    cutout: Cutout,
    ground: Image.Image,
    settings: AugmentSettings,
    rng: np.random.Generator,
) -> Image.Image:
    """Lay the cut-out object on `ground`, turned and scaled, keeping its soft shadow."""
    size = ground.size[0]
    box = cutout.mask.point(lambda v: 255 if v > 100 else 0).getbbox()
    if box is None:
        return photo.resize((size, size), Image.Resampling.BICUBIC)
    pad = 6
    box = (
        *(max(0, box[0] - pad), max(0, box[1] - pad)),
        *(min(photo.size[0], box[2] + pad), min(photo.size[1], box[3] + pad)),
    )
    piece, mask = photo.crop(box), cutout.mask.crop(box)
    longest = rng.uniform(settings.smallest_object, 1.05) * size / max(piece.size)
    stretch = float(np.exp(rng.uniform(-0.12, 0.12)))
    shape = (max(4, int(piece.size[0] * longest * stretch)), max(4, int(piece.size[1] * longest / stretch)))
    piece = piece.resize(shape, Image.Resampling.BICUBIC, reducing_gap=2.0)
    mask = mask.resize(shape, Image.Resampling.BILINEAR)
    angle = float(rng.uniform(-180, 180)) if rng.random() < 0.5 else float(rng.uniform(-15, 15))
    fill = tuple(int(v) for v in cutout.ground)
    piece = piece.rotate(angle, Image.Resampling.BILINEAR, expand=True, fillcolor=fill)
    mask = mask.rotate(angle, Image.Resampling.BILINEAR, expand=True)
    room = [size - side for side in piece.size]
    # A thing that someone shows to a camera lies near the middle.
    left, top = (int(min(0, r) + abs(r) * rng.beta(2.0, 2.0)) for r in room)
    canvas, alpha = Image.new("RGB", (size, size), fill), Image.new("L", (size, size), 0)
    canvas.paste(piece, (left, top))
    alpha.paste(mask, (left, top))
    alpha = alpha.filter(ImageFilter.GaussianBlur(0.7))
    return _blend(canvas, alpha, ground, cutout.ground)


def _blend(
    canvas: Image.Image, alpha: Image.Image, ground: Image.Image, old: tuple[float, float, float]
) -> Image.Image:
    """Object over the ground; outside the mask the old ground's shading darkens the new one (its shadow)."""
    front = np.asarray(canvas, np.float32)
    share = np.asarray(alpha, np.float32)[..., None] / 255.0
    shading = np.clip(front.mean(axis=2, keepdims=True) / max(20.0, float(np.mean(old))), 0.45, 1.05)
    back = np.asarray(ground, np.float32) * shading
    return Image.fromarray(np.clip(front * share + back * (1 - share), 0, 255).astype(np.uint8))


def _shrink_onto(
    photo: Image.Image, ground: Image.Image, settings: AugmentSettings, rng: np.random.Generator
) -> Image.Image:
    size = ground.size[0]
    scale = rng.uniform(max(0.5, settings.smallest_object), 0.95) * size / max(photo.size)
    shape = (max(8, int(photo.size[0] * scale)), max(8, int(photo.size[1] * scale)))
    left, top = (int(rng.integers(0, size - side + 1)) for side in shape)
    ground = ground.copy()
    ground.paste(photo.resize(shape, Image.Resampling.BICUBIC), (left, top))
    return ground


def recolour(view: Image.Image, strength: float, rng: np.random.Generator) -> Image.Image:
    """Exposure (as a gamma and a gain), contrast, saturation and colour temperature of another camera and
    lamp.
    """
    pixels = np.asarray(view, np.float32) / 255.0
    pixels = pixels ** float(np.exp(rng.uniform(-0.35, 0.35) * strength))
    warm = rng.uniform(-0.12, 0.12) * strength
    tint = rng.uniform(-0.04, 0.04) * strength
    gain = float(np.exp(rng.uniform(-0.25, 0.2) * strength))
    pixels = pixels * np.asarray([gain * (1 + warm), gain * (1 + tint), gain * (1 - warm)], np.float32)
    grey = pixels.mean(axis=2, keepdims=True)
    pixels = grey + (pixels - grey) * float(rng.uniform(1 - 0.5 * strength, 1 + 0.3 * strength))
    middle = float(pixels.mean())
    pixels = middle + (pixels - middle) * float(rng.uniform(1 - 0.3 * strength, 1 + 0.3 * strength))
    return Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))


def spoil(view: Image.Image, probability: float, rng: np.random.Generator) -> Image.Image:
    """Blur, sensor noise, a cast shadow and JPEG artefacts, each with `probability`."""
    size = view.size[0]
    if rng.random() < probability:
        y, x = np.mgrid[0 : 1 : size * 1j, 0 : 1 : size * 1j].astype(np.float32)
        angle = rng.uniform(0, 2 * np.pi)
        edge = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle) + rng.uniform(-0.4, 0.4)
        dark = 1 - rng.uniform(0.1, 0.5) / (1 + np.exp(-edge * rng.uniform(4, 40)))
        view = Image.fromarray((np.asarray(view, np.float32) * dark[..., None]).astype(np.uint8))
    if rng.random() < probability:
        view = view.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.8))))
    if rng.random() < probability:
        spread = rng.uniform(2, 12)
        pixels = np.asarray(view, np.float32) + spread * rng.standard_normal((size, size, 3), np.float32)
        view = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if rng.random() < probability:
        packed = io.BytesIO()
        view.save(packed, "JPEG", quality=int(rng.integers(25, 90)))
        view = Image.open(packed).convert("RGB")
    return view


def pick_other(photos: Sequence[Image.Image], rng: np.random.Generator) -> Image.Image:
    """Another photo of whatever bin, for its ground only."""
    return photos[int(rng.integers(len(photos)))]
