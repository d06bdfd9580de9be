"""One run from folders of photos to a `.gcmodel`: the straight line through the other files of this room."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gcdesk.engine.inference.torch_networks import weights_of
from gcdesk.engine.modelfile.checkpoint import load_info, save_model
from gcdesk.engine.modelfile.info import MODEL_SUFFIX, ModelInfo, Provenance
from gcdesk.engine.modelfile.novelty import FEWEST, fit_novelty, save_novelty
from gcdesk.engine.modelfile.specs import ImageArchitecture
from gcdesk.engine.photos.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from gcdesk.engine.selection.calibration import negative_log_likelihood, softmax
from trainer.image.finalize import SplitLogits, accuracy, all_figures, first_half, shared_temperature
from trainer.image.loop import Evaluator, Learner, Progress, Source
from trainer.image.network import Weights, blended, build_network
from trainer.image.photos.data import (
    DataError,
    Photos,
    Sample,
    Split,
    copies_note,
    fingerprint,
    hold_out,
    lacking,
    list_split,
    load_photos,
)
from trainer.image.photos.features import (
    CachedSource,
    FreshSource,
    ViewMaker,
    build_cache,
    cache_key,
    plain_views,
)
from trainer.image.process.distributed import ALONE, Team, put_random_state, random_state
from trainer.image.process.provenance import git_commit, library_versions
from trainer.image.process.reporting import Reporter
from trainer.image.process.stop_requests import Order, Orders
from trainer.image.settings import ImageSettings
from trainer.image.state import RunFolder

DRY_PHOTOS = 24  # a split, in a dry run
DRY_STEPS = 2
HELD_OUT = 0.15  # of the training photos, where no validation photos are given


@dataclass(frozen=True)
class Sources:
    """Folders of the splits (each with bin folders) and of photos that look like the station's, if there
    are. val: None takes a part of the training photos (HELD_OUT). names: what folders mean that are no bins.
    """

    train: Path
    val: Path | None
    test: Path | None = None
    station: Path | None = None
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where a run computes and writes."""

    device: torch.device
    low_precision: bool
    run_folder: Path
    result: Path
    base: Path | None
    cache_folder: Path | None = None
    resume: bool = False
    stop_after: int | None = None  # epochs in this call, for tests of resuming
    dry: bool = False
    team: Team = ALONE
    orders: Orders = field(default_factory=Orders)


@dataclass(frozen=True)
class Splits:
    """The decoded photos of a run."""

    train: Photos
    val: Photos
    test: Photos | None
    station: Photos | None
    mark: str  # fingerprint of the training photos


def load_splits(sources: Sources, settings: ImageSettings, dry: bool, report: Reporter) -> Splits:
    """List and decode every split; what is left out is reported. Raises DataError."""

    def few(split: Split) -> Split:
        return replace(split, samples=_handful(split)) if dry else split

    def load(split: Split, size: int) -> Photos:
        report.note(f"Reading {len(split.samples)} photos of {split.folder}")
        photos = load_photos(split, size, settings.workers)
        for line in (*split.notes, *(f"Left out: {text}" for text in photos.unreadable)):
            report.note(line)
        return photos

    names = sources.names
    learned = list_split(sources.train, names)
    if lacking(learned):
        raise DataError(
            f"{sources.train} has no photos of {', '.join(lacking(learned))}: a bin that is never seen is never named."
            f" {' '.join(learned.notes)}"
        )
    if sources.val is None:
        learned, held = map(few, hold_out(learned, HELD_OUT))
        report.note(f"{len(held.samples)} photos of {held.folder} are held out to measure.")
    else:
        learned, held = few(learned), few(list_split(sources.val, names))
    train = load(learned, settings.view_size)
    val = load(held, settings.size)
    _no_shared_photos(train, val)
    asked = [few(list_split(folder, names)) if folder else None for folder in (sources.test, sources.station)]
    for note in (copies_note(learned, other) for other in (held, *filter(None, asked))):
        if note:
            report.note(note)
    test, station = (load(split, settings.size) if split else None for split in asked)
    return Splits(train, val, test, station, fingerprint(learned.samples))


def _handful(split: Split) -> tuple[Sample, ...]:
    step = max(1, len(split.samples) // DRY_PHOTOS)
    return split.samples[::step][:DRY_PHOTOS]


def _no_shared_photos(train: Photos, val: Photos) -> None:
    shared = {s.path.resolve() for s in train.samples} & {s.path.resolve() for s in val.samples}
    if shared:
        raise DataError(f"{len(shared)} photos are in both the training and the validation folder.")


def preprocessing_of(settings: ImageSettings) -> Preprocessing:
    """How the finished model sees photos."""
    return Preprocessing(
        resize=settings.resize,
        size=settings.size,
        resize_to=settings.size,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        interpolation="bilinear",
    )


class Run:
    """One training run; `train` does all of it and returns the model's folder."""

    def __init__(self, sources: Sources, settings: ImageSettings, place: Place, report: Reporter) -> None:
        self.settings, self.place, self.report = settings, place, report
        self.splits = load_splits(sources, settings, place.dry, report)
        self.network = build_network(
            settings.head, place.base, place.device, settings.seed, settings.depthwise
        )
        self.learner = Learner(
            self.network, self.splits.train, settings, place.device, place.low_precision, place.team
        )
        self.evaluator = Evaluator(self.network, place.device, place.low_precision, settings.workers)
        self.folder = RunFolder(place.run_folder, settings, self.splits.mark)
        self.progress = Progress()
        self.started = time.time()

    def train(self) -> Path | None:
        """Train to the end, or until it is stopped (then None): after `stop_after` epochs, or by an order."""
        chosen = self.settings
        source = self._source()
        if self.place.resume:
            self._resume()
        last = chosen.epochs
        if self.place.stop_after is not None:
            last = min(last, self.progress.epoch + self.place.stop_after)
        for epoch in range(self.progress.epoch + 1, last + 1):
            if epoch == chosen.unfreeze_epoch and self.progress.step == 0:
                self._start_unfrozen()
            if not self._epoch(epoch, source):
                return None
        if self.progress.epoch < chosen.epochs:
            return None
        return self._finish() if self.place.team.leads else self.place.result

    def finish_early(self) -> Path | None:
        """Make a model of the best epoch so far of a run that was stopped; None where no epoch was finished."""
        return None if self.progress.best is None else self._finish()

    def _resume(self) -> None:
        progress = self.progress = self.folder.resume(self.learner, self.report.note)
        if progress.step:
            self.report.note(f"Going on after step {progress.step} of epoch {progress.epoch + 1}")
        elif progress.epoch:
            self.report.note(f"Going on after epoch {progress.epoch}")
        if progress.step and len(progress.random) == self.place.team.size:
            put_random_state(progress.random[self.place.team.rank])

    def _source(self) -> Source:
        chosen, place = self.settings, self.place
        views = ViewMaker(self.splits.train, chosen)
        if chosen.views == 0 or place.device.type != "cpu" or place.team.size > 1:
            return FreshSource(views, self.network.frozen, chosen.workers, place.device, place.low_precision)
        key = cache_key(chosen, self.splits.mark, self.network.frozen)
        folder = place.cache_folder or place.run_folder / "views"
        cached: CachedSource = build_cache(
            folder,
            key,
            views,
            len(self.splits.train),
            self.network.frozen,
            chosen,
            place.low_precision,
            lambda done, total: self.report.caching(done, total),
        )
        return cached

    def _start_unfrozen(self) -> None:
        """From here on the late blocks learn, starting from the best weights of the frozen phase."""
        if self.progress.best is not None:
            self.network.put(self.progress.best)
        self.progress.before = self.network.state()
        self.learner.unfreeze()

    def _epoch(self, epoch: int, source: Source) -> bool:
        """One epoch, or the rest of it; False when it was told to stop."""
        chosen, progress = self.settings, self.progress

        def after_step(step: int, total: int, loss: float, rate: float) -> bool:
            self.report.step(epoch, chosen.epochs, step, total, loss, rate)
            progress.step, progress.loss = step, progress.loss + loss
            order = self.place.orders.next()
            if order is not Order.GO_ON:
                self._save()
            return order is Order.STOP

        steps = DRY_STEPS if self.place.dry else None
        loss = self.learner.train_epoch(epoch, source, after_step, steps, progress.step, progress.loss)
        if loss is None:
            return False
        judged = self.learner.weights_to_judge()
        # One process judges, so that all keep the same weights as the best.
        scores = self._judge(judged) if self.place.team.leads else {}
        better = bool(self.place.team.agree(int(scores.get("score", -1.0) > progress.best_score)))
        progress.epoch, progress.step, progress.loss = epoch, 0, 0.0
        if better:
            progress.best_score, progress.best_epoch = scores.get("score", 0.0), epoch
            progress.best = judged
        line = {"epoch": float(epoch), "loss": loss, **scores}
        progress.history.append(line)
        self._save()
        self.report.epoch(epoch, chosen.epochs, line, better)
        return True

    def _save(self) -> None:
        """A checkpoint with every process's generators, written by rank 0."""
        self.progress.random = self.place.team.gather(random_state())
        if self.place.team.leads:
            self.folder.save(self.learner, self.progress)
        self.place.orders.saved()

    def _judge(self, weights: Weights) -> dict[str, float]:
        """Validation accuracy, with station photos the mean of both accuracies; near-ties go to the
        likelier.
        """
        kept = self.network.state()
        self.network.put(weights)
        val = self._logits("val", self.splits.val)
        scores = {"val": accuracy(val.logits, val.labels)}
        score, nll = scores["val"], _nll(val)
        if self.splits.station is not None:
            half = self._station_halves()[0]
            scores["station"] = accuracy(half.logits, half.labels)
            score, nll = (score + scores["station"]) / 2, (nll + _nll(half)) / 2
        self.network.put(kept)
        return {**scores, "nll": nll, "score": score - 1e-4 * min(nll, 10.0)}

    def _logits(self, name: str, photos: Photos) -> SplitLogits:
        views = plain_views(photos, preprocessing_of(self.settings))
        logits = self.evaluator.logits(name, views, len(photos))
        return SplitLogits(name, logits, photos.labels)

    def _station_halves(self) -> tuple[SplitLogits, SplitLogits]:
        station = self.splits.station
        if station is None:
            raise DataError("There are no station photos.")
        logits = self._logits("station", station)
        chosen: NDArray[np.bool_] = first_half(station.samples)
        return logits.part(chosen, "station_chosen_on"), logits.part(~chosen, "station_held_out")

    def _finish(self) -> Path:
        chosen, progress = self.settings, self.progress
        if progress.best is None:
            raise DataError("No epoch was trained.")
        best = progress.best
        if progress.before is not None and progress.best_epoch >= chosen.unfreeze_epoch:
            best = blended(progress.before, best, chosen.blend)
        self.network.put(best)
        splits = [self._logits("val", self.splits.val)]
        if self.splits.test is not None:
            splits.append(self._logits("test", self.splits.test))
        fit_on = [splits[0]]
        if self.splits.station is not None:
            halves = self._station_halves()
            splits += halves
            fit_on.append(halves[0])
        temperature = shared_temperature(fit_on)
        info = self._info(splits, temperature, " and ".join(split.name for split in fit_on))
        result = save_model(self.place.result, info, weights_of(self.network.whole), half=True)
        self._note_looks(result)
        self.report.done(result, {name: figures["accuracy"] for name, figures in info.metrics.items()})
        return result

    def _note_looks(self, result: Path) -> None:
        """Keep how the training photos look to the network, so that the model doubts photos unlike all of them."""
        photos = self.splits.train
        if len(photos) < FEWEST:
            self.report.note(
                f"Photos unlike the training photos cannot be told: that takes {FEWEST} of these."
            )
            return
        self.report.note(f"Noting how the {len(photos)} training photos look")
        features = self.evaluator.features(plain_views(photos, preprocessing_of(self.settings)), len(photos))
        save_novelty(fit_novelty(features), result, load_info(result).weights_sha256)

    def _info(self, splits: Sequence[SplitLogits], temperature: float, fitted_on: str) -> ModelInfo:
        chosen = self.settings
        base = "torchvision's ImageNet weights" if self.place.base is None else self.place.base.name
        return ModelInfo(
            name=self.place.result.name.removesuffix(MODEL_SUFFIX),
            kind="image",
            architecture=ImageArchitecture("efficientnet_b2", chosen.head),
            preprocessing=preprocessing_of(chosen),
            temperature=temperature,
            metrics=all_figures(splits, temperature),
            provenance=Provenance(
                source=f"Trained by gcdesk's image trainer, starting from {base}.",
                date=time.strftime("%Y-%m-%d", time.gmtime()),
                data_fingerprint=self.splits.mark,
                seed=chosen.seed,
                git_commit=git_commit(),
                versions=library_versions(),
                details={
                    "settings": chosen.to_json(),
                    "best_epoch": self.progress.best_epoch,
                    "history": self.progress.history,
                    "temperature_fitted_on": fitted_on,
                    "training_photos": len(self.splits.train),
                    "stopped": self.progress.epoch < chosen.epochs,
                    "seconds_of_last_call": round(time.time() - self.started),
                },
            ),
        )


def _nll(split: SplitLogits) -> float:
    return float(negative_log_likelihood(softmax(split.logits), split.labels))
