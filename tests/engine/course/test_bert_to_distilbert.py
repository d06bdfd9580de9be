"""A BERT folded into a DistilBERT gives the same token vectors."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from gcdesk.engine.course.bert_to_distilbert import convert_bert
from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.inference.torch_networks import build_text, put_weights, weights_of
from gcdesk.engine.modelfile.specs import TextArchitecture

ARCH = TextArchitecture(dim=48, n_layers=3, hidden_dim=96, vocab_size=500, max_positions=64, pooling="mean")


@pytest.fixture(scope="module")
def bert() -> BertModel:
    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=48,
        num_hidden_layers=3,
        num_attention_heads=12,
        intermediate_size=96,
        vocab_size=500,
        max_position_embeddings=64,
        initializer_range=0.5,  # far from the near-identity of a fresh network
    )
    return BertModel(config).eval()


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_token_vectors_are_the_same(bert: BertModel, prefix: str) -> None:
    folded = convert_bert({prefix + name: array for name, array in weights_of(bert).items()})
    head = {"classifier.weight": np.zeros((4, 48), np.float32), "classifier.bias": np.zeros(4, np.float32)}
    ours = build_text(ARCH).eval()
    put_weights(ours, folded | head)
    # In 64 bits, so that what is left is the conversion and not the rounding of a processor's 32-bit kernels.
    bert, ours = copy.deepcopy(bert).double(), ours.double()
    ids = torch.randint(5, 500, (4, 11))
    mask = torch.ones_like(ids)
    mask[2, 6:] = 0
    with torch.no_grad():
        expected = bert(input_ids=ids, attention_mask=mask).last_hidden_state
        given = ours.distilbert(input_ids=ids, attention_mask=mask).last_hidden_state
    assert (expected - given)[mask.bool()].abs().max() < 1e-5


def test_what_is_not_a_bert_is_refused(bert: BertModel) -> None:
    state = weights_of(bert)
    with pytest.raises(ModelFileError, match="token_type_embeddings"):
        convert_bert({name: array for name, array in state.items() if "token_type" not in name})
    with pytest.raises(ModelFileError, match=r"decoder\.layer"):
        convert_bert(state | {"decoder.layer.0.weight": np.zeros(1, np.float32)})
