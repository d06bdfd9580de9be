"""How a photo becomes the numbers that an image model reads, equal to torchvision's own transforms.

numpy and Pillow only. `decode_photo` lives in `decoding` and is offered here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gcdesk.engine.errors import ModelFileError

Resize = Literal["squash", "shortest_crop", "pad"]
Interpolation = Literal["bilinear", "bicubic"]

# Mean and standard deviation of ImageNet's RGB pixels in 0 to 1 (torchvision).
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

# A model file that asks for more is damaged: no photo model here reads above 600 px, and memory grows as
# the square.
_MAX_SIZE = 2048
# Mean and std of pixels in 0 to 1; beyond this fp32 holds nothing but infinity. NaN is no number either.
_MAX_NUMBER = 1e6
_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


@dataclass(frozen=True)
class Preprocessing:
    """What an image model wants of a photo; recorded in its model file.

    resize: "squash" to a square; "shortest_crop" scales the shortest side to `resize_to` and cuts the middle;
    "pad" scales the longest side to `size` and fills the rest with 0 after normalising, the mean colour.
    size: side of the square, px. resize_to: shortest side before the cut, px; equal to `size` for the others.
    mean, std: per channel, of RGB in 0 to 1. Raises ModelFileError for what cannot be used.
    """

    resize: Resize
    size: int
    resize_to: int
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    interpolation: Interpolation = "bilinear"

    def __post_init__(self) -> None:
        _one_of("resize", self.resize, get_args(Resize))
        _one_of("interpolation", self.interpolation, get_args(Interpolation))
        for name in ("size", "resize_to"):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= _MAX_SIZE:
                raise ModelFileError(
                    f"the {name} is {value!r}: it must be a number of pixels to {_MAX_SIZE}."
                )
        if self.resize == "shortest_crop" and self.resize_to < self.size:
            raise ModelFileError(f"{self.size} px cannot be cut out of {self.resize_to} px (resize_to).")
        if self.resize != "shortest_crop" and self.resize_to != self.size:
            raise ModelFileError(
                f"resize_to must be equal to the size when photos are resized by {self.resize}."
            )
        _three_numbers("mean", self.mean)
        _three_numbers("std", self.std)
        if min(self.std) <= 0:
            raise ModelFileError("the std of the preprocessing must be above 0.")

    def to_json(self) -> dict[str, Any]:
        """As it stands in `model.json`."""
        return {**asdict(self), "mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_json(cls, data: object) -> Preprocessing:
        """The inverse of `to_json`. Raises ModelFileError for missing, unknown or unusable fields."""
        names = {item.name for item in fields(cls)}
        if not isinstance(data, Mapping) or set(data) != names:
            raise ModelFileError(
                f"the preprocessing must have exactly the fields {', '.join(sorted(names))}."
            )
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        return cls(**values)


def preprocess(image: Image.Image, preprocessing: Preprocessing) -> NDArray[np.float32]:
    """The photo as the model reads it: float32, (3, size, size), contiguous, normalised.

    Resizing is Pillow's, with antialiasing, on 8-bit pixels: so does torchvision with a PIL image. Takes
    any image that `decode_photo` gives; another mode is made RGB.
    """
    if image.mode != "RGB":
        image = image.convert("RGB")
    size = preprocessing.size
    out = np.empty((3, size, size), dtype=np.float32)
    if preprocessing.resize == "squash":
        _normalise(_resized(image, (size, size), preprocessing), preprocessing, out)
    elif preprocessing.resize == "shortest_crop":
        _normalise(_shortest_cropped(image, preprocessing), preprocessing, out)
    else:
        out.fill(0)
        width, height = _fitted(image.size, size)
        top, left = (size - height) // 2, (size - width) // 2
        inside = out[:, top : top + height, left : left + width]
        _normalise(_resized(image, (width, height), preprocessing), preprocessing, inside)
    return out


def _resized(
    image: Image.Image,
    size: tuple[int, int],
    preprocessing: Preprocessing,
    box: tuple[float, float, float, float] | None = None,
) -> Image.Image:
    return image.resize(size, _FILTERS[preprocessing.interpolation], box)


def _shortest_cropped(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    """torchvision's Resize(resize_to) and CenterCrop(size), computing only the pixels that are kept.

    Sizes and offsets are rounded as torchvision does. The filter still sees the pixels around the box, so the
    result differs from resizing first by at most the rounding of single pixels.
    """
    width, height = image.size
    side, size = preprocessing.resize_to, preprocessing.size
    if width <= height:
        new_width, new_height = side, int(side * height / width)
    else:
        new_width, new_height = int(side * width / height), side
    left, top = round((new_width - size) / 2), round((new_height - size) / 2)
    across, down = width / new_width, height / new_height
    box = (left * across, top * down, (left + size) * across, (top + size) * down)
    return _resized(
        image, (size, size), preprocessing, (box[0], box[1], min(box[2], width), min(box[3], height))
    )


def _fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Width and height scaled so that the longer one is `side`."""
    width, height = size
    longest = max(width, height)
    return max(1, round(width * side / longest)), max(1, round(height * side / longest))


def _normalise(image: Image.Image, preprocessing: Preprocessing, out: NDArray[np.float32]) -> None:
    """Write (pixel / 255 - mean) / std into `out` (3, h, w): one multiplication and one subtraction a
    value.
    """
    mean = np.asarray(preprocessing.mean, dtype=np.float64)
    std = np.asarray(preprocessing.std, dtype=np.float64)
    scale = (1 / (255 * std)).astype(np.float32)[:, None, None]
    shift = (mean / std).astype(np.float32)[:, None, None]
    pixels = np.asarray(image).transpose(2, 0, 1)
    np.multiply(pixels, scale, out=out)
    np.subtract(out, shift, out=out)


def _one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ModelFileError(f"the {name} is {value!r}: it must be one of {', '.join(allowed)}.")


def _three_numbers(name: str, value: object) -> None:
    fine = isinstance(value, tuple) and len(value) == 3
    if not fine or not all(type(v) in (int, float) and abs(v) <= _MAX_NUMBER for v in value):  # type: ignore[attr-defined]
        raise ModelFileError(f"the {name} of the preprocessing must be three numbers.")


# The original project's: Resize((288, 288)), bilinear, ImageNet's mean and std.
COURSE_PREPROCESSING = Preprocessing(resize="squash", size=288, resize_to=288)
