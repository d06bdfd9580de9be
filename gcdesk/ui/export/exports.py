"""The export feature: tables, bin folders, training sets. All file work runs on a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QStandardPaths, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog

from gcdesk.store import store_path
from gcdesk.ui.export.bin_folders import plan
from gcdesk.ui.export.dialogs import BinFoldersDialog, TrainingSetDialog
from gcdesk.ui.export.row_table import Format, some_rows, write_table
from gcdesk.ui.export.training_set import SavedSet, save_training_set
from gcdesk.ui.export.transfer import Step, Transfer, carry_out, earlier, take_back
from gcdesk.ui.host import Host
from gcdesk.ui.session.own_files import OwnFiles
from gcdesk.ui.session.wording import photos
from gcdesk.ui.threads.file_tasks import FileTasks
from gcdesk.ui.widgets.dialogs import Answer, OneAtATime, Question

_TELL_SECONDS = 0.5


class Exports(QObject):
    """Asks for the target, writes on a thread, reports the outcome in the status strip."""

    told = Signal(str, int, int)

    def __init__(self, host: Host, dialogs: OneAtATime, own: OwnFiles | None = None) -> None:
        super().__init__(host.widget)
        self._host, self._controller, self._dialogs = host, host.controller, dialogs
        self._own = own or OwnFiles()
        self._file_tasks = FileTasks(self)
        self._file_tasks.failed.connect(host.say)
        self._stop: threading.Event | None = None
        self._folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        self.told.connect(self._tell)
        self._others_may_close = host.may_close
        host.may_close = self._may_close

    def _may_close(self) -> bool:
        """Photos on their way are not left in the middle without a question."""
        if self._stop is None:
            return self._others_may_close()
        self._dialogs.show(
            "close while sorting",
            lambda: Question(
                self._host.widget,
                self._host.theme,
                "Photos are being copied or moved. Close all the same?",
                "It stops after the photo that is on its way. What is done stays done, the list knows where each photo"
                " is, and “Take back the last sorting” undoes it, also after the next start.",
                [Answer("Stop and close", self._host.close_unasked)],
                refuse="Go on",
            ),
        )
        return False

    def close(self) -> None:
        """A transfer stops between two photos; what is done is in the store already or on the disk."""
        if self._stop is not None:
            self._stop.set()
        self._file_tasks.finish()

    # --- tables

    def export_csv(self) -> None:
        self._ask_which("csv")

    def export_json(self) -> None:
        self._ask_which("json")

    def _ask_which(self, form: Format) -> None:
        rows, shown = self._controller.rows, self._host.visible_rows()
        if not len(rows):
            self._host.say("There is nothing to export yet.")
        elif 0 < len(shown) < len(rows):
            question = Question(
                self._host.widget,
                self._host.theme,
                f"Export {photos(len(shown))} or all {len(rows):,}?",
                "The list shows some of the photos only.",
                [
                    Answer(f"All {len(rows):,}", lambda: self._ask_file(form, np.arange(len(rows)))),
                    Answer(f"The {len(shown):,} shown", lambda: self._ask_file(form, shown), main=True),
                ],
            )
            self._dialogs.show("export", lambda: question)
        else:
            self._ask_file(form, shown if len(shown) else np.arange(len(rows)))

    def _ask_file(self, form: Format, numbers: np.ndarray) -> None:
        name = "".join(c for c in self._controller.session_name if c not in '<>:"/\\|?*') or "gcdesk"
        start = str(Path(self._folder) / f"{name}.{form}")
        chosen, _kind = QFileDialog.getSaveFileName(
            self._host.widget, f"Export as {form.upper()}", start, f"{form.upper()} (*.{form})"
        )
        if chosen:
            path = Path(chosen) if Path(chosen).suffix else Path(f"{chosen}.{form}")
            self.write_table(path, form, numbers)

    def write_table(self, path: Path, form: Format, numbers: np.ndarray) -> None:
        """Write these rows, in this order."""
        self._folder = str(path.parent)
        copy = some_rows(self._controller.rows, numbers)
        self._file_tasks.run(
            lambda: write_table(copy, path, form),
            lambda count: self._say_where(f"{photos(count)} written to {path.name}.", path.parent),
        )

    # --- bin folders

    def copy_to_bins(self) -> None:
        self._ask_bins(False)

    def move_to_bins(self) -> None:
        self._ask_bins(True)

    def _ask_bins(self, move: bool) -> None:
        if not len(self._controller.rows):
            self._host.say("There are no photos to sort yet.")
            return

        def make() -> BinFoldersDialog:
            dialog = BinFoldersDialog(self._host, move, "")
            dialog.wanted.connect(lambda numbers, folder, trust: self.sort(numbers, folder, move, trust))
            return dialog

        self._dialogs.show("bins", make)

    def sort(self, numbers: np.ndarray, folder: Path, move: bool, trust_models: bool) -> None:
        """Copy or move the photos of these rows into the bins' folders below `folder`."""
        if self._busy():
            return
        self._folder = str(folder)
        copy = some_rows(self._controller.rows, numbers)
        self._transfer(move, lambda: plan(copy, folder, trust_models))

    def _busy(self) -> bool:
        if self._stop is not None:
            self._host.say("Photos are being copied or moved already.")
        return self._stop is not None

    def _transfer(self, move: bool, steps: Callable[[], Sequence[Step]]) -> None:
        stop = self._stop = threading.Event()
        tell, journal = self._teller("Moving" if move else "Copying"), self._controller.ledger.moves

        def after() -> None:
            self._stop = None

        self._file_tasks.run(
            lambda: carry_out(steps(), move, journal, stop, tell, self._own), self._sorted, after
        )

    def _sorted(self, transfer: Transfer) -> None:
        self._follow(transfer)
        if transfer.placed:
            self._host.say(_said_of(transfer), "Undo", lambda: self.take_back(transfer))
        else:
            self._host.say(_said_of(transfer))

    def _follow(self, transfer: Transfer, back: bool = False) -> None:
        """The list knows where moved photos are."""
        if not transfer.moved:
            return
        rows, ledger = self._controller.rows, self._controller.ledger
        items = [entry.step.item_id for entry in transfer.placed]
        paths = [entry.step.source if back else entry.target for entry in transfer.placed]
        ledger.set_paths(items, paths)
        changed = [
            (row, path) for item, path in zip(items, paths, strict=True) if (row := rows.row_of(item)) >= 0
        ]
        for row, path in changed:
            rows.path[row] = path
        if changed:
            self._controller.rows_changed.emit(np.array([row for row, _ in changed], dtype=np.int32))

    def ask_take_back(self) -> None:
        """Say what the latest copying or moving did, also one of an earlier start, and ask whether to undo it."""
        journal = self._controller.ledger.moves
        if self._busy():
            return

        def found(transfer: Transfer) -> None:
            if not transfer.placed:
                self._host.say("There is nothing to take back: no photos were copied or moved into folders.")
                return
            self._dialogs.show("take back", lambda: self._take_back_question(transfer))

        self._file_tasks.run(lambda: earlier(*journal.last_moves()), found)

    def _take_back_question(self, transfer: Transfer) -> Question:
        count, folder = photos(len(transfer.placed)), Path(transfer.placed[0].target).parent
        if transfer.moved:
            heading = f"Move {count} back to where they were?"
            words = f"They were moved into folders such as {folder}. What was changed since stays there."
        else:
            heading = f"Delete {count} that were copied into folders?"
            words = (
                f"They are in folders such as {folder}. A copy whose original is gone or was changed stays."
            )
        return Question(
            self._host.widget,
            self._host.theme,
            heading,
            words,
            [
                Answer(
                    "Move back" if transfer.moved else "Delete copies",
                    lambda: self.take_back(transfer),
                    main=True,
                )
            ],
        )

    def take_back(self, transfer: Transfer) -> None:
        """Undo a transfer: on the thread, and said in a line."""
        if transfer.undone or self._busy():
            return
        transfer.undone = True
        stop = self._stop = threading.Event()
        journal = self._controller.ledger.moves

        def done(back: Transfer) -> None:
            self._follow(back, back=True)
            count = photos(len(back.placed))
            words = f"{count} moved back." if back.moved else f"{count} taken out of the bin folders again."
            self._host.say(words + _problems(back))

        def after() -> None:
            self._stop = None

        self._file_tasks.run(lambda: take_back(transfer, journal, self._own, stop), done, after)

    # --- training set

    def save_training_set(self) -> None:
        def make() -> TrainingSetDialog:
            dialog = TrainingSetDialog(self._host, self._folder)
            dialog.wanted.connect(self.write_training_set)
            return dialog

        self._dialogs.show("training set", make)

    def write_training_set(self, numbers: np.ndarray, folder: Path) -> None:
        """Copy the photos of these rows, labelled by hand, into a new folder in `folder`."""
        self._folder = str(folder)
        copy = some_rows(self._controller.rows, numbers)
        tell = self._teller("Saving")

        def done(saved: SavedSet) -> None:
            words = f"{photos(saved.total)} saved in “{saved.folder.name}”."
            if saved.set_aside:
                words += f" {saved.set_aside:,} of the test set were left out."
            if saved.problems:
                words += f" {len(saved.problems):,} could not be: {saved.problems[0]}"
            self._say_where(words, saved.folder)

        self._file_tasks.run(lambda: save_training_set(copy, folder, tell, store_path()), done)

    # --- words

    def _teller(self, verb: str) -> Callable[[int, int], None]:
        """For the thread: tells how far it is now and then."""
        last = time.monotonic()

        def tell(number: int, total: int) -> None:
            nonlocal last
            if time.monotonic() - last >= _TELL_SECONDS:
                last = time.monotonic()
                self.told.emit(verb, number, total)

        return tell

    def _tell(self, verb: str, number: int, total: int) -> None:
        words = f"{verb}: {number:,} of {photos(total)}"
        stop = self._stop
        if stop is not None:
            self._host.say(words, "Stop", stop.set)
        else:
            self._host.say(words)

    def _say_where(self, words: str, folder: Path) -> None:
        self._host.say(
            words, "Open folder", lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
        )


def _said_of(transfer: Transfer) -> str:
    words = f"{photos(len(transfer.placed))} {'moved' if transfer.moved else 'copied'} into bin folders."
    if transfer.already:
        words += f" {transfer.already:,} {'was' if transfer.already == 1 else 'were'} there already."
    if transfer.stopped:
        words += " Stopped before the rest."
    return words + _problems(transfer)


def _problems(transfer: Transfer) -> str:
    if not transfer.problems:
        return ""
    return f" {len(transfer.problems):,} could not be: {transfer.problems[0]}"
