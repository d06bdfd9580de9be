"""What goes into a classification and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gcdesk.engine.labels import BINS
from gcdesk.engine.selection.calibration import softmax
from gcdesk.engine.selection.doubt import Doubts
from gcdesk.engine.selection.rules import Selection, Winner, explain


@dataclass(frozen=True)
class Item:
    """One thing to classify.

    caption: the words to read; None takes them from the file name, "" means that there are none.
    error: what is already known to be wrong with `path`; then it is not opened and its name is not read.
    """

    path: Path | None = None
    caption: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Vote:
    """One model's answer, in the order of BINS: `probabilities` as the rule saw them, `logits` as the
    model gave them (softmax of these over the temperature gives those).
    """

    probabilities: tuple[float, ...]
    label: str
    confidence: float
    logits: tuple[float, ...] = ()


@dataclass(frozen=True)
class Times:
    """Seconds that one item took: decoding, its share of the image run, its share of the text run."""

    decode: float = 0.0
    image: float = 0.0
    text: float = 0.0


@dataclass(frozen=True)
class Result:
    """What became of an item. `label` and `winner` are None where neither model could say anything.

    caption: the words as the text model read them.  reason: one sentence on why this label.
    error: why the photo could not be used; the caption alone may have decided all the same.
    doubt: how unlike the training photos the photo is (see `novelty`), None where that is not known.
    """

    index: int
    path: Path | None
    caption: str
    image: Vote | None
    text: Vote | None
    label: str | None
    winner: str | None
    confidence: float
    margin: float
    review: bool
    reason: str
    error: str | None
    times: Times = Times()
    doubt: float | None = None


@dataclass(frozen=True)
class Votes:
    """One model's arrays over n items: logits and probabilities (n, 4), and whether it voted (n,)."""

    logits: np.ndarray
    probabilities: np.ndarray
    there: np.ndarray

    @classmethod
    def of(
        cls,
        logits: Mapping[int, np.ndarray],
        n: int,
        temperature: float,
        stretches: np.ndarray | None = None,
    ) -> Votes:
        """From the logits of those of the n items that have any, by place; divided by `stretches` (n,) besides."""
        votes = cls(np.zeros((n, len(BINS))), np.full((n, len(BINS)), 1 / len(BINS)), np.zeros(n, dtype=bool))
        if logits:
            places = list(logits)
            votes.logits[places] = np.stack([logits[place] for place in places])
            scaled = votes.logits if stretches is None else votes.logits / stretches[:, None]
            votes.probabilities[places] = softmax(scaled[places], temperature)
            votes.there[places] = True
        return votes

    def vote(self, place: int) -> Vote | None:
        if not self.there[place]:
            return None
        probabilities = self.probabilities[place]
        best = int(probabilities.argmax())
        return Vote(
            tuple(map(float, probabilities)),
            BINS[best],
            float(probabilities[best]),
            tuple(map(float, self.logits[place])),
        )


@dataclass(frozen=True)
class Combined:
    """What both models and the rule say about n items."""

    image: Votes
    text: Votes
    chosen: Selection
    doubts: Doubts | None = None

    def result(
        self,
        place: int,
        index: int,
        item: Item,
        caption: str,
        error: str | None,
        times: Times,
        doubt: float | None = None,
    ) -> Result:
        """The Result of the item at `place`. One with an error always asks for a review."""
        label = int(self.chosen.label[place])
        winner = Winner(int(self.chosen.winner[place]))
        return Result(
            index=index,
            path=item.path,
            caption=caption,
            image=self.image.vote(place),
            text=self.text.vote(place),
            label=BINS[label] if label >= 0 else None,
            winner=winner.name.lower() if winner is not Winner.NONE else None,
            confidence=float(self.chosen.confidence[place]),
            margin=float(self.chosen.margin[place]),
            review=bool(self.chosen.review[place]) or error is not None or label < 0,
            reason=explain(self, place) + self._doubt_words(place),
            error=error,
            times=times,
            doubt=doubt,
        )

    def _doubt_words(self, place: int) -> str:
        """Why a model weighed less than usual, "" where none did."""
        if self.doubts is None or not self.chosen.rule.uses_temperature:
            return ""
        words = ""
        if self.doubts.novel[place] and self.image.there[place]:
            words += ". The photo is unlike those that the image model learned, so it counts less"
        if self.doubts.wordless[place] and self.text.there[place]:
            words += ". The text model knows none of these words, so the caption hardly counts"
        return words
