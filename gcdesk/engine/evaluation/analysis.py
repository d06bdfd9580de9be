"""Everything that an evaluation shows, from a scored set: pure functions on arrays, under a second for 5,000 items."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gcdesk.config.thresholds import TEXT_WEIGHT, Thresholds
from gcdesk.engine.errors import EvaluationError
from gcdesk.engine.evaluation.metrics import BinFigures, Report, bin_figures, report
from gcdesk.engine.evaluation.reliability import (
    Operating,
    Reliability,
    RiskCoverage,
    operating_point,
    reliability,
    risk_coverage,
)
from gcdesk.engine.evaluation.rule_inputs import flags_of, probabilities_of, rule_inputs
from gcdesk.engine.evaluation.scored_set import CONFIRMED, CORRECTED, FOLDER, RANDOM, ScoredSet
from gcdesk.engine.evaluation.significance import McNemar, OracleAccuracy, mcnemar, oracle_accuracy
from gcdesk.engine.selection.calibration import softmax
from gcdesk.engine.selection.fitted_rule import FittedRule
from gcdesk.engine.selection.input_flags import InputFlags
from gcdesk.engine.selection.rules import DEFAULT_RULE, RULES, Rule, Winner, select

IMAGE, TEXT = "image", "text"
WORDS: Mapping[str, str] = {
    IMAGE: "Image model",
    TEXT: "Text model",
    Rule.MAX_CONFIDENCE.value: "The surer model (original)",
    Rule.MEAN.value: "Mean of both",
    Rule.CALIBRATED.value: "The surer model, calibrated",
    Rule.WEIGHTED.value: "Both, weighted",
    Rule.FITTED.value: "Fitted selection",
}

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Contender:
    """A model or a rule on n items.

    answers (n,): bin, -1 where it gave none. hits (n,): whether right. confidences (n,).
    held (n,): a person looks whatever the confidence.
    winners (n,): codes of Winner, for rules. raw: reliability before the temperature, None for rules.
    against: McNemar's test against the better single model, on the items that both models answered (a is this one);
    None for the models themselves and where there are no such items.
    """

    key: str
    answers: Ints
    hits: Bools
    confidences: Floats
    held: Bools
    winners: NDArray[np.int8]
    report: Report
    bins: tuple[BinFigures, ...]
    reliability: Reliability
    raw: Reliability | None
    curve: RiskCoverage
    at: Operating
    against: McNemar | None

    @property
    def words(self) -> str:
        """What an operator reads for the key."""
        return WORDS[self.key]

    @property
    def reviewed(self) -> int:
        """How many items a person looks at."""
        return len(self.answers) - self.at.accepted

    def at_threshold(self, threshold: float) -> Operating:
        """What it does at another review threshold."""
        return operating_point(self.confidences, self.hits, self.held | (self.answers < 0), threshold)


@dataclass(frozen=True)
class WinnerCount:
    """How often an answer of the selection came from here, and how often it was right."""

    winner: Winner
    items: int
    right: int


@dataclass(frozen=True)
class Share:
    """Accuracy of the selection on one part of the items, by where their bin is known from."""

    source: str
    items: int
    right: int


@dataclass(frozen=True)
class Analysis:
    """All figures of a set. `chosen` is the key of the rule in use; places are indices into the set's items.

    better: the key of the better single model on items that both answered, "" where there are none. mistakes: of the
    rule in use, the most confident first. disagreements: both models answered, differently. leaks: captions that the
    text model has learned. warnings: sentences that the page must show.
    """

    scored: ScoredSet
    chosen: str
    contenders: tuple[Contender, ...]
    better: str
    oracle: OracleAccuracy | None
    winners: tuple[WinnerCount, ...]
    mistakes: Ints
    disagreements: Ints
    leaks: Ints
    shares: tuple[Share, ...]
    warnings: tuple[str, ...]

    def contender(self, key: str) -> Contender:
        """The model or rule of that key. Raises KeyError where it was not measured."""
        result = self.find(key)
        if result is None:
            raise KeyError(key)
        return result

    def find(self, key: str) -> Contender | None:
        """The model or rule of that key, None where it was not measured."""
        return next((item for item in self.contenders if item.key == key), None)

    @property
    def in_use(self) -> Contender:
        """The rule in use, or the one model that was run."""
        return self.contender(self.chosen)

    def cell(self, key: str, true: int, answer: int) -> Ints:
        """The items of one cell of a confusion matrix."""
        answers = self.contender(key).answers
        return np.flatnonzero((self.scored.labels == true) & (answers == answer))


def analyse(
    scored: ScoredSet,
    rule: Rule | None = None,
    thresholds: Thresholds | None = None,
    weight: float = TEXT_WEIGHT,
    fitted: FittedRule | None = None,
) -> Analysis:
    """Measure both models and every rule; `fitted` only where it belongs to these models.

    rule: the one in use. Raises EvaluationError for no items or no model, and SelectionError for a fitted selection
    of other models.
    """
    if not len(scored):
        raise EvaluationError("There is nothing to evaluate.")
    limits, labels = thresholds or Thresholds(), scored.labels
    flags = flags_of(scored)
    contenders: list[Contender] = []
    right: dict[str, Bools] = {}
    for key in (IMAGE, TEXT):
        model, logits, present = scored.side(key)
        if model is not None:
            sure = probabilities_of(scored, key, model.temperature, flags)
            answers = np.where(present, logits.argmax(axis=1), -1)
            right[key] = answers == labels
            raw = softmax(logits).max(axis=1)
            contenders.append(_contender(key, labels, answers, sure.max(axis=1), ~present, limits, None, raw))
    if not contenders:
        raise EvaluationError("There is no model to evaluate.")
    better, oracle = "", None
    both = scored.both_there
    if both.any():
        better = TEXT if right[TEXT][both].sum() >= right[IMAGE][both].sum() else IMAGE
        oracle = oracle_accuracy(right[IMAGE][both], right[TEXT][both])
    if len(contenders) == 2:
        for one in (*RULES, *([Rule.FITTED] if fitted is not None else [])):
            contenders.append(_rule(one, scored, flags, limits, weight, fitted, right.get(better), both))
    chosen = _chosen(rule, contenders, fitted)
    in_use = next(one for one in contenders if one.key == chosen)
    wrong = np.flatnonzero((in_use.answers >= 0) & (in_use.answers != labels))
    image, text = (scored.image_logits.argmax(axis=1), scored.text_logits.argmax(axis=1))
    return Analysis(
        scored=scored,
        chosen=chosen,
        contenders=tuple(contenders),
        better=better,
        oracle=oracle,
        winners=_winner_counts(in_use, labels),
        mistakes=wrong[np.argsort(-in_use.confidences[wrong], kind="stable")],
        disagreements=np.flatnonzero(both & (image != text)),
        leaks=np.array([index for index, item in enumerate(scored.items) if item.seen], dtype=np.int64),
        shares=_shares(scored, in_use),
        warnings=_warnings(contenders, in_use, better, both, labels, scored),
    )


def _contender(
    key: str,
    labels: Ints,
    answers: Ints,
    sure: Floats,
    held: Bools,
    limits: Thresholds,
    winners: NDArray[np.int8] | None,
    raw: Floats | None = None,
    against: McNemar | None = None,
) -> Contender:
    answered = answers >= 0
    hit = answers == labels
    whole = report(labels, answers, sure)
    return Contender(
        key=key,
        answers=answers,
        hits=np.asarray(hit),
        confidences=sure,
        held=held,
        winners=winners if winners is not None else np.zeros(len(labels), dtype=np.int8),
        report=whole,
        bins=bin_figures(whole.confusion),
        reliability=reliability(sure[answered], hit[answered]),
        raw=reliability(raw[answered], hit[answered]) if raw is not None else None,
        curve=risk_coverage(sure[answered], hit[answered]),
        at=operating_point(sure, hit, held | ~answered, limits.review),
        against=against,
    )


def _rule(
    rule: Rule,
    scored: ScoredSet,
    flags: InputFlags,
    limits: Thresholds,
    weight: float,
    fitted: FittedRule | None,
    better: Bools | None,
    both: Bools,
) -> Contender:
    image, text, shares = rule_inputs(rule, scored, flags, weight, fitted)
    # Without a review threshold, what is left to review is held for another reason.
    open_limits = Thresholds(0.0, limits.disagreement, limits.sure)
    carried_out = fitted.applied if rule is Rule.FITTED and fitted is not None else rule
    made = select(carried_out, image, text, scored.image_there, scored.text_there, open_limits, shares)
    labels = scored.labels
    right = made.label == labels
    test = mcnemar(right[both], better[both]) if better is not None and both.any() else None
    # A photo that cannot be read is looked at whatever its caption says, as when it is classified.
    held = made.review | np.array([bool(item.error) for item in scored.items])
    return _contender(rule.value, labels, made.label, made.confidence, held, limits, made.winner, None, test)


def _chosen(rule: Rule | None, contenders: list[Contender], fitted: FittedRule | None) -> str:
    keys = [item.key for item in contenders]
    wanted = (rule or DEFAULT_RULE).value
    if wanted in keys:
        return wanted
    return DEFAULT_RULE.value if DEFAULT_RULE.value in keys else keys[0]


def _winner_counts(in_use: Contender, labels: Ints) -> tuple[WinnerCount, ...]:
    right = in_use.answers == labels
    return tuple(
        WinnerCount(winner, int(mine.sum()), int((mine & right).sum()))
        for winner in (Winner.IMAGE, Winner.TEXT, Winner.BOTH)
        if (mine := in_use.winners == winner).any()
    )


def _shares(scored: ScoredSet, in_use: Contender) -> tuple[Share, ...]:
    sources = np.array([item.source for item in scored.items])
    right = in_use.hits
    return tuple(
        Share(source, int(mine.sum()), int((mine & right).sum()))
        for source in (FOLDER, RANDOM, CONFIRMED, CORRECTED)
        if (mine := sources == source).any()
    )


def _warnings(
    contenders: list[Contender],
    in_use: Contender,
    better: str,
    both: Bools,
    labels: Ints,
    scored: ScoredSet,
) -> tuple[str, ...]:
    messages = []
    if better and in_use.key not in (IMAGE, TEXT):
        single = next(one for one in contenders if one.key == better)
        mine, its = (float((one.answers == labels)[both].mean()) for one in (in_use, single))
        if mine < its:
            messages.append(
                f"The selection in use ({in_use.words}) is worse here than the {WORDS[better].lower()} alone:"
                f" {in_percent(mine)} against {in_percent(its)}. Fit the selection, or choose another rule."
            )
    seen = sum(item.seen for item in scored.items)
    if seen:
        messages.append(
            f"{seen} of {len(scored)} captions were learned by the text model: its figures and those of the rules"
            " are too good by that."
        )
    corrected = sum(item.source in (CORRECTED, CONFIRMED) for item in scored.items)
    if corrected:
        messages.append(
            "Rows that a person chose to correct are the hard ones, so accuracy on them is lower than in the field;"
            " rows that were picked at random tell that without bias."
        )
    return tuple(messages)


def added_by(analysis: Analysis) -> tuple[str, ...]:
    """What each model adds, in sentences; none where only one was run."""
    oracle = analysis.oracle
    if oracle is None:
        return ()
    result = analysis.in_use
    both = analysis.scored.both_there
    right = float(result.hits[both].mean())
    return (
        f"Both models are right on {oracle.both} of {oracle.items} items, the image model alone on {oracle.only_image},"
        f" the text model alone on {oracle.only_text}, neither on {oracle.neither}.",
        f"So a perfect choice between them reaches {in_percent(oracle.reachable)}; the selection in use reaches"
        f" {in_percent(right)}.",
    )


def threshold_words(at: Operating) -> str:
    """`At 0.80 you review 14 % and the rest is 96 % right.`"""
    left = math.isnan(at.accuracy)
    rest = "nothing is left" if left else f"the rest is {at.accuracy * 100:.0f} % right"
    return f"At {at.threshold:.2f} you review {at.review * 100:.0f} % and {rest}."


def in_percent(value: float) -> str:
    """`80.8 %`."""
    return f"{value * 100:.1f} %"
