"""Our tokenizer gives the ids that transformers' gives."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from model_making import CAPTIONS
from transformers import DistilBertTokenizerFast

from gcdesk.config.thresholds import MODEL_TOKENIZER_MAX_BYTES
from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.modelfile.tokenizer import CaptionTokenizer, load_tokenizer, shared_tokenizer


@pytest.fixture(scope="module")
def ours() -> CaptionTokenizer:
    return load_tokenizer(shared_tokenizer())


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> DistilBertTokenizerFast:
    """transformers' tokenizer, made from the bare vocabulary as `from_pretrained` would."""
    vocabulary = json.loads(shared_tokenizer().read_text(encoding="utf-8"))["model"]["vocab"]
    path = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
    path.write_text("\n".join(sorted(vocabulary, key=vocabulary.__getitem__)) + "\n", encoding="utf-8")
    return DistilBertTokenizerFast(vocab=str(path))


def ids(theirs: DistilBertTokenizerFast, captions: list[str], max_tokens: int) -> list[list[int]]:
    found: list[list[int]] = theirs(captions, truncation=True, max_length=max_tokens)["input_ids"]
    return found


@pytest.mark.parametrize("max_tokens", [3, 8, 24, 128])
def test_captions_get_transformers_ids(
    ours: CaptionTokenizer, theirs: DistilBertTokenizerFast, max_tokens: int
) -> None:
    odd = ["Café crème", "水瓶", "بطارية", "🍌 peel", "a" * 300, "battery " * 100, "\u200btin\x00can"]
    captions = CAPTIONS + odd
    assert ours.encode(captions, max_tokens) == ids(theirs, captions, max_tokens)


def test_the_courses_captions_get_transformers_ids(
    ours: CaptionTokenizer, theirs: DistilBertTokenizerFast, shared_data: Path
) -> None:
    with (shared_data / "captions" / "course_dev.csv").open(encoding="utf-8", newline="") as file:
        captions = [row["text"] for row in csv.DictReader(file)]
    assert len(captions) > 1000
    assert ours.encode(captions, 24) == ids(theirs, captions, 24)


def test_the_files_own_padding_is_reset(ours: CaptionTokenizer) -> None:
    (ids,) = ours.encode(["banana peel"], 64)
    assert len(ids) < 10
    assert (ids[0], ids[-1]) == (101, 102)


def test_a_long_caption_is_cut_and_still_ends_with_sep(ours: CaptionTokenizer) -> None:
    (ids,) = ours.encode(["battery " * 200], 24)
    assert len(ids) == 24
    assert ids[-1] == 102


def test_a_batch_is_padded_to_its_longest(ours: CaptionTokenizer) -> None:
    ids, mask = ours.pad([[101, 5, 6, 102], [101, 102]])
    assert ids.tolist() == [[101, 5, 6, 102], [101, 102, 0, 0]]
    assert mask.tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    assert ids.dtype == mask.dtype == np.int64


def test_an_unusable_tokenizer_says_why(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"tokenizer\.json cannot be read"):
        load_tokenizer(tmp_path)
    path = tmp_path / "tokenizer.json"
    path.write_text("{}")
    with pytest.raises(ModelFileError, match="is not a tokenizer"):
        load_tokenizer(tmp_path)
    content = json.loads(shared_tokenizer().read_text(encoding="utf-8")) | {"post_processor": None}
    path.write_text(json.dumps(content))
    with pytest.raises(ModelFileError, match="not a BERT one"):
        load_tokenizer(tmp_path)
    with path.open("wb") as file:
        file.truncate(MODEL_TOKENIZER_MAX_BYTES + 1)
    with pytest.raises(ModelFileError, match="larger than 32 MB"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize(
    ("part", "content"),
    [
        (
            "pre_tokenizer",
            {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Removed", "invert": False},
        ),
        ("normalizer", {"type": "Replace", "pattern": {"Regex": "(a+)+$"}, "content": ""}),
        ("normalizer", {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "x"}]}),
        ("model", {"type": "BPE", "vocab": {}, "merges": []}),
    ],
)
def test_parts_that_bert_does_not_have_are_refused(tmp_path: Path, part: str, content: object) -> None:
    """A pattern may run for hours on a caption that fits it."""
    whole = json.loads(shared_tokenizer().read_text(encoding="utf-8"))
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({**whole, part: content}), encoding="utf-8")
    with pytest.raises(ModelFileError, match=f"no.* a BERT tokenizer: its {part} is"):
        load_tokenizer(path)
