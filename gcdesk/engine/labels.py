"""The four bins, in the order of the course's class indices."""

from __future__ import annotations

import re

from gcdesk.engine.errors import LabelError

BINS: tuple[str, ...] = ("Black", "Blue", "Green", "TTR")
# Besides the indices of BINS (0 to 3): no label yet, and the operator's "none of these".
NOT_SET = -1
UNSURE = len(BINS)
# Some data sets call "take to recycle" simply "Other".
_ALIASES = {"other": "TTR"}
_BY_NAME = {name.lower(): name for name in BINS} | _ALIASES
# What others call what goes into our bins: suggested and taken when a person says so, never by themselves. `_BIN` is
# what may follow a colour, "black bin", "Green_Cart".
_USUAL_WORDS = {
    "Black": "landfill garbage trash rubbish waste refuse residual general_waste mixed_waste",
    "Blue": "recycling recycle recyclable recyclables recycled",
    "Green": "compost composts compostable compostables organic organics food_waste food_scraps bio biowaste",
    "TTR": "take_to_recycle take_to_recycling take_to_depot depot",
}
_BIN_WORDS = ("bin", "bins", "cart", "box", "bag")
USUAL_NAMES = {
    word.replace("_", " "): name for name, words in _USUAL_WORDS.items() for word in words.split()
} | {f"{colour.lower()} {word}": colour for colour in BINS[:3] for word in _BIN_WORDS}
_BETWEEN = re.compile(r"[\W_]+")


def folded(name: str) -> str:
    """A name in small letters, a blank between its words: `Food-Waste ` and `food_waste` are one."""
    return _BETWEEN.sub(" ", name).strip().lower()


def usual_bin(name: str) -> str | None:
    """The bin that a well-known name (Landfill, Compost, "green bin") suggests, None for any other word."""
    return USUAL_NAMES.get(folded(name))


def canonical_bin(name: str) -> str:
    """Return the bin that `name` means, whatever its case. Raises LabelError for any other word."""
    try:
        return _BY_NAME[name.strip().lower()]
    except KeyError:
        raise LabelError(
            f"{name!r} is not a bin: use one of {', '.join(BINS)} (Other counts as TTR)."
        ) from None


def bin_index(name: str) -> int:
    """Return the class index (0 to 3) of the bin that `name` means. Raises LabelError."""
    return BINS.index(canonical_bin(name))
