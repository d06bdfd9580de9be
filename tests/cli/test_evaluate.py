"""`gcdesk evaluate` on an ImageFolder whose file names are captions, and on a table of captions."""

from __future__ import annotations

import json
import shutil
import string
from pathlib import Path

import pytest

from gcdesk.cli.main import main
from gcdesk.engine.labels import BINS
from gcdesk.engine.selection.rules import DEFAULT_RULE, RULES

Captured = pytest.CaptureFixture[str]

TRUTH = {
    "orange peel": "Green",
    "empty water bottle": "Blue",
    "green glass bottle": "Blue",
    "kitchen sponge": "Black",
    "old black sock": "Other",
    "torn piece of cardboard": "blue",
}


@pytest.fixture
def image_folder(samples: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "test"
    for caption, bin_name in TRUTH.items():
        (folder / bin_name).mkdir(parents=True, exist_ok=True)
        shutil.copy(samples / f"{caption}.jpg", folder / bin_name)
    (folder / ".DS_Store").write_bytes(b"x")
    return folder


def as_json(capsys: Captured, *arguments: str) -> dict[str, dict[str, object]]:
    assert main(["evaluate", *arguments, "--format", "json"]) == 0
    report: dict[str, dict[str, object]] = json.loads(capsys.readouterr().out)
    return report


def test_a_folder_gives_figures_for_both_models_and_every_rule(image_folder: Path, capsys: Captured) -> None:
    report = as_json(capsys, str(image_folder))
    assert report["items"] == len(TRUTH)
    assert report["default_rule"] == DEFAULT_RULE.value
    assert set(report["rules"]) == {rule.value for rule in RULES}
    figures = [report["image"], report["text"], *report["rules"].values()]
    for part in figures:
        assert isinstance(part, dict)
        accuracy, (low, high) = part["accuracy"], part["interval"]
        assert 0 <= low <= accuracy <= high <= 1
        matrix = part["confusion"]
        assert sum(map(sum, matrix)) == len(TRUTH)
        assert sum(matrix[i][i] for i in range(len(BINS))) == pytest.approx(accuracy * len(TRUTH), abs=1e-3)


def test_the_table_shows_the_same(image_folder: Path, capsys: Captured) -> None:
    report = as_json(capsys, str(image_folder))
    assert main(["evaluate", str(image_folder)]) == 0
    shown = capsys.readouterr().out
    assert f"{report['image']['accuracy']:.1%}" in shown
    assert all(rule.value in shown for rule in RULES)
    assert all(name in shown for name in BINS)


@pytest.mark.posix("links want a right on Windows that users do not have")
def test_table_and_json_agree_on_every_figure_where_captions_are_nonsense(
    shared_data: Path, tmp_path: Path, capsys: Captured
) -> None:
    """A caption without a known word weighs less: in both, or they send another number of photos to review."""
    for number, photo in enumerate(sorted((shared_data / "photos").rglob("*.jpg"))):
        folder = tmp_path / photo.parent.name
        folder.mkdir(exist_ok=True)
        nonsense = ("qxzv", "wkrr", "zzyq")[number % 3] + string.ascii_lowercase[number]
        (folder / f"{nonsense}.jpg").symlink_to(photo)
    report = as_json(capsys, str(tmp_path))
    assert report["items"] == 26
    assert main(["evaluate", str(tmp_path)]) == 0
    shown = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if "%" in line}
    for key, figures in {"image": report["image"], "text": report["text"], **report["rules"]}.items():
        assert isinstance(figures, dict)
        words = shown[key].replace("*", "").split()
        low, high = figures["interval"]
        expected = [
            f"{figures['accuracy']:.1%}",
            f"{low:.1%}",
            "-",
            f"{high:.1%}",
            f"{figures['macro_f1']:.1%}",
        ]
        assert words[1:7] == [*expected, str(figures["items"])]
        if "review" in figures:
            assert words[7] == str(figures["review"])


def test_a_table_of_captions_evaluates_the_text_model_alone(tmp_path: Path, capsys: Captured) -> None:
    table = tmp_path / "captions.csv"
    table.write_text("text,bin\nbanana peel,Green\ndead battery,TTR\nbattery,other\nglass bottle,Green\n")
    report = as_json(capsys, str(table))
    assert report["items"] == 4
    assert report["image"] is None
    assert report["text"]["accuracy"] == 0.75


@pytest.mark.posix("links want a right on Windows that users do not have")
def test_class_names_are_no_captions_and_that_is_said(
    samples: Path, tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "Green").mkdir()
    for number in range(30):
        (tmp_path / "Green" / f"organic_{number:03}.jpg").symlink_to(samples / "orange peel.jpg")
    report = as_json(capsys, str(tmp_path))
    assert report["captions_are_class_names"] is True
    assert any("class names" in note for note in report["notes"])


def test_unreadable_photos_are_named_and_the_others_counted(image_folder: Path, capsys: Captured) -> None:
    (image_folder / "Green" / "IMG_1.jpg").write_bytes(b"")
    assert main(["evaluate", str(image_folder), "--format", "json"]) == 1
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert report["items"] == len(TRUTH) + 1
    assert report["image"]["items"] == len(TRUTH)
    assert [Path(row["path"]).name for row in report["unreadable"]] == ["IMG_1.jpg"]
    assert "IMG_1.jpg" in err


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing", None, "no such file"),
        ("no-bins", "folder", "Black"),
        ("columns.csv", "a,b\n1,2\n", "text"),
        ("bins.csv", "text,bin\npeel,Yellow\n", "Yellow"),
        ("empty.csv", "text,bin\n", "no"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(
    tmp_path: Path, capsys: Captured, name: str, content: str | None, words: str
) -> None:
    path = tmp_path / name
    if content == "folder":
        (path / "kittens").mkdir(parents=True)
    elif content is not None:
        path.write_text(content)
    assert main(["evaluate", str(path)]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert len(err.splitlines()) == 1


def test_shared_test_split_has_image_figures(shared_data: Path, capsys: Captured) -> None:
    report = as_json(capsys, str(shared_data / "photos"))
    assert report["items"] == 26
    assert report["captions_are_class_names"] is False


def test_a_report_replaces_no_photo_and_no_table_that_is_read(
    image_folder: Path, tmp_path: Path, capsys: Captured
) -> None:
    photo, table = image_folder / "Green" / "orange peel.jpg", tmp_path / "captions.csv"
    table.write_text("text,bin\nglass jar,Blue\n")
    for source, target in ((image_folder, photo), (table, table)):
        before = target.read_bytes()
        assert main(["evaluate", str(source), "--report", str(target), "--force"]) == 2
        assert "left alone" in capsys.readouterr().err
        assert target.read_bytes() == before


def test_folders_by_other_names_are_suggested_and_counted_when_said(
    image_folder: Path, capsys: Captured
) -> None:
    (image_folder / "Green").rename(image_folder / "Compost")
    arguments = ["evaluate", str(image_folder), "--image-model", "none", "--format", "json"]
    assert main(arguments) == 0
    plain = json.loads(capsys.readouterr().out)
    assert any("--map-folders usual counts it as Green" in note for note in plain["notes"])
    assert main([*arguments, "--map-folders", "usual"]) == 0
    assert json.loads(capsys.readouterr().out)["items"] == plain["items"] + 1
