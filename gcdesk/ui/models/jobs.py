"""Model operations of the window: list, import, use, check, export, move to the trash and restore.

Nothing here imports a runtime: what runs a model is a task in a process of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QFile, QObject, Signal

from gcdesk.config.folders import user_folders
from gcdesk.jobs.task_queue import QueuedTask, TaskQueue
from gcdesk.ui.host import Host
from gcdesk.ui.threads.file_tasks import FileTasks
from gcdesk.worker.protocol.task_messages import Progress, Task

if TYPE_CHECKING:
    from gcdesk.engine.library.library import Installed
    from gcdesk.ui.settings.preferences import Preferences

KINDS = ("image", "text")
_FIELDS = {"image": "image_model", "text": "text_model"}
_BIN = "deleted models"


@dataclass(frozen=True)
class Listed:
    """A model of the library and the bytes of its files."""

    model: Installed
    size: int

    @property
    def setting(self) -> str | None:
        """Its name in the settings."""
        return None if self.model.starter else self.model.name


@dataclass(frozen=True)
class Trashed:
    """A model that was moved to the trash: from where, and where it is now ("" where the system does not tell)."""

    name: str
    kind: str
    folder: Path
    now_at: str
    was_in_use: bool


class ModelJobs(QObject):
    """changed: the library, or the model in use, is another one."""

    changed = Signal()

    def __init__(self, host: Host, preferences: Preferences) -> None:
        super().__init__(host.widget)
        self._host, self._preferences = host, preferences
        self.queue = TaskQueue(self)
        self._file_tasks = FileTasks(self)
        self._file_tasks.failed.connect(host.say)
        self._known = {kind: getattr(preferences.settings, field) for kind, field in _FIELDS.items()}
        preferences.changed.connect(self._settings_changed)

    def close(self) -> None:
        self.queue.close()
        self._file_tasks.close()

    # --- reading

    def listed(self, done: Callable[[list[Listed]], object]) -> None:
        """Every model, those of the settings marked as in use; read on a thread."""
        chosen = dict(self._known)

        def work() -> list[Listed]:
            from dataclasses import replace

            from gcdesk.engine.library.library import Library

            found = []
            models = Library().models()
            names = {model.name for model in models}
            for model in models:
                wanted = chosen.get(model.info.kind) if model.info else None
                used = model.starter if wanted is None or wanted not in names else model.name == wanted
                size = sum(file.stat().st_size for file in model.folder.iterdir() if file.is_file())
                found.append(Listed(replace(model, in_use=bool(model.info) and used), size))
            return found

        self._file_tasks.run(work, done)

    def former(self, kind: str, done: Callable[[str | None], object]) -> None:
        """The model of a kind that was in use before: a name, "" for the starter, None for none."""
        now = self._known[kind]

        def work() -> str | None:
            from gcdesk.engine.library.history import previous_model
            from gcdesk.engine.library.library import Library

            return previous_model(kind, now, [model.name for model in Library().models()])

        self._file_tasks.run(work, done)

    # --- switching

    def use(self, kind: str, name: str | None) -> None:
        """Classify with this model (None: the starter) from now on; the old one answers until it is loaded."""
        self._preferences.change(**{_FIELDS[kind]: name})

    def _settings_changed(self, names: set[str]) -> None:
        from gcdesk.engine.library.history import record_use

        for kind, field in _FIELDS.items():
            if field in names:
                before, self._known[kind] = self._known[kind], getattr(self._preferences.settings, field)
                self._file_tasks.run(partial(record_use, kind, before), lambda _none: None)
        if names & set(_FIELDS.values()):
            self.changed.emit()

    # --- in and out

    def install(
        self,
        source: Path,
        name: str,
        *,
        use: bool = False,
        class_order: Sequence[str] | None = None,
        pooling: str | None = None,
        done: Callable[[str, str], object] = lambda name, why: None,
        progress: Callable[[Progress], object] = lambda progress: None,
    ) -> None:
        """Import a model, with a number behind a name that is taken; `done` gets the name, or "" and why not."""

        def installed(folder: str) -> None:
            path = Path(folder)
            final = path.name.removesuffix(".gcmodel")
            self.changed.emit()
            if use:
                self._file_tasks.run(lambda: _kind_of(path), lambda kind: self.use(kind, final))
            done(final, "")

        def start(free: str) -> None:
            words = [str(source), "--name", free]
            words += ["--class-order", ",".join(class_order)] if class_order else []
            words += ["--pooling", pooling] if pooling else []
            task = Task("import-model", tuple(words))
            self.queue.run(
                QueuedTask(
                    task, lambda end: installed(end.result), lambda why: done("", why or "Stopped."), progress
                )
            )

        self._file_tasks.run(lambda: _free_name(name), start)

    def export(self, name: str, target: Path, done: Callable[[Path], object]) -> None:
        """Write a model out; the ending of `target` says in which form. What is wrong goes to the strip."""

        def work() -> Path:
            from gcdesk.engine.library.library import Library

            if target.is_file():
                target.unlink()  # the file dialog has asked
            return Library().export(name, target)

        self._file_tasks.run(work, done)

    def verify(self, name: str, done: Callable[[str], object]) -> None:
        """Check a model's files and let it answer the sample photos; `done` gets the outcome in a sentence."""
        self.queue.run(
            QueuedTask(
                Task("verify-model", (name,)),
                lambda end: done(end.summary),
                lambda why: done(why or "Stopped."),
            )
        )

    # --- away and back

    def trash(self, listed: Listed, done: Callable[[Trashed], object]) -> None:
        """Move a model to the system's recycle bin, or to a folder beside the models where there is none."""
        model = listed.model
        kind = model.info.kind if model.info else ""
        was_in_use = bool(kind) and self._known[kind] == model.name
        if was_in_use:
            self.use(kind, None)

        def work() -> Trashed:
            from gcdesk.engine.library.library import Library

            indices: list[str] = []
            Library().discard(model.name, lambda folder: indices.append(move_to_trash(folder)))
            return Trashed(model.name, kind, model.folder, indices[0], was_in_use)

        def after(trashed: Trashed) -> None:
            self.changed.emit()
            done(trashed)

        self._file_tasks.run(work, after)

    def fetch_back(self, trashed: Trashed) -> None:
        """Undo of `trash`."""

        def work() -> bool:
            if not trashed.now_at or trashed.folder.exists() or not Path(trashed.now_at).exists():
                return False
            shutil.move(trashed.now_at, trashed.folder)
            return True

        def done(back: bool) -> None:
            if back and trashed.was_in_use:
                self.use(trashed.kind, trashed.name)
            self._host.say(
                f"{trashed.name} is back." if back else f"{trashed.name} is not in the recycle bin any more."
            )
            self.changed.emit()

        self._file_tasks.run(work, done)


def move_to_trash(folder: Path) -> str:
    """Move a folder to the recycle bin; where the system has none, into our own folder for it. Where it is now."""
    moved: Any = QFile.moveToTrash(str(folder))
    moved_there, target = moved if isinstance(moved, tuple) else (moved, "")
    if moved_there:
        return str(target)
    parent = user_folders().data / _BIN
    parent.mkdir(parents=True, exist_ok=True)
    target, number = parent / folder.name, 1
    while target.exists():
        number += 1
        target = parent / f"{folder.stem} ({number}){folder.suffix}"
    shutil.move(folder, target)
    return str(target)


def _kind_of(folder: Path) -> str:
    from gcdesk.engine.modelfile.checkpoint import load_info

    return load_info(folder).kind


def _free_name(name: str) -> str:
    from gcdesk.engine.library.library import Library

    return Library().free_name(name)
