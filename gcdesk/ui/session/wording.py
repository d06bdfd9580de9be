"""What the operator reads of rows (bin, status, who decided, votes) and of counts, times and durations. No Qt."""

from __future__ import annotations

import datetime

import numpy as np

from gcdesk.engine.labels import BINS, NOT_SET, UNSURE
from gcdesk.engine.selection.rules import Winner
from gcdesk.store import Status
from gcdesk.ui.session.rows import Rows


def label_name(code: int) -> str:
    """The word for a label code; empty where there is none."""
    return BINS[code] if 0 <= code < len(BINS) else "Unsure" if code == UNSURE else ""


def status_word(rows: Rows, row: int) -> str:
    """The operator's word for where a row is."""
    status = rows.status[row]
    if status == Status.QUEUED:
        return "Queued"
    if status == Status.RUNNING:
        return "Running"
    given = int(rows.operator[row])
    if given != NOT_SET:
        return "Unsure" if given == UNSURE else "Confirmed" if given == rows.label[row] else "Corrected"
    if status == Status.FAILED:
        return "Failed"
    if rows.review[row] or rows.label[row] == NOT_SET:
        return "To review"
    return "Copy" if rows.twin(row) >= 0 else "Done"


def status_words(rows: Rows, start: int, end: int) -> list[str]:
    """`status_word` of the rows from `start` to before `end`, at a tenth of the cost."""
    part = slice(start, end)
    status, given, label = rows.status[part], rows.operator[part], rows.label[part]
    words = np.select(
        [status == Status.QUEUED, status == Status.RUNNING, given == UNSURE,
         (given != NOT_SET) & (given == label), given != NOT_SET, status == Status.FAILED,
         rows.review[part] | (label == NOT_SET)],
        ["Queued", "Running", "Unsure", "Confirmed", "Corrected", "Failed", "To review"],
        "Done",
    )  # fmt: skip
    found: list[str] = words.tolist()
    for index in np.flatnonzero((words == "Done") & (rows.duplicate_of[part] != 0)).tolist():
        found[index] = status_word(rows, start + index)
    return found


def winner_word(rows: Rows, row: int) -> str:
    """Who decided: the operator, one model, or both."""
    if rows.operator[row] != NOT_SET:
        return "You"
    if rows.label[row] == NOT_SET:
        return ""
    return {Winner.IMAGE: "Image", Winner.TEXT: "Text", Winner.BOTH: "Both"}.get(
        Winner(int(rows.winner[row])), ""
    )


def vote_text(probabilities: np.ndarray) -> str:
    """`Black 0.61`, or empty where the model abstained."""
    if np.isnan(probabilities[0]):
        return ""
    best = int(probabilities.argmax())
    return f"{BINS[best]} {probabilities[best]:.2f}"


def day_and_time(seconds: float, now: datetime.datetime | None = None) -> str:
    """`Today 14:05`, `Yesterday 14:05`, `21 November 2026`; seconds since 1970, in this computer's time."""
    then, now = datetime.datetime.fromtimestamp(seconds), now or datetime.datetime.now()
    days = (now.date() - then.date()).days
    if days in (0, 1):
        return f"{'Today' if days == 0 else 'Yesterday'} {then:%H:%M}"
    return f"{then.day} {then:%B %Y}"


def photos(count: int) -> str:
    """`1 photo`, `1,204 photos`."""
    return "1 photo" if count == 1 else f"{count:,} photos"


def duration(seconds: float) -> str:
    """`4 s`, `3 min`, `1 h 20 min`."""
    whole = max(1, round(seconds))
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
