"""What runs where, and that nobody is left guessing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gcdesk.engine.errors import DeviceError, ModelFileError
from gcdesk.engine.inference.cuda_driver import cuda_driver
from gcdesk.engine.inference.devices import open_backend, resolve_device, torch_installed
from gcdesk.engine.inference.onnx_backend import OnnxImageBackend, OnnxTextBackend
from gcdesk.engine.inference.parallelism import parallelism_for, usable_cores

NO_GPU = pytest.mark.skipif(cuda_driver().available, reason="there is a GPU")


def test_the_driver_is_asked_without_torch_and_at_once() -> None:
    code = (
        "import sys, time\n"
        "from gcdesk.engine.inference.cuda_driver import cuda_driver\n"
        "start = time.process_time(); driver = cuda_driver(); took = time.process_time() - start\n"
        "assert driver.available != bool(driver.problem)\n"
        "assert 'torch' not in sys.modules\n"
        "print(took)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(shown.stdout) < 1


@NO_GPU
def test_auto_without_a_gpu_is_the_cpu_and_needs_no_words() -> None:
    notices: list[str] = []
    assert resolve_device("auto", notices.append) == "cpu"
    assert notices == []


@NO_GPU
def test_cuda_without_a_gpu_falls_back_and_says_so(starter_image: Path) -> None:
    notices: list[str] = []
    backend = open_backend("image", starter_image, device="cuda", notify=notices.append)
    assert backend.device == "cpu"
    assert len(notices) == 1
    assert "CPU" in notices[0]


@pytest.mark.skipif(not cuda_driver().available or not torch_installed(), reason="no GPU to use")
def test_auto_with_a_gpu_takes_it(starter_image: Path) -> None:
    assert open_backend("image", starter_image, device="auto").device == "cuda"


def test_an_unknown_device_names_those_there_are() -> None:
    with pytest.raises(DeviceError, match="auto, cpu, cuda"):
        resolve_device("abacus")


def test_the_cpu_runs_onnx(starter_image: Path, starter_text: Path) -> None:
    assert isinstance(open_backend("image", starter_image, device="cpu"), OnnxImageBackend)
    assert isinstance(open_backend("text", starter_text, device="cpu"), OnnxTextBackend)


def test_a_model_of_the_other_kind_is_refused(starter_image: Path) -> None:
    with pytest.raises(ModelFileError, match="text is needed"):
        open_backend("text", starter_image, device="cpu")


def test_the_cpu_path_needs_no_torch(starter_image: Path, samples: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from gcdesk.engine.classification.classifier import Classifier, Item\n"
        "from gcdesk.engine.inference.devices import open_backend\n"
        "from gcdesk.engine.library.library import Library\n"
        "models = Library()\n"
        "pair = [open_backend(kind, models.resolve(kind)) for kind in ('image', 'text')]\n"
        "print([r.label for r in Classifier(*pair).classify([Item(Path(sys.argv[1]))])])\n"
        "assert not {'torch', 'torchvision', 'transformers', 'PySide6'} & set(sys.modules)"
    )
    photo = str(samples / "orange peel.jpg")
    if not cuda_driver().available:
        shown = subprocess.run(
            [sys.executable, "-c", code, photo], check=True, capture_output=True, text=True
        )
        assert shown.stdout.strip() == "['Green']"


def test_every_arrangement_uses_the_cores_and_no_more() -> None:
    assert usable_cores() >= 1
    for cores in (1, 2, 8, 64):
        way = parallelism_for("cpu", cores)
        assert 1 <= way.lanes * way.backend_threads <= cores
    assert parallelism_for("cuda", 4).image_batch > 8
