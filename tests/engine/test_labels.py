"""The bins and their names."""

from __future__ import annotations

import pytest

from gcdesk.engine.errors import LabelError
from gcdesk.engine.labels import BINS, bin_index, canonical_bin


def test_the_order_is_the_courses() -> None:
    assert BINS == ("Black", "Blue", "Green", "TTR")
    assert [bin_index(name) for name in BINS] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("black", "Black"), (" BLUE ", "Blue"), ("ttr", "TTR"), ("Other", "TTR"), ("OTHER", "TTR")],
)
def test_case_spaces_and_other(written: str, meant: str) -> None:
    assert canonical_bin(written) == meant
    assert BINS[bin_index(written)] == meant


@pytest.mark.parametrize("word", ["", "Yellow", "Blue Green", "1", ".DS_Store"])
def test_another_word_is_refused_with_the_bins_that_there_are(word: str) -> None:
    with pytest.raises(LabelError, match="Black, Blue, Green, TTR"):
        canonical_bin(word)
