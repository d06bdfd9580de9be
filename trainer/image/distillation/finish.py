"""From a distilled network to a `.gcmodel`: last layers fitted anew, temperature, figures, kinds, what is unusual."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gcdesk.engine.inference.torch_networks import build_image, weights_of
from gcdesk.engine.labels import BINS
from gcdesk.engine.learning.rule_fitting import group_numbers, grouped_folds
from gcdesk.engine.modelfile.checkpoint import load_info, save_model
from gcdesk.engine.modelfile.info import MODEL_SUFFIX, ModelInfo, Provenance
from gcdesk.engine.modelfile.item_kinds import ItemKinds, save_item_kinds
from gcdesk.engine.modelfile.novelty import FEWEST, fit_novelty, save_novelty
from trainer.image.distillation.linear_heads import Head, fit_head, one_hot
from trainer.image.distillation.loop import DistillData, DistillProgress
from trainer.image.distillation.network import ARCHITECTURE, DistillNetwork
from trainer.image.distillation.run import DistillPlace, features_of, preprocessing_of
from trainer.image.distillation.settings import DistillSettings
from trainer.image.distillation.training_photos import TrainingPhoto, list_training_photos, sampling_shares
from trainer.image.finalize import SplitLogits, all_figures, careful_temperature, shared_temperature
from trainer.image.network import Weights
from trainer.image.process.provenance import git_commit, library_versions
from trainer.image.process.reporting import Reporter

FEATURES = "features.npz"
_FOLDS = 5
_TOP = (1, 5)
_SMOOTHING = 0.05


@dataclass(frozen=True)
class FinishSources:
    """Folders that only measure, and the station's, on which the temperature is fitted besides."""

    measure: Mapping[str, Path]
    station: tuple[Path, ...]


@dataclass(frozen=True)
class LabelledFeatures:
    """Photos with a bin, as the finished network sees them: places in the data (n,) and features (n, c)."""

    places: NDArray[np.int64]
    features: NDArray[np.float32]


class Finish:
    """Makes the model file of a distillation; the network holds the averaged weights meanwhile."""

    def __init__(
        self,
        data: DistillData,
        network: DistillNetwork,
        progress: DistillProgress,
        settings: DistillSettings,
        place: DistillPlace,
        report: Reporter,
    ) -> None:
        self.kept = place.run_folder / FEATURES
        self.data, self.network, self.progress = data, network, progress
        self.settings, self.device, self.report = settings, place.device, report
        self.preprocessing = preprocessing_of(settings, settings.size)

    def make(self, result: Path, sources: FinishSources, base: str, stopped: bool) -> Path:
        """Fit the heads, measure, write. Raises DataError where photos are missing."""
        kept = self.network.learned()
        self.network.put(self.progress.average)
        labelled = self._features_of_bins()
        bins = self._bin_head(labelled)
        splits, fit_on = self._splits(bins, sources)
        temperature = careful_temperature(fit_on, shared_temperature(fit_on)) if fit_on else 1.0
        info = ModelInfo(
            name=result.name.removesuffix(MODEL_SUFFIX),
            kind="image",
            architecture=ARCHITECTURE,
            preprocessing=self.preprocessing,
            temperature=temperature,
            metrics=all_figures(splits, temperature),
            provenance=self._provenance(base, stopped, [split.name for split in fit_on]),
        )
        save_model(result, info, self._weights(bins), half=True)
        sha256 = load_info(result).weights_sha256
        self._save_kinds(labelled, result, sha256)
        if len(labelled.features) >= FEWEST:
            save_novelty(fit_novelty(labelled.features), result, sha256)
        self.network.put(kept)
        self.report.done(result, {name: figures["accuracy"] for name, figures in info.metrics.items()})
        return result

    def _features_of_bins(self) -> LabelledFeatures:
        """Kept in the run folder, so that finishing again with other settings of the last layers takes a minute."""
        chosen = self._places_of_bins()
        key = f"{self.data.mark} {self.progress.step} {self.preprocessing.to_json()} {len(chosen)}"
        if self.kept.is_file():
            with np.load(self.kept, allow_pickle=False) as content:
                if str(content["key"]) == key:
                    return LabelledFeatures(content["places"], content["features"])
        self.report.note(f"Looking at {len(chosen)} photos for the last layers")
        photos = [self.data.photos[place] for place in chosen]
        read, features = features_of(self.network, photos, self.preprocessing, self.device)
        self.kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(self.kept, key=key, places=chosen[read], features=features)
        return LabelledFeatures(chosen[read], features)

    def _places_of_bins(self) -> NDArray[np.int64]:
        """Photos with a bin; of the drawn ones some are enough."""
        labelled = self.data.labels >= 0
        drawn = np.array([photo.drawn_from is not None for photo in self.data.photos])
        places = np.flatnonzero(labelled & drawn)
        some = np.random.default_rng(0).permutation(len(places))[: self.settings.head_drawn]
        return np.concatenate([np.flatnonzero(labelled & ~drawn), places[np.sort(some)]])

    def _bin_head(self, labelled: LabelledFeatures) -> Head:
        photos = [self.data.photos[place] for place in labelled.places]
        sure = np.array([photo.sure for photo in photos])
        targets = one_hot(self.data.labels[labelled.places], len(BINS))
        targets = targets * (1 - _SMOOTHING) + _SMOOTHING / len(BINS)
        surely = [one for one, fine in zip(photos, sure, strict=True) if fine]
        weights = sampling_shares(surely, 0.0)
        weights[[one.scene == self.settings.head_scene for one in surely]] *= self.settings.head_scene_weight
        labels = self.data.labels[labelled.places][sure]
        weights /= np.bincount(labels, weights, minlength=len(BINS))[labels]
        return fit_head(labelled.features[sure], targets[sure], weights, self.settings.head_strength)

    def _splits(self, bins: Head, sources: FinishSources) -> tuple[list[SplitLogits], list[SplitLogits]]:
        """The figures' splits by name, and those of them that the temperature is fitted on."""
        station = {folder.name: folder for folder in sources.station}
        splits = [self._split(name, folder, bins) for name, folder in {**sources.measure, **station}.items()]
        return splits, [split for split in splits if split.name in station]

    def _split(self, name: str, folder: Path, bins: Head) -> SplitLogits:
        photos = [one for one in list_training_photos(folder) if one.label >= 0]
        read, features = features_of(self.network, photos, self.preprocessing, self.device)
        return SplitLogits(name, bins.logits(features), np.array([photos[place].label for place in read]))

    def _weights(self, bins: Head) -> dict[str, np.ndarray]:
        """The whole network's tensors by torchvision's names."""
        whole = build_image(ARCHITECTURE)
        state: Weights = {f"features.{name}": t.cpu() for name, t in self.network.backbone_state().items()}
        state["classifier.1.weight"] = torch.from_numpy(bins.weight)
        state["classifier.1.bias"] = torch.from_numpy(bins.bias)
        whole.load_state_dict(state)
        return weights_of(whole)

    def _save_kinds(self, labelled: LabelledFeatures, result: Path, sha256: str) -> None:
        numbers = self.data.kinds[labelled.places]
        named = numbers >= 0
        if not named.any():
            return
        count = len(self.data.kind_names)
        photos = [self.data.photos[place] for place in labelled.places[named]]
        features, targets = labelled.features[named], one_hot(numbers[named], count)
        shares = kind_weights(numbers[named])
        tops = held_out_tops(photos, features, numbers[named], count, self.settings.kind_strength)
        self.report.note(
            "Kinds on held-out fifths: "
            + ", ".join(f"{share:.1%} among the first {top}" for top, share in tops.items())
        )
        head = fit_head(features, targets, shares, self.settings.kind_strength)
        save_item_kinds(ItemKinds(self.data.kind_names, head.weight, head.bias), result, sha256)

    def _provenance(self, base: str, stopped: bool, fitted_on: Sequence[str]) -> Provenance:
        details: dict[str, Any] = {
            "settings": self.settings.to_json(),
            "steps": self.progress.step,
            "stopped": stopped,
            "history": self.progress.history,
            "temperature_fitted_on": " and ".join(fitted_on),
            "training_photos": len(self.data.photos),
            "photos_with_a_bin": int((self.data.labels >= 0).sum()),
            "photos_with_an_embedding": int((self.data.teacher_rows >= 0).sum()),
            "kinds": len(self.data.kind_names),
        }
        return Provenance(
            source=f"Distilled by gcdesk's image trainer from a teacher's embeddings, starting from {base}.",
            date=time.strftime("%Y-%m-%d", time.gmtime()),
            data_fingerprint=self.data.mark,
            seed=self.settings.seed,
            git_commit=git_commit(),
            versions=library_versions(),
            details=details,
        )


def kind_weights(numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weights (n,) by which every kind counts as the root of its photos."""
    counts = np.bincount(numbers)
    return np.asarray(counts[numbers] ** -0.5, np.float64)


def held_out_tops(
    photos: Sequence[TrainingPhoto],
    features: NDArray[np.float32],
    numbers: NDArray[np.int64],
    count: int,
    strength: float,
) -> dict[int, float]:
    """Share of photos whose kind is among the first 1 and 5, by heads that had not seen the photo's origin.

    Photos cut from one source photo stay together. Kinds with a single origin cannot be known and count as missed.
    """
    groups = group_numbers([photo.origin for photo in photos])
    ranks = np.full(len(photos), count)
    for held in grouped_folds(groups, _FOLDS, 0):
        head = fit_head(
            features[~held], one_hot(numbers[~held], count), kind_weights(numbers[~held]), strength
        )
        order = np.argsort(-head.logits(features[held]), axis=1)
        ranks[held] = (order == numbers[held, None]).argmax(axis=1)
    return {top: float((ranks < top).mean()) for top in _TOP}
