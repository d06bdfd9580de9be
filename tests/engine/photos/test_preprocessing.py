"""Preprocessing equals torchvision's own transforms. What decoding does is in test_decoding.py."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torchvision import transforms
from torchvision.transforms import functional

from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.engine.photos.preprocessing import (
    COURSE_PREPROCESSING,
    IMAGENET_MEAN,
    IMAGENET_STD,
    Preprocessing,
    preprocess,
)

SIZES = [(640, 480), (480, 640), (1001, 333), (300, 300), (97, 211), (40, 40), (3, 900)]
WAYS = [
    COURSE_PREPROCESSING,
    Preprocessing("squash", 224, 224, interpolation="bicubic"),
    Preprocessing("shortest_crop", 224, 256),
    Preprocessing("shortest_crop", 288, 288, interpolation="bicubic"),
    Preprocessing("shortest_crop", 223, 256, (0.5, 0.4, 0.3), (0.2, 0.1, 0.3)),
    Preprocessing("pad", 240, 240),
]


def torchvisions(image: Image.Image, way: Preprocessing) -> np.ndarray:
    mode = transforms.InterpolationMode(way.interpolation)
    if way.resize == "squash":
        image = functional.resize(image, [way.size, way.size], mode)
    elif way.resize == "shortest_crop":
        image = functional.center_crop(functional.resize(image, [way.resize_to], mode), [way.size])
    else:
        factor = way.size / max(image.size)
        width, height = (max(1, round(side * factor)) for side in image.size)
        image = functional.resize(image, [height, width], mode)
    pixels = functional.normalize(functional.to_tensor(image), way.mean, way.std)
    if way.resize == "pad":
        across, down = way.size - image.width, way.size - image.height
        sides = [across // 2, down // 2, across - across // 2, down - down // 2]
        pixels = functional.pad(pixels, sides, fill=0)
    return pixels.numpy()


def real_and_hard(samples: Path, size: tuple[int, int]) -> list[Image.Image]:
    """A real photo, and noise: the hardest picture to resize in the same way."""
    noise = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    with Image.open(samples / "orange peel.jpg") as photo:
        return [photo.convert("RGB").resize(size), Image.fromarray(noise)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.resize}-{way.size}-{way.interpolation}")
def test_it_equals_torchvision_on_pngs(
    samples: Path, tmp_path: Path, way: Preprocessing, size: tuple[int, int]
) -> None:
    for image in real_and_hard(samples, size):
        image.save(tmp_path / "a.png")
        ours = preprocess(decode_photo(tmp_path / "a.png", way.resize_to), way)
        with Image.open(tmp_path / "a.png") as opened:
            theirs = torchvisions(opened.convert("RGB"), way)
        assert ours.shape == theirs.shape == (3, way.size, way.size)
        levels = np.abs(ours - theirs) * np.reshape(way.std, (3, 1, 1)) * 255
        if min(size) == 3 and way.resize == "shortest_crop":
            # Enlarged a hundredfold, the box's single precision shows: still within 1/255 on average.
            assert levels.mean() < 1
            continue
        assert levels.mean() < 0.02
        assert levels.max() < (0.01 if way.resize != "shortest_crop" else 1.01)


def test_jpegs_at_their_reduced_scale_are_close_to_a_full_decode(samples: Path, tmp_path: Path) -> None:
    with Image.open(samples / "orange peel.jpg") as photo:
        photo.resize((2400, 1800), Image.Resampling.BICUBIC).save(tmp_path / "a.jpg", quality=90)
    ours = preprocess(decode_photo(tmp_path / "a.jpg", 288), COURSE_PREPROCESSING)
    with Image.open(tmp_path / "a.jpg") as opened:
        theirs = torchvisions(opened.convert("RGB"), COURSE_PREPROCESSING)
    assert (np.abs(ours - theirs) * np.reshape(IMAGENET_STD, (3, 1, 1))).mean() < 1 / 255


def test_the_shape_and_kind_that_a_session_wants() -> None:
    pixels = preprocess(Image.new("RGB", (50, 70), (255, 0, 128)), COURSE_PREPROCESSING)
    assert pixels.dtype == np.float32
    assert pixels.shape == (3, 288, 288)
    assert pixels.flags.c_contiguous
    expected = (np.array([255, 0, 128]) / 255 - IMAGENET_MEAN) / IMAGENET_STD
    assert pixels[:, 100, 100] == pytest.approx(expected, abs=1e-5)


def test_another_mode_is_made_rgb() -> None:
    grey = preprocess(Image.new("L", (50, 70), 200), COURSE_PREPROCESSING)
    assert np.array_equal(grey, preprocess(Image.new("RGB", (50, 70), (200,) * 3), COURSE_PREPROCESSING))


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1)])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.resize}-{way.size}")
def test_the_thinnest_photos(way: Preprocessing, size: tuple[int, int]) -> None:
    pixels = preprocess(Image.new("RGB", size, "white"), way)
    assert pixels.shape == (3, way.size, way.size)
    assert np.isfinite(pixels).all()


def test_padding_is_the_mean_colour_on_both_sides() -> None:
    way = Preprocessing("pad", 100, 100)
    pixels = preprocess(Image.new("RGB", (200, 100), "white"), way)
    assert (pixels[:, :25] == 0).all()
    assert (pixels[:, 75:] == 0).all()
    assert (pixels[:, 25:75] > 1).all()


@pytest.mark.parametrize("way", WAYS)
def test_json_round_trip(way: Preprocessing) -> None:
    assert Preprocessing.from_json(json.loads(json.dumps(way.to_json()))) == way


def test_the_original_projects() -> None:
    assert Preprocessing("squash", 288, 288, IMAGENET_MEAN, IMAGENET_STD, "bilinear") == COURSE_PREPROCESSING


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("resize", "stretch", "squash, shortest_crop, pad"),
        ("interpolation", "nearest", "bilinear, bicubic"),
        ("size", 0, "pixels"),
        ("size", 10**9, "pixels"),
        ("size", 288.0, "pixels"),
        ("size", True, "pixels"),
        ("resize_to", 300, "equal"),
        ("mean", [0.5, 0.5], "three numbers"),
        ("mean", "abc", "three numbers"),
        ("std", [0.2, float("nan"), 0.2], "three numbers"),
        ("std", [0.2, 0, 0.2], "above 0"),
        ("colour", "red", "exactly the fields"),
    ],
)
def test_what_cannot_be_used_is_refused(field: str, value: object, words: str) -> None:
    with pytest.raises(ModelFileError, match=words):
        Preprocessing.from_json({**COURSE_PREPROCESSING.to_json(), field: value})


def test_a_cut_must_fit(samples: Path) -> None:
    with pytest.raises(ModelFileError, match="cannot be cut"):
        replace(WAYS[2], resize_to=200)
    for data in (None, [], "squash", {}):
        with pytest.raises(ModelFileError, match="exactly the fields"):
            Preprocessing.from_json(data)
