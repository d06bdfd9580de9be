"""The CPU backends: ONNX Runtime on a graph template with injected weights. No torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.inference.backend import IMAGE_OUTPUTS, ImageOutput, TextOutput
from gcdesk.engine.inference.graph_templates import make_session
from gcdesk.engine.modelfile.info import LoadedModel, ModelInfo
from gcdesk.engine.modelfile.item_kinds import ItemKinds, load_item_kinds
from gcdesk.engine.modelfile.known_words import Knowledge, knowledge_of, load_known_words
from gcdesk.engine.modelfile.novelty import Novelty, load_novelty
from gcdesk.engine.modelfile.tokenizer import load_model_tokenizer

# Captions of one run: more brings no speed.
TEXT_ROWS = 32


class OnnxImageBackend:
    """See `backends.ImageBackend`. Raises ModelFileError or GraphError where model and graph do not fit."""

    device = "cpu"

    def __init__(self, model: LoadedModel, threads: int | None = None) -> None:
        if model.info.kind != "image":
            raise ModelFileError(f"{model.folder.name} is not an image model.")
        self.info: ModelInfo = model.info
        self._session = make_session(model, threads)
        self.novelty: Novelty | None = load_novelty(model.folder, model.info)
        self.kinds: ItemKinds | None = load_item_kinds(model.folder, model.info)

    def run(self, pixels: np.ndarray, want: Sequence[str] = IMAGE_OUTPUTS) -> ImageOutput:
        """Score preprocessed photos (n, 3, h, w) float32; an output that is not in `want` has no rows."""
        empty = {
            "logits": np.empty((0, len(self.info.labels)), np.float32),
            "features": np.empty((0, self.info.architecture.features), np.float32),
            "feature_map": np.empty((0, self.info.architecture.features, 1, 1), np.float32),
        }
        if len(pixels) == 0 or not want:
            return ImageOutput(**empty)
        outputs = self._session.run(list(want), {"pixels": np.ascontiguousarray(pixels, np.float32)})
        return ImageOutput(**(empty | dict(zip(want, outputs, strict=True))))


class OnnxTextBackend:
    """See `backends.TextBackend`. Raises ModelFileError or GraphError where model and graph do not fit."""

    device = "cpu"

    def __init__(self, model: LoadedModel, threads: int | None = None) -> None:
        if model.info.kind != "text":
            raise ModelFileError(f"{model.folder.name} is not a text model.")
        self.info: ModelInfo = model.info
        self._tokenizer = load_model_tokenizer(model)
        self._known = load_known_words(model.folder, model.info)
        self._session = make_session(model, threads)

    def run(self, captions: Sequence[str]) -> TextOutput:
        """Score captions in rule form: a caption's figures are the same to the bit beside any others.

        Padding and the kernels for a single row change their last digits, so a run has captions of one length,
        and at least two.
        """
        logits = np.empty((len(captions), len(self.info.labels)), np.float32)
        features = np.empty((len(captions), self.info.architecture.features), np.float32)
        encoded = self._tokenizer.encode(captions, self.info.max_tokens or 0)
        for rows in _of_one_length([len(ids) for ids in encoded]):
            twice = rows if len(rows) > 1 else rows * 2
            ids, mask = self._tokenizer.pad([encoded[row] for row in twice])
            outputs = self._session.run(["logits", "features"], {"input_ids": ids, "attention_mask": mask})
            logits[twice], features[twice] = outputs
        return TextOutput(logits, features)

    def knowledge(self, captions: Sequence[str]) -> Knowledge:
        """See `knowledge_of`."""
        return knowledge_of(captions, self._tokenizer, self._known)


def _of_one_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The places of captions of the same length, at most TEXT_ROWS at a time."""
    by_length: dict[int, list[int]] = {}
    for index, length in enumerate(lengths):
        by_length.setdefault(length, []).append(index)
    for _length, places in sorted(by_length.items()):
        for start in range(0, len(places), TEXT_ROWS):
            yield places[start : start + TEXT_ROWS]
