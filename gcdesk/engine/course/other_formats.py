"""Weights in formats that are not read here: what a file is, by its first bytes, and what to do with it."""

from __future__ import annotations

import zipfile
from pathlib import Path

HEAD_BYTES = 512
_RESAVE = "Save it where it was made with torch.save(model.state_dict(), 'weights.pth') and import that"
_PICKLE = f"it is a pickle of Python objects: opening it would run code. {_RESAVE}"
_STARTS = {
    b"GGUF": "it is a GGUF file of a language model, which does not classify waste",
    b"\x89HDF\r\n": f"it is a Keras or HDF5 file. Models of Keras are not read; train one with PyTorch. {_RESAVE}",
    b"\x93NUMPY": f"it is a NumPy array, not a model. {_RESAVE}",
    **dict.fromkeys((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"), _PICKLE),
    b"Rar!": "it is a RAR archive: unpack it and import the file in it",
    b"7z\xbc\xaf": "it is a 7-Zip archive: unpack it and import the file in it",
    b"\x1f\x8b": "it is a gzip archive: unpack it and import the file in it",
}
_SAFETENSORS = (
    "it is a safetensors file: weights without a word on their network or classes. Where they were made, save them as a"
    " .pth: python -c \"import torch, safetensors.torch as s; torch.save(s.load_file('{name}'), 'weights.pth')\", and"
    " import that"
)
_ONNX = (
    "it is an ONNX graph, made to run a model, which cannot be taken apart again: import the .pth checkpoint that it"
    " was exported from"
)
# Fields of an ONNX ModelProto (onnx.proto3) that may follow its version, a number from 1 to 31.
_ONNX_FIELDS = frozenset(b"\x12\x1a\x22\x28\x32\x3a\x42\x72")


def other_format(head: bytes, size: int, name: str) -> str:
    """What a file is that is neither torch's nor ours, and what to do, as the end of a sentence; "" for any other.

    head: its first HEAD_BYTES. size: of the file, in bytes.
    """
    lower = name.lower()
    for start, what in _STARTS.items():
        if head.startswith(start):
            return f"{what}."
    if head[4:8] == b"TFL3":
        return f"it is a TensorFlow Lite model, which is not read. {_RESAVE}."
    length = int.from_bytes(head[:8], "little")
    if head[8:9] == b"{" and 2 <= length <= size - 8:
        return _SAFETENSORS.format(name=name.replace("'", "").replace('"', "")) + "."
    if (
        head[:1] == b"\x08"
        and 0 < head[1] < 32
        and head[2] in _ONNX_FIELDS
        and (lower.endswith(".onnx") or size > 99)
    ):
        return f"{_ONNX}."
    if lower.endswith(".onnx"):
        return f"{_ONNX}." if head else "it is empty."
    if lower.endswith(".safetensors"):
        return "it is called a safetensors file and is none: it is cut off or damaged. Copy or download it again."
    return ""


def is_torch_archive(path: Path) -> bool:
    """Whether torch saved a file, whatever its ending (.ckpt, .pth.tar, .bin): a zip with one data.pkl."""
    try:
        with path.open("rb") as file:
            if file.read(4) != b"PK\x03\x04":
                return False
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist()[:10])
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError):
        return False
