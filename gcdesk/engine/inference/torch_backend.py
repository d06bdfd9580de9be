"""The models run by torch: on CUDA, and on the CPU as the reference and for architectures without a template.

On CUDA: fp16 autocast and channels_last; a batch that does not fit into memory is halved until it does;
any other failure moves the model to the CPU for good and says so. Importing this module imports torch.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, Literal, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.inference.backend import IMAGE_OUTPUTS, ImageOutput, TextOutput
from gcdesk.engine.inference.torch_networks import build_image, build_text, put_weights
from gcdesk.engine.labels import BINS
from gcdesk.engine.modelfile.info import LoadedModel
from gcdesk.engine.modelfile.item_kinds import ItemKinds, load_item_kinds
from gcdesk.engine.modelfile.known_words import Knowledge, knowledge_of, load_known_words
from gcdesk.engine.modelfile.novelty import Novelty, load_novelty
from gcdesk.engine.modelfile.specs import ImageArchitecture, TextArchitecture
from gcdesk.engine.modelfile.tokenizer import load_tokenizer

# Rows of one run. 32 photos at 288 px take about 2 GB on CUDA; captions are short, so more of them fit.
IMAGE_ROWS = 32
TEXT_ROWS = 64
LABELS = len(BINS)

Outputs = tuple[np.ndarray, ...]
Module = TypeVar("Module", bound=nn.Module)


class _Runner(Generic[Module]):
    """A network on a device, run in pieces; knows how to step back to smaller pieces and to the CPU."""

    def __init__(
        self,
        model: LoadedModel,
        build: Callable[[], Module],
        device: Literal["cpu", "cuda"],
        rows: int,
        threads: int | None,
        notify: Callable[[str], None],
    ) -> None:
        self.model = model
        self.build = build
        self.rows = rows
        self.notify = notify
        self.lock = threading.Lock()
        if threads is not None:
            torch.set_num_threads(threads)
        self.device: Literal["cpu", "cuda"] = device
        try:
            self.module = self._load(device)
        except RuntimeError as error:
            if device == "cpu":
                raise ModelFileError(
                    f"{model.folder.name}: the weights do not fit: {first_line(error)}"
                ) from error
            self._to_cpu(error)

    def _load(self, device: str) -> Module:
        module = self.build()
        put_weights(module, self.model.weights)
        module = module.eval().requires_grad_(False).to(device)
        if device == "cuda":
            module = module.to(memory_format=torch.channels_last)
        return module

    def _to_cpu(self, error: BaseException) -> None:
        # From the weights, not from the module: after a CUDA error nothing can be read back from the device.
        self.device = "cpu"
        self.module = self._load("cpu")
        self.notify(
            f"The GPU failed, so the CPU does the work for {self.model.info.name}: {first_line(error)}"
        )

    def run(self, inputs: Sequence[np.ndarray], wanted: Sequence[bool]) -> Outputs:
        """Run arrays (n, ...) through the network, one caller at a time; return its outputs as fp32 arrays.

        Those that are not wanted have no rows and are not copied from the device.
        """
        with self.lock:
            while True:
                try:
                    return self._run_pieces(inputs, wanted)
                except torch.OutOfMemoryError as error:
                    if self.device == "cpu":
                        raise
                    torch.cuda.empty_cache()
                    self._step_back(error)
                except RuntimeError as error:
                    if self.device == "cpu":
                        raise
                    self._to_cpu(error)

    def _step_back(self, error: BaseException) -> None:
        if self.rows == 1:
            self._to_cpu(error)
        else:
            self.rows //= 2

    def _run_pieces(self, inputs: Sequence[np.ndarray], wanted: Sequence[bool]) -> Outputs:
        pieces = []
        for start in range(0, len(inputs[0]), self.rows):
            outputs = self._run_once([array[start : start + self.rows] for array in inputs])
            kept = [output if want else output[:0] for output, want in zip(outputs, wanted, strict=True)]
            pieces.append([output.float().cpu().numpy() for output in kept])
        return tuple(np.concatenate(parts) for parts in zip(*pieces, strict=True))

    def _run_once(self, inputs: Sequence[np.ndarray]) -> tuple[Tensor, ...]:
        tensors = [torch.from_numpy(np.ascontiguousarray(array)).to(self.device) for array in inputs]
        if self.device == "cuda":
            tensors = [t.contiguous(memory_format=torch.channels_last) if t.ndim == 4 else t for t in tensors]
        with torch.inference_mode(), torch.autocast("cuda", torch.float16, enabled=self.device == "cuda"):
            outputs: tuple[Tensor, ...] = self.module(*tensors)
        return outputs


class TorchImageBackend:
    """See `backends.ImageBackend`. `device` becomes "cpu" when CUDA fails. Raises ModelFileError."""

    def __init__(
        self,
        model: LoadedModel,
        device: Literal["cpu", "cuda"],
        threads: int | None,
        notify: Callable[[str], None],
    ) -> None:
        architecture = model.info.architecture
        if not isinstance(architecture, ImageArchitecture):
            raise ModelFileError(f"{model.info.name} is not an image model.")
        self.info = model.info
        self.runner = _Runner(model, lambda: build_image(architecture), device, IMAGE_ROWS, threads, notify)
        self.novelty: Novelty | None = load_novelty(model.folder, model.info)
        self.kinds: ItemKinds | None = load_item_kinds(model.folder, model.info)

    @property
    def device(self) -> str:
        return self.runner.device

    def run(self, pixels: np.ndarray, want: Sequence[str] = IMAGE_OUTPUTS) -> ImageOutput:
        """Score preprocessed photos (n, 3, h, w), fp32; outputs that are not wanted come without rows."""
        if len(pixels) == 0:
            width = self.info.architecture.features
            return ImageOutput(
                *(np.empty((0, *shape), np.float32) for shape in ((LABELS,), (width,), (width, 1, 1)))
            )
        outputs = self.runner.run([pixels], [name in want for name in IMAGE_OUTPUTS])
        return ImageOutput(*outputs)


class TorchTextBackend:
    """See `backends.TextBackend`. `device` becomes "cpu" when CUDA fails. Raises ModelFileError."""

    def __init__(
        self,
        model: LoadedModel,
        device: Literal["cpu", "cuda"],
        threads: int | None,
        notify: Callable[[str], None],
    ) -> None:
        architecture = model.info.architecture
        if not isinstance(architecture, TextArchitecture) or model.info.max_tokens is None:
            raise ModelFileError(f"{model.info.name} is not a text model.")
        self.info = model.info
        self._max_tokens = model.info.max_tokens
        self._tokenizer = load_tokenizer(model.folder)
        self._known = load_known_words(model.folder, model.info)
        self.runner = _Runner(model, lambda: build_text(architecture), device, TEXT_ROWS, threads, notify)

    @property
    def device(self) -> str:
        return self.runner.device

    def run(self, captions: Sequence[str]) -> TextOutput:
        """Score captions in rule form: sorted by length, so that each batch is padded to its own longest."""
        if not captions:
            width = self.info.architecture.features
            return TextOutput(np.empty((0, LABELS), np.float32), np.empty((0, width), np.float32))
        encoded = self._tokenizer.encode(captions, self._max_tokens)
        order = sorted(range(len(encoded)), key=lambda place: len(encoded[place]))
        pieces = []
        for start in range(0, len(order), TEXT_ROWS):
            ids, mask = self._tokenizer.pad([encoded[place] for place in order[start : start + TEXT_ROWS]])
            pieces.append(self.runner.run([ids, mask], [True, True]))
        back = np.argsort(order)
        logits, features = (np.concatenate(parts)[back] for parts in zip(*pieces, strict=True))
        return TextOutput(logits, features)

    def knowledge(self, captions: Sequence[str]) -> Knowledge:
        """See `knowledge_of`."""
        return knowledge_of(captions, self._tokenizer, self._known)


def first_line(error: BaseException) -> str:
    """The first line of a message: torch's go on for a page."""
    return (str(error).splitlines() or [type(error).__name__])[0]
