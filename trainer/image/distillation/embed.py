"""Have a teacher look at photos: python -m trainer.image.distillation.embed --model clip.onnx --out FILE.npz DATA ...

Writes what `trainer image --teacher FILE.npz` reads. The model is an ONNX file whose first output is the embedding of
`pixel_values` (n, 3, 224, 224), prepared as CLIP wants it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from gcdesk.engine.photos.preprocessing import Preprocessing, preprocess
from trainer.image.distillation.teacher import save_embeddings
from trainer.image.distillation.training_photos import (
    TrainingPhoto,
    list_training_photos,
    read_training_photo,
)

_MEAN, _STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
CLIP = Preprocessing("shortest_crop", 224, 224, _MEAN, _STD, "bicubic")
_AT_ONCE = 8


def embeddings(
    model: Path, photos: Sequence[TrainingPhoto], threads: int
) -> Iterator[tuple[TrainingPhoto, NDArray[np.float32]]]:
    """Each readable photo with its embedding (d,)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Without VNNI the usual int8 products overflow: embeddings came out with a cosine of 0.4 to the right ones.
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    for start in range(0, len(photos), _AT_ONCE):
        some = [(one, read_training_photo(one, CLIP.resize_to)) for one in photos[start : start + _AT_ONCE]]
        there = [(one, preprocess(photo, CLIP)) for one, photo in some if photo is not None]
        if not there:
            continue
        found = session.run(None, {name: np.stack([pixels for _, pixels in there])})[0]
        yield from zip((one for one, _ in there), np.asarray(found, np.float32), strict=True)


def main() -> None:
    """Parse the command line, look, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, nargs="+", metavar="DATA")
    parser.add_argument("--model", type=Path, required=True, metavar="ONNX")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.npz")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    args = parser.parse_args()
    names: list[str] = []
    vectors: list[NDArray[np.float32]] = []
    for folder in args.data:
        photos = list_training_photos(folder)
        for done, (photo, vector) in enumerate(embeddings(args.model, photos, args.threads), start=1):
            names.append((Path(folder.name) / photo.path.relative_to(folder)).as_posix())
            vectors.append(vector)
            if done % 200 == 0:
                sys.stderr.write(f"{folder.name}: {done} of {len(photos)}\n")
    save_embeddings(args.out, names, np.stack(vectors))


if __name__ == "__main__":
    main()
