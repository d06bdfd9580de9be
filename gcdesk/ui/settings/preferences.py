"""The settings of the open window: applied at once, written a moment later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication

from gcdesk.config.settings import Settings, save_settings
from gcdesk.engine.captions.rules import is_unreadable
from gcdesk.engine.labels import NOT_SET
from gcdesk.store import Status
from gcdesk.ui.host import Host
from gcdesk.ui.session.rows import Outcome, Rows
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.theme.window_style import apply_theme
from gcdesk.ui.threads.file_tasks import FileTasks

if TYPE_CHECKING:
    from gcdesk.engine.selection.fitted_rule import FittedRule

# By kind: what to show, and the name to keep.
ModelChoices = dict[str, list[tuple[str, str | None]]]
_SAVE_MS = 300  # a spin box that is held down changes many times
_LOOK = {"theme", "text_scale"}
_THRESHOLDS = {"review_threshold", "disagreement_margin"}
_ANSWERS = {"image_model", "text_model", "rule", "text_weight"}
_WORKER = _THRESHOLDS | _ANSWERS | {"device", "threads"}


class Preferences(QObject):
    """changed(names): the fields that have new values."""

    changed = Signal(set)

    def __init__(self, host: Host) -> None:
        super().__init__(host.widget)
        self._host, self._controller = host, host.controller
        self._file_tasks = FileTasks(self)
        self._file_tasks.failed.connect(host.say)
        self._timer = QTimer(self, singleShot=True, interval=_SAVE_MS)
        self._timer.timeout.connect(self._take_over)
        self._applied = self._controller.settings
        self._offer_due = False
        # Not before the worker has what was changed: until then the former models and rule answer.
        self._controller.models_changed.connect(self._offer_if_due)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._controller.settings

    def change(self, **values: Any) -> None:
        """Give fields of the settings new values. The look changes at once, the worker follows."""
        new = replace(self.settings, **values)
        names = {f.name for f in fields(new) if getattr(new, f.name) != getattr(self.settings, f.name)}
        if not names:
            return
        self._controller.settings = new
        if names & _LOOK:
            self._show_look(new)
        self._host.refresh_detail()
        self._timer.start()
        self.changed.emit(names)

    def _show_look(self, settings: Settings) -> None:
        theme = Theme.named(settings.theme, settings.text_scale)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            apply_theme(app, theme)
        self._host.set_theme(theme)

    def _take_over(self) -> None:
        """The hand rests: write, and let worker and rows follow."""
        old, new = self._applied, self.settings
        self._applied = new
        self._file_tasks.run(lambda: save_settings(new), lambda _none: None)
        names = {f.name for f in fields(new) if getattr(new, f.name) != getattr(old, f.name)}
        if names & _WORKER:
            self._controller.configure(new)
        if names & _ANSWERS:
            self._offer_due = True
        elif names & _THRESHOLDS:
            self._judge_again(new)

    def _offer_if_due(self, _image: str, _text: str) -> None:
        due, self._offer_due = self._offer_due, False
        done = np.flatnonzero(self._controller.rows.status == Status.DONE)
        if due and len(done):
            photos = "photo" if len(done) == 1 else "photos"
            self._host.say(
                f"This counts for new photos; {len(done):,} {photos} of the list were answered before.",
                "Classify again",
                lambda: self._controller.retry(
                    np.flatnonzero(self._controller.rows.status >= Status.DONE).tolist()
                ),
            )

    def _judge_again(self, settings: Settings) -> None:
        """Which rows ask for a review under the new thresholds; no answer changes."""
        rows = self._controller.rows
        done = np.flatnonzero((rows.status == Status.DONE) & (rows.label != NOT_SET))
        items, image, text = rows.item_id[done].copy(), rows.image[done].copy(), rows.text[done].copy()
        # A photo or a caption that could not be read asks for a review whatever the other says.
        failed = np.array(
            [bool(rows.error[row]) or is_unreadable(rows.caption[row]) for row in done.tolist()], dtype=bool
        )

        def work() -> np.ndarray:
            return np.asarray(review_flags(image, text, settings) | failed)

        def finished(review: np.ndarray) -> None:
            found = np.array([rows.row_of(item) for item in items.tolist()], dtype=np.int64)
            known = found >= 0
            found, flags = found[known], review[known]
            changed = found[rows.review[found] != flags]
            rows.review[found] = flags
            if len(changed):
                self._controller.ledger.record(
                    [(int(rows.item_id[row]), _outcome(rows, row)) for row in changed.tolist()]
                )
                self._controller.rows_changed.emit(changed.astype(np.int32))

        if len(done):
            self._file_tasks.run(work, finished)

    def list_models(self, done: Callable[[ModelChoices], None]) -> None:
        """The models that can be chosen, read on a thread; the starter's name in the settings is None."""
        self._file_tasks.run(_choices, done)

    def close(self) -> None:
        """Write what waits."""
        if self._timer.isActive():
            self._timer.stop()
            new = self.settings
            self._file_tasks.run(lambda: save_settings(new), lambda _none: None)
        self._file_tasks.finish()


def _choices() -> ModelChoices:
    from gcdesk.engine.library.library import Library

    found: ModelChoices = {"image": [], "text": []}
    for model in Library().models():
        if model.info is not None:
            words = f"{model.name} (comes with gcdesk)" if model.starter else model.name
            found[model.info.kind].append((words, None if model.starter else model.name))
    return found


def _fitted_in_use(settings: Settings) -> FittedRule | None:
    """The selection that was fitted for the models of the settings, None where there is none."""
    from gcdesk.engine.library.library import Library
    from gcdesk.engine.modelfile.checkpoint import load_info
    from gcdesk.engine.selection.fitted_rule import load_fitted

    library = Library()
    folders = (library.resolve("image", settings.image_model), library.resolve("text", settings.text_model))
    image, text = (load_info(folder).weights_sha256 for folder in folders)
    return load_fitted(image, text)


def review_flags(image: np.ndarray, text: np.ndarray, settings: Settings) -> np.ndarray:
    """Whether a person should look, (n,) bool, from both models' probabilities (n, 4); NaN: abstained."""
    from gcdesk.engine.selection.rules import DEFAULT_RULE, Rule, select

    rule, weight = Rule(settings.rule) if settings.rule else DEFAULT_RULE, settings.text_weight
    if rule is Rule.FITTED:
        fitted = _fitted_in_use(settings)
        rule, weight = (fitted.applied, fitted.weight) if fitted is not None else (DEFAULT_RULE, weight)
    present = ~np.isnan(image[:, 0]), ~np.isnan(text[:, 0])
    chosen = select(rule, np.nan_to_num(image), np.nan_to_num(text), *present, settings.thresholds, weight)
    return np.asarray(chosen.review)


def _outcome(rows: Rows, row: int) -> Outcome:
    """The row's answer as it stands, to be recorded again."""
    return Outcome(
        image=None if np.isnan(rows.image[row, 0]) else rows.image[row].tolist(),
        text=None if np.isnan(rows.text[row, 0]) else rows.text[row].tolist(),
        label=int(rows.label[row]),
        winner=int(rows.winner[row]),
        confidence=float(rows.confidence[row]),
        margin=float(rows.margin[row]),
        review=bool(rows.review[row]),
        reason=rows.reason[row],
        error=rows.error[row],
        thumbnail=rows.thumbnail[row],
        width=int(rows.width[row]),
        height=int(rows.height[row]),
        seconds=float(rows.seconds[row]),
    )
