"""What a model brings besides its weights: how its training photos look to it, which captions it learned.

python -m trainer.annotate_model MODEL.gcmodel --photos FOLDER      unusual photos can be told (novelty.safetensors)
python -m trainer.annotate_model MODEL.gcmodel --captions A.csv ... --where city=calgary --test PHOTOS
                                                           a test on learned captions can be told (seen-captions.txt),
                                                           and words that it never learned (known-words.txt)
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from gcdesk.engine.captions.rules import CaptionRule
from gcdesk.engine.errors import PhotoError
from gcdesk.engine.evaluation.labelled_set import read_labelled
from gcdesk.engine.inference.devices import open_backend
from gcdesk.engine.modelfile.checkpoint import load_info
from gcdesk.engine.modelfile.known_words import KnownWords, save_known_words, words_of
from gcdesk.engine.modelfile.novelty import NOVELTY_FILE, fit_novelty, save_novelty
from gcdesk.engine.modelfile.training_captions import SEEN_FILE, save_training_captions
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.engine.photos.preprocessing import preprocess
from trainer.text.data import read_captions, without

_AT_ONCE = 8
_THINGS = Path(__file__).parent / "phrases" / "english_things.txt"
# Of the pooled features. Of English names of things that are not learned three in five are as close to a learned word.
_CLOSE_COSINE = 0.75


def note_photos(model: Path, folder: Path) -> int:
    """Keep what the photos of an ImageFolder look like to an image model; returns how many were read."""
    # A file of other weights would be refused when the model is opened.
    (model / NOVELTY_FILE).unlink(missing_ok=True)
    backend = open_backend("image", model, "cpu")
    preprocessing = backend.info.preprocessing
    if preprocessing is None:
        raise SystemExit(f"{model} does not say how its photos are prepared.")
    pixels: list[np.ndarray] = []
    features: list[np.ndarray] = []
    items = read_labelled(folder).items
    for place, item in enumerate(items):
        if item.path is not None:
            try:
                pixels.append(preprocess(decode_photo(item.path, preprocessing.resize_to), preprocessing))
            except PhotoError:
                continue  # the trainer left it out as well
        if len(pixels) == _AT_ONCE or (pixels and place == len(items) - 1):
            features.append(backend.run(np.stack(pixels), ("features",)).features)
            pixels.clear()
    found = np.concatenate(features) if features else np.zeros((0, 1), np.float32)
    save_novelty(fit_novelty(found), model, backend.info.weights_sha256)
    return len(found)


def note_captions(
    model: Path, sources: Sequence[Path], where: Mapping[str, str], tests: Sequence[Path] = ()
) -> int:
    """Keep the hashes of the captions that a text model learned, and their words; returns how many captions there are.

    sources and where: as for the text trainer, which takes the captions of `tests` out of what it learns.
    """
    info = load_info(model)
    rule = info.caption_rule or CaptionRule.COURSE_V1
    rows = [row for source in sources for row in read_captions(source, where, rule).rows]
    held = [row for source in tests for row in read_captions(source, where, rule).rows]
    captions = {row.text for row in without(rows, held)[0]}
    save_training_captions(captions, model, info.weights_sha256)
    words = words_of(captions)
    save_known_words(words, model, info.weights_sha256, _close_in_meaning(model, words))
    return len(captions)


def _close_in_meaning(model: Path, words: frozenset[str]) -> list[str]:
    """The words of english_things.txt that are not learned, and that the model puts beside a learned one."""
    known = KnownWords(words)
    lines = _THINGS.read_text(encoding="utf-8").splitlines()
    things = sorted({word for line in lines if not line.startswith("#") for word in line.split()})
    others = [word for word in things if not known.knows(word)]
    backend = open_backend("text", model, "cpu")
    learned, asked = (
        features / np.linalg.norm(features, axis=1, keepdims=True)
        for features in (backend.run(sorted(words)).features, backend.run(others).features)
    )
    nearest = (asked @ learned.T).max(axis=1)
    return [word for word, cosine in zip(others, nearest.tolist(), strict=True) if cosine >= _CLOSE_COSINE]


def main() -> None:
    """Parse the command line and write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--photos", type=Path, metavar="FOLDER")
    parser.add_argument("--captions", type=Path, nargs="+", metavar="CSV", default=())
    parser.add_argument(
        "--where", action="append", default=[], metavar="COLUMN=VALUE", help="rows of a CSV to take"
    )
    parser.add_argument("--test", dest="tests", type=Path, action="append", default=[], metavar="DATA")
    args = parser.parse_args()
    if args.photos is not None:
        print(f"{NOVELTY_FILE}: {note_photos(args.model, args.photos)} photos")
    if args.captions:
        where = dict(word.partition("=")[::2] for word in args.where)
        print(f"{SEEN_FILE}: {note_captions(args.model, args.captions, where, args.tests)} captions")


if __name__ == "__main__":
    main()
