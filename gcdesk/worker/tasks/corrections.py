"""What operators said, ready to measure or to learn from: grouped, with the station test set kept apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gcdesk.engine.captions.rules import DEFAULT_CAPTION_RULE, CaptionRule, apply_rule
from gcdesk.engine.errors import PhotoError
from gcdesk.engine.evaluation.scored_set import CONFIRMED, CORRECTED, RANDOM
from gcdesk.engine.evaluation.scoring import Measured
from gcdesk.engine.learning.grouping import groups_of, is_drawn, item_keys
from gcdesk.engine.photos.perceptual_hash import alike, photo_hash
from gcdesk.store import Judged, Store

Tell = Callable[[int, int], None]


class SplitAssignment(StrEnum):
    """held: of the station test set, only measures. learn: may be trained on. neither: it joins both kinds."""

    HELD_OUT = "held"
    LEARN = "learn"
    NEITHER = "neither"


@dataclass(frozen=True)
class Correction:
    """An item whose bin a person set. caption: in rule form. group: items with the same number show the same thing."""

    judged: Judged
    caption: str
    group: int
    assignment: SplitAssignment

    @property
    def source(self) -> str:
        """Where its bin is known from, one of `scored_set.SOURCES`."""
        if self.judged.random:
            return RANDOM
        return CORRECTED if self.judged.corrected else CONFIRMED

    def measured(self) -> Measured:
        """As an item to evaluate."""
        return Measured(
            Path(self.judged.path),
            self.judged.caption,
            self.judged.bin,
            self.source,
            self.assignment is SplitAssignment.HELD_OUT,
        )


def read_corrections(
    store: Store,
    sessions: Sequence[int] | None = None,
    rule: CaptionRule = DEFAULT_CAPTION_RULE,
    tell: Tell = lambda _done, _total: None,
) -> list[Correction]:
    """The items with a bin by hand of these sessions (all for None). New groups are assigned here, for ever.

    Groups are made over all sessions, so that the assignment of a thing does not depend on what is asked for. tell:
    photos looked at, of all; may raise to stop. Raises StoreError.
    """
    everything = store.judged()
    photos = _photo_hashes(store, everything, tell)
    captions = [apply_rule(item.caption, rule) for item in everything]
    groups = groups_of(captions, photos)
    keys = [item_keys(caption, photo) for caption, photo in zip(captions, photos, strict=True)]
    fate_of = _assignments(store, groups, keys)
    wanted = None if sessions is None else set(sessions)
    return [
        Correction(item, caption, group, fate_of[group])
        for item, caption, group in zip(everything, captions, groups, strict=True)
        if wanted is None or item.session in wanted
    ]


def _photo_hashes(store: Store, items: Sequence[Judged], tell: Tell) -> list[int | None]:
    """Each photo's fingerprint; None where it cannot be read (it was moved, say)."""
    fresh: dict[int, int] = {}
    try:
        for index, item in enumerate(items):
            tell(index, len(items))
            if item.photo is None:
                try:
                    fresh[item.item_id] = photo_hash(item.path)
                except PhotoError:
                    continue
    finally:
        if fresh:
            store.set_photo_hashes(fresh)
    return [item.photo if item.photo is not None else fresh.get(item.item_id) for item in items]


def _assignments(
    store: Store, groups: Sequence[int], keys: Sequence[tuple[str, ...]]
) -> dict[int, SplitAssignment]:
    of_group: dict[int, set[str]] = {}
    for group, own in zip(groups, keys, strict=True):
        of_group.setdefault(group, set()).update(own)
    known = store.station_fates(key for mine in of_group.values() for key in mine)
    looks = store.station_photos()
    fresh: dict[str, bool] = {}
    assignments: dict[int, SplitAssignment] = {}
    for group, mine in of_group.items():
        met = {known[key] for key in mine if key in known} | _met_by_look(mine, known, looks)
        if len(met) == 2:
            assignments[group] = SplitAssignment.NEITHER
            continue
        held = met.pop() if met else is_drawn(tuple(mine))
        assignments[group] = SplitAssignment.HELD_OUT if held else SplitAssignment.LEARN
        fresh.update((key, held) for key in mine if key not in known)
    if fresh:
        store.decide_station(fresh)
    return assignments


def _met_by_look(keys: set[str], known: dict[str, bool], looks: dict[int, bool]) -> set[bool]:
    """Fates of photos, of sessions that may be deleted by now, that look like one of these."""
    mine = [int(key[2:], 16) for key in keys if key.startswith("p:") and key not in known]
    return {held for photo in mine for other, held in looks.items() if alike(photo, other)}
