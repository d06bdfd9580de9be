"""The network of a distillation: filters that learn behind ones that do not, and three heads over pooled features."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from gcdesk.engine.inference.torch_networks import FeaturesClassifier, build_image
from gcdesk.engine.labels import BINS
from gcdesk.engine.modelfile.specs import ImageArchitecture
from trainer.image.network import Weights, load_backbone

ARCHITECTURE = ImageArchitecture("efficientnet_b2", "linear")
_DROPOUT = 0.2


class DistillNetwork(nn.Module):
    """Normalised pixels (b, 3, h, w) in; the teacher's embedding (b, d), logits of bins (b, 4) and kinds (b, k) out.

    BatchNorm never learns. The first `frozen_blocks` do not either; they run with their BatchNorm folded in, which
    takes half the time, so `backbone_state` takes them from what was loaded.
    """

    def __init__(self, base: Path | None, frozen_blocks: int, width: int, kinds: int, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        whole = build_image(ARCHITECTURE)
        if not isinstance(whole, FeaturesClassifier):
            raise TypeError("EfficientNet-B2 is built as features and classifier")
        load_backbone(whole, base)
        whole.eval().requires_grad_(False)
        blocks = list(whole.features.children())
        self._loaded = {name: tensor.clone() for name, tensor in whole.features.state_dict().items()}
        self.frozen_blocks = frozen_blocks
        self.frozen = fold_batch_norm(nn.Sequential(*blocks[:frozen_blocks]))
        self.blocks = nn.Sequential(*blocks[frozen_blocks:])
        self.embed = nn.Linear(ARCHITECTURE.features, width)
        self.bins = nn.Linear(ARCHITECTURE.features, len(BINS))
        self.kinds = nn.Linear(ARCHITECTURE.features, max(1, kinds))
        for head in (self.bins, self.kinds):
            nn.init.zeros_(head.weight)
        self.dropout = nn.Dropout(_DROPOUT)
        for module in self.blocks.modules():
            if isinstance(module, nn.Conv2d):
                module.weight.requires_grad_(True)
        self.to(memory_format=torch.channels_last)

    def train(self, mode: bool = True) -> DistillNetwork:
        """Only the heads' dropout knows training."""
        super().train(False)
        self.dropout.train(mode)
        return self

    def filters(self) -> list[nn.Parameter]:
        """The parameters of the backbone that learn."""
        return [parameter for parameter in self.blocks.parameters() if parameter.requires_grad]

    def heads(self) -> list[nn.Parameter]:
        """The parameters of the three heads."""
        return [p for head in (self.embed, self.bins, self.kinds) for p in head.parameters()]

    def features(self, pixels: Tensor) -> Tensor:
        """Pooled features (b, c), float32."""
        with torch.no_grad():
            maps = self.frozen(pixels)
        pooled: Tensor = self.blocks(maps).float().mean((2, 3))
        return pooled

    def folded(self) -> nn.Module:
        """What `features` averages, as a copy that is twice as fast and cannot learn."""
        return nn.Sequential(self.frozen, fold_batch_norm(copy.deepcopy(self.blocks))).requires_grad_(False)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        pooled = self.features(pixels)
        dropped = self.dropout(pooled)
        return self.embed(pooled), self.bins(dropped), self.kinds(dropped)

    def learned(self) -> Weights:
        """A copy of all tensors that learn."""
        return {name: p.detach().clone() for name, p in self.named_parameters() if p.requires_grad}

    def put(self, weights: Mapping[str, Tensor]) -> None:
        """Put such a copy back."""
        self.load_state_dict(dict(weights), strict=False)

    def backbone_state(self) -> Weights:
        """The tensors of torchvision's `features`, by the names that they have there."""
        state = dict(self._loaded)
        for name, tensor in self.blocks.state_dict().items():
            place, _, rest = name.partition(".")
            state[f"{int(place) + self.frozen_blocks}.{rest}"] = tensor.detach().clone()
        return state

    def fit_embedding(self, features: NDArray[np.float32], targets: NDArray[np.float32]) -> None:
        """Start `embed` as the ridge regression from features (n, c) to the teacher's embeddings (n, d)."""
        middle, mean = features.mean(axis=0), targets.mean(axis=0)
        centred = (features - middle).astype(np.float64)
        gram = centred.T @ centred
        ridge = 0.02 * np.trace(gram) / len(gram)
        weight = np.linalg.solve(gram + ridge * np.eye(len(gram)), centred.T @ (targets - mean))
        with torch.no_grad():
            self.embed.weight.copy_(torch.from_numpy(weight.T.astype(np.float32)))
            self.embed.bias.copy_(torch.from_numpy((mean - middle @ weight).astype(np.float32)))


def fold_batch_norm(module: nn.Module) -> nn.Module:
    """Fold every BatchNorm that follows a convolution into it, in place; for networks that do not learn."""
    for child in module.children():
        fold_batch_norm(child)
    names = list(module._modules)
    for first, second in pairwise(names):
        convolution, norm = module._modules[first], module._modules[second]
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            module._modules[first] = fuse_conv_bn_eval(convolution, norm).requires_grad_(False)
            module._modules[second] = nn.Identity()
    return module
