"""The network of a model that a job has saved, as torch runs it."""

from __future__ import annotations

from pathlib import Path

from gcdesk.engine.inference.torch_networks import ImageClassifier, build_image, put_weights
from gcdesk.engine.modelfile.checkpoint import load_model
from gcdesk.engine.modelfile.info import LoadedModel
from gcdesk.engine.modelfile.specs import ImageArchitecture
from gcdesk.engine.photos.preprocessing import Preprocessing


def saved_network(model: Path) -> tuple[LoadedModel, Preprocessing, ImageClassifier]:
    """The model, how its photos are prepared, and its network: float32, on the CPU, in evaluation mode."""
    loaded = load_model(model)
    arch, preprocessing = loaded.info.architecture, loaded.info.preprocessing
    if not isinstance(arch, ImageArchitecture) or preprocessing is None:
        raise TypeError(f"{model} is no image model")
    network = build_image(arch)
    put_weights(network, loaded.weights)
    network.eval()
    return loaded, preprocessing, network
