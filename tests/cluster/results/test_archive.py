"""Results that come home: a good one is installed and kept; a bad one is refused with its reason, nothing left."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from results_kit import EPOCHS, collected, finished_bundle, pack, signed, unpack
from safetensors.numpy import save_file

from gcdesk.cli.main import main
from gcdesk.cluster.job_registry import delete_record, job_record, job_records
from gcdesk.cluster.results.archive import MOST_FILES
from gcdesk.cluster.results.import_record import read_arrival
from gcdesk.cluster.results.importer import take_in
from gcdesk.config.folders import user_folders
from gcdesk.engine.errors import GcdeskError
from gcdesk.engine.library.library import Library
from gcdesk.engine.modelfile.checkpoint import load_model
from trainer.job.parity import PARITY_FILE, write_parity
from trainer.job.record import Status, write_status

MODEL = "model/line2.gcmodel/"


@pytest.fixture(scope="module")
def parity(starter_image: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What torch says of the starter model."""
    file = tmp_path_factory.mktemp("parity") / PARITY_FILE
    write_parity(starter_image, file)
    return file


@pytest.fixture(scope="module")
def bundle(
    samples: Path, starter_image: Path, parity: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    return finished_bundle(tmp_path_factory.mktemp("cluster"), samples, starter_image, parity)


@pytest.fixture(scope="module")
def archive(bundle: Path) -> Path:
    return collected(bundle)


@pytest.fixture(scope="module")
def files(archive: Path) -> dict[str, bytes]:
    return unpack(archive)


def refused(archive: Path, message: str) -> None:
    with pytest.raises(GcdeskError, match=message):
        take_in(archive)
    assert [model.name for model in Library().models() if not model.starter] == []
    assert job_records() == []


def test_a_good_result_is_installed_and_can_be_looked_at_again(archive: Path) -> None:
    arrival = take_in(archive)
    assert arrival.installed == "line2"
    assert arrival.compared_with == "starter-image"
    figure = next(figure for figure in arrival.figures if figure.split == "test")
    assert figure.new == figure.used
    assert figure.new_items == figure.used_items > 0
    assert [line["val"] for line in arrival.epochs] == [line["val"] for line in EPOCHS]
    assert arrival.diagnosis is None
    assert arrival.differences == ()
    job = job_record("back")
    assert job is not None
    assert (job.state, job.installed) == ("done", "line2")
    assert read_arrival(job.folder) == arrival
    assert Library().find("line2").info is not None
    assert take_in(archive).installed == "line2-2"
    delete_record("back")
    assert job_records() == []
    assert Library().find("line2").info is not None


def test_the_command_line_imports_and_uses_it(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["talc", "import", str(archive), "--name", "mine", "--use"]) == 0
    told = capsys.readouterr().out
    assert "mine is installed. Beside starter-image" in told
    assert "mine is the image model in use" in told
    assert Library().in_use("image").name == "mine"
    assert main(["talc", "jobs"]) == 0
    assert "back" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name", ["../../evil", "result-back/../../evil", "/etc/evil", "C:evil", "..\\evil", "~/evil"]
)
def test_a_name_that_leads_outside_is_refused(files: dict[str, bytes], tmp_path: Path, name: str) -> None:
    refused(
        pack({**{f"result-back/{n}": d for n, d in files.items()}, name: b"x"}, tmp_path / "x.tar.gz", ""),
        "unsafe",
    )
    assert not list(tmp_path.parent.glob("evil*"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(files: dict[str, bytes], tmp_path: Path, kind: bytes) -> None:
    target = tmp_path / "x.tar.gz"
    with tarfile.open(target, "w:gz") as archive:
        item = tarfile.TarInfo("result-back/status.json")
        item.type, item.linkname = kind, "/etc/passwd"
        archive.addfile(item)
        for name, data in files.items():
            plain = tarfile.TarInfo(f"result-back/{name}")
            plain.size = len(data)
            archive.addfile(plain, io.BytesIO(data))
    refused(target, "link or device")


def test_a_file_that_claims_to_be_huge_is_refused_before_it_is_read(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    target = tmp_path / "x.tar.gz"
    item = tarfile.TarInfo("result-back/metrics.jsonl")
    item.size = 10**13
    with gzip.open(target, "wb") as file:
        file.write(item.tobuf() + b"\0" * 4096)
    refused(target, "larger than any can be")
    many = {f"logs/slurm-{number}.out": b"" for number in range(MOST_FILES + 1)}
    refused(pack(signed({**files, **many}), tmp_path / "y.tar.gz"), "larger than any can be")


def test_what_no_result_has_is_refused(files: dict[str, bytes], tmp_path: Path) -> None:
    for number, name in enumerate(("run.sh", "model/line2.gcmodel/code.py", "logs/deep/slurm-1.out")):
        refused(pack(signed({**files, name: b"x"}), tmp_path / f"{number}.tar.gz"), "which no result has")
    with tarfile.open(tmp_path / "twice.tar.gz", "w:gz") as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("result-back/status.json"), io.BytesIO())
    refused(tmp_path / "twice.tar.gz", "twice")


def test_damage_on_the_way_is_noticed(archive: Path, files: dict[str, bytes], tmp_path: Path) -> None:
    weights = files[f"{MODEL}weights.safetensors"]
    changed = {**files, f"{MODEL}weights.safetensors": weights[:-1] + bytes([weights[-1] ^ 1])}
    refused(pack(changed, tmp_path / "a.tar.gz"), "damaged on the way")
    (tmp_path / "b.tar.gz").write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    refused(tmp_path / "b.tar.gz", "damaged or no .tar.gz")
    (tmp_path / "c.tar.gz").write_text("these are words")
    refused(tmp_path / "c.tar.gz", "damaged or no .tar.gz")
    lacking = {name: data for name, data in files.items() if name != "status.json"}
    refused(pack(lacking, tmp_path / "d.tar.gz"), "list of files differ")
    refused(pack({"status.json": b"{}"}, tmp_path / "e.tar.gz"), "no result of gcdesk")
    refused(tmp_path / "none.tar.gz", "cannot be read")


def test_another_version_and_another_kind(bundle: Path, files: dict[str, bytes], tmp_path: Path) -> None:
    refused(
        pack(signed(files, lambda m: m.update(v=9)), tmp_path / "a.tar.gz"),
        "version 9 and this gcdesk reads 1",
    )
    job = {"manifest.json": (bundle / "manifest.json").read_bytes()}
    refused(pack(job, tmp_path / "b.tar.gz"), "a job that is still to be run")
    odd = signed({**files, "status.json": b'{"run": "back", "state": "dreaming"}'})
    refused(pack(odd, tmp_path / "c.tar.gz"), "holds what no run says")
    newer = signed(files, lambda m: m["made_by"].update(gcdesk="7.0.0"))
    arrival = take_in(pack(newer, tmp_path / "d.tar.gz"))
    assert any("Made by gcdesk 7.0.0; this is gcdesk" in line for line in arrival.differences)


def change_model(
    files: dict[str, bytes], folder: Path, edit: Callable[[dict[str, np.ndarray]], object]
) -> dict[str, bytes]:
    """The result with other weights, all checksums right."""
    model = folder / "line2.gcmodel"
    shutil.rmtree(model, ignore_errors=True)
    model.mkdir(parents=True)
    for name in ("model.json", "weights.safetensors"):
        (model / name).write_bytes(files[MODEL + name])
    loaded = load_model(model)
    weights = {name: np.array(array) for name, array in loaded.weights.items()}
    edit(weights)
    save_file(weights, model / "weights.safetensors")
    digest = hashlib.sha256((model / "weights.safetensors").read_bytes()).hexdigest()
    info = json.loads((model / "model.json").read_text())
    info["weights_sha256"] = digest
    (model / "model.json").write_text(json.dumps(info))
    return signed({**files, **{MODEL + p.name: p.read_bytes() for p in model.iterdir()}})


def test_the_models_own_checks_and_parity(files: dict[str, bytes], tmp_path: Path) -> None:
    def other_answers(weights: dict[str, np.ndarray]) -> None:
        name = next(name for name in weights if name.startswith("classifier") and name.endswith("bias"))
        weights[name] = weights[name] + np.arange(4, dtype=weights[name].dtype)

    refused(
        pack(change_model(files, tmp_path, other_answers), tmp_path / "a.tar.gz"), "answers otherwise here"
    )

    def labels(content: bytes) -> bytes:
        return content.replace(b'"Black",', b'"Other",')

    swapped = signed({**files, f"{MODEL}model.json": labels(files[f"{MODEL}model.json"])})
    refused(pack(swapped, tmp_path / "b.tar.gz"), "labels are not ours")
    without = signed({name: data for name, data in files.items() if name != PARITY_FILE})
    refused(pack(without, tmp_path / "c.tar.gz"), "does not say what its model answers")
    broken = signed({**files, PARITY_FILE: b'{"v": 1, "size": 9}'})
    refused(pack(broken, tmp_path / "d.tar.gz"), "parity.json is damaged")


def test_weights_that_are_not_finite_are_refused(files: dict[str, bytes], tmp_path: Path) -> None:
    def poisoned(weights: dict[str, np.ndarray]) -> None:
        name = next(name for name, array in weights.items() if array.ndim == 4)
        weights[name] = np.full_like(weights[name], np.nan)

    packed = pack(change_model(files, tmp_path, poisoned), tmp_path / "a.tar.gz")
    with pytest.raises(GcdeskError, match="finite"):
        take_in(packed)
    assert [model.name for model in Library().models() if not model.starter] == []


def test_a_failed_run_brings_its_log_home(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = shutil.copytree(bundle, tmp_path / "gcdesk-back")
    write_status(
        failed / "runs" / "back",
        Status("back", state="failed", reason="data", message="There is no folder /work/x: …", epochs=3),
    )
    (failed / "runs" / "back" / "slurm-7.out").write_text("Job 7\ngcdesk: There is no folder /work/x: …\n")
    result = collected(failed)
    assert not any(name.startswith("model/") for name in unpack(result))
    assert main(["talc", "import", str(result)]) == 1
    told = capsys.readouterr().out
    assert "The photos were not found on the cluster" in told
    assert "  | gcdesk: There is no folder /work/x" in told
    job = job_record("back")
    assert job is not None
    assert (job.state, job.installed) == ("failed", "")
    assert (user_folders().data / "talc" / "back" / "result" / "logs" / "slurm-7.out").is_file()


def test_a_model_of_the_same_name_is_never_replaced(archive: Path, starter_image: Path) -> None:
    Library().import_model(starter_image, "line2")
    before = Library().find("line2").info
    assert take_in(archive).installed == "line2-2"
    assert Library().find("line2").info == before
