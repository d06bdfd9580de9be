"""Fit an image model's temperature anew on the validation photos and on half of the station's, and say what it does.

    python -m trainer.recalibrate MODEL.gcmodel --data IMAGES --station FIELD            prints the table
    python -m trainer.recalibrate MODEL.gcmodel --data IMAGES --station FIELD --write    and changes model.json

IMAGES has val and test. The halves of FIELD are those of the trainer: the second one only measures.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gcdesk.config.files import write_atomically
from gcdesk.engine.evaluation.labelled_set import read_labelled
from gcdesk.engine.inference.backend import ImageBackend
from gcdesk.engine.inference.devices import open_backend
from gcdesk.engine.labels import BINS
from gcdesk.engine.modelfile.checkpoint import INFO_FILE, load_info
from gcdesk.engine.modelfile.info import ModelInfo, info_to_json
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.engine.photos.preprocessing import preprocess
from trainer.image.finalize import SplitLogits, all_figures, figures, shared_temperature

_AT_ONCE = 8


def score(backend: ImageBackend, name: str, folder: Path) -> SplitLogits:
    """A split's photos through the model, in order of path; all must be readable."""
    preprocessing = backend.info.preprocessing
    if preprocessing is None:
        raise SystemExit(f"{backend.info.name} does not say how its photos are prepared.")
    items = [item for item in read_labelled(folder).items if item.path is not None]
    logits = []
    for start in range(0, len(items), _AT_ONCE):
        part = [item.path for item in items[start : start + _AT_ONCE] if item.path is not None]
        pixels = [preprocess(decode_photo(path, preprocessing.resize_to), preprocessing) for path in part]
        logits.append(backend.run(np.stack(pixels), ("logits",)).logits)
    return SplitLogits(name, np.concatenate(logits), np.array([item.label for item in items]))


def halves(station: SplitLogits) -> tuple[SplitLogits, SplitLogits]:
    """Every other photo of each bin: what was chosen on, and what only measures."""
    chosen = np.zeros(len(station.labels), dtype=bool)
    for label in range(len(BINS)):
        chosen[np.flatnonzero(station.labels == label)[::2]] = True
    return station.part(chosen, "station_chosen_on"), station.part(~chosen, "station_held_out")


def table(splits: Sequence[SplitLogits], old: float, new: float) -> str:
    """Calibration of every split under both temperatures."""
    lines = [
        f"{'split':20} {'photos':>6} {'accuracy':>8}   ECE at 1   at {old:.3f}   at {new:.3f}"
        f"   NLL {old:.3f} {new:.3f}"
    ]
    for split in splits:
        before, after = figures(split, old), figures(split, new)
        lines.append(
            f"{split.name:20} {before['items']:6} {before['accuracy']:8.1%}   {before['ece_before']:8.3f}"
            f"   {before['ece']:8.3f}   {after['ece']:8.3f}   {before['nll']:9.3f} {after['nll']:.3f}"
        )
    return "\n".join(lines)


def rewritten(
    info: ModelInfo, splits: Sequence[SplitLogits], temperature: float, fitted_on: str
) -> ModelInfo:
    """The model's description with another temperature and its figures; the weights stay."""
    details = {**info.provenance.details, "temperature_fitted_on": fitted_on}
    return replace(
        info,
        temperature=temperature,
        metrics={**info.metrics, **all_figures(splits, temperature)},
        provenance=replace(info.provenance, details=details),
    )


def main() -> None:
    """Parse the command line, measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, required=True, metavar="IMAGES")
    parser.add_argument("--station", type=Path, required=True, metavar="FIELD")
    parser.add_argument("--write", action="store_true", help="change model.json")
    args = parser.parse_args()
    info = load_info(args.model)
    backend = open_backend("image", args.model, "cpu")
    val, test = (score(backend, name, args.data / name) for name in ("val", "test"))
    station = score(backend, "station", args.station)
    chosen, held = halves(station)
    temperature = shared_temperature([val, chosen])
    print(table([val, test, chosen, held, station], info.temperature, temperature))
    if args.write:
        new = rewritten(info, [val, test, chosen, held], temperature, f"{val.name} and {chosen.name}")
        file = args.model / INFO_FILE
        content = json.dumps(info_to_json(new), indent=2, ensure_ascii=False, allow_nan=False)
        write_atomically(file, content + "\n")
        print(f"{file} has the temperature {temperature:.4f} now.")


if __name__ == "__main__":
    main()
