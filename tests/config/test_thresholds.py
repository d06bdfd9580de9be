"""The thresholds, and the words that follow from them."""

from __future__ import annotations

import pytest
from PIL import Image

from gcdesk.config.thresholds import PHOTO_MAX_PIXELS, Thresholds


@pytest.mark.parametrize(
    ("confidence", "review", "word"),
    [
        (1.0, False, "sure"),
        (0.90, False, "sure"),
        (0.8999, False, "probably"),
        (0.80, False, "probably"),
        (0.7999, True, "check"),
        (0.7999, False, "check"),
        (0.99, True, "check"),
    ],
)
def test_certainty(confidence: float, review: bool, word: str) -> None:
    assert Thresholds().certainty(confidence, review) == word


def test_a_review_threshold_above_sure_never_says_probably() -> None:
    strict = Thresholds(review=0.95)
    assert strict.certainty(0.93, True) == "check"
    assert strict.certainty(0.96, False) == "sure"


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan")])
@pytest.mark.parametrize("name", ["review", "disagreement", "sure"])
def test_what_is_no_fraction_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        Thresholds(**{name: value})


def test_the_pixel_cap_is_the_decoders_own_which_stays_on() -> None:
    assert Image.MAX_IMAGE_PIXELS == PHOTO_MAX_PIXELS
