"""BERT encoders as DistilBERT ones: exact, because the two differ in names and in token types only."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from gcdesk.engine.errors import ModelFileError

_WORDS = "embeddings.word_embeddings.weight"
_POSITIONS = "embeddings.position_embeddings.weight"
_TYPES = "embeddings.token_type_embeddings.weight"
# BERT's sub-module of `encoder.layer.<n>` -> DistilBERT's of `transformer.layer.<n>`.
_LAYER_NAMES = {
    "attention.self.query": "attention.q_lin",
    "attention.self.key": "attention.k_lin",
    "attention.self.value": "attention.v_lin",
    "attention.output.dense": "attention.out_lin",
    "attention.output.LayerNorm": "sa_layer_norm",
    "intermediate.dense": "ffn.lin1",
    "output.dense": "ffn.lin2",
    "output.LayerNorm": "output_layer_norm",
}
_LAYER_KEY = re.compile(r"encoder\.layer\.(\d+)\.(.+)\.(weight|bias)")
# BERT's next-sentence head and a buffer: DistilBERT has neither, and the token vectors do not depend on them.
_DROPPED = re.compile(r"pooler\..*|embeddings\.position_ids|embeddings\.token_type_ids")


def convert_bert(state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the `distilbert.*` tensors of a BertModel's state dict (its keys with or without `bert.`).

    A caption is one segment, so the embedding of token type 0 is added to every position. The architecture
    must be a plain BERT with GELU and absolute positions. Raises ModelFileError naming a missing or unknown
    tensor.
    """
    state = {name.removeprefix("bert."): array for name, array in state.items()}
    for name in (_WORDS, _POSITIONS, _TYPES):
        if name not in state:
            raise ModelFileError(f"this is not a BERT encoder: {name} is missing.")
    folded: dict[str, np.ndarray] = {}
    for name, array in state.items():
        layer = _LAYER_KEY.fullmatch(name)
        if layer and layer[2] in _LAYER_NAMES:
            folded[f"distilbert.transformer.layer.{layer[1]}.{_LAYER_NAMES[layer[2]]}.{layer[3]}"] = array
        elif name == _POSITIONS:
            folded[f"distilbert.{name}"] = array + state[_TYPES][0]
        elif name == _WORDS or name.startswith("embeddings.LayerNorm."):
            folded[f"distilbert.{name}"] = array
        elif name != _TYPES and not _DROPPED.fullmatch(name):
            raise ModelFileError(f"this is not a BERT encoder: it holds {name}.")
    return folded
