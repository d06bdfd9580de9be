"""Properties of the selection rules."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gcdesk.config.settings import RULES as SETTINGS_RULES
from gcdesk.config.thresholds import Thresholds
from gcdesk.engine.labels import BINS
from gcdesk.engine.selection.calibration import softmax
from gcdesk.engine.selection.rules import RULES, Rule, Selection, Winner, explain, select

T = Thresholds()
rules = st.sampled_from(list(Rule))
weights = st.floats(0, 1)


@dataclass
class Rows:
    image: np.ndarray
    text: np.ndarray
    image_there: np.ndarray
    text_there: np.ndarray

    def select(self, rule: Rule, thresholds: Thresholds = T, weight: float = 0.5) -> Selection:
        return select(rule, self.image, self.text, self.image_there, self.text_there, thresholds, weight)

    def where(self, index: object) -> Rows:
        return Rows(*(getattr(self, f.name)[index] for f in fields(self)))


@st.composite
def rows(draw: st.DrawFn, both: bool = False) -> Rows:
    n = draw(st.integers(1, 12))
    # Few different logits, so that ties are common.
    logits = st.sampled_from([-8.0, -1.0, 0.0, 0.5, 1.0, 3.0, 40.0]) | st.floats(-9, 9)
    image = softmax(draw(hnp.arrays(np.float64, (n, 4), elements=logits)))
    text = softmax(draw(hnp.arrays(np.float64, (n, 4), elements=logits)))
    there = hnp.arrays(bool, n) if not both else st.just(np.ones(n, bool))
    return Rows(image, text, draw(there), draw(there))


def assert_equal(one: Selection, two: Selection) -> None:
    for name in ("label", "winner", "review"):
        assert np.array_equal(getattr(one, name), getattr(two, name))
    assert one.confidence == pytest.approx(two.confidence)
    assert one.margin == pytest.approx(two.margin, abs=1e-12)


@given(rows(), rules, weights, st.randoms())
def test_a_row_depends_on_no_other_row(data: Rows, rule: Rule, weight: float, random) -> None:  # type: ignore[no-untyped-def]
    order = list(range(len(data.image)))
    random.shuffle(order)
    whole = data.select(rule, weight=weight)
    shuffled = data.where(order).select(rule, weight=weight)
    for name in ("label", "winner", "confidence", "margin", "review"):
        assert np.array_equal(getattr(whole, name)[order], getattr(shuffled, name))


@given(rows(), rules, weights)
def test_the_answer_makes_sense(data: Rows, rule: Rule, weight: float) -> None:
    chosen = data.select(rule, weight=weight)
    voted = data.image_there | data.text_there
    assert ((chosen.label >= 0) == voted).all()
    assert ((chosen.winner != Winner.NONE) == voted).all()
    assert ((chosen.confidence >= 0.25 - 1e-9) | ~voted).all()
    assert (chosen.confidence <= 1 + 1e-9).all()
    assert (chosen.margin >= 0).all()
    assert chosen.review[~voted].all()
    assert chosen.label.dtype == np.int64
    assert chosen.winner.dtype == np.int8


@given(rows(), rules, weights)
def test_a_model_that_is_alone_decides(data: Rows, rule: Rule, weight: float) -> None:
    chosen = data.select(rule, weight=weight)
    for alone, probabilities, winner in [
        (data.image_there & ~data.text_there, data.image, Winner.IMAGE),
        (data.text_there & ~data.image_there, data.text, Winner.TEXT),
    ]:
        assert (chosen.label[alone] == probabilities[alone].argmax(axis=1)).all()
        assert chosen.confidence[alone] == pytest.approx(probabilities[alone].max(axis=1))
        assert (chosen.winner[alone] == winner).all()


@given(rows(), rules, weights, st.floats(allow_nan=True))
def test_what_an_absent_model_holds_does_not_matter(
    data: Rows, rule: Rule, weight: float, junk: float
) -> None:
    other = replace(data, image=data.image.copy(), text=data.text.copy())
    other.image[~data.image_there] = junk
    other.text[~data.text_there] = junk
    assert_equal(data.select(rule, weight=weight), other.select(rule, weight=weight))


@given(rows(both=True))
def test_max_confidence_is_the_originals(data: Rows) -> None:
    """As its notebook does it, row by row, in single precision; ties go to text."""
    chosen = data.select(Rule.MAX_CONFIDENCE)
    for row, (image, text) in enumerate(zip(np.float32(data.image), np.float32(data.text), strict=True)):
        text_wins = text.max() >= image.max()
        assert chosen.winner[row] == (Winner.TEXT if text_wins else Winner.IMAGE)
        assert chosen.label[row] == (data.text if text_wins else data.image)[row].argmax()


@given(rows(both=True), rules)
def test_ties_go_to_text(data: Rows, rule: Rule) -> None:
    """The image model says the same with the bins turned by one: both are equally confident."""
    tied = replace(data, image=np.roll(data.text, 1, axis=1))
    chosen = tied.select(rule)
    if rule in (Rule.MAX_CONFIDENCE, Rule.CALIBRATED):
        assert (chosen.label == data.text.argmax(axis=1)).all()
        assert (chosen.winner == Winner.TEXT).all()
        assert (chosen.margin == 0).all()


@pytest.mark.parametrize("rule", [Rule.MEAN, Rule.WEIGHTED])
def test_ties_of_bins_go_to_text_too(rule: Rule) -> None:
    chosen = select(rule, [[0.7, 0.3, 0, 0]], [[0.3, 0.7, 0, 0]], [True], [True], T, weight=0.5)
    assert BINS[chosen.label[0]] == "Blue"
    assert chosen.winner[0] == Winner.TEXT
    assert chosen.margin[0] == pytest.approx(0)


def test_two_certain_models_are_a_tie_in_the_originals_precision() -> None:
    image, text = softmax([[25.0, 0, 0, 0]]), softmax([[0, 20.0, 0, 0]])
    assert image.max() > text.max()
    chosen = select(Rule.MAX_CONFIDENCE, image, text, [True], [True], T)
    assert chosen.winner[0] == Winner.TEXT
    assert select(Rule.CALIBRATED, image, text, [True], [True], T).winner[0] == Winner.IMAGE


@given(rows(both=True))
def test_mean_is_the_mean(data: Rows) -> None:
    mean = (data.image + data.text) / 2
    chosen = data.select(Rule.MEAN)
    assert chosen.confidence == pytest.approx(mean.max(axis=1))
    assert mean[np.arange(len(mean)), chosen.label] == pytest.approx(mean.max(axis=1))


@given(rows(both=True))
def test_weight_one_is_text_and_weight_nought_is_image(data: Rows) -> None:
    for weight, alone in [(1.0, data.text), (0.0, data.image)]:
        chosen = data.select(Rule.WEIGHTED, weight=weight)
        assert chosen.confidence == pytest.approx(alone.max(axis=1))
        assert alone[np.arange(len(alone)), chosen.label] == pytest.approx(alone.max(axis=1))


@given(rows(both=True), weights)
def test_weighted_is_a_log_linear_pool(data: Rows, weight: float) -> None:
    pool = data.text**weight * data.image ** (1 - weight)
    pool /= pool.sum(axis=1, keepdims=True)
    assert data.select(Rule.WEIGHTED, weight=weight).confidence == pytest.approx(pool.max(axis=1), rel=1e-6)


def test_weighted_survives_impossible_bins() -> None:
    chosen = select(Rule.WEIGHTED, [[1, 0, 0, 0]], [[0, 1, 0, 0]], [True], [True], T)
    assert np.isfinite(chosen.confidence).all()
    assert chosen.winner[0] == Winner.TEXT


@given(rows(both=True), rules, weights)
def test_the_order_of_the_bins_does_not_matter(data: Rows, rule: Rule, weight: float) -> None:
    turned = Rows(
        np.roll(data.image, 1, axis=1), np.roll(data.text, 1, axis=1), data.image_there, data.text_there
    )
    one, two = data.select(rule, weight=weight), turned.select(rule, weight=weight)
    assert two.confidence == pytest.approx(one.confidence)
    assert two.margin == pytest.approx(one.margin, abs=1e-12)
    clear = _no_ties(data)
    assert np.array_equal(two.label[clear], (one.label[clear] + 1) % 4) or rule in (Rule.MEAN, Rule.WEIGHTED)


def _no_ties(data: Rows) -> np.ndarray:
    def lead(p: np.ndarray) -> np.ndarray:
        two = np.sort(p, axis=1)[:, -2:]
        return two[:, 1] - two[:, 0]

    clear: np.ndarray = (lead(data.image) > 1e-9) & (lead(data.text) > 1e-9)
    return clear


@given(rows(both=True), rules, weights)
def test_two_models_that_agree_are_not_overruled(data: Rows, rule: Rule, weight: float) -> None:
    agree = data.image.argmax(axis=1) == data.text.argmax(axis=1)
    chosen = data.select(rule, weight=weight)
    assert (chosen.label[agree] == data.text.argmax(axis=1)[agree]).all()


@given(rows(), rules, st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=200)
def test_stricter_thresholds_never_review_less(
    data: Rows, rule: Rule, a: float, b: float, c: float, d: float
) -> None:
    loose = data.select(rule, Thresholds(review=min(a, b), disagreement=min(c, d)))
    strict = data.select(rule, Thresholds(review=max(a, b), disagreement=max(c, d)))
    assert (loose.review <= strict.review).all()
    assert_equal(loose, replace(strict, review=loose.review))


@pytest.mark.parametrize(
    ("image", "text", "review"),
    [
        ([0.85, 0.15, 0, 0], [0.9, 0.1, 0, 0], False),
        ([0.7, 0.3, 0, 0], [0.79, 0.21, 0, 0], True),
        ([0.7, 0.3, 0, 0], [0.8, 0.2, 0, 0], False),
        ([0.85, 0.15, 0, 0], [0.1, 0.9, 0, 0], True),
        ([0.65, 0.35, 0, 0], [0.1, 0.9, 0, 0], False),
    ],
)
def test_review(image: list[float], text: list[float], review: bool) -> None:
    assert select(Rule.MAX_CONFIDENCE, [image], [text], [True], [True], T).review[0] == review


@pytest.mark.parametrize(
    ("rule", "image", "text", "winner"),
    [
        (Rule.MEAN, [0.6, 0.4, 0, 0], [0.7, 0.3, 0, 0], Winner.BOTH),
        (Rule.MEAN, [0.9, 0.1, 0, 0], [0.4, 0.6, 0, 0], Winner.IMAGE),
        (Rule.MEAN, [0.4, 0.6, 0, 0], [0.9, 0.1, 0, 0], Winner.TEXT),
        (Rule.MEAN, [0.5, 0, 0.4, 0.1], [0, 0.5, 0.4, 0.1], Winner.BOTH),
        (Rule.MAX_CONFIDENCE, [0.6, 0.4, 0, 0], [0.7, 0.3, 0, 0], Winner.TEXT),
    ],
)
def test_winner(rule: Rule, image: list[float], text: list[float], winner: Winner) -> None:
    assert select(rule, [image], [text], [True], [True], T).winner[0] == winner


def test_no_rows() -> None:
    empty = np.empty((0, 4))
    for rule in Rule:
        assert len(select(rule, empty, empty, [], [], T).label) == 0


def test_single_precision_probabilities_do() -> None:
    p = softmax(np.random.default_rng(0).normal(size=(100, 4))).astype(np.float32)
    assert len(select(Rule.MEAN, p, p, np.ones(100, bool), np.ones(100, bool), T).label) == 100


@pytest.mark.parametrize(
    ("image", "text", "there", "weight", "words"),
    [
        ([[0.5, 0.5, 0, 0]], [[0.5, 0.5, 0, 0]], [True], 1.5, "weight"),
        ([[0.5, 0.5, 0]], [[0.5, 0.5, 0]], [True], 0.5, "fit"),
        ([[0.5, 0.5, 0, 0]], [[0.5, 0.5, 0, 0]], [True, True], 0.5, "fit"),
        ([[3.0, 1.0, 0, 0]], [[0.5, 0.5, 0, 0]], [True], 0.5, "image: row 0"),
        ([[0.5, 0.5, 0, 0]], [[np.nan, 0.5, 0.5, 0]], [True], 0.5, "text: row 0"),
        ([[-0.5, 1.5, 0, 0]], [[0.5, 0.5, 0, 0]], [True], 0.5, "image: row 0"),
    ],
)
def test_what_is_no_probability_is_refused(
    image: list[list[float]], text: list[list[float]], there: list[bool], weight: float, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        select(Rule.WEIGHTED, image, text, there, there, T, weight)


def test_rules_are_those_of_the_settings() -> None:
    assert tuple(rule.value for rule in Rule) == SETTINGS_RULES
    assert [rule.uses_temperature for rule in RULES] == [False, False, True, True]


@dataclass
class Votes:
    probabilities: np.ndarray
    there: np.ndarray


@dataclass
class Scored:
    image: Votes
    text: Votes
    chosen: Selection


def reason(rule: Rule, image: list[float] | None, text: list[float] | None) -> str:
    blank = [0.25] * 4
    data = Rows(
        *np.array([[image or blank], [text or blank]]), np.array([bool(image)]), np.array([bool(text)])
    )
    scored = Scored(Votes(data.image, data.image_there), Votes(data.text, data.text_there), data.select(rule))
    return explain(scored, 0)


GREEN_93, GREEN_61, BLACK_61 = [0.07, 0, 0.93, 0], [0, 0.39, 0.61, 0], [0.61, 0.39, 0, 0]


@pytest.mark.parametrize(
    ("rule", "image", "text", "sentence"),
    [
        (
            Rule.MAX_CONFIDENCE,
            BLACK_61,
            GREEN_93,
            "Text is more confident: 0.93 against 0.61, so Green",
        ),
        (Rule.CALIBRATED, GREEN_93, BLACK_61, "Image is more confident: 0.93 against 0.61, so Green"),
        (
            Rule.CALIBRATED,
            GREEN_61,
            GREEN_93,
            "Text is more confident for the same bin: 0.93 against 0.61, so Green",
        ),
        (
            Rule.MAX_CONFIDENCE,
            [0.61, 0.39, 0, 0],
            [0.39, 0.61, 0, 0],
            "Both are equally confident, 0.61, and text goes first, so Blue",
        ),
        (Rule.MEAN, GREEN_61, GREEN_93, "Both models say Green: 0.77 together"),
        (
            Rule.MEAN,
            BLACK_61,
            GREEN_93,
            "Text says Green, image Black; together text prevails: 0.47, so Green",
        ),
        (
            Rule.MEAN,
            [0.5, 0, 0.4, 0.1],
            [0, 0.5, 0.4, 0.1],
            "Image says Black and text Blue, but together they favour Green: 0.40",
        ),
        (
            Rule.MEAN,
            GREEN_93,
            None,
            "Only the photo counts, there is no caption for the text model: 0.93, so Green",
        ),
        (
            Rule.MEAN,
            None,
            GREEN_93,
            "Only the caption counts, there is no photo for the image model: 0.93, so Green",
        ),
        (
            Rule.MEAN,
            None,
            None,
            "There is no photo that can be read, and there is no caption for the text model: add a caption or take the"
            " photo again",
        ),
    ],
)
def test_explanations(rule: Rule, image: list[float] | None, text: list[float] | None, sentence: str) -> None:
    assert reason(rule, image, text) == sentence


@given(rows(), rules, weights)
def test_every_row_has_an_explanation_that_names_its_bin(data: Rows, rule: Rule, weight: float) -> None:
    chosen = data.select(rule, weight=weight)
    scored = Scored(Votes(data.image, data.image_there), Votes(data.text, data.text_there), chosen)
    for place, label in enumerate(chosen.label):
        sentence = explain(scored, place)
        assert label < 0 or BINS[label] in sentence
        assert "softmax" not in sentence
