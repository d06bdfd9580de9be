"""`gcdesk classify` on real photos, as an operator types it."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bad_photos import write_broken, write_odd

from gcdesk.cli.main import main
from gcdesk.engine.labels import BINS

Captured = pytest.CaptureFixture[str]


def test_samples_as_a_table_with_a_summary(samples: Path, capsys: Captured) -> None:
    assert main(["classify", str(samples)]) == 0
    out, err = capsys.readouterr()
    count = len(list(samples.glob("*.jpg")))
    assert len(out.splitlines()) == count + 1
    assert f"{count} items" in err
    assert "photos/s" in err
    assert "unreadable 0" in err
    assert "starter-image" in err


def test_csv_and_json_say_the_same(samples: Path, tmp_path: Path) -> None:
    tables = {}
    for ending in ("csv", "json"):
        assert main(["classify", str(samples), "--out", str(tmp_path / f"out.{ending}"), "--quiet"]) == 0
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        tables["csv"] = list(csv.DictReader(file))
    tables["json"] = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert len(tables["csv"]) == len(tables["json"]) > 10
    for one, two in zip(tables["csv"], tables["json"], strict=True):
        assert one["label"] == two["label"] in BINS
        assert float(one["confidence"]) == pytest.approx(two["confidence"], abs=1e-4)
        assert sum(float(one[f"image_{name}"]) for name in BINS) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("rule", ["max_confidence", "mean", "calibrated", "weighted"])
def test_every_rule(samples: Path, capsys: Captured, rule: str) -> None:
    photo = str(samples / "orange peel.jpg")
    assert main(["classify", photo, "--rule", rule, "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)[0]["label"] in BINS
    assert f"rule: {rule}" in err


@pytest.mark.posix("links want a right on Windows that users do not have")
def test_bad_input_is_named_and_everything_else_is_classified(
    samples: Path, tmp_path: Path, capsys: Captured
) -> None:
    good = samples / "empty water bottle.jpg"
    folder = tmp_path / "photos"
    broken = write_broken(folder / "broken", good)
    odd = write_odd(folder / "odd", good)
    (folder / "again").symlink_to(folder, target_is_directory=True)
    (tmp_path / "empty").mkdir()
    paths = [tmp_path / "missing.jpg", tmp_path / "empty", folder]
    code = main(["classify", *map(str, paths), "--format", "json"])
    out, err = capsys.readouterr()
    rows = json.loads(out)
    assert code == 1
    assert len(rows) == 2 + len(broken) + len(odd)
    errors = {Path(row["path"]).name: row["error"] for row in rows if row["error"]}
    assert set(errors) == {"missing.jpg", "empty"} | {path.name for path in broken}
    assert all(row["label"] in BINS and row["image_label"] for row in rows if not row["error"])
    assert f"unreadable {len(errors)}" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("name", ["missing.jpg", "empty"])
def test_nothing_to_do_is_exit_code_2(tmp_path: Path, capsys: Captured, name: str) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["classify", str(tmp_path / name)]) == 2
    assert "no photos" in capsys.readouterr().out.lower() or name != "empty"


def test_captions_from_a_table(samples: Path, tmp_path: Path, capsys: Captured) -> None:
    shutil.copy(samples / "orange peel.jpg", tmp_path / "IMG_1.jpg")
    shutil.copy(samples / "orange peel.jpg", tmp_path / "IMG_2.jpg")
    table = tmp_path / "captions.csv"
    table.write_text("file,text\nIMG_1.jpg,Dead battery\n", encoding="utf-8")
    assert main(["classify", str(tmp_path), "--captions", str(table), "--format", "json"]) == 0
    one, two = json.loads(capsys.readouterr().out)
    assert (one["caption"], one["text_label"]) == ("dead battery", "TTR")
    assert (two["caption"], two["text_label"]) == ("", None)


@pytest.mark.parametrize(
    "content", ["name,words\nIMG_1.jpg,cup\n", "file,text\nIMG_1.jpg,cup\nIMG_1.jpg,can\n", ""]
)
def test_a_bad_caption_table_is_refused_before_anything_is_done(
    samples: Path, tmp_path: Path, capsys: Captured, content: str
) -> None:
    table = tmp_path / "captions.csv"
    table.write_text(content, encoding="utf-8")
    assert main(["classify", str(samples), "--captions", str(table)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1


def test_a_caption_table_that_fits_no_photo_is_said(samples: Path, tmp_path: Path, capsys: Captured) -> None:
    table = tmp_path / "captions.csv"
    table.write_text("file,text\norange peel.heic,banana\nold sock.heic,sock\n")
    arguments = ["classify", str(samples), "--captions", str(table), "--image-model", "none"]
    assert main(arguments) == 0
    assert "0 of 2 entries of captions.csv fit a photo: the endings differ" in capsys.readouterr().err
    table.write_text("file,text\norange peel.jpg,banana\nold sock.heic,sock\n")
    assert main(arguments) == 0
    assert "1 of 2 entries of captions.csv fit a photo" in capsys.readouterr().err


def test_text_alone_and_image_alone(samples: Path, capsys: Captured) -> None:
    photo = str(samples / "orange peel.jpg")
    assert main(["classify", photo, "--image-model", "none", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["image_label"] is None
    assert main(["classify", photo, "--text-model", "none", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["text_label"] is None
    assert main(["classify", photo, "--text-model", "none", "--image-model", "none"]) == 2


def test_a_damaged_model_is_refused_with_a_reason(
    starter_image: Path, samples: Path, tmp_path: Path, capsys: Captured
) -> None:
    model = tmp_path / "bad.gcmodel"
    shutil.copytree(starter_image, model)
    with (model / "weights.safetensors").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x01")
    assert main(["classify", str(samples), "--image-model", str(model)]) == 2
    assert "bad.gcmodel" in capsys.readouterr().err


def test_out_into_a_folder_that_is_not_there(samples: Path, tmp_path: Path, capsys: Captured) -> None:
    assert main(["classify", str(samples), "--out", str(tmp_path / "no" / "x.csv")]) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="signals of another kind")
def stopped_run(samples: Path, out: Path) -> str:
    """What a run of many photos that is stopped in the middle says."""
    folder = out.parent / "many"
    folder.mkdir()
    for number in range(3000):
        (folder / f"peel {number}.jpg").symlink_to(samples / "orange peel.jpg")
    process = subprocess.Popen(
        [sys.executable, "-m", "gcdesk", "classify", str(folder), "--out", str(out)],
        stderr=subprocess.PIPE,
        text=True,
        # Whoever starts the tests in the background of a script has them ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        deadline = time.monotonic() + 120
        while not any(
            file.stat().st_size for file in out.parent.glob(f".{out.name}.*")
        ):  # answers are written
            assert time.monotonic() < deadline, "nothing is written"
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Stopped after" in err
    assert "Traceback" not in err
    return err


@pytest.mark.posix("Windows sends a process no such signal")
def test_ctrl_c_keeps_what_was_done(samples: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    stopped_run(samples, out)
    assert 0 < len(json.loads(out.read_text(encoding="utf-8"))) < 3000


@pytest.mark.posix("Windows sends a process no such signal")
def test_ctrl_c_leaves_an_older_whole_table_alone(samples: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert main(["classify", str(samples / "orange peel.jpg"), "--out", str(out), "--quiet"]) == 0
    older = out.read_bytes()
    assert "out.stopped.json" in stopped_run(samples, out)
    assert out.read_bytes() == older
    assert 0 < len(json.loads((tmp_path / "out.stopped.json").read_text(encoding="utf-8"))) < 3000


def test_an_output_over_a_photo_or_the_captions_is_refused_before_anything_is_done(
    samples: Path, tmp_path: Path, capsys: Captured
) -> None:
    first, second, captions = tmp_path / "a.jpg", tmp_path / "b.jpg", tmp_path / "captions.csv"
    shutil.copy(samples / "orange peel.jpg", first)
    shutil.copy(samples / "orange peel.jpg", second)
    captions.write_text("file,text\nb.jpg,glass jar\n")
    for target in (first, second, captions):
        before = target.read_bytes()
        arguments = ["classify", str(second), "--captions", str(captions), "--out", str(target), "--force"]
        assert main(arguments) == 2
        assert "left alone" in capsys.readouterr().err
        assert target.read_bytes() == before


def test_another_file_is_replaced_by_force_alone(samples: Path, tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "notes.csv"
    out.write_text("my notes")
    arguments = ["classify", str(samples / "orange peel.jpg"), "--out", str(out)]
    assert main(arguments) == 2
    assert "--force" in capsys.readouterr().err
    assert main([*arguments, "--force"]) == 0
    assert out.read_bytes().startswith(b"\xef\xbb\xbfpath,caption,"), "as a spreadsheet reads it"
    assert main(arguments) == 0  # an earlier table of ours


def test_shared_photos_are_all_classified(shared_data: Path, capsys: Captured) -> None:
    assert main(["classify", str(shared_data / "photos"), "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 26
    assert all(row["label"] in BINS and row["image_label"] and row["text_label"] for row in rows)
