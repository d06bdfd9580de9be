"""The networks that course projects trained, as they define them: what a `.pth` of theirs was saved from."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision import models
from transformers import DistilBertConfig, DistilBertForSequenceClassification, DistilBertModel

LABELS = 4


def small_config() -> DistilBertConfig:
    """A DistilBERT that is quick to make; the vocabulary and the 12 heads are those of the real one.

    Its first weights are large, so that [CLS] depends on the words as it does after training.
    """
    return DistilBertConfig(dim=96, n_layers=2, n_heads=12, hidden_dim=192, initializer_range=0.2)


class TutorialText(nn.Module):
    """The course tutorial: `distilbert` and `out`, reading [CLS]."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.distilbert = DistilBertModel(config)
        self.drop = nn.Dropout(0.3)
        self.out = nn.Linear(config.dim, LABELS)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        tokens = self.distilbert(input_ids=input_ids, attention_mask=attention_mask)[0]
        return self.out(self.drop(tokens[:, 0]))


class OriginalText(nn.Module):
    """The original project: `distilbert` and `classifier`, reading [CLS]."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.distilbert = DistilBertModel(config)
        self.dropout = nn.Dropout(0.3)
        self.classifier = nn.Linear(config.dim, LABELS)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        tokens = self.distilbert(input_ids=input_ids, attention_mask=attention_mask)[0]
        return self.classifier(self.dropout(tokens[:, 0, :]))


class SequenceText(nn.Module):
    """transformers' own classifier; `forward` gives the logits. The state dict is that of `inner`."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        config.num_labels = LABELS
        self.inner = DistilBertForSequenceClassification(config)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        return self.inner(input_ids=input_ids, attention_mask=attention_mask).logits


class EncoderText(nn.Module):
    """`encoder` and `fc`, reading [CLS] or the mean of the tokens."""

    def __init__(self, config: DistilBertConfig, mean: bool = False) -> None:
        super().__init__()
        self.mean = mean
        self.encoder = DistilBertModel(config)
        self.fc = nn.Linear(config.dim, LABELS)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        tokens = self.encoder(input_ids, attention_mask).last_hidden_state
        return self.fc(mean_of(tokens, attention_mask) if self.mean else tokens[:, 0])


class ModelText(nn.Module):
    """`model` and `out`, reading [CLS]."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.model = DistilBertModel(config)
        self.out = nn.Linear(config.dim, LABELS)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        return self.out(self.model(input_ids, attention_mask).last_hidden_state[:, 0])


class _TextTower(nn.Module):
    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.bert = DistilBertModel(config)


class _ImageTower(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1))


class _Head(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(features, 512), nn.ReLU(), nn.Dropout(0.2), nn.Linear(512, LABELS))


class TwoTowers(nn.Module):
    """`txt_enc.bert`, `img_enc` and `head.net`. With `joint` the head reads both, else the text alone."""

    def __init__(self, config: DistilBertConfig, joint: bool = False) -> None:
        super().__init__()
        self.joint = joint
        self.txt_enc = _TextTower(config)
        self.img_enc = _ImageTower()
        self.head = _Head(config.dim + (8 if joint else 0))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        tokens = self.txt_enc.bert(input_ids, attention_mask).last_hidden_state
        return self.head.net(mean_of(tokens, attention_mask))


class JointClassifier(nn.Module):
    """Photo and caption side by side into one `classifier`."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.text_model = DistilBertModel(config)
        self.image_model = models.mobilenet_v2(weights=None).features
        self.classifier = nn.Linear(config.dim + 1280, LABELS)


def mean_of(tokens: Tensor, attention_mask: Tensor) -> Tensor:
    """The mean of the tokens that are no padding."""
    mask = attention_mask.unsqueeze(-1).float()
    return (tokens * mask).sum(1) / mask.sum(1)


def three_layers(features: int, first: int, second: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(features, first),
        nn.BatchNorm1d(first),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(first, second),
        nn.BatchNorm1d(second),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(second, LABELS),
    )


def original_image() -> nn.Module:
    """The original project's image network."""
    network = models.efficientnet_b2(weights=None)
    network.classifier = three_layers(1408, 512, 128)
    return network


def plain_efficientnet() -> nn.Module:
    network = models.efficientnet_b2(weights=None)
    network.classifier[1] = nn.Linear(1408, LABELS)
    return network


def plain_mobilenet() -> nn.Module:
    network = models.mobilenet_v2(weights=None)
    network.classifier[1] = nn.Linear(1280, LABELS)
    return network


def three_layer_mobilenet() -> nn.Module:
    network = models.mobilenet_v3_large(weights=None)
    network.classifier = three_layers(960, 512, 256)
    return network


def plain_resnet() -> nn.Module:
    network = models.resnet18(weights=None)
    network.fc = nn.Linear(512, LABELS)
    return network


class ResNetTransfer(nn.Module):
    """The course tutorial's transfer learning: a resnet18 as feature extractor, then a Linear.

    whole: the network keeps its 1000 ImageNet outputs. Otherwise its children but the last, or, with
    `named`, the network with an Identity as `fc`.
    """

    def __init__(self, whole: bool, named: bool = False) -> None:
        super().__init__()
        network = models.resnet18(weights=None)
        if named:
            network.fc = nn.Identity()
        self.feature_extractor = network if whole or named else nn.Sequential(*list(network.children())[:-1])
        self.classifier = nn.Linear(1000 if whole else 512, LABELS)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.classifier(self.feature_extractor(pixels).flatten(1))


def trained(module: nn.Module, last: nn.Linear, *inputs: Tensor) -> nn.Module:
    """The module as training might leave it, in evaluation mode: no tensor at its first value.

    Its BatchNorms have seen the inputs, and its last layer is scaled so that the answers differ widely:
    a comparison of near-uniform probabilities would prove nothing.
    """
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for child in module.modules():
            if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
                for tensor in (child.weight, child.bias):
                    tensor += 0.1 * torch.randn(tensor.shape, generator=generator)
                child.momentum = 1.0  # the running figures become those of the inputs
        module.train()
        module(*inputs)
        module.eval()
        logits = module(*inputs)
        middle = logits.mean(0)
        scale = 2 / (logits - middle).std()
        last.bias.copy_((last.bias - middle) * scale)
        last.weight.mul_(scale)
    return module
