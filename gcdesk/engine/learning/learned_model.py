"""From a model and items whose bin is known to a model with another last layer, put into the library."""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from gcdesk.config.files import replace_folder
from gcdesk.config.resources import resource_path
from gcdesk.engine.captions.rules import CaptionRule, apply_rule
from gcdesk.engine.errors import LearningError, ModelFileError, PhotoError
from gcdesk.engine.evaluation.scoring import Measured
from gcdesk.engine.inference.backend import ImageBackend
from gcdesk.engine.inference.devices import open_backend
from gcdesk.engine.learning.last_layer import LastLayer, last_layer
from gcdesk.engine.learning.quick_learn import Learned, TrainingSet, learn
from gcdesk.engine.learning.rule_fitting import group_numbers
from gcdesk.engine.library.library import Library, verify_model
from gcdesk.engine.modelfile.checkpoint import TOKENIZER_FILE, load_info, load_model, save_model
from gcdesk.engine.modelfile.info import MODEL_SUFFIX, LoadedModel, Provenance
from gcdesk.engine.modelfile.item_kinds import load_item_kinds, save_item_kinds
from gcdesk.engine.modelfile.known_words import load_known_words, save_known_words, words_of
from gcdesk.engine.modelfile.novelty import load_novelty, save_novelty
from gcdesk.engine.modelfile.training_captions import caption_hash, load_training_captions, write_hashes
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.engine.photos.preprocessing import preprocess

Kind = Literal["image", "text"]
Tell = Callable[[int, int], None]
_MOST_ANCHORS = 300
_AT_ONCE = 4
DETAIL = "quick_learn"


def learn_model(
    kind: Kind,
    base: Path,
    items: Sequence[Measured],
    groups: Sequence[int],
    library: Library,
    tell: Tell = lambda _done, _total: None,
    seed: int = 0,
) -> tuple[str, Learned]:
    """Fit the last layer of the model in `base` on items with groups, and install the result under a new name.

    The model itself stays as it is, so going back is choosing it again. tell: photos or captions run, of all; may
    raise to stop. Raises LearningError (nothing to learn, or it would be worse) and ModelFileError.
    """
    model = load_model(base)
    layer = last_layer(model.info, model.weights)
    usable, features, anchors = _features(kind, base, items, tell)
    if not usable:
        raise LearningError(
            "None of the corrected items can be learned from: photos or captions are missing."
        )
    training_set = TrainingSet(
        layer.inputs(features),
        np.array([items[place].label for place in usable], dtype=np.int64),
        group_numbers([str(groups[place]) for place in usable]),
        layer.inputs(anchors),
    )
    result = learn(training_set, layer, seed)
    captions = [_caption(items[place], model) for place in usable] if kind == "text" else []
    return _install(model, result, captions, library), result


def _features(
    kind: Kind, base: Path, items: Sequence[Measured], tell: Tell
) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Which items can be used, their pooled features (n, c), and those of the anchors (m, c)."""
    if kind == "image":
        image = open_backend("image", base, "cpu")
        photos = [item.path for item in items]
        bundled: list[Path | None] = [*sorted(resource_path("samples").glob("*.jpg"))]
        total = len(photos) + len(bundled)
        read, features = _of_photos(image, photos, lambda done: tell(done, total))
        _, anchors = _of_photos(image, bundled, lambda done: tell(len(photos) + done, total))
        if image.novelty is not None:
            anchors = np.concatenate([anchors, image.novelty.examples])
        return read, features, anchors
    text = open_backend("text", base, "cpu")
    rule = text.info.caption_rule or CaptionRule.COURSE_V1
    captions = [apply_rule(item.caption or "", rule) for item in items]
    usable = [place for place, caption in enumerate(captions) if caption]
    mine = {captions[place] for place in usable}
    phrases = resource_path("phrases.txt").read_text(encoding="utf-8").splitlines()
    spaced = [apply_rule(phrase, rule) for phrase in phrases[:: max(1, len(phrases) // _MOST_ANCHORS)]]
    spaced = [phrase for phrase in spaced if phrase and phrase not in mine]
    tell(0, 2)
    features = text.run([captions[place] for place in usable]).features
    tell(1, 2)
    return usable, features, text.run(spaced).features


def _of_photos(
    image: ImageBackend, paths: Sequence[Path | None], tell: Callable[[int], None]
) -> tuple[list[int], np.ndarray]:
    """Which of the photos can be read, and their features (n, c)."""
    preprocessing = image.info.preprocessing
    if preprocessing is None:
        raise ModelFileError(f"{image.info.name} does not say how its photos are prepared.")
    read: list[int] = []
    features = [np.zeros((0, image.info.architecture.features), np.float32)]
    for start in range(0, len(paths), _AT_ONCE):
        tell(start)
        pixels = []
        for index in range(start, min(start + _AT_ONCE, len(paths))):
            path = paths[index]
            if path is None:
                continue
            try:
                pixels.append(preprocess(decode_photo(path, preprocessing.resize_to), preprocessing))
                read.append(index)
            except PhotoError:
                continue  # moved or damaged since it was corrected: it teaches nothing
        if pixels:
            features.append(image.run(np.stack(pixels), ("features",)).features)
    return read, np.concatenate(features)


def _caption(item: Measured, model: LoadedModel) -> str:
    return apply_rule(item.caption or "", model.info.caption_rule or CaptionRule.COURSE_V1)


def _install(model: LoadedModel, found: Learned, captions: Sequence[str], library: Library) -> str:
    """Save under a name that is free, with what the old model brought besides."""
    name = _free_name(model.info.name, library)
    layer: LastLayer = found.layer
    weights = dict(model.weights)
    for tensor, value in ((layer.weight_name, layer.weight), (layer.bias_name, layer.bias)):
        weights[tensor] = value.astype(model.weights[tensor].dtype)
    figures: dict[str, Any] = {
        "items": found.items,
        "accuracy": round(found.after / found.items, 4),
        "accuracy_before": round(found.before / found.items, 4),
        "p": round(found.test.p, 4),
    }
    info = replace(
        model.info,
        name=name,
        metrics={"corrections_cross_validation": figures},
        provenance=Provenance(
            source=f"{model.info.name}, its last layer fitted on {found.items} corrected items (quick learn).",
            date=datetime.date.today().isoformat(),
            details={
                DETAIL: {
                    "base": model.info.name,
                    "base_sha256": model.info.weights_sha256,
                    "mistakes": found.mistakes,
                    "mended": found.mended,
                    "others": found.anchors,
                    "others_changed": round(found.changed, 4),
                }
            },
        ),
    )
    tokenizer = model.folder / TOKENIZER_FILE if info.kind == "text" else None
    library.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.folder, prefix=".learn-") as stage:
        made = save_model(Path(stage) / f"{name}{MODEL_SUFFIX}", info, weights, tokenizer)
        sha256 = load_info(made).weights_sha256
        novelty = load_novelty(model.folder, model.info) if info.kind == "image" else None
        if novelty is not None:
            save_novelty(novelty, made, sha256)
        kinds = load_item_kinds(model.folder, model.info) if info.kind == "image" else None
        if kinds is not None:
            save_item_kinds(kinds, made, sha256)
        if info.kind == "text":
            marks = load_training_captions(model.folder, model.info)
            write_hashes([*marks, *map(caption_hash, captions)], made, sha256)
            known = load_known_words(model.folder, model.info)
            if known is not None:
                save_known_words(known.words | words_of(captions), made, sha256, known.close)
        verify_model(made)
        replace_folder(made, library.folder / made.name)
    return name


def _free_name(base: str, library: Library) -> str:
    taken = {item.name.casefold() for item in library.models()}
    stem = f"{base.partition(' learned ')[0][:40]} learned {datetime.date.today().isoformat()}"
    number = 1
    while True:
        name = stem if number == 1 else f"{stem} {number}"
        if name.casefold() not in taken:
            return name
        number += 1


def learned_words(name: str, found: Learned) -> str:
    """What came of it, in sentences."""
    chance = "" if found.test.significant else " (which may be chance)"
    return (
        f"{name}: on corrected items that it had not learned it is right on {found.after} of {found.items}, before"
        f" {found.before}{chance}; it mended {found.mended} of {found.mistakes} mistakes, and {found.changed:.1%} of"
        f" {found.anchors} other answers changed."
    )
