"""The answer of a row in the operator's words, for the station view. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from gcdesk.config.settings import Settings
from gcdesk.engine.labels import NOT_SET, UNSURE
from gcdesk.engine.selection.rules import Winner
from gcdesk.store import Status
from gcdesk.ui.session.rows import Rows


class Look(Enum):
    """How the answer is drawn, told apart without colour. EMPTY, WAITING: plain. SURE, DECIDED: filled. PROBABLY:
    outlined. CHECK: dashed outline. FAILED: plain, with the reason.
    """

    EMPTY = "empty"
    WAITING = "waiting"
    SURE = "sure"
    PROBABLY = "probably"
    CHECK = "check"
    DECIDED = "decided"
    FAILED = "failed"


@dataclass(frozen=True)
class Answer:
    """label: the bin to draw, NOT_SET for none. heading: the word above it. candidates: the two bins of CHECK, the
    likelier first; empty where no model answered.
    """

    look: Look
    heading: str
    label: int = NOT_SET
    candidates: tuple[int, ...] = ()
    note: str = ""

    def in_words(self, names: tuple[str, ...]) -> str:
        """The whole answer as one line, for a screen reader. `names`: of the bins and "Unsure"."""
        word = names[self.label] if self.label != NOT_SET else ""
        either = " or ".join(names[code] for code in self.candidates)
        return ", ".join(part for part in (word, self.heading, either, self.note) if part)


NOTHING = Answer(Look.EMPTY, "Ready", note="Waiting for photos")


def answer_of(
    rows: Rows, row: int, settings: Settings, paused: bool = False, stopped: bool = False
) -> Answer:
    """The answer for a row; NOTHING where there is no such row.

    paused, stopped: whether the batch is, for the word of a row that waits.
    """
    if not 0 <= row < len(rows):
        return NOTHING
    status = rows.status[row]
    if rows.operator[row] != NOT_SET:
        return Answer(Look.DECIDED, _decided(rows, row), int(rows.operator[row]))
    if status == Status.FAILED:
        return Answer(Look.FAILED, "No answer", note=rows.error[row] or "This photo cannot be read")
    if status != Status.DONE:
        halted = status == Status.QUEUED
        word = "Paused" if halted and paused else "Stopped" if halted and stopped else "Looking…"
        return Answer(Look.WAITING, word)
    label, confidence = int(rows.label[row]), float(rows.confidence[row])
    certainty = settings.thresholds.certainty(confidence, bool(rows.review[row]))
    if label == NOT_SET or certainty == "check":
        return Answer(Look.CHECK, "CHECK", candidates=candidates(rows, row))
    look = Look.SURE if certainty == "sure" else Look.PROBABLY
    return Answer(look, certainty, label, note=f"{confidence:.2f}")


def _decided(rows: Rows, row: int) -> str:
    if rows.operator[row] == rows.label[row]:
        return "you agreed"
    doubtful = rows.label[row] == NOT_SET or rows.review[row] or rows.operator[row] == UNSURE
    return "you decided" if doubtful else "you corrected"


def candidates(rows: Rows, row: int) -> tuple[int, ...]:
    """The two bins that a doubtful row may be: what each model says where they differ, the rule's choice
    first; else the two likeliest of the model that decided. Empty where no model answered.
    """
    image, text = rows.image[row], rows.text[row]
    with_image, with_text = not np.isnan(image[0]), not np.isnan(text[0])
    label = int(rows.label[row])
    if with_image and with_text and image.argmax() != text.argmax():
        pair = [int(text.argmax()), int(image.argmax())]
        if label == pair[1]:
            pair.reverse()
        if label in (NOT_SET, pair[0]):
            return tuple(pair)
    if with_image and with_text:
        votes = (
            image
            if rows.winner[row] == Winner.IMAGE
            else text
            if rows.winner[row] == Winner.TEXT
            else image + text
        )
    elif with_image or with_text:
        votes = image if with_image else text
    else:
        return ()
    order = [int(code) for code in np.argsort(-votes, kind="stable")]
    if label in order:
        order.remove(label)
        order.insert(0, label)
    return tuple(order[:2])
