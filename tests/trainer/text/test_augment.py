"""Typing errors: one at most, never in the first letter, and the same for the same seed."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from trainer.text.augment import disturb, misspell

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
    assert disturb(text, 0.0, 0.0, random.Random(seed)) == text
    assert disturb(text, 1.0, 1.0, random.Random(seed)) == disturb(text, 1.0, 1.0, random.Random(seed))


def test_short_words_and_short_captions_are_left_alone() -> None:
    assert disturb("tin can", 1.0, 1.0, random.Random(0)) == "tin can"
