"""Opening the two models and making a classifier of them: one way for window, command line, evaluation and cluster."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar

from gcdesk.config.thresholds import TEXT_WEIGHT, Thresholds
from gcdesk.engine.classification.classifier import Classifier
from gcdesk.engine.errors import GcdeskError
from gcdesk.engine.inference.backend import ImageBackend, TextBackend
from gcdesk.engine.inference.devices import Device, Notify, log_notice, open_backend
from gcdesk.engine.inference.parallelism import parallelism_for
from gcdesk.engine.modelfile.checkpoint import load_info
from gcdesk.engine.selection.fitted_rule import FittedRule, load_fitted
from gcdesk.engine.selection.rules import DEFAULT_RULE, Rule

Kind = Literal["image", "text"]
BackendT = TypeVar("BackendT", ImageBackend, TextBackend)


@dataclass(frozen=True)
class OpenModel(Generic[BackendT]):
    """A model that runs; `folder` and `device` are what was asked for."""

    backend: BackendT
    folder: Path
    device: str

    def is_same(self, folder: Path, device: str) -> bool:
        """Whether opening this folder on this device would give the same again. Raises ModelFileError."""
        weights = self.backend.info.weights_sha256
        return (folder, device) == (self.folder, self.device) and load_info(folder).weights_sha256 == weights


@dataclass(frozen=True)
class OpenModels:
    """Both models; None for one that is not wanted or could not be opened."""

    image: OpenModel[ImageBackend] | None = None
    text: OpenModel[TextBackend] | None = None

    def classifier(
        self,
        rule: Rule = DEFAULT_RULE,
        thresholds: Thresholds | None = None,
        weight: float = TEXT_WEIGHT,
        cores: int | None = None,
        fitted: FittedRule | None = None,
    ) -> Classifier:
        """A classifier of both on so many cores (None: all). Raises GcdeskError where there is no model at all."""
        image, text = (item.backend if item is not None else None for item in (self.image, self.text))
        parallelism = parallelism_for(image.device if image is not None else "cpu", cores)
        return Classifier(image, text, rule, thresholds, weight, parallelism, fitted)  # type: ignore[arg-type]

    def fitted_rule(self) -> FittedRule | None:
        """The selection that was fitted for these two models, None for none. Raises SelectionError for a bad file."""
        if self.image is None or self.text is None:
            return None
        return load_fitted(self.image.backend.info.weights_sha256, self.text.backend.info.weights_sha256)

    def __str__(self) -> str:
        present = [item.backend for item in (self.image, self.text) if item is not None]
        return ", ".join(f"{backend.info.name} on {backend.device}" for backend in present)


def open_models(
    folder_of: Callable[[Kind], Path | None],
    device: Device | str = Device.AUTO,
    notify: Notify = log_notice,
    *,
    present: OpenModels | None = None,
    text_threads: int | None = None,
    on_failure: Callable[[GcdeskError], None] | None = None,
) -> OpenModels:
    """Open both models at the same time.

    folder_of: the model folder of a kind, None for no such model; may raise GcdeskError. present: models that are
    open already and are taken over where they are the same. text_threads: of one run of the text model. on_failure:
    told of a model that cannot be opened, which is then left out; without it the error is raised.
    """
    open_now = present or OpenModels()

    def open_image() -> OpenModel[ImageBackend] | None:
        folder = folder_of("image")
        if folder is None or (open_now.image is not None and open_now.image.is_same(folder, device)):
            return open_now.image if folder is not None else None
        return OpenModel(open_backend("image", folder, device, None, notify), folder, device)

    def open_text() -> OpenModel[TextBackend] | None:
        folder = folder_of("text")
        if folder is None or (open_now.text is not None and open_now.text.is_same(folder, device)):
            return open_now.text if folder is not None else None
        return OpenModel(open_backend("text", folder, device, text_threads, notify), folder, device)

    with ThreadPoolExecutor(2) as pool:
        image, text = pool.submit(open_image), pool.submit(open_text)
    return OpenModels(_opened(image, on_failure), _opened(text, on_failure))


ModelT = TypeVar("ModelT")


def _opened(job: Future[ModelT | None], on_failure: Callable[[GcdeskError], None] | None) -> ModelT | None:
    try:
        return job.result()
    except GcdeskError as error:
        if on_failure is None:
            raise
        on_failure(error)
        return None
