"""The networks as torch modules. Importing this module imports torch (torchvision and transformers on use).

State-dict names are torchvision's and transformers' own, with the course's names for the heads, because graph
templates, model files and course checkpoints all know a tensor by that name.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from gcdesk.engine.labels import BINS
from gcdesk.engine.modelfile.specs import (
    FEATURES,
    MLP_WIDTHS,
    NET_WIDTH,
    Architecture,
    ImageArchitecture,
    TextArchitecture,
)


class FeaturesClassifier(nn.Module):
    """EfficientNet and MobileNet under torchvision's names: `features`, their average, then `classifier`."""

    def __init__(self, features: nn.Module, classifier: nn.Module) -> None:
        super().__init__()
        self.features = features
        self.classifier = classifier

    def feature_map(self, pixels: Tensor) -> Tensor:
        """The last convolution's output (n, c, h/32, w/32) of normalised pixels (n, 3, h, w)."""
        out: Tensor = self.features(pixels)
        return out

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits (n, 4), pooled features (n, c) and the feature map (n, c, h/32, w/32)."""
        feature_map = self.feature_map(pixels)
        features = feature_map.mean((2, 3))
        return self.classifier(features), features, feature_map


class ResNetClassifier(nn.Module):
    """ResNet-18 under torchvision's names: `conv1`, `bn1`, `layer1` to `layer4`, their average, then `fc`."""

    def __init__(self, resnet: nn.Module) -> None:
        super().__init__()
        for name, child in resnet.named_children():
            if name not in ("avgpool", "fc"):
                self.add_module(name, child)
        self.fc = nn.Linear(FEATURES["resnet18"], len(BINS))

    def feature_map(self, pixels: Tensor) -> Tensor:
        """The last block's output (n, 512, h/32, w/32) of normalised pixels (n, 3, h, w)."""
        out = pixels
        for name, child in self.named_children():
            if name != "fc":
                out = child(out)
        return out

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits (n, 4), pooled features (n, 512) and the feature map (n, 512, h/32, w/32)."""
        feature_map = self.feature_map(pixels)
        features = feature_map.mean((2, 3))
        return self.fc(features), features, feature_map


ImageClassifier = FeaturesClassifier | ResNetClassifier


def _image_head(arch: ImageArchitecture) -> nn.Sequential:
    """Indices 0, 1, 4, 5, 8 hold the tensors of the mlp head, index 1 those of the linear one."""
    width = arch.features
    if arch.head == "linear":
        return nn.Sequential(nn.Dropout(0.3), nn.Linear(width, len(BINS)))
    first, second = MLP_WIDTHS[arch.backbone]
    return nn.Sequential(
        nn.Linear(width, first),
        nn.BatchNorm1d(first),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(first, second),
        nn.BatchNorm1d(second),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(second, len(BINS)),
    )


def build_image(arch: ImageArchitecture) -> ImageClassifier:
    """A freshly initialised image network in training mode, as torchvision builds it."""
    from torchvision import models

    if arch.backbone == "resnet18":
        return ResNetClassifier(models.resnet18(weights=None))
    backbones = {
        "efficientnet_b2": models.efficientnet_b2,
        "mobilenet_v2": models.mobilenet_v2,
        "mobilenet_v3_large": models.mobilenet_v3_large,
    }
    return FeaturesClassifier(backbones[arch.backbone](weights=None).features, _image_head(arch))


class TextClassifier(nn.Module):
    """DistilBERT, pooling and one of the three heads. Exactly the tensors of that head exist."""

    def __init__(self, arch: TextArchitecture, dropout: float = 0.1, head_dropout: float = 0.2) -> None:
        super().__init__()
        from transformers import DistilBertConfig, DistilBertModel

        config = DistilBertConfig(
            vocab_size=arch.vocab_size,
            max_position_embeddings=arch.max_positions,
            n_layers=arch.n_layers,
            n_heads=arch.n_heads,
            dim=arch.dim,
            hidden_dim=arch.hidden_dim,
            dropout=dropout,
            attention_dropout=dropout,
        )
        self.arch = arch
        self.distilbert = DistilBertModel(config)
        self.dropout = nn.Dropout(head_dropout)
        if arch.head == "net":
            net = nn.Sequential(
                nn.Linear(arch.dim, NET_WIDTH),
                nn.ReLU(),
                nn.Dropout(head_dropout),
                nn.Linear(NET_WIDTH, len(BINS)),
            )
            self.head = nn.ModuleDict({"net": net})
        else:
            if arch.head == "pre_classifier":
                self.pre_classifier = nn.Linear(arch.dim, arch.dim)
            self.classifier = nn.Linear(arch.dim, len(BINS))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (n, 4) and pooled features (n, dim) of token ids (n, t) and their 0/1 mask (n, t)."""
        tokens = self.distilbert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        if self.arch.pooling == "cls":
            features = tokens[:, 0]
        else:
            weights = attention_mask.unsqueeze(-1).to(tokens.dtype)
            features = (tokens * weights).sum(1) / weights.sum(1)
        return self.classify(features), features

    def classify(self, features: Tensor) -> Tensor:
        """Logits (n, 4) of pooled features (n, dim)."""
        if self.arch.head == "net":
            logits: Tensor = self.head["net"](features)
            return logits
        if self.arch.head == "pre_classifier":
            features = torch.relu(self.pre_classifier(features))
        logits = self.classifier(self.dropout(features))
        return logits


def build_text(arch: TextArchitecture, dropout: float = 0.1, head_dropout: float = 0.2) -> TextClassifier:
    """A freshly initialised text network in training mode. The two rates matter to training only."""
    return TextClassifier(arch, dropout, head_dropout)


def build(arch: Architecture) -> ImageClassifier | TextClassifier:
    """The network of either kind."""
    return build_image(arch) if isinstance(arch, ImageArchitecture) else build_text(arch)


def weights_of(module: nn.Module) -> dict[str, np.ndarray]:
    """The state dict as numpy arrays (copies, on the CPU): what `checkpoint.save_model` takes."""
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in module.state_dict().items()}


def put_weights(module: nn.Module, weights: Mapping[str, np.ndarray]) -> None:
    """Load numpy weights (fp16 is cast to the module's type), strictly but for BatchNorm's batch counters.

    Raises RuntimeError (torch) when names or shapes differ.
    """
    state = {name: torch.from_numpy(np.array(array)) for name, array in weights.items()}
    for name, tensor in module.state_dict().items():
        if name.endswith("num_batches_tracked"):
            state.setdefault(name, tensor)
    module.load_state_dict(state, strict=True)
