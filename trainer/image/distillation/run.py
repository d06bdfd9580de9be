"""One distillation from folders of photos to trained weights: the straight line through the files beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gcdesk.engine.photos.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing, preprocess
from gcdesk.engine.selection.calibration import negative_log_likelihood, softmax
from trainer.image.distillation.kinds import read_kinds
from trainer.image.distillation.loop import (
    DistillData,
    Distiller,
    DistillFolder,
    DistillProgress,
    TrainingViews,
)
from trainer.image.distillation.network import DistillNetwork
from trainer.image.distillation.settings import DistillSettings
from trainer.image.distillation.teacher import read_teacher
from trainer.image.distillation.training_photos import (
    TrainingPhoto,
    list_training_photos,
    read_training_photo,
)
from trainer.image.photos.data import DataError
from trainer.image.process.reporting import Reporter
from trainer.image.process.stop_requests import Orders

_RIDGE_PHOTOS = 1200
_AT_ONCE = 16


@dataclass(frozen=True)
class DistillSources:
    """Folders of photos to learn from (bins or none), of the station's photos to judge by, embeddings, kinds' table."""

    photos: tuple[Path, ...]
    teacher: tuple[Path, ...]
    station: tuple[Path, ...] = ()
    kinds: Path | None = None


@dataclass(frozen=True)
class DistillPlace:
    """Where it computes and writes. base: the backbone to go on from, None for torchvision's."""

    device: torch.device
    low_precision: bool
    run_folder: Path
    base: Path | None
    orders: Orders = field(default_factory=Orders)


def load_data(sources: DistillSources) -> DistillData:
    """List the photos and find each one's targets. Raises DataError where the teacher knows none of them."""
    photos = tuple(one for folder in sources.photos for one in list_training_photos(folder))
    teacher = read_teacher(sources.teacher)
    rows = teacher.rows_of(photo.path for photo in photos)
    # What a thing is does not hang on the ground that it was put on.
    drawn = [place for place, photo in enumerate(photos) if rows[place] < 0 and photo.drawn_from is not None]
    rows[drawn] = teacher.rows_of(photos[place].drawn_from or photos[place].path for place in drawn)
    if not (rows >= 0).any():
        raise DataError("The teacher's embeddings belong to none of the photos.")
    table = read_kinds(sources.kinds) if sources.kinds else read_kinds()
    names, kinds = table.numbers([photo.look for photo in photos])
    digest = hashlib.sha256()
    for photo in photos:
        digest.update(f"{photo.label} {photo.path.name} {photo.path.stat().st_size}\n".encode())
    digest.update(teacher.vectors.tobytes())
    return DistillData(photos, rows, teacher.vectors, kinds, names, digest.hexdigest())


def preprocessing_of(settings: DistillSettings, size: int) -> Preprocessing:
    """How the network sees plain photos at a size."""
    return Preprocessing(settings.resize, size, size, IMAGENET_MEAN, IMAGENET_STD, "bilinear")


def features_of(
    network: DistillNetwork,
    photos: Sequence[TrainingPhoto],
    preprocessing: Preprocessing,
    device: torch.device,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The places (m,) of the photos that can be read, and their pooled features (m, c)."""
    fast = network.folded()
    places: list[int] = []
    parts: list[NDArray[np.float32]] = []
    for start in range(0, len(photos), _AT_ONCE):
        some = [read_training_photo(one, preprocessing.resize_to) for one in photos[start : start + _AT_ONCE]]
        pixels = [preprocess(image, preprocessing) for image in some if image is not None]
        places += [start + place for place, image in enumerate(some) if image is not None]
        if pixels:
            batch = torch.from_numpy(np.stack(pixels)).to(device, memory_format=torch.channels_last)
            with torch.no_grad():
                parts.append(fast(batch).float().mean((2, 3)).cpu().numpy())
    return np.array(places, np.int64), np.concatenate(parts)


class DistillRun:
    """Train until the rounds are done or it is told to stop; every round is judged and saved."""

    def __init__(
        self, sources: DistillSources, settings: DistillSettings, place: DistillPlace, report: Reporter
    ) -> None:
        self.settings, self.place, self.report = settings, place, report
        self.data = load_data(sources)
        labelled = int((self.data.teacher_rows >= 0).sum())
        report.note(
            f"{len(self.data.photos)} photos, {labelled} with a teacher's embedding,"
            f" {int((self.data.labels >= 0).sum())} with a bin, {int((self.data.kinds >= 0).sum())} with one of"
            f" {len(self.data.kind_names)} kinds"
        )
        self.station = [
            one for folder in sources.station for one in list_training_photos(folder) if one.label >= 0
        ]
        self.network = DistillNetwork(
            place.base,
            settings.frozen_blocks,
            self.data.vectors.shape[1],
            len(self.data.kind_names),
            settings.seed,
        )
        self.distiller = Distiller(self.data, self.network, settings, place.device, place.low_precision)
        self.folder = DistillFolder(place.run_folder, settings, self.data.mark)

    def start(self, resume: bool) -> None:
        """Go on from the checkpoint, or begin: the embedding's layer starts where a regression puts it."""
        if resume and self.folder.resume(self.distiller):
            self.report.note(f"Going on after step {self.distiller.progress.step}")
            return
        some = np.random.default_rng(self.settings.seed).permutation(
            np.flatnonzero(self.data.teacher_rows >= 0)
        )
        some = some[:_RIDGE_PHOTOS]
        self.report.note(f"Fitting the embedding to {len(some)} photos")
        photos = [self.data.photos[place] for place in some]
        places, features = features_of(self.network, photos, self._plain(), self.place.device)
        self.network.fit_embedding(features, self.data.vectors[self.data.teacher_rows[some[places]]])
        self.distiller.progress = DistillProgress(average=self.network.learned())

    def train(self) -> bool:
        """Train; False when it was told to stop, True at the end. Raises SaveError and what training raises."""
        chosen, progress = self.settings, self.distiller.progress
        views = TrainingViews(self.data, chosen)
        while progress.step < chosen.steps:
            number = progress.step // chosen.round_steps + 1

            def on_step(step: int, loss: float, rate: float, number: int = number) -> None:
                inside = step - (number - 1) * chosen.round_steps
                self.report.step(number, chosen.rounds, inside, chosen.round_steps, loss, rate)

            done = self.distiller.train(views, self.place.orders, on_step, number * chosen.round_steps)
            if done:
                self._close_round(number)
            self.folder.save(self.distiller)
            if not done:
                return False
        return True

    def _close_round(self, number: int) -> None:
        progress = self.distiller.progress
        scores = {"loss": progress.loss / self.settings.round_steps, **self.judge()}
        progress.loss = 0.0
        progress.history.append({"epoch": float(number), **scores})
        self.report.epoch(number, self.settings.rounds, scores, False)

    def judge(self) -> dict[str, float]:
        """Accuracy and likelihood of the averaged weights on the station's photos, by the bins' head."""
        if not self.station:
            return {}
        kept = self.network.learned()
        self.network.put(self.distiller.progress.average)
        places, features = features_of(self.network, self.station, self._plain(), self.place.device)
        with torch.no_grad():
            logits = self.network.bins(torch.from_numpy(features).to(self.place.device)).cpu().numpy()
        self.network.put(kept)
        labels = np.array([self.station[place].label for place in places])
        nll = float(negative_log_likelihood(softmax(logits), labels))
        return {"station": float((logits.argmax(axis=1) == labels).mean()), "nll": nll}

    def _plain(self) -> Preprocessing:
        return preprocessing_of(self.settings, self.settings.size)
