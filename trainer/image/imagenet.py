"""torchvision's ImageNet weights of EfficientNet-B2: fetched once, checked, and read as numbers only."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from urllib.parse import urlparse

import torch
from torch import Tensor


def imagenet_state() -> dict[str, Tensor]:
    """The state dict, from torch's folder of downloads, or fetched into it.

    torchvision's own `get_state_dict` would run whatever a file in that folder holds. Raises OSError where it cannot be
    fetched, RuntimeError for a file that is another one.
    """
    from torchvision.models import EfficientNet_B2_Weights

    url = EfficientNet_B2_Weights.IMAGENET1K_V1.url
    file = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(url).path).name
    expected = file.stem.rpartition("-")[2]  # torchvision writes the beginning of the sha256 into the name
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(file), expected, progress=False)
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if not found.startswith(expected):
        raise RuntimeError(f"{file} is another file than torchvision's: delete it")
    try:
        state: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise RuntimeError(f"{file} holds more than weights: delete it") from error
    return state
