"""What the station view says: wording by confidence, the two candidates of a doubtful row."""

from __future__ import annotations

from dataclasses import replace

import pytest
from window_kit import outcome

from gcdesk.config.settings import Settings
from gcdesk.engine.labels import NOT_SET, UNSURE
from gcdesk.engine.selection.rules import Winner
from gcdesk.ui.session.rows import NewItem, Outcome, Rows, failure
from gcdesk.ui.station.answer import NOTHING, Look, answer_of

BLACK, BLUE, GREEN, TTR = range(4)
NAMES = ("Black", "Blue", "Green", "TTR", "Unsure")


def rows_with(result: Outcome | None) -> Rows:
    rows = Rows()
    rows.add([NewItem(1, "photo.jpg", "")])
    if result is not None:
        rows.set_outcome(0, result)
    return rows


def at(confidence: float, review: bool = False) -> Outcome:
    rest = (1 - confidence) / 3
    return outcome(image=None, text=(rest, rest, confidence, rest), review=review)


@pytest.mark.parametrize(
    ("confidence", "look", "heading"),
    [
        (0.97, Look.SURE, "sure"),
        (0.90, Look.SURE, "sure"),
        (0.89, Look.PROBABLY, "probably"),
        (0.81, Look.PROBABLY, "probably"),
        (0.79, Look.CHECK, "CHECK"),
    ],
)
def test_the_word_follows_the_confidence(confidence: float, look: Look, heading: str) -> None:
    answer = answer_of(rows_with(at(confidence + 1e-6)), 0, Settings())
    assert (answer.look, answer.heading) == (look, heading)
    assert answer.label == (NOT_SET if look is Look.CHECK else GREEN)


def test_what_asks_for_a_review_is_a_check_however_confident() -> None:
    assert answer_of(rows_with(at(0.99, review=True)), 0, Settings()).look is Look.CHECK


def test_where_the_models_differ_both_are_candidates() -> None:
    doubtful = outcome((0.1, 0.7, 0.1, 0.1), (0.62, 0.1, 0.18, 0.1), review=True)
    assert answer_of(rows_with(doubtful), 0, Settings()).candidates == (BLUE, BLACK)


def test_where_they_agree_the_two_likeliest_are_candidates() -> None:
    doubtful = outcome((0.1, 0.5, 0.3, 0.1), (0.1, 0.45, 0.05, 0.4), review=True)
    answer = answer_of(rows_with(doubtful), 0, Settings())
    assert answer.candidates == (BLUE, GREEN)
    both = replace(doubtful, winner=Winner.BOTH)
    assert answer_of(rows_with(both), 0, Settings()).candidates == (BLUE, TTR)
    assert answer.in_words(NAMES) == "CHECK, Blue or Green"


def test_one_model_alone_gives_its_own_two() -> None:
    doubtful = outcome((0.4, 0.1, 0.15, 0.35), None, review=True)
    assert answer_of(rows_with(doubtful), 0, Settings()).candidates == (BLACK, TTR)


def test_without_any_answer_there_is_no_candidate() -> None:
    nan = float("nan")
    nobody = Outcome(None, None, NOT_SET, Winner.NONE, nan, nan, True)
    answer = answer_of(rows_with(nobody), 0, Settings())
    assert (answer.look, answer.candidates) == (Look.CHECK, ())


def test_the_operators_word_is_final() -> None:
    rows = rows_with(at(0.95))
    for label, said in ((GREEN, "you agreed"), (BLUE, "you corrected"), (UNSURE, "you decided")):
        rows.set_operator([0], label)
        answer = answer_of(rows, 0, Settings())
        assert (answer.look, answer.label, answer.heading) == (Look.DECIDED, label, said)


def test_rows_without_an_answer() -> None:
    assert answer_of(Rows(), -1, Settings()) == NOTHING
    waiting = rows_with(None)
    assert answer_of(waiting, 0, Settings()).heading == "Looking…"
    assert answer_of(waiting, 0, Settings(), paused=True).heading == "Paused"
    assert answer_of(waiting, 0, Settings(), stopped=True).heading == "Stopped"
    failed = answer_of(rows_with(failure("The file is empty.")), 0, Settings())
    assert (failed.look, failed.label, failed.note) == (Look.FAILED, NOT_SET, "The file is empty.")
