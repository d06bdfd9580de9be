"""Checkpoints of a run: the newest two, each whole or not there, and the way back from the latest sound one."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gcdesk.config.files import replace_atomically
from gcdesk.engine.errors import GcdeskError
from trainer.checkpoint_file import DAMAGE, pack, unpack
from trainer.image.loop import Learner, Progress
from trainer.image.settings import ImageSettings

_KEPT = 2
_FULL = (errno.ENOSPC, errno.EDQUOT)


class ResumeError(GcdeskError):
    """A run that cannot be continued."""


class SaveError(GcdeskError):
    """A checkpoint that could not be written; those before it are untouched."""


class RunFolder:
    """Saves and restores a run. A checkpoint made with other settings or photos is refused."""

    def __init__(self, folder: Path, settings: ImageSettings, mark: str) -> None:
        self.folder = folder
        self._identity = json.dumps({"settings": settings.to_json(), "data": mark}, sort_keys=True)

    def checkpoints(self) -> list[Path]:
        """Those there are, the newest first."""
        return sorted(self.folder.glob("checkpoint-*.safetensors"), reverse=True)

    def save(self, learner: Learner, progress: Progress) -> Path:
        """Write a checkpoint to a temporary file, flush it, rename it; then drop all but the newest two.

        Raises SaveError, with the room that it needs, when the disk or the quota is full.
        """
        # In memory first: a library's own writer turns a full disk into an error that names no reason.
        packed = pack({"identity": self._identity, "learner": learner.state(), "progress": asdict(progress)})
        target = self.folder / f"checkpoint-{progress.epoch:04d}-{progress.step:06d}.safetensors"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with replace_atomically(target) as file:
                file.write(packed)
        except OSError as error:
            raise SaveError(self._why_not_saved(error, len(packed))) from error
        for old in self.checkpoints()[_KEPT:]:
            old.unlink(missing_ok=True)
        return target

    def _why_not_saved(self, error: OSError, size: int) -> str:
        megabytes = f"{size / 1e6:.0f} MB"
        kept = self.checkpoints()
        rest = f"{kept[0].name} is kept, and the run continues from it." if kept else "Nothing was saved yet."
        if error.errno in _FULL:
            return (
                f"The disk or your quota is full: there is no room in {self.folder} for a checkpoint of "
                f"{megabytes}. {rest} Make room for {_KEPT + 1} checkpoints and submit again."
            )
        return f"A checkpoint of {megabytes} cannot be written in {self.folder}: {error.strerror}. {rest}"

    def resume(self, learner: Learner, note: Callable[[str], None] = lambda _text: None) -> Progress:
        """Put the learner where the newest sound checkpoint stands; without any, the run starts at its
        beginning.

        `note` is told of those that were skipped. Raises ResumeError when all are damaged, or are of
        another run.
        """
        found = self.checkpoints()
        for file in found:
            try:
                content: dict[str, Any] = unpack(file, learner.device)
                same = content["identity"] == self._identity
            except DAMAGE as error:
                first = str(error).splitlines()[0] if str(error) else type(error).__name__
                note(f"{file.name} is damaged and is skipped ({first}).")
                continue
            if not same:
                raise ResumeError(
                    f"{file} belongs to a run with other settings or photos: use another run folder."
                )
            learner.put(content["learner"])
            return Progress(**content["progress"])
        if found:
            raise ResumeError(
                f"Every checkpoint in {self.folder} is damaged: delete them to start again"
                f" ({', '.join(file.name for file in found)})."
            )
        return Progress()
