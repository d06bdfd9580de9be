"""A selection fitted on pairs: never worse than the better model, honest about it, and only for its models."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scored_kit import IMAGE_SHA, TEXT_SHA, scored_set, with_items

from gcdesk.engine.errors import SelectionError
from gcdesk.engine.evaluation.analysis import analyse
from gcdesk.engine.learning.rule_fitting import fit_selection, grouped_folds, out_of_fold, pairs_of
from gcdesk.engine.selection.fitted_rule import fitted_from_json, load_fitted, save_fitted
from gcdesk.engine.selection.rules import Rule


@pytest.mark.parametrize("seed", range(4))
def test_an_image_model_that_is_sure_of_nothing_does_not_drag_it_down(seed: int) -> None:
    scored = scored_set(300, image=0.55, text=0.85, image_sure=6, shared_errors=True, seed=seed)
    fitted = fit_selection(scored)
    checked = fitted.checked
    assert checked.fitted >= max(checked.image, checked.text, checked.max_confidence)
    assert checked.max_confidence < checked.text
    assert fitted.weight > 0.8


def test_independent_errors_make_the_selection_better_than_both() -> None:
    fitted = fit_selection(scored_set(400, image=0.8, text=0.8, image_sure=2, text_sure=2, wrong_sure=0.4))
    assert fitted.checked.fitted > max(fitted.checked.image, fitted.checked.text)
    assert fitted.checked.fitted >= fitted.checked.max_confidence
    assert fitted.way in ("pool", "surer")
    assert 0.2 < fitted.weight < 0.8


def test_the_told_figure_is_of_items_that_the_fit_has_not_seen() -> None:
    """Labels that nothing can predict: a fitted figure would be above chance, a cross-validated one is not."""
    figures = []
    for seed in range(6):
        scored = scored_set(60, image=0.25, text=0.25, seed=seed)
        pairs = pairs_of(scored)
        figures.append(float((out_of_fold(pairs) == pairs.labels).mean()))
    assert abs(np.mean(figures) - 0.25) < 0.06


def test_captions_that_are_the_same_stay_in_one_fold() -> None:
    groups = np.array([0, 0, 1, 2, 2, 2, 3, 4, 5, 6])
    folds = grouped_folds(groups, 5, 0)
    assert np.sum(folds, axis=0).tolist() == [1] * 10
    for held in folds:
        assert not set(groups[held]) & set(groups[~held])


def test_fewer_than_forty_items_are_refused() -> None:
    with pytest.raises(SelectionError, match=r"39 items .* at least 40"):
        fit_selection(scored_set(39))
    scored = scored_set(60)
    one_bin = with_items(scored, [replace(item, label=2) for item in scored.items])
    with pytest.raises(SelectionError, match="one bin"):
        fit_selection(one_bin)
    with pytest.raises(SelectionError, match="image model and a text model"):
        fit_selection(replace(scored, text=None))


def test_it_is_kept_for_its_models_and_refused_for_others(tmp_path: Path) -> None:
    scored = scored_set(80)
    fitted = fit_selection(scored)
    file = save_fitted(fitted, tmp_path)
    assert load_fitted(IMAGE_SHA, TEXT_SHA, tmp_path) == fitted
    assert load_fitted(TEXT_SHA, IMAGE_SHA, tmp_path) is None
    assert analyse(scored, Rule.FITTED, fitted=fitted).chosen == "fitted"
    other = replace(scored, image=replace(scored.image, sha256="c" * 64))  # type: ignore[arg-type]
    with pytest.raises(SelectionError, match="another image model"):
        analyse(other, Rule.FITTED, fitted=fitted)
    # A file that was copied under another pair's name.
    file.rename(tmp_path / f"{'c' * 16}-{'b' * 16}.json")
    with pytest.raises(SelectionError, match="another image model"):
        load_fitted("c" * 64, TEXT_SHA, tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"weight": 1.5},
        {"weight": "1"},
        {"way": "luck"},
        {"image_temperature": 0},
        {"extra": 1},
        {"format": 2},
    ],
)
def test_a_damaged_file_is_refused(change: dict[str, object]) -> None:
    data = json.loads(json.dumps(fit_selection(scored_set(60)).to_json()))
    assert fitted_from_json(data).weight == data["weight"]
    with pytest.raises(SelectionError):
        fitted_from_json(data | change)
