"""Cross-validation by caption: what a recipe is worth on unseen captions, none of them lost to a test split."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gcdesk.engine.labels import BINS
from gcdesk.engine.modelfile.tokenizer import CaptionTokenizer
from trainer.image.process.reporting import Reporter
from trainer.text.data import Caption, fingerprint, joined, without
from trainer.text.network import starting_network
from trainer.text.settings import TextSettings
from trainer.text.training import Memo, TextTraining, predict

Learn = Callable[[list[Caption], list[Caption]], NDArray[np.float32]]
"""Learn from the first captions and return logits (n, 4) of the second."""


@dataclass(frozen=True)
class OutOfFold:
    """Every caption as seen by the network that was trained without its fold: logits (n, 4), labels (n,)."""

    logits: NDArray[np.float32]
    labels: NDArray[np.int64]
    captions: tuple[str, ...]
    fold: NDArray[np.int64]

    @property
    def correct(self) -> int:
        """How many captions got their bin."""
        return int((self.logits.argmax(axis=1) == self.labels).sum())

    def save(self, path: Path, identity: str = "") -> None:
        """Write an .npz with the arrays logits, labels, captions, fold."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            np.savez(
                file,
                logits=self.logits,
                labels=self.labels,
                captions=np.array(self.captions),
                fold=self.fold,
                identity=np.array(identity),
            )


def fold_of(caption: Caption, folds: int) -> int:
    """The fold of a caption: that of its normalised text, whatever else is in the data."""
    return int.from_bytes(hashlib.sha256(caption.text.encode()).digest(), "big") % folds


def cross_validate(
    rows: Sequence[Caption],
    extra: Sequence[Caption],
    folds: int,
    learn: Learn,
    report: Reporter,
    only: Sequence[int] | None = None,
) -> OutOfFold:
    """Train once a fold on the other folds of `rows` and on `extra` (less the fold's captions), and score the fold.

    Folds are made by caption, so repeated captions never stand on both sides. `only` names the folds to do, all
    when None; the others' captions are then not in the result.
    """
    place = np.array([fold_of(row, folds) for row in rows])
    chosen = range(folds) if only is None else only
    logits = np.zeros((len(rows), len(BINS)), np.float32)
    labels = np.array([row.label for row in rows])
    for number in chosen:
        held = [row for row, at in zip(rows, place, strict=True) if at == number]
        rest = [row for row, at in zip(rows, place, strict=True) if at != number]
        logits[place == number] = learn(joined(rest, without(extra, held)[0]), held)
        right = float((logits[place == number].argmax(axis=1) == labels[place == number]).mean())
        report.note(f"Fold {number + 1} of {folds}: {right:.1%} of {len(held)} captions")
    done = np.flatnonzero(np.isin(place, list(chosen)))
    return OutOfFold(logits[done], labels[done], tuple(rows[int(i)].text for i in done), place[done])


def learner(
    base: str, tokenizer: CaptionTokenizer, settings: TextSettings, device: str, report: Reporter
) -> Learn:
    """The text trainer as cross-validation uses it: all epochs, the last one counts (no fold chooses its own)."""
    memo: Memo = {}  # a frozen encoder says the same in every fold

    def learn(train: list[Caption], held: list[Caption]) -> NDArray[np.float32]:
        network = starting_network(base, settings.pooling, settings.seed, settings.head)
        training = TextTraining(network, tokenizer, train, [], settings, device, memo)
        return predict(training.run(report), tokenizer, held, settings, device)

    return learn


def kept_or_made(path: Path, identity: str, make: Callable[[], OutOfFold]) -> OutOfFold:
    """What an interrupted run of the same `identity` left at `path`, else what `make` returns, kept there."""
    if path.is_file():
        with np.load(path) as kept:
            if str(kept["identity"]) == identity:
                return OutOfFold(
                    kept["logits"],
                    kept["labels"],
                    tuple(str(text) for text in kept["captions"]),
                    kept["fold"],
                )
    made = make()
    made.save(path, identity)
    return made


def identity_of(rows: Sequence[Caption], extra: Sequence[Caption], settings: TextSettings, folds: int) -> str:
    """What a cross-validation depends on, as a str to compare."""
    content = {
        "rows": fingerprint(rows),
        "extra": fingerprint(extra),
        "settings": asdict(settings),
        "folds": folds,
    }
    return json.dumps(content, sort_keys=True)
