"""A small text model to start from and captions to learn, so that a real training takes seconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from model_making import SMALL_TEXT, make_info, small_text_weights

from gcdesk.config.folders import user_folders
from gcdesk.engine.modelfile.checkpoint import save_model

ITEMS = {"Black": "plastic bag", "Blue": "soda can", "Green": "banana peel", "TTR": "old battery"}
_WORDS = ["red", "blue", "green", "white", "brown", "grey", "pink", "small"]
_WORDS += ["large", "wet", "dry", "torn", "clean", "dirty", "broken", "shiny"]
_TAILS = ["kitchen", "office", "garden", "garage", "street", "bathroom"]


def install_small(name: str = "small") -> Path:
    """A two-layer text model with random weights in the user's library."""
    info = replace(make_info(SMALL_TEXT), name=name)
    return save_model(user_folders().models / f"{name}.gcmodel", info, small_text_weights())


def write_captions(path: Path, words: int = 16) -> Path:
    """Captions that are easy to tell apart."""
    lines = [
        f"{word} {item} {tail},{bin_}"
        for bin_, item in ITEMS.items()
        for word in _WORDS[:words]
        for tail in _TAILS
    ]
    path.write_text("text,bin\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path
