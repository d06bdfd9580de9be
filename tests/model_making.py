"""Real networks with random weights, as model folders: small enough to make in every test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from gcdesk.engine.captions.rules import CaptionRule
from gcdesk.engine.inference.torch_networks import build, build_text, weights_of
from gcdesk.engine.modelfile.checkpoint import save_model
from gcdesk.engine.modelfile.info import ModelInfo
from gcdesk.engine.modelfile.specs import Architecture, ImageArchitecture, TextArchitecture
from gcdesk.engine.modelfile.tokenizer import load_tokenizer, shared_tokenizer
from gcdesk.engine.photos.preprocessing import Preprocessing

SMALL_TEXT = TextArchitecture(dim=24, n_layers=2, hidden_dim=48, head="linear", pooling="mean")
RESNET = ImageArchitecture("resnet18", "linear")

# Real ones of the course, from one word to more than a model takes.
CAPTIONS = [
    "banana peel",
    "kerig coffee pod",
    "disposable plastic fork onetime use",
    "half eaten apple",
    "",
    "battery",
    "tootpaste tube with a little bit of toothpaste left in it",
    "cardboard",
    "white styrofoam takeout container with a clear plastic lid and some leftover sauce from last night",
    "broken laptop charger with a long black cable and a plug for another country",
]


def sample_pixels(samples: Path, height: int, width: int, count: int = 4) -> np.ndarray:
    """Some of the bundled photos as normalised pixels (n, 3, height, width)."""
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    photos = []
    for path in sorted(samples.glob("*.jpg"))[:count]:
        with Image.open(path) as image:
            rgb = np.asarray(image.convert("RGB").resize((width, height)), np.float64) / 255
        photos.append(((rgb - mean) / std).transpose(2, 0, 1))
    return np.stack(photos).astype(np.float32)


def random_module(arch: Architecture, samples: Path, seed: int = 0) -> nn.Module:
    """A network with seeded weights that tell items apart: BatchNorm knows the samples, and over the samples
    or CAPTIONS each logit has mean 0 and a spread of about 1.5.
    """
    torch.manual_seed(seed)
    module = build(arch)
    if isinstance(arch, ImageArchitecture):
        inputs = [torch.from_numpy(sample_pixels(samples, 96, 96, 8))]
        for child in module.modules():
            if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
                child.momentum = 1.0
        with torch.no_grad():
            module.train()(*inputs)
    else:
        tokenizer = load_tokenizer(shared_tokenizer())
        inputs = [torch.from_numpy(array) for array in tokenizer.pad(tokenizer.encode(CAPTIONS, 24))]
    last = [child for child in module.modules() if isinstance(child, nn.Linear) and child.out_features == 4][
        -1
    ]
    with torch.no_grad():
        logits = module.eval()(*inputs)[0] - last.bias
        scale = 1.5 / logits.std(0).mean()
        last.weight *= scale
        last.bias[:] = -scale * logits.mean(0)
    return module


def random_weights(arch: Architecture, samples: Path, seed: int = 0) -> dict[str, np.ndarray]:
    """The weights of `random_module`."""
    return weights_of(random_module(arch, samples, seed))


def save_random(
    folder: Path,
    arch: Architecture,
    samples: Path,
    *,
    half: bool = False,
    max_tokens: int = 24,
    seed: int = 0,
) -> Path:
    """A model folder of that architecture with `random_weights`."""
    weights = random_weights(arch, samples, seed)
    return save_model(folder, make_info(arch, max_tokens=max_tokens), weights, half=half)


def make_info(arch: Architecture, max_tokens: int = 24) -> ModelInfo:
    """A valid description of a model of that architecture."""
    if isinstance(arch, TextArchitecture):
        rule = CaptionRule.COURSE_V1
        return ModelInfo("random text", "text", arch, caption_rule=rule, max_tokens=max_tokens)
    squash = Preprocessing(
        resize="squash",
        size=96,
        resize_to=96,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        interpolation="bilinear",
    )
    return ModelInfo("random image", "image", arch, preprocessing=squash)


def small_text_weights(seed: int = 0) -> dict[str, np.ndarray]:
    """Weights of SMALL_TEXT."""
    torch.manual_seed(seed)
    return weights_of(build_text(SMALL_TEXT))
