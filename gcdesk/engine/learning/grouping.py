"""Which items show the same thing, so that none of it is trained on while the rest measures."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from gcdesk.engine.photos.perceptual_hash import alike

# One group in so many is set aside for ever as the station test set.
HELD_ONE_IN = 5


def item_keys(caption: str, photo: int | None) -> tuple[str, ...]:
    """What an item is known by: its caption in rule form, its photo's hash; each may be missing."""
    keys = [f"c:{caption}"] if caption else []
    return (*keys, f"p:{photo:016x}") if photo is not None else tuple(keys)


def groups_of(captions: Sequence[str], photos: Sequence[int | None]) -> list[int]:
    """A number for each item; items with the same caption, or photos that look alike, share theirs."""
    parent = list(range(len(captions)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    first: dict[str, int] = {}
    for place, caption in enumerate(captions):
        if caption:
            parent[root(place)] = root(first.setdefault(caption, place))
    for place, photo in enumerate(photos):
        if photo is not None:
            for other in range(place):
                known = photos[other]
                if known is not None and root(other) != root(place) and alike(photo, known):
                    parent[root(place)] = root(other)
    return [root(place) for place in range(len(captions))]


def is_drawn(keys: Sequence[str]) -> bool:
    """Whether a new group goes into the test set: by chance, but the same on every computer."""
    digest = hashlib.sha256("\n".join(sorted(keys)).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") % HELD_ONE_IN == 0
