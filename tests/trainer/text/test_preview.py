"""What a training would learn from: sources joined, counted, split by caption, and a run's folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gcdesk.engine.captions.rules import CaptionRule
from gcdesk.engine.errors import GcdeskError
from gcdesk.engine.modelfile.specs import MINILM
from trainer.text import runs
from trainer.text.data import read_captions
from trainer.text.preview import Source, columns_to_choose, prepare, write_splits


def table(path: Path, *lines: str, head: str = "text,bin") -> Path:
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return path


def many(count: int = 200) -> list[str]:
    words = ["cup", "can", "peel", "battery"]
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [
        f"{letters[n % 26]}{letters[n // 26]} {words[n % 4]},{['Black', 'Blue', 'Green', 'TTR'][n % 4]}"
        for n in range(count)
    ]


def test_sources_are_joined_and_the_later_one_is_believed(tmp_path: Path) -> None:
    old = table(tmp_path / "old.csv", *many(), "wet towel,Black", "wet towel,Black", "old hat,TTR", ",Blue")
    new = table(tmp_path / "new.csv", "wet towel,TTR", "odd thing,Blue", "odd thing,Green")
    made = prepare([Source(old), Source(new)])
    assert made.problem == ""
    everything = [*made.train, *made.val, *made.test]
    assert {row.label for row in everything if row.text == "wet towel"} == {3}
    assert [(c.text, c.bins, c.taken) for c in made.conflicts] == [("odd thing", ("Blue", "Green"), None)]
    assert made.empty == 1
    assert [one.captions for one in made.sources] == [203, 3]


def test_no_caption_stands_on_two_sides_and_a_held_out_one_always_is(tmp_path: Path) -> None:
    first = prepare([Source(table(tmp_path / "a.csv", *many(300)))])
    sides = [{row.text for row in rows} for rows in (first.train, first.val, first.test)]
    assert len(sides[0] | sides[1] | sides[2]) == sum(map(len, sides))
    assert 0.08 < len(first.test) / 300 < 0.22
    fewer = prepare([Source(table(tmp_path / "b.csv", *many(150)))])
    assert {row.text for row in fewer.test} <= sides[2]


def test_a_test_source_never_trains_and_leaks_are_counted(tmp_path: Path) -> None:
    held = table(tmp_path / "held.csv", *many(10))
    made = prepare([Source(table(tmp_path / "a.csv", *many(200))), Source(held, "test")])
    assert made.leaks >= 10
    texts = {row.text for row in read_captions(held, {}, CaptionRule.COURSE_V1).rows}
    assert texts <= {row.text for row in made.test}
    assert not texts & {row.text for row in [*made.train, *made.val]}


def test_what_cannot_be_trained_on_is_said(tmp_path: Path) -> None:
    assert "Add captions first" in prepare([]).problem
    assert "too few" in prepare([Source(table(tmp_path / "few.csv", *many(8)))]).problem
    assert "does not exist" in prepare([Source(tmp_path / "gone.csv")]).problem
    (tmp_path / "bad.csv").write_bytes(b"text,bin\n\xff\xfe,Blue\n")
    assert "UTF-8" in prepare([Source(tmp_path / "bad.csv")]).problem
    one_bin = table(tmp_path / "one.csv", *(f"{line.partition(',')[0]},Blue" for line in many(60)))
    assert "same bin" in prepare([Source(one_bin)]).problem
    two = [line for line in many(200) if line.endswith(("Black", "Blue"))]
    assert "No caption for Green, TTR" in prepare([Source(table(tmp_path / "two.csv", *two))]).warnings[0]


def test_a_citys_rows_can_be_chosen(shared_data: Path) -> None:
    cities = shared_data / "captions" / "municipal.csv"
    assert columns_to_choose(cities) == {"city": ("calgary", "toronto")}
    both, one = prepare([Source(cities)]), prepare([Source(cities, where={"city": "calgary"})])
    assert 0 < one.sources[0].captions < both.sources[0].captions
    assert len(both.conflicts) > len(one.conflicts)
    assert columns_to_choose(shared_data / "captions" / "course_dev.csv") == {}


def test_splits_come_back_as_they_were_written(tmp_path: Path) -> None:
    made = prepare([Source(table(tmp_path / "a.csv", *many(200)))])
    for name, path in write_splits(made, tmp_path).items():
        assert read_captions(path, {}, CaptionRule.COURSE_V1).rows == getattr(made, name)


def test_a_run_is_found_again_with_its_curves(tmp_path: Path) -> None:
    made = prepare([Source(table(tmp_path / "a.csv", *many(200)))])
    with pytest.raises(GcdeskError):
        runs.begin_run(made, "a/b", "starter", {}, ())
    run = runs.begin_run(made, "line 2", "starter", {"epochs": "3"}, ("a.csv",))
    again = runs.begin_run(made, "line 2", "starter", {"epochs": "3"}, ("a.csv",))
    assert again.folder != run.folder
    (runs.runs_folder() / "no run").mkdir()
    found = runs.find_runs()
    assert {one.folder for one in found} == {run.folder, again.folder}
    assert found[-1].record.captions["train"] == len(made.train)
    assert not run.finished
    assert not run.begun
    for step in (0.5, 1.0, 1.5, 1.2, 1.4):
        runs.add_point(run.folder, step, {"loss": 1 / step})
    with (run.folder / "figures.jsonl").open("a") as file:
        file.write('{"step": 1.9, "val')
    assert [point.step for point in run.points()] == [0.5, 1.0, 1.2, 1.4]
    runs.remove_run(again)
    assert [one.folder for one in runs.find_runs()] == [run.folder]
    (run.folder / "run.json").write_text(json.dumps({"name": 3}))
    assert runs.find_runs() == []


def test_room_on_the_disk_is_looked_at_before() -> None:
    assert 500e6 < runs.space_needed(MINILM) < 2e9
    assert runs.space_needed(runs.architecture_of("starter")) == runs.space_needed(MINILM)
    runs.check_space("starter")
