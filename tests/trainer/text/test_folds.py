"""Cross-validation: captions stay on one side, everything is scored once, an interrupted one is taken up."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.image.process.reporting import JsonReporter
from trainer.text.data import Caption
from trainer.text.folds import OutOfFold, cross_validate, fold_of, identity_of, kept_or_made
from trainer.text.settings import TextSettings, read_recipe

ROWS = [Caption(f"thing {i // 2}", i // 2 % 4, f"thing {i // 2}") for i in range(80)]
RECIPES = Path(__file__).resolve().parents[3] / "trainer" / "recipes"


class Spy:
    """Remembers what it was to learn; answers with the bin that the caption's number tells."""

    def __init__(self) -> None:
        self.seen: list[tuple[set[str], set[str]]] = []

    def __call__(self, train: list[Caption], held: list[Caption]) -> NDArray[np.float32]:
        self.seen.append(({row.text for row in train}, {row.text for row in held}))
        return np.eye(4, dtype=np.float32)[[row.label for row in held]]


@pytest.fixture
def report() -> JsonReporter:
    return JsonReporter("text", io.StringIO())


def test_no_caption_stands_on_both_sides_and_each_is_scored_once(report: JsonReporter) -> None:
    spy = Spy()
    extra = [Caption("thing 3", 0, "city 1"), Caption("other", 1, "city 2")]
    result = cross_validate(ROWS, extra, 4, spy, report)
    assert result.correct == len(ROWS)
    assert sorted(result.captions) == sorted(row.text for row in ROWS)
    for train, held in spy.seen:
        assert held
        assert not train & held
        assert "other" in train
    assert set().union(*(held for _, held in spy.seen)) == {row.text for row in ROWS}


def test_some_folds_only(report: JsonReporter) -> None:
    result = cross_validate(ROWS, [], 4, Spy(), report, only=[2])
    assert set(result.captions) == {row.text for row in ROWS if fold_of(row, 4) == 2}
    assert set(result.fold) == {2}


def test_a_finished_cross_validation_is_kept_for_the_same_run_only(
    tmp_path: Path, report: JsonReporter
) -> None:
    spy = Spy()

    def make() -> OutOfFold:
        return cross_validate(ROWS, [], 3, spy, report)

    same = identity_of(ROWS, [], TextSettings(), 3)
    first = kept_or_made(tmp_path / "run" / "oof.npz", same, make)
    again = kept_or_made(tmp_path / "run" / "oof.npz", same, make)
    assert len(spy.seen) == 3
    np.testing.assert_array_equal(first.logits, again.logits)
    assert first.captions == again.captions
    other = identity_of(ROWS, [], TextSettings(epochs=2), 3)
    kept_or_made(tmp_path / "run" / "oof.npz", other, make)
    assert len(spy.seen) == 6


def test_the_starters_recipe_can_be_read() -> None:
    assert read_recipe(RECIPES / "starter-text.toml").name == "starter-text"
