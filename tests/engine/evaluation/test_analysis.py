"""What an evaluation says of a scored set, against counts by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scored_kit import scored_set, with_items

from gcdesk.config.thresholds import Thresholds
from gcdesk.engine.errors import EvaluationError
from gcdesk.engine.evaluation.analysis import IMAGE, TEXT, added_by, analyse, threshold_words
from gcdesk.engine.evaluation.figures import all_figures
from gcdesk.engine.evaluation.metrics import bin_figures
from gcdesk.engine.evaluation.reliability import operating_point, reliability, risk_coverage
from gcdesk.engine.evaluation.scored_set import CORRECTED, RANDOM, read_scored, write_scored
from gcdesk.engine.selection.rules import Rule


def test_everything_that_was_counted_adds_up() -> None:
    scored = scored_set(300)
    found = analyse(scored)
    labels = scored.labels
    image = scored.image_logits.argmax(axis=1) == labels
    text = scored.text_logits.argmax(axis=1) == labels
    assert found.better == TEXT
    assert found.oracle is not None
    assert found.oracle.only_text == int((text & ~image).sum())
    assert found.oracle.items == 300
    assert found.contender(IMAGE).report.accuracy.correct == image.sum()
    assert found.contender(IMAGE).raw is not None
    assert [one.key for one in found.contenders][2:] == ["max_confidence", "mean", "calibrated", "weighted"]
    assert found.chosen == "weighted"
    wrong = found.mistakes
    assert set(wrong.tolist()) == set(np.flatnonzero(~found.in_use.hits).tolist())
    sure = found.in_use.confidences[wrong]
    assert (np.diff(sure) <= 0).all()
    assert sum(len(found.cell(TEXT, true, said)) for true in range(4) for said in range(4)) == 300
    assert sum(one.items for one in found.winners) == 300


def test_a_selection_worse_than_one_model_is_said() -> None:
    scored = scored_set(400, image=0.5, text=0.9, image_sure=6, text_sure=2, shared_errors=True)
    found = analyse(scored, Rule.MAX_CONFIDENCE)
    assert any("worse here than the text model alone" in words for words in found.warnings)
    assert found.in_use.against is not None
    assert found.in_use.against.significant
    assert not any("worse" in words for words in analyse(scored, Rule.WEIGHTED, weight=0.98).warnings)
    assert "neither on" in added_by(found)[0]


def test_leaks_and_where_a_bin_is_known_from() -> None:
    scored = scored_set(40)
    items = [
        replace(item, seen=place < 3, source=RANDOM if place % 2 else CORRECTED)
        for place, item in enumerate(scored.items)
    ]
    found = analyse(with_items(scored, items))
    assert found.leaks.tolist() == [0, 1, 2]
    assert {share.source: share.items for share in found.shares} == {RANDOM: 20, CORRECTED: 20}
    assert any("3 of 40 captions were learned" in words for words in found.warnings)


def test_doubted_models_weigh_less() -> None:
    scored = scored_set(60)
    doubted = with_items(scored, [replace(item, doubt=2.0, known_words=0.0) for item in scored.items])
    plain, less = analyse(scored), analyse(doubted)
    for key in (IMAGE, TEXT):
        assert less.contender(key).confidences.mean() < plain.contender(key).confidences.mean() - 0.05
    said = less.contender("weighted").answers
    assert (said == scored.image_logits.argmax(axis=1)).all()
    raw = [one.contender("max_confidence").answers for one in (plain, less)]
    assert (raw[0] == raw[1]).all()


def test_the_operating_point_is_what_a_person_would_count() -> None:
    at = operating_point([0.9, 0.85, 0.7, 0.95], [True, False, True, True], [False, False, False, True], 0.8)
    assert (at.review, at.accuracy, at.accepted) == (0.5, 0.5, 2)
    assert threshold_words(at) == "At 0.80 you review 50 % and the rest is 50 % right."
    nothing = operating_point([0.1], [True], [False], 0.8)
    assert threshold_words(nothing).endswith("nothing is left.")
    scored = scored_set(100)
    one = analyse(scored, thresholds=Thresholds(review=0.7)).in_use
    by_hand = (one.confidences >= 0.7) & ~one.held
    assert one.at.accepted == by_hand.sum()
    assert one.at_threshold(1.01).accepted == 0


def test_curves_and_bars() -> None:
    curve = risk_coverage([0.9, 0.9, 0.5], [True, False, True])
    assert curve.coverage.tolist() == pytest.approx([2 / 3, 1])
    assert curve.accuracy.tolist() == pytest.approx([0.5, 2 / 3])
    bars = reliability([0.95, 0.91, 0.32], [True, False, False])
    assert [bar.items for bar in bars.bars] == [0, 0, 0, 1, 0, 0, 0, 0, 0, 2]
    assert bars.bars[9].accuracy == 0.5


def test_an_unreadable_photo_is_always_reviewed() -> None:
    scored = scored_set(100)
    damaged = [
        replace(item, error="cut off") if place < 10 else item for place, item in enumerate(scored.items)
    ]
    found = analyse(with_items(scored, damaged), thresholds=Thresholds(review=0.0))
    for one in found.contenders[2:]:
        assert one.reviewed >= 10
        assert one.held[:10].all()


def test_figures_of_each_bin() -> None:
    figures = bin_figures(np.array([[8, 2, 0, 0], [1, 9, 0, 0], [0, 0, 10, 0], [0, 1, 0, 9]]))
    assert figures[1].precision == pytest.approx(9 / 12)
    assert figures[0].recall == pytest.approx(0.8)


def test_every_figure_has_its_values_beside_it() -> None:
    figures = all_figures(analyse(scored_set(120)))
    assert len(figures) == 9
    for figure in figures:
        assert figure.svg.startswith("<svg ")
        assert figure.rows
        assert all(len(row) == len(figure.head) for row in figure.rows)


def test_one_model_alone_is_fine() -> None:
    scored = replace(scored_set(50), image=None, image_there=np.zeros(50, dtype=bool))
    found = analyse(scored)
    assert (found.chosen, found.better, found.oracle) == (TEXT, "", None)
    assert len(all_figures(found)) == 4


def test_a_kept_set_is_read_back(tmp_path: Path) -> None:
    scored = scored_set(30)
    scored = with_items(
        scored, [replace(scored.items[0], path="/odd\udcff.jpg", doubt=1.25), *scored.items[1:]]
    )
    scored = replace(scored, text_there=np.arange(30) > 4)
    write_scored(scored, tmp_path / "a" / "scored.json")
    back = read_scored(tmp_path / "a" / "scored.json")
    assert back.items[0].path == "/odd\udcff.jpg"
    assert back.items[0].doubt == 1.25
    assert (back.text_there == scored.text_there).all()
    np.testing.assert_allclose(back.image_logits, scored.image_logits, atol=1e-5)
    assert analyse(back).chosen == analyse(scored).chosen


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "name": "x"}'])
def test_what_is_no_kept_set_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "scored.json").write_text(text)
    with pytest.raises(EvaluationError):
        read_scored(tmp_path / "scored.json")


def test_nothing_cannot_be_measured() -> None:
    with pytest.raises(EvaluationError, match="nothing to evaluate"):
        analyse(scored_set(10).part(np.zeros(10, dtype=bool), "none"))


def test_every_place_of_a_figure_tells_its_own_row() -> None:
    """What the pointer finds is what the table says, wherever it points."""
    found = analyse(scored_set(300))
    for figure in all_figures(found):
        assert figure.regions, figure.title
        assert {region.row for region in figure.regions} <= set(range(len(figure.rows)))
        for region in figure.regions:
            middle = figure.region_at((region.left + region.right) / 2, (region.top + region.bottom) / 2)
            assert middle is region or region.right - region.left < 1e-6
        assert figure.region_at(-5, -5) is None
    accuracies, oracle, matrix = all_figures(found)[:3]
    assert accuracies.regions[0].words.startswith(f"Image model: {accuracies.rows[0][1]}")
    assert oracle.regions[0].words.startswith("Both right: ")
    counts = found.in_use.report.confusion
    assert matrix.regions[1].words == f"{counts[0, 1]} of {counts[0].sum()} answers for Black: Blue"
    review = next(one for one in all_figures(found) if "review threshold" in one.title)
    region = review.regions[0]
    assert region.words.startswith(f"At {review.rows[region.row][0]} you review")
