"""EfficientNet-B2 taken apart for training: blocks that never learn, blocks that learn late, and the head."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.inference.torch_networks import FeaturesClassifier, build_image
from gcdesk.engine.modelfile.checkpoint import load_model
from gcdesk.engine.modelfile.specs import ImageArchitecture
from trainer.image.imagenet import imagenet_state
from trainer.image.photos.features import FROZEN_BLOCKS
from trainer.image.settings import Head, RecipeError

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Network:
    """The parts share their tensors with `whole`."""

    whole: FeaturesClassifier
    frozen: nn.Sequential
    blocks: nn.Sequential
    head: nn.Module
    depthwise: bool  # whether the depthwise filters learn with their block

    def learning(self, unfrozen: bool) -> list[nn.Parameter]:
        """The parameters that learn before and after unfreezing: never a BatchNorm's of the backbone."""
        parameters = list(self.head.parameters())
        if unfrozen:
            for module in self.blocks.modules():
                if isinstance(module, nn.Conv2d) and (self.depthwise or module.groups == 1):
                    parameters += list(module.parameters())
        return parameters

    def pooled(self, maps: Tensor) -> Tensor:
        """Average-pooled features (b, 1408), float32, of what the frozen blocks gave."""
        pooled: Tensor = self.blocks(maps).float().mean((2, 3))
        return pooled

    def state(self) -> Weights:
        """A copy of the tensors that can have changed: those of the late blocks and the head."""
        kept = (*(f"features.{i}." for i in range(FROZEN_BLOCKS, 9)), "classifier.")
        state = self.whole.state_dict()
        return {name: tensor.detach().clone() for name, tensor in state.items() if name.startswith(kept)}

    def put(self, state: Weights) -> None:
        """Put such a copy back."""
        self.whole.load_state_dict(state, strict=False)


def build_network(
    head: Head, base: Path | None, device: torch.device, seed: int, depthwise: bool = True
) -> Network:
    """The network on `device`, its backbone from `base`, BatchNorm frozen as the original project did.

    `base` is a .safetensors file of torchvision's `features.*`, a .gcmodel folder, or None for torchvision's
    own ImageNet weights (which it downloads). Raises RecipeError when `base` does not fit.
    """
    torch.manual_seed(seed)
    whole = build_image(ImageArchitecture("efficientnet_b2", head))
    if not isinstance(whole, FeaturesClassifier):
        raise TypeError("EfficientNet-B2 is built as features and classifier")
    load_backbone(whole, base)
    for parameter in whole.parameters():
        parameter.requires_grad_(False)
    whole = whole.to(device)
    whole.features.to(memory_format=torch.channels_last)
    blocks = list(whole.features.children())
    network = Network(
        whole=whole,
        frozen=nn.Sequential(*blocks[:FROZEN_BLOCKS]),
        blocks=nn.Sequential(*blocks[FROZEN_BLOCKS:]),
        head=whole.classifier,
        depthwise=depthwise,
    )
    set_mode(network, unfrozen=False, training=False)
    return network


def set_mode(network: Network, unfrozen: bool, training: bool, dropout: bool = True) -> None:
    """Choose what learns. BatchNorm always stays in evaluation mode, in the head too (as the original);
    without `dropout` so do dropout and stochastic depth.
    """
    network.whole.eval()
    for parameter in network.whole.parameters():
        parameter.requires_grad_(False)
    if not training:
        return
    for parameter in network.learning(unfrozen):
        parameter.requires_grad_(True)
    if not dropout:
        return
    for module in network.head.modules():
        if isinstance(module, nn.Dropout):
            module.train()
    if unfrozen:
        for module in network.blocks.modules():
            if type(module).__name__ == "StochasticDepth":
                module.train()


def load_backbone(whole: FeaturesClassifier, base: Path | None) -> None:
    if base is None:
        weights = imagenet_state()
        state = {name: tensor for name, tensor in weights.items() if name.startswith("features.")}
    else:
        state = _read_base(base)
    wanted = {f"features.{name}": tensor.shape for name, tensor in whole.features.state_dict().items()}
    missing = [n for n in wanted if n not in state and not n.endswith("num_batches_tracked")]
    wrong = [n for n in state if n in wanted and state[n].shape != wanted[n]]
    if missing or wrong:
        raise RecipeError(f"{base} is no EfficientNet-B2 backbone: {(missing + wrong)[0]} does not fit.")
    whole.load_state_dict({name: t.float() for name, t in state.items() if name in wanted}, strict=False)


def _read_base(base: Path) -> Weights:
    try:
        if base.is_dir():
            arrays = load_model(base).weights
            return {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
        from safetensors.torch import load_file

        return dict(load_file(base))
    except (OSError, ModelFileError, ValueError) as error:
        raise RecipeError(f"The base model {base} cannot be read: {error}") from error
    except Exception as error:
        if type(error).__name__ != "SafetensorError":
            raise
        raise RecipeError(f"The base model {base} is damaged: {error}") from error


def blended(before: Weights, after: Weights, share: float) -> Weights:
    """`share` of `after` and the rest of `before`, tensor by tensor (WiSE-FT, Wortsman et al. 2022)."""
    mixed: Weights = {}
    for name, tensor in after.items():
        if tensor.is_floating_point():
            mixed[name] = before[name] * (1.0 - share) + tensor * share
        else:
            mixed[name] = tensor.clone()
    return mixed


class MovingAverage:
    """Exponential moving average of the learning tensors; early steps use a shorter memory."""

    def __init__(self, start: Weights, decay: float) -> None:
        self.values = {name: tensor.clone() for name, tensor in start.items()}
        self.decay, self.steps = decay, 0

    def update(self, network: Network) -> None:
        self.steps += 1
        decay = min(self.decay, (1.0 + self.steps) / (10.0 + self.steps))
        state = network.whole.state_dict()
        for name, value in self.values.items():
            if value.is_floating_point():
                value.lerp_(state[name], 1.0 - decay)
