"""The four bins, in the order of the course's class indices."""

from __future__ import annotations

from gcdesk.engine.errors import LabelError

BINS: tuple[str, ...] = ("Black", "Blue", "Green", "TTR")
# Besides the indices of BINS (0 to 3): no label yet, and the operator's "none of these".
NOT_SET = -1
UNSURE = len(BINS)
# Some data sets call "take to recycle" simply "Other".
_ALIASES = {"other": "TTR"}
_BY_NAME = {name.lower(): name for name in BINS} | _ALIASES


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
