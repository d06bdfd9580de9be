"""What a text training reads: tables, folders, and captions that must stay on one side of a split."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gcdesk.engine.captions.rules import CaptionRule, apply_rule
from gcdesk.engine.evaluation.labelled_set import read_labelled
from trainer.text.data import Caption, fingerprint, joined, read_captions, settled, split_by_group, without
from trainer.text.settings import TextDataError

RULE = CaptionRule.COURSE_V1


def table(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_table_is_read_by_the_rule(tmp_path: Path) -> None:
    source = table(tmp_path / "c.csv", "text,bin", "Banana_Peel 12,green", "old paint,Other", "123,Blue")
    captions = read_captions(source, {}, RULE)
    assert [(row.text, row.label) for row in captions.rows] == [("banana peel", 2), ("old paint", 3)]
    assert captions.notes == ("c.csv: 1 left out (empty caption)",)


def test_rows_with_several_bins_or_of_another_city_are_left_out(tmp_path: Path) -> None:
    source = table(
        tmp_path / "c.csv",
        "text,bin,city,several_bins",
        "cup,Blue,calgary,0",
        "lid,Blue,calgary,1",
        "jar,Blue,toronto,0",
    )
    assert [row.text for row in read_captions(source, {"city": "calgary"}, RULE).rows] == ["cup"]


def test_a_caption_with_two_bins_is_measured_as_it_is_and_trained_on_as_the_majority_says() -> None:
    bins = [("cup", 1), ("cup", 1), ("cup", 0), ("lid", 1), ("lid", 0), ("jar", 1)]
    rows = [Caption(text, label, text) for text, label in bins]
    kept, left_out = settled(rows)
    assert {(row.text, row.label) for row in kept} == {("cup", 1), ("jar", 1)}
    assert left_out == 3


def test_a_test_table_keeps_its_contradictions(tmp_path: Path) -> None:
    source = table(tmp_path / "c.csv", "text,bin", "cup,Blue", "cup,Black")
    assert [row.label for row in read_captions(source, {}, RULE).rows] == [1, 0]


def test_stray_files_and_folders_never_become_a_class(tmp_path: Path, samples: Path) -> None:
    photo = sorted(samples.rglob("*.jpg"))[0]
    for name in ("Blue", "Green"):
        (tmp_path / name).mkdir()
        shutil.copy(photo, tmp_path / name / f"{name} thing.jpg")
        (tmp_path / name / ".DS_Store").write_bytes(b"x")
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / ".git").mkdir()
    captions = read_captions(tmp_path, {}, RULE)
    assert [(row.text, row.label) for row in captions.rows] == [("blue thing", 1), ("green thing", 2)]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["a,b", "x,Blue"], "needs the columns text and bin"),
        (["text,bin", "x,Pink"], "line 2: 'Pink' is not a bin"),
    ],
)
def test_a_wrong_table_is_refused_in_words(tmp_path: Path, lines: list[str], words: str) -> None:
    with pytest.raises(TextDataError, match=words):
        read_captions(table(tmp_path / "c.csv", *lines), {}, RULE)


@pytest.mark.parametrize(
    "content",
    [
        b"Text;Bin\r\nglass jar, clean;Blue\r\nsock;Other\r\n",
        "sep=;\r\ncaption;label\r\nglass jar, clean;blue\r\nsock;ttr\r\n".encode("utf-8-sig"),
        "text\tbin\nglass jar, clean\tBlue\nsock\tTTR\n".encode("utf-16"),
    ],
)
def test_training_reads_every_table_that_evaluation_reads(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "captions.csv"
    source.write_bytes(content)
    measured = [(item.caption, item.label) for item in read_labelled(source).items]
    assert measured == [("glass jar, clean", 1), ("sock", 3)]
    learned = read_captions(source, {}, RULE).rows
    assert [(row.text, row.label) for row in learned] == [
        (apply_rule(text or "", RULE), b) for text, b in measured
    ]


def test_where_sources_disagree_the_main_one_is_believed() -> None:
    rows = [Caption("cup", 1, "cup")]
    extra = [Caption("cup", 0, "a"), Caption("mug", 0, "b"), Caption("jar", 1, "b")]
    assert {(row.text, row.label) for row in joined(rows, extra)} == {("cup", 1), ("mug", 0), ("jar", 1)}


def test_groups_stay_together_and_captions_on_one_side() -> None:
    rows = [Caption(f"word {i}", i % 4, f"group {i // 3}") for i in range(60)]
    rest, aside = split_by_group(rows, 0.2, seed=1)
    assert len(rest) + len(aside) == len(rows)
    assert 0.1 <= len(aside) / len(rows) <= 0.3
    assert not {row.group for row in rest} & {row.group for row in aside}
    assert without(rows, aside) == (rest, len(aside))


def test_the_fingerprint_tells_data_apart_but_not_their_order() -> None:
    rows = [Caption("cup", 1, "a"), Caption("jar", 2, "b")]
    assert fingerprint(rows) == fingerprint(rows[::-1])
    assert fingerprint(rows) != fingerprint([Caption("cup", 2, "a"), rows[1]])


def test_bins_of_the_courses_captions(shared_data: Path) -> None:
    captions = read_captions(shared_data / "captions" / "course_dev.csv", {}, RULE)
    assert len(captions.rows) == 1711
    assert {row.label for row in captions.rows} == {0, 1, 2, 3}
