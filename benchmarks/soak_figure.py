"""The graph of benchmarks/soak.py: four plots below each other, all by the number of photos done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from gcdesk.config.thresholds import THUMBNAIL_CACHE_BYTES
from gcdesk.engine.evaluation.svg import LIGHT, Drawing, Frame, Look

_WIDTH, _LEFT, _RIGHT, _TOP, _PLOT, _GAP = 760, 70, 640, 50, 130, 56
_AROUND = 6  # looks that a pace is taken over


@dataclass(frozen=True)
class Sample:
    """One look: seconds since the first photo, photos done, and of window and worker MB, open files, threads."""

    seconds: float
    done: int
    window_mb: float
    worker_mb: float
    window_files: int
    worker_files: int
    window_threads: int
    worker_threads: int
    database_mb: float
    cache_mb: float


def soak_figure(samples: Sequence[Sample], warm_up: int, look: Look = LIGHT) -> str:
    """The graph as SVG. `warm_up`: photos before which nothing counts, marked by a dashed line."""
    done = [one.done for one in samples]
    cap = THUMBNAIL_CACHE_BYTES / 1e6
    plots: list[tuple[str, dict[str, list[float]], float]] = [
        ("Memory, MB", {name: [getattr(one, f"{name}_mb") for one in samples] for name in _WHO}, 0),
        (
            "Open files and threads",
            {
                f"{name}, {what}": [float(getattr(one, f"{name}_{what}")) for one in samples]
                for what in ("files", "threads")
                for name in _WHO
            },
            0,
        ),
        ("Thumbnails on the disk, MB", {"cache": [one.cache_mb for one in samples]}, cap),
        ("Photos a second", {"pace": _pace(samples)}, 0),
    ]
    if len({one.cache_mb for one in samples}) == 1:  # nothing was seen of it
        del plots[2]
    height = _TOP + len(plots) * (_PLOT + _GAP)
    drawing = Drawing(
        _WIDTH, height, look, "A day at the station: memory, files, cache and pace by photos done"
    )
    for place, (title, lines, most) in enumerate(plots):
        top = _TOP + place * (_PLOT + _GAP)
        _plot(drawing, top, title, done, lines, most, warm_up)
    drawing.text((_LEFT + _RIGHT) / 2, height - 12, "photos done", look.ink_2, 12, "middle")
    return drawing.svg() + "\n"


_WHO = ("window", "worker")


def _pace(samples: Sequence[Sample]) -> list[float]:
    pace = []
    for place, one in enumerate(samples):
        before = samples[max(0, place - _AROUND)]
        seconds = one.seconds - before.seconds
        pace.append((one.done - before.done) / seconds if seconds else one.done / max(one.seconds, 0.1))
    return pace


def _plot(
    drawing: Drawing, top: float, title: str, done: Sequence[int], lines: dict[str, list[float]], most: float,
    warm_up: int,
) -> None:  # fmt: skip
    look = drawing.look
    step = _step(max([most, *(max(values) for values in lines.values())]) * 1.05)
    highest = step * 4
    frame = Frame(_LEFT, _RIGHT, top, top + _PLOT, (0, max(done)), (0, highest))
    drawing.text(_LEFT, top - 12, title, look.ink, 13, bold=True)
    for tick in range(5):
        y = frame.y(tick * step)
        drawing.line(_LEFT, y, _RIGHT, y, look.line)
        drawing.text(_LEFT - 8, y + 4, f"{tick * step:g}", look.ink_2, 11, "end")
    for tick in range(5):
        photos = max(done) * tick / 4
        drawing.text(frame.x(photos), top + _PLOT + 16, f"{photos:,.0f}", look.ink_2, 11, "middle")
    drawing.line(frame.x(warm_up), top, frame.x(warm_up), top + _PLOT, look.ink_2, 1, dashed=True)
    if most:
        drawing.line(_LEFT, frame.y(most), _RIGHT, frame.y(most), look.ink, 1, dashed=True)
        drawing.text(_RIGHT + 8, frame.y(most) + 4, "cap", look.ink, 12)
    ends = _apart([frame.y(values[-1]) + 4 for values in lines.values()])
    inks = (look.ink, look.bins[1], look.ink_2, look.bins[3])
    for (name, values), ink, y in zip(lines.items(), inks, ends, strict=False):
        drawing.polyline(zip(map(frame.x, done), map(frame.y, values), strict=True), ink, 1.5)
        drawing.text(_RIGHT + 8, y, name, ink, 12)


def _step(highest: float) -> float:
    """A round quarter of the axis."""
    for base in (1, 2, 2.5, 5, 10, 15, 20, 25, 50, 75, 100, 125, 150, 200, 250, 300, 400, 500, 1000):
        if base * 4 >= highest:
            return base
    return highest / 4


def _apart(wanted: Sequence[float], least: float = 14) -> list[float]:
    """Places for words that must not lie on each other: the upper ones first, the others pushed down."""
    places = list(wanted)
    order = sorted(range(len(places)), key=places.__getitem__)
    for before, after in pairwise(order):
        places[after] = max(places[after], places[before] + least)
    return places
