"""What goes into a classification and what comes out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gcdesk.engine.labels import BINS
from gcdesk.engine.modelfile.item_kinds import Guess
from gcdesk.engine.selection.calibration import softmax
from gcdesk.engine.selection.input_flags import InputFlags
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
    distance: how unlike the training photos the photo is (see `modelfile.novelty`), None where that is not known.
    kinds: what kind of thing it looks like, the likeliest first (see `modelfile.item_kinds`).
    known_words: the share of the caption's words that the text model knows, 1 where there are none.
    unreadable: somebody wrote a caption of which the text model can read nothing.
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
    distance: float | None = None
    kinds: tuple[Guess, ...] = ()
    known_words: float = 1.0
    unreadable: bool = False


@dataclass(frozen=True)
class ModelVotes:
    """One model's arrays over n items: logits and probabilities (n, 4), and whether it voted (n,)."""

    logits: np.ndarray
    probabilities: np.ndarray
    there: np.ndarray

    @classmethod
    def of(
        cls, logits: Sequence[np.ndarray | None], temperature: float, factors: np.ndarray | None = None
    ) -> ModelVotes:
        """From each item's logits (4,), None where the model abstains; divided by `factors` (n,) besides."""
        n = len(logits)
        votes = cls(np.zeros((n, len(BINS))), np.full((n, len(BINS)), 1 / len(BINS)), np.zeros(n, dtype=bool))
        present = [row for row, item in enumerate(logits) if item is not None]
        if present:
            votes.logits[present] = np.stack([item for item in logits if item is not None])
            scaled = votes.logits if factors is None else votes.logits / factors[:, None]
            votes.probabilities[present] = softmax(scaled[present], temperature)
            votes.there[present] = True
        return votes

    def without(self, abstaining: np.ndarray) -> ModelVotes:
        """These votes less those of some items (n,)."""
        return replace(self, there=self.there & ~abstaining)

    def vote(self, row: int) -> Vote | None:
        """What the model said of the item of that row, None where it abstained."""
        if not self.there[row]:
            return None
        probabilities = self.probabilities[row]
        best = int(probabilities.argmax())
        return Vote(
            tuple(map(float, probabilities)),
            BINS[best],
            float(probabilities[best]),
            tuple(map(float, self.logits[row])),
        )


@dataclass(frozen=True)
class Combined:
    """What both models and the rule say about n items."""

    image: ModelVotes
    text: ModelVotes
    chosen: Selection
    flags: InputFlags

    def result(
        self, row: int, index: int, item: Item, caption: str, error: str | None, times: Times
    ) -> Result:
        """The Result of the item of that row. One with an error always asks for a review."""
        label = int(self.chosen.label[row])
        winner = Winner(int(self.chosen.winner[row]))
        return Result(
            index=index,
            path=item.path,
            caption=caption,
            image=self.image.vote(row),
            text=self.text.vote(row),
            label=BINS[label] if label >= 0 else None,
            winner=winner.name.lower() if winner is not Winner.NONE else None,
            confidence=float(self.chosen.confidence[row]),
            margin=float(self.chosen.margin[row]),
            review=self._asks(row) or error is not None or label < 0,
            reason=self._reason(row),
            error=error,
            times=times,
            known_words=float(self.flags.known_words[row]),
            unreadable=bool(self.flags.unreadable[row]),
        )

    def _asks(self, row: int) -> bool:
        """Whether a person should look: also at a caption that cannot be read, and at a guess from unknown words."""
        guess = self.flags.wordless[row] and not self.image.there[row] and self.chosen.rule.uses_temperature
        return bool(self.chosen.review[row] or self.flags.unreadable[row] or guess)

    def _reason(self, row: int) -> str:
        """Why the item has its bin, and why a model weighed less than usual where one did."""
        weighed = self.chosen.rule.uses_temperature
        message = explain(self, row, self.flags.why_no_text(row, weighed))
        if not weighed:
            return message
        return message + self.flags.why_less(row, bool(self.image.there[row]), bool(self.text.there[row]))
