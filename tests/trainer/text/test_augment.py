"""What happens to captions in training: typing errors, one at most, and words that go, join, change places."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.text.augment import Disturbance, disturb, misspell, other_number

EVERYTHING = Disturbance(1.0, 1.0, 1.0, 1.0, 1.0)
words = st.text("abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=12)


@given(words, st.integers(0, 2**32))
def test_one_error_that_keeps_the_first_letter(word: str, seed: int) -> None:
    wrong = misspell(word, random.Random(seed))
    assert wrong[0] == word[0]
    assert abs(len(wrong) - len(word)) <= 1
    assert set(wrong) <= set("abcdefghijklmnopqrstuvwxyz")


@given(st.lists(words, min_size=1, max_size=6), st.integers(0, 2**32))
def test_nothing_happens_at_rate_zero_and_the_seed_decides(parts: list[str], seed: int) -> None:
    text = " ".join(parts)
    assert disturb(text, Disturbance(), random.Random(seed)) == text
    assert disturb(text, EVERYTHING, random.Random(seed)) == disturb(text, EVERYTHING, random.Random(seed))


def test_short_words_and_short_captions_are_left_alone() -> None:
    assert disturb("tin can", Disturbance(1.0, 1.0), random.Random(0)) == "tin can"


def test_words_change_places_and_join() -> None:
    assert disturb("glass jar", Disturbance(word_order=1.0), random.Random(0)) == "jar glass"
    assert disturb("glass jar", Disturbance(join_words=1.0), random.Random(0)) == "glassjar"
    assert disturb("glass jar", Disturbance(plurals=1.0), random.Random(0)) == "glass jars"


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("jar", "jars"),
        ("box", "boxes"),
        ("battery", "batteries"),
        ("toy", "toys"),
        ("brush", "brushes"),
        ("can", "cans"),
    ],
)
def test_singular_and_plural(one: str, many: str) -> None:
    assert other_number(one) == many
    assert other_number(many) == one


def test_what_has_no_other_number_stays() -> None:
    assert other_number("tv") == "tv"
