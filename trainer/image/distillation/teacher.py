"""A stronger network's embeddings of photos, which the image model learns to give as well (distillation).

A file of embeddings is an `.npz` with `embedding` (n, d) and either `path` (n,), relative to some folder, or `sha256`
(n,) of the photos' files. A folder holds any number of these, or `<sha256>.npy` files of one embedding (d,) each.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from trainer.image.photos.data import DataError

_SHA256_LENGTH = 64


class Teacher:
    """Embeddings by photo. `vectors` (n, d) are of unit length."""

    def __init__(self, keys: Sequence[str], vectors: NDArray[np.float32]) -> None:
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(norms).all() or (norms == 0).any():
            raise DataError("The teacher's embeddings hold rows that are zero or no numbers.")
        self.vectors: NDArray[np.float32] = np.asarray(vectors / norms, np.float32)
        self._rows = {key: row for row, key in enumerate(keys)}
        self._hashed = any(len(key) == _SHA256_LENGTH and "." not in key for key in keys)

    @property
    def width(self) -> int:
        """Numbers of an embedding."""
        return int(self.vectors.shape[1])

    def row_of(self, photo: Path) -> int:
        """The row of a photo's embedding, -1 for none. By the end of its path, longest first, else by its content."""
        parts = PurePath(photo).parts
        for start in range(len(parts)):
            row = self._rows.get("/".join(parts[start:]))
            if row is not None:
                return row
        if not self._hashed:
            return -1
        return self._rows.get(hashlib.sha256(photo.read_bytes()).hexdigest(), -1)

    def rows_of(self, photos: Iterable[Path]) -> NDArray[np.int64]:
        """`row_of` of many."""
        return np.array([self.row_of(photo) for photo in photos], np.int64)


def read_teacher(sources: Sequence[Path]) -> Teacher:
    """Read files and folders of embeddings as one table; a later source wins. Raises DataError."""
    keys: list[str] = []
    parts: list[NDArray[np.float32]] = []
    for source in sources:
        files = (
            sorted(p for p in source.iterdir() if p.suffix in (".npz", ".npy"))
            if source.is_dir()
            else [source]
        )
        if not files:
            raise DataError(f"{source} holds no embeddings (.npz, or .npy by sha256).")
        for file in files:
            names, vectors = _read(file)
            keys += names
            parts.append(vectors)
    if len({part.shape[1] for part in parts}) != 1:
        raise DataError("The teacher's embeddings come in several widths: give those of one teacher.")
    return Teacher(keys, np.concatenate(parts))


def _read(file: Path) -> tuple[list[str], NDArray[np.float32]]:
    try:
        if file.suffix == ".npy":
            return [file.stem], np.asarray(np.load(file, allow_pickle=False), np.float32).reshape(1, -1)
        with np.load(file, allow_pickle=False) as content:
            vectors = np.asarray(content["embedding"], np.float32)
            names = [str(name) for name in content["path" if "path" in content else "sha256"]]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{file} holds no embeddings of a teacher: {error}") from error
    if vectors.ndim != 2 or len(vectors) != len(names):
        raise DataError(f"{file} has {len(names)} names for embeddings of the shape {vectors.shape}.")
    return names, vectors


def save_embeddings(file: Path, paths: Sequence[str], vectors: NDArray[np.float32]) -> None:
    """Write such a file, fp16, by path."""
    np.savez(file, path=np.array(paths), embedding=vectors.astype(np.float16))
