"""The columnar list: what counts as label, as to review, as corrected."""

from __future__ import annotations

import dataclasses

import numpy as np
from window_kit import outcome

from gcdesk.engine.labels import NOT_SET, UNSURE
from gcdesk.engine.selection.rules import Winner
from gcdesk.store import SpotCheck, Status
from gcdesk.ui.session.rows import NewItem, Outcome, Rows


def filled(count: int) -> Rows:
    rows = Rows()
    rows.add([NewItem(100 + i, f"/photos/IMG_{i}.jpg", f"cup {i}") for i in range(count)])
    return rows


def set_operator(rows: Rows, row: int, label: int) -> None:
    rows.set_operator(np.array([row]), np.array([label]))


def test_rows_grow_and_keep_what_they_had() -> None:
    rows = filled(3)
    rows.set_outcome(1, outcome())
    rows.add([NewItem(1000 + i, f"/more/{i}.jpg", "") for i in range(5000)])
    assert len(rows) == 5003
    assert rows.label[1] == 1
    assert rows.row_of(1000) == 3
    assert rows.row_of(77) == -1
    assert rows.name(0) == "IMG_0.jpg"
    assert rows.status[5002] == Status.QUEUED


def test_operator_wins_and_the_models_label_stays() -> None:
    rows = filled(1)
    rows.set_outcome(0, outcome())
    set_operator(rows, 0, 3)
    assert rows.final(0) == 3
    assert rows.label[0] == 1
    assert rows.corrected()[0]
    set_operator(rows, 0, NOT_SET)
    assert rows.final(0) == 1
    assert not rows.corrected()[0]


def test_to_review_ends_when_the_operator_decides_even_unsure() -> None:
    rows = filled(2)
    rows.set_outcome(0, outcome(review=True))
    assert rows.to_review().tolist() == [True, False]
    set_operator(rows, 0, UNSURE)
    assert rows.to_review().tolist() == [False, False]


def test_a_photo_without_answer_has_failed_and_a_caption_alone_has_not() -> None:
    rows = filled(2)
    nan = float("nan")
    rows.set_outcome(0, Outcome(None, None, NOT_SET, Winner.NONE, nan, nan, True, error="The file is empty."))
    rows.set_outcome(1, outcome(image=None))
    assert rows.status.tolist() == [Status.FAILED, Status.DONE]
    assert not rows.to_review()[0]
    assert np.isnan(rows.image[1]).all()


def test_disagreement_needs_two_answers() -> None:
    rows = filled(3)
    rows.set_outcome(0, outcome())
    rows.set_outcome(1, outcome(text=None))
    rows.set_outcome(2, outcome(image=(0.1, 0.7, 0.1, 0.1)))
    assert rows.disagreement().tolist() == [True, False, False]


def test_a_spot_check_is_answered_by_a_label_and_open_again_without_it() -> None:
    rows = filled(1)
    rows.spot[0] = SpotCheck.OFFERED
    set_operator(rows, 0, 1)
    assert rows.spot[0] == SpotCheck.ANSWERED
    set_operator(rows, 0, NOT_SET)
    assert rows.spot[0] == SpotCheck.OFFERED


def test_removed_rows_close_ranks() -> None:
    rows = filled(5)
    rows.set_outcome(4, outcome())
    rows.remove(np.array([0, 2]))
    assert [rows.name(row) for row in range(len(rows))] == ["IMG_1.jpg", "IMG_3.jpg", "IMG_4.jpg"]
    assert rows.row_of(104) == 2
    assert rows.row_of(100) == -1
    assert rows.label[2] == 1
    rows.add([NewItem(9, "/photos/new.jpg", "")])
    assert rows.status[3] == Status.QUEUED


def test_an_unreadable_photo_with_a_caption_is_faulty_and_still_answered() -> None:
    rows = filled(1)
    answer = outcome(image=None, review=True)
    rows.set_outcome(0, dataclasses.replace(answer, error="The photo is cut off."))
    assert rows.faulty[0]
    assert rows.status[0] == Status.DONE
    assert rows.to_review()[0]
