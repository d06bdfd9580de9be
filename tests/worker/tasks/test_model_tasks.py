"""The tasks that train, compare, import and check models, as real processes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from task_kit import events_of

from gcdesk.engine.evaluation.model_comparison import load_comparison
from gcdesk.engine.library.library import Library
from gcdesk.worker.protocol.messages import Fatal
from gcdesk.worker.protocol.task_messages import Done, Figures, Log, Progress, Stop, Task

COMMAND = (sys.executable, "-m", "gcdesk.worker", "task")


def carry_out(name: str, *arguments: str, stop: bool = False) -> list[object]:
    requests = [Task(name, arguments)] + ([Stop()] if stop else [])
    return events_of(*requests, command=COMMAND)


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    items = {"Black": "plastic bag", "Blue": "soda can", "Green": "banana peel", "TTR": "old battery"}
    lines = [
        f"{word} {item},{bin_}"
        for bin_, item in items.items()
        for word in ("red", "blue", "wet", "dry", "new")
    ]
    path = tmp_path / "captions.csv"
    path.write_text("text,bin\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def arguments(captions: Path, out: Path) -> list[str]:
    settings = ("epochs=2", "batch=8", "patience=0")
    return ["--train", str(captions), "--out", str(out), *(w for s in settings for w in ("--set", s))]


@pytest.mark.slow
def test_a_training_tells_its_figures(captions: Path, tmp_path: Path) -> None:
    out = tmp_path / "new.gcmodel"
    events = carry_out("train-text", *arguments(captions, out))
    done = events[-1]
    assert isinstance(done, Done), events[-1]
    assert (done.result, done.stopped) == (str(out), False)
    curves = {name for event in events if isinstance(event, Figures) for name in event.values}
    assert curves == {"loss", "accuracy"}
    assert next(event.text for event in events if isinstance(event, Log)).endswith("to test.")
    last = [event for event in events if isinstance(event, Progress)][-1]
    assert last.done == last.total > 0

    compared = carry_out(
        "compare-models", str(out), str(out), "--data", str(captions), "--out", str(tmp_path / "c.json")
    )
    assert isinstance(compared[-1], Done)
    assert load_comparison(tmp_path / "c.json").p == 1.0

    named = carry_out("import-model", str(out), "--name", "line 2")
    assert isinstance(named[-1], Done)
    assert Library().find("line 2").info is not None
    checked = carry_out("verify-model", "line 2")[-1]
    assert isinstance(checked, Done)
    assert "sample photos right" in checked.summary
    assert carry_out("import-model", str(out), "--name", "line 2")[-1] == Fatal(
        "There is a model called line 2 already: give this one another name."
    )


@pytest.mark.torch
def test_a_training_that_is_stopped_at_once_has_nothing(captions: Path, tmp_path: Path) -> None:
    done = carry_out("train-text", *arguments(captions, tmp_path / "x.gcmodel"), stop=True)[-1]
    assert done == Done(summary="Nothing was learnt yet.", stopped=True)


@pytest.mark.torch
def test_the_pace_is_measured(captions: Path, tmp_path: Path) -> None:
    events = carry_out("pace-text", *arguments(captions, tmp_path / "x.gcmodel"))
    (figures,) = [event for event in events if isinstance(event, Figures)]
    assert 0 < figures.values["captions_per_second"] < 100_000
    assert not (tmp_path / "x.gcmodel").exists()


@pytest.mark.torch
def test_bad_data_is_a_sentence(tmp_path: Path) -> None:
    end = carry_out("train-text", *arguments(tmp_path / "none.csv", tmp_path / "x.gcmodel"))[-1]
    assert isinstance(end, Fatal)
    assert end.text.endswith("does not exist.")
