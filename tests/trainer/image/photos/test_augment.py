"""Views: the same for the same (seed, epoch, index), different otherwise; grounds are found and exchanged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from trainer.image.photos.augment import AugmentSettings, GroundBank, Preset, generator, make_view
from trainer.image.photos.backgrounds import Cutout, find_cutout


@pytest.fixture(scope="module")
def bank() -> GroundBank:
    return GroundBank(seed=0, count=12)


def object_on(colour: tuple[int, int, int]) -> Image.Image:
    photo = Image.new("RGB", (200, 150), colour)
    ImageDraw.Draw(photo).ellipse((60, 40, 130, 110), fill=(200, 30, 30))
    return photo


def view(
    photo: Image.Image, cutout: Cutout | None, bank: GroundBank, preset: Preset, epoch: int
) -> np.ndarray:
    settings = AugmentSettings(preset=preset)
    made = make_view(photo, cutout, photo, settings, bank, generator(5, epoch, 9), 96)
    assert made.size == (96, 96)
    assert made.mode == "RGB"
    return np.asarray(made)


@pytest.mark.parametrize("preset", ["original", "station"])
def test_a_view_depends_on_seed_epoch_and_index_alone(
    samples: Path, bank: GroundBank, preset: Preset
) -> None:
    photo = Image.open(samples / "orange peel.jpg").convert("RGB")
    cutout = find_cutout(photo)
    once = view(photo, cutout, bank, preset, epoch=1)
    assert np.array_equal(once, view(photo, cutout, bank, preset, epoch=1))
    assert not np.array_equal(once, view(photo, cutout, bank, preset, epoch=2))


def test_no_augmentation_is_the_squashed_photo(bank: GroundBank) -> None:
    photo = object_on((255, 255, 255))
    expected = np.asarray(photo.resize((96, 96), Image.Resampling.BILINEAR))
    assert np.array_equal(view(photo, None, bank, "none", epoch=1), expected)


@pytest.mark.parametrize("colour", [(255, 255, 255), (170, 168, 160), (30, 60, 90)])
def test_the_object_is_cut_out_of_a_plain_ground(colour: tuple[int, int, int]) -> None:
    cutout = find_cutout(object_on(colour))
    assert cutout is not None
    mask = np.asarray(cutout.mask) > 128
    assert mask[75, 95]
    assert not mask[5, 5]
    assert mask.mean() == pytest.approx(np.pi * 35**2 / (200 * 150), abs=0.02)
    assert np.allclose(cutout.ground, colour, atol=6)


def test_field_photos_lie_on_a_ground_that_is_found(samples: Path) -> None:
    for name in ("orange peel", "kitchen sponge", "used toothbrush"):
        assert find_cutout(Image.open(samples / f"{name}.jpg").convert("RGB")) is not None


def test_a_busy_photo_is_not_cut(samples: Path) -> None:
    assert find_cutout(Image.open(samples / "grocery store flyer.jpg").convert("RGB")) is None


def test_a_new_ground_changes_the_ground_and_keeps_the_object(bank: GroundBank) -> None:
    photo = object_on((255, 255, 255))
    settings = replace(
        AugmentSettings(preset="station"),
        gentle=0.0,
        new_ground=1.0,
        colour=0.0,
        spoil=0.0,
        smallest_object=0.9,
    )
    whites, reds = [], []
    for index in range(20):
        rng = generator(0, 1, index)
        pixels = np.asarray(make_view(photo, find_cutout(photo), photo, settings, bank, rng, 96), np.int16)
        whites.append((pixels.min(axis=2) > 245).mean())
        reds.append((pixels[..., 0] - pixels[..., 1] > 100).mean())
    assert np.median(whites) < 0.1
    assert np.median(reds) > 0.25
