"""What one measurement is, how it is printed, and how two of them compare."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

Labels = list[str | None]


@dataclass(frozen=True)
class Pass:
    """One pass over the items: seconds by the clock and of CPU time, ms that an item was in work, peak memory in MB.

    A process answers with it as JSON. labels: the bin of each item, empty where none were chosen.
    """

    items: int
    seconds: float
    cpu_seconds: float
    ms_p50: float
    ms_p95: float
    rss_mb: float
    labels: Labels = field(default_factory=list)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Pass:
        return cls(**told)


@dataclass(frozen=True)
class Row:
    """A line of the table: the median of the passes.

    files: items a pass. px: side of what the network reads, or tokens of a caption. threads: runs at a time x threads
    of each. per_s: items a second. cpu_ms: CPU time an item, which other load hardly changes. ratio and agreement:
    against the notebook way on the same items in the same run, None where it does not apply.
    """

    name: str
    files: int
    px: str
    batch: int
    threads: str
    precision: str
    per_s: float
    ms_p50: float
    ms_p95: float
    cpu_ms: float
    rss_mb: float
    ratio: float | None = None
    agreement: float | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Layout:
    """What a row says of how the work was laid out; no figure in it is measured."""

    px: str
    batch: int
    threads: str
    precision: str = "fp32"


def row_of(name: str, layout: Layout, passes: Sequence[Pass], rival: Sequence[Pass] = ()) -> Row:
    """The row of some passes; `rival` are those of the notebook way on the same items."""

    def median(of: Sequence[Pass], what: str) -> float:
        return statistics.median(getattr(one, what) for one in of)

    seconds_each = statistics.median(one.seconds / one.items for one in passes)
    ratio = agreement = None
    if rival:
        ratio = statistics.median(one.seconds / one.items for one in rival) / seconds_each
        theirs = rival[-1].labels
        ours = passes[-1].labels[: len(theirs)]
        agreement = sum(a == b for a, b in zip(theirs, ours, strict=True)) / len(theirs)
    return Row(
        name=name,
        files=passes[0].items,
        px=layout.px,
        batch=layout.batch,
        threads=layout.threads,
        precision=layout.precision,
        per_s=round(1 / seconds_each, 2),
        ms_p50=round(median(passes, "ms_p50"), 2),
        ms_p95=round(median(passes, "ms_p95"), 2),
        cpu_ms=round(statistics.median(one.cpu_seconds / one.items for one in passes) * 1000, 2),
        rss_mb=round(max(one.rss_mb for one in passes), 1),
        ratio=None if ratio is None else round(ratio, 2),
        agreement=None if agreement is None else round(agreement, 4),
    )


_HEADS = (
    ("name", 34, "name"), ("files", 7, "files"), ("px", 12, "px"), ("batch", 7, "batch"), ("threads", 9, "threads"),
    ("precision", 11, "precision"), ("per_s", 10, "photos/s"), ("ms_p50", 9, "ms p50"), ("ms_p95", 9, "ms p95"),
    ("cpu_ms", 9, "CPU ms"), ("rss_mb", 10, "peak MB"), ("ratio", 8, "ratio"), ("agreement", 12, "same label"),
)  # fmt: skip


def table(rows: Sequence[Row]) -> str:
    """The rows under their heads."""
    lines = [
        "".join(f"{head:<{width}}" if key == "name" else f"{head:>{width}}" for key, width, head in _HEADS)
    ]
    for row in rows:
        cells = []
        for key, width, _head in _HEADS:
            value = getattr(row, key)
            text = "-" if value is None else f"{value:.1%}" if key == "agreement" else str(value)
            cells.append(f"{text:<{width}}" if key == "name" else f"{text:>{width}}")
        lines.append("".join(cells))
    return "\n".join(lines)


def change_table(before: Mapping[str, Row], after: Mapping[str, Row], heads: tuple[str, str]) -> str:
    """Rows that both have: items/s and CPU ms an item, before and after."""
    lines = [
        f"{'name':<34}{heads[0] + ' /s':>14}{heads[1] + ' /s':>14}{'gain':>8}{'CPU ms':>10}{'CPU ms':>10}{'gain':>8}"
    ]
    for name, old in before.items():
        if new := after.get(name):
            lines.append(
                f"{name:<34}{old.per_s:>14}{new.per_s:>14}{new.per_s / old.per_s - 1:>8.1%}"
                f"{old.cpu_ms:>10}{new.cpu_ms:>10}{old.cpu_ms / max(new.cpu_ms, 0.001) - 1:>8.1%}"
            )
    return "\n".join(lines)
