"""Two models on the same items: figures, the test, the words, and that they survive being written."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from model_making import SMALL_TEXT, save_random

from gcdesk.engine.errors import EvaluationError
from gcdesk.engine.evaluation.labelled_set import read_labelled
from gcdesk.engine.evaluation.model_comparison import (
    Comparison,
    compare_models,
    load_comparison,
    sample_set,
    samples_right,
    save_comparison,
)
from gcdesk.engine.modelfile.checkpoint import load_info
from gcdesk.engine.modelfile.training_captions import save_training_captions


@pytest.fixture(scope="module")
def captions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = [f"{item.path.stem if item.path else ''},{item.label}" for item in sample_set().items]
    path = tmp_path_factory.mktemp("captions") / "captions.csv"
    bins = ["Black", "Blue", "Green", "TTR"]
    lines = [f"{line.partition(',')[0]},{bins[int(line.partition(',')[2])]}" for line in lines]
    path.write_text("text,bin\n" + "\n".join(lines * 3) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def random_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    samples = Path(__file__).resolve().parents[3] / "resources" / "samples"
    return save_random(tmp_path_factory.mktemp("model") / "random.gcmodel", SMALL_TEXT, samples)


@pytest.fixture(scope="module")
def found(captions: Path, random_text: Path) -> Comparison:
    starter = Path(__file__).resolve().parents[3] / "resources" / "models" / "starter-text.gcmodel"
    return compare_models(starter, random_text, read_labelled(captions), "captions.csv")


def test_a_random_model_is_worse_and_it_is_said(found: Comparison) -> None:
    assert found.first.accuracy > 0.8
    assert found.second.correct == found.first.correct - found.only_first + found.only_second
    assert found.significant
    assert found.gain < 0
    assert "random text is worse" in found.verdict
    assert "Keep starter-text." in found.verdict
    assert len(found.differences) == found.only_first + found.only_second
    assert found.second.low < found.second.accuracy < found.second.high
    assert found.first.recall[3] == 1.0


def test_the_words_follow_the_figures(found: Comparison) -> None:
    swapped = replace(found, first=found.second, second=found.first)
    assert "starter-text is better" in swapped.verdict
    assert "hardly" in swapped.verdict
    assert "not clearly better" in replace(swapped, p=0.3).verdict
    assert "no reason to change" in replace(found, p=0.3).verdict
    assert "nothing to choose" in replace(found, only_first=0, only_second=0).verdict


def test_it_is_read_back(found: Comparison, tmp_path: Path) -> None:
    save_comparison(found, tmp_path / "c.json")
    assert load_comparison(tmp_path / "c.json") == found
    (tmp_path / "c.json").write_text('{"v": 1}')
    with pytest.raises(EvaluationError):
        load_comparison(tmp_path / "c.json")


def test_what_cannot_be_compared(captions: Path, starter_text: Path, starter_image: Path) -> None:
    with pytest.raises(EvaluationError, match="cannot be compared with"):
        compare_models(starter_text, starter_image, read_labelled(captions), "")
    with pytest.raises(EvaluationError, match="compared on photos"):
        compare_models(starter_image, starter_image, read_labelled(captions), "")


def test_the_starters_know_the_samples(starter_text: Path, starter_image: Path) -> None:
    assert samples_right(starter_text)[1] == 15
    assert min(samples_right(starter_text)[0], samples_right(starter_image)[0]) >= 11


def test_only_what_neither_learned_is_measured(captions: Path, random_text: Path, tmp_path: Path) -> None:
    taught = shutil.copytree(random_text, tmp_path / "taught.gcmodel")
    items = read_labelled(captions)
    texts = sorted({item.caption for item in items.items if item.caption})
    save_training_captions(texts[:1], taught, load_info(taught).weights_sha256)
    found = compare_models(random_text, taught, items, "")
    assert found.items == 42
    assert "random text learned 3 of the 45 captions" in found.remark
    assert "only the other 42" in found.remark
    save_training_captions(texts[:8], taught, load_info(taught).weights_sha256)
    found = compare_models(random_text, taught, items, "")
    assert found.items == 45
    assert "which flatters" in found.remark
