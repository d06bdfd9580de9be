"""The figures of an evaluation, each as an SVG and as the table of its values. No Qt."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from gcdesk.engine.evaluation.analysis import Analysis, Contender, threshold_words
from gcdesk.engine.evaluation.reliability import Operating
from gcdesk.engine.evaluation.significance import difference_words
from gcdesk.engine.evaluation.svg import LIGHT, Drawing, Frame, Look, axes
from gcdesk.engine.labels import BINS

# A confusion matrix in its drawing: side of a cell, and where the first one begins, px.
CELL, LEFT, TOP = 84, 90, 56
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_CURVE_POINTS = 400
_THRESHOLDS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


@dataclass(frozen=True)
class HoverRegion:
    """A place in a drawing, in its own units, with the row of the table that it belongs to and its values in words."""

    left: float
    top: float
    right: float
    bottom: float
    row: int
    words: str

    def holds(self, x: float, y: float) -> bool:
        """Whether a point of the drawing (px) lies in the region."""
        return self.left <= x < self.right and self.top <= y < self.bottom


@dataclass(frozen=True)
class Figure:
    """title: what it shows; caption: how to read it; head and rows: its values, for the table beside it.

    regions: what the pointer finds in the drawing.
    """

    title: str
    caption: str
    svg: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    regions: tuple[HoverRegion, ...] = ()

    def region_at(self, x: float, y: float) -> HoverRegion | None:
        """What lies at a place of the drawing."""
        return next((region for region in self.regions if region.holds(x, y)), None)


def percent(value: float) -> str:
    """`80.8 %`, a dash for NaN."""
    return "–" if math.isnan(value) else f"{value * 100:.1f} %"  # noqa: RUF001 - a dash for nothing


def accuracies_figure(analysis: Analysis, look: Look = LIGHT) -> Figure:
    """Every model and rule with its 95 % interval, side by side."""
    row, top, width = 34, 34, 640
    drawing = Drawing(width, top + row * len(analysis.contenders) + 50, look, "Accuracy")
    lows = [item.report.accuracy.low for item in analysis.contenders]
    low = max(
        0.0, math.floor(min([value for value in lows if not math.isnan(value)], default=0) * 10) / 10 - 0.1
    )
    bottom = top + row * len(analysis.contenders)
    frame = Frame(220, width - 70, top, bottom, (low, 1.0))
    for tick in np.arange(low, 1.001, 0.1):
        drawing.line(frame.x(tick), top - 8, frame.x(tick), bottom, look.line)
        drawing.text(frame.x(tick), bottom + 18, f"{tick * 100:.0f}", look.ink_2, 11, "middle")
    drawing.text((frame.left + frame.right) / 2, bottom + 38, "right answers, %", look.ink_2, 12, "middle")
    for index, item in enumerate(analysis.contenders):
        y = top + row * index + row / 2
        known = item.report.accuracy
        chosen = item.key == analysis.chosen
        drawing.text(208, y + 4, item.words, look.ink, 13, "end", bold=chosen)
        if math.isnan(known.value):
            continue
        drawing.line(frame.x(known.low), y, frame.x(known.high), y, look.fill, 2)
        drawing.circle(frame.x(known.value), y, 5, look.fill if chosen else look.ground, look.fill)
        drawing.text(width - 10, y + 4, percent(known.value), look.ink, 12, "end", bold=chosen)
    rows = tuple(
        (
            item.words,
            percent(item.report.accuracy.value),
            f"{percent(item.report.accuracy.low)} – {percent(item.report.accuracy.high)}",  # noqa: RUF001
            percent(item.report.macro_f1),
            f"{item.report.accuracy.items} of {item.report.items}",
            _against(item, analysis),
        )
        for item in analysis.contenders
    )
    regions = tuple(
        HoverRegion(
            0,
            top + row * index,
            width,
            top + row * (index + 1),
            index,
            f"{cells[0]}: {cells[1]} ({cells[2]})",
        )
        for index, cells in enumerate(rows)
    )
    return Figure(
        "Accuracy, side by side",
        "Share of right answers among those given; the line is the 95 % interval (Wilson). The filled dot is the"
        " rule in use.",
        drawing.svg(),
        ("", "Accuracy", "95 % interval", "Macro-F1", "Answered", "Against the better model"),
        rows,
        regions,
    )


def _against(one: Contender, analysis: Analysis) -> str:
    test = one.against
    if test is None:
        return "the better model" if one.key == analysis.better else ""
    return difference_words(test.only_a, test.only_b, test.p)


def confusion_figure(one: Contender, look: Look = LIGHT) -> Figure:
    """Counts: rows are true bins, columns the answers."""
    cell, left, top = CELL, LEFT, TOP
    side = len(BINS)
    drawing = Drawing(left + cell * side + 20, top + cell * side + 20, look, f"{one.words}: confusion matrix")
    drawing.text(left + cell * side / 2, 18, f"{one.words} says", look.ink_2, 12, "middle")
    counts = one.report.confusion
    regions: list[HoverRegion] = []
    for column, name in enumerate(BINS):
        drawing.text(left + cell * (column + 0.5), 42, name, look.ink, 13, "middle", bold=True)
    for line, name in enumerate(BINS):
        drawing.text(left - 12, top + cell * (line + 0.5) + 5, name, look.ink, 13, "end", bold=True)
        whole = max(int(counts[line].sum()), 1)
        for column in range(side):
            share = counts[line, column] / whole
            x, y = left + cell * column, top + cell * line
            drawing.rect(x, y, cell - 3, cell - 3, look.bins[line], 0.06 + 0.5 * share)
            drawing.text(x + cell / 2, y + cell / 2 + 2, str(counts[line, column]), look.ink, 16, "middle")
            drawing.text(x + cell / 2, y + cell / 2 + 20, f"{share * 100:.0f} %", look.ink_2, 11, "middle")
            words = f"{counts[line, column]} of {counts[line].sum()} answers for {name}: {BINS[column]}"
            regions.append(HoverRegion(x, y, x + cell, y + cell, line, words))
    rows = tuple(
        (name, str(figures.items), str(figures.answered), percent(figures.precision), percent(figures.recall))
        for name, figures in zip(BINS, one.bins, strict=True)
    )
    return Figure(
        f"{one.words}: which bins are mixed up",
        "Rows are the true bins, columns the answers. Precision: of its answers, how many are right. Recall: of its"
        " items, how many are found.",
        drawing.svg(),
        ("Bin", "Items", "Answers", "Precision", "Recall"),
        rows,
        tuple(regions),
    )


def reliability_figure(one: Contender, look: Look = LIGHT) -> Figure:
    """Confidence against the share of right answers; hollow dots before the temperature."""
    drawing = Drawing(400, 400, look, f"{one.words}: reliability")
    frame = Frame(54, 380, 40, 344)
    axes(drawing, frame, _TICKS, _TICKS, "confidence, %", "right, %")
    drawing.line(frame.x(0), frame.y(0), frame.x(1), frame.y(1), look.ink_2, 1, dashed=True)
    most = max((bar.items for bar in one.reliability.bars), default=1) or 1
    for bar in one.reliability.bars:
        if bar.items:
            height = (frame.bottom - frame.top) * 0.25 * bar.items / most
            left, right = frame.x(bar.low) + 2, frame.x(bar.high) - 2
            drawing.rect(left, frame.bottom - height, right - left, height, look.pale, 0.6)
    if one.raw is not None:
        for bar in one.raw.bars:
            if bar.items:
                drawing.circle(frame.x(bar.confidence), frame.y(bar.accuracy), 4, look.ground, look.ink_2)
    dots = [bar for bar in one.reliability.bars if bar.items]
    drawing.polyline([(frame.x(bar.confidence), frame.y(bar.accuracy)) for bar in dots], look.fill, 1.5)
    for bar in dots:
        drawing.circle(frame.x(bar.confidence), frame.y(bar.accuracy), 5, look.fill)
    before = f" (before the temperature {one.raw.ece:.3f})" if one.raw is not None else ""
    rows = tuple(
        (f"{bar.low:.1f} to {bar.high:.1f}", str(bar.items), percent(bar.confidence), percent(bar.accuracy))
        for bar in one.reliability.bars
        if bar.items
    )
    regions = tuple(
        HoverRegion(
            frame.x(bar.low), frame.top, frame.x(bar.high), frame.bottom, index,
            f"Confidence {cells[0]}: {cells[1]} answers, {cells[3]} right",
        )
        for index, (bar, cells) in enumerate(zip(dots, rows, strict=True))
    )  # fmt: skip
    return Figure(
        f"{one.words}: does its confidence mean what it says?",
        f"On the dashed line it does. Expected calibration error {one.reliability.ece:.3f}{before}. Grey bars: how"
        " many answers. Hollow dots: before the temperature.",
        drawing.svg(),
        ("Confidence", "Answers", "Mean", "Right"),
        rows,
        regions,
    )


def coverage_figure(one: Contender, at: Operating, look: Look = LIGHT) -> Figure:
    """How right the answers are that nobody looks at, against how many those are."""
    drawing = Drawing(470, 400, look, f"{one.words}: review threshold")
    curve = one.curve
    lowest = float(curve.accuracy.min()) if len(curve.accuracy) else 0.0
    low = max(0.0, min(0.9, math.floor(lowest * 10) / 10))
    frame = Frame(54, 450, 40, 344, (0.0, 1.0), (low, 1.0))
    ticks = tuple(float(tick) for tick in np.linspace(low, 1, 6))
    axes(drawing, frame, _TICKS, ticks, "answers that nobody looks at, %", "of these right, %")
    step = max(1, len(curve.coverage) // _CURVE_POINTS)
    kept = sorted({*range(0, len(curve.coverage), step), len(curve.coverage) - 1} - {-1})
    points = [(frame.x(curve.coverage[i]), frame.y(curve.accuracy[i])) for i in kept]
    if points:
        drawing.polyline(points, look.fill, 2)
    if not math.isnan(at.accuracy):
        x, y = frame.x(1 - at.review), frame.y(max(at.accuracy, low))
        drawing.line(x, frame.top, x, frame.bottom, look.ink_2, 1, dashed=True)
        drawing.circle(x, y, 6, look.ground, look.ink)
        drawing.circle(x, y, 3, look.ink)
    tried = [one.at_threshold(threshold) for threshold in _THRESHOLDS]
    rows = tuple(
        (f"{point.threshold:.2f}", percent(point.review), percent(point.accuracy), str(point.accepted))
        for point in tried
    )
    return Figure(
        f"{one.words}: what a review threshold costs and gives",
        "The circle is the present threshold; rows on which the models disagree closely are reviewed besides.",
        drawing.svg(),
        ("Threshold", "To review", "Rest right", "Rest"),
        rows,
        _slices(tried, frame),
    )


def _slices(tried: list[Operating], frame: Frame) -> tuple[HoverRegion, ...]:
    """The frame cut upright, so that each place belongs to the threshold whose share of answers is nearest."""
    places = sorted((frame.x(1 - point.review), row) for row, point in enumerate(tried))
    edges = [(a + b) / 2 for (a, _), (b, _) in itertools.pairwise(places)]
    cuts = zip([frame.left, *edges], [*edges, frame.right], places, strict=True)
    return tuple(
        HoverRegion(left, frame.top, right, frame.bottom, row, threshold_words(tried[row]))
        for left, right, (_, row) in cuts
    )


def ceiling_figure(analysis: Analysis, look: Look = LIGHT) -> Figure | None:
    """Who was right: what any selection can reach. None where only one model was run."""
    oracle = analysis.oracle
    if oracle is None or not oracle.items:
        return None
    parts = (
        ("Both right", oracle.both, look.fill, 1.0),
        ("Image alone", oracle.only_image, look.fill, 0.65),
        ("Text alone", oracle.only_text, look.fill, 0.4),
        ("Neither", oracle.neither, look.pale, 0.3),
    )
    drawing = Drawing(640, 118, look, "Who was right")
    left, width = 10.0, 620.0
    regions: list[HoverRegion] = []
    for index, (words, count, fill, opacity) in enumerate(parts):
        size = width * count / oracle.items
        drawing.rect(left, 16, max(size - 2, 0), 36, fill, opacity)
        x = 10 + index * 158
        drawing.rect(x, 74, 12, 12, fill, opacity)
        drawing.text(x + 20, 85, words, look.ink, 12)
        drawing.text(x + 20, 103, f"{count}, {percent(count / oracle.items)}", look.ink_2, 12)
        message = f"{words}: {count} of {oracle.items}, {percent(count / oracle.items)}"
        regions += [
            HoverRegion(left, 16, left + size, 52, index, message),
            HoverRegion(x, 70, x + 158, 110, index, message),
        ]
        left += size
    return Figure(
        "What any choice between the models can reach",
        f"At least one model is right on {percent(oracle.reachable)} of the items.",
        drawing.svg(),
        ("Who was right", "Items", "Share"),
        tuple((words, str(count), percent(count / oracle.items)) for words, count, _, _ in parts),
        tuple(regions),
    )


def all_figures(analysis: Analysis, look: Look = LIGHT) -> tuple[Figure, ...]:
    """In the order of the page."""
    oracle = ceiling_figure(analysis, look)
    figures = [accuracies_figure(analysis, look), *([oracle] if oracle else [])]
    in_use = analysis.in_use
    shown = [item for item in analysis.contenders if item.raw is not None and item.key != in_use.key]
    figures += [confusion_figure(item, look) for item in (in_use, *shown)]
    figures += [reliability_figure(item, look) for item in (in_use, *shown)]
    figures.append(coverage_figure(in_use, in_use.at, look))
    return tuple(figures)
