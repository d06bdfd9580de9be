"""The session's controller: joins rows, worker and store, and carries out what the operator does."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, SignalInstance
from PySide6.QtGui import QUndoStack

from gcdesk.config.settings import Settings
from gcdesk.engine.labels import NOT_SET
from gcdesk.store import SpotCheck, Status
from gcdesk.ui.session.ports import FoundPhoto, LedgerPort, LoadedSession, Ready, WorkerPort
from gcdesk.ui.session.progress import Batch, Progress
from gcdesk.ui.session.review import offer_spot_check
from gcdesk.ui.session.rows import NewItem, Outcome, Rows, failure
from gcdesk.ui.session.undo_commands import CaptionCommand, LabelCommand
from gcdesk.ui.threads.gui_priority import GuiPriority
from gcdesk.worker.protocol.messages import Priority

_PIECE = 500  # photos that are stored and shown at a time
_FLUSH_MS = 90  # results reach the list at most this often


class Controller(QObject):
    """The rows of the open session and all changes to them. Call from the window's thread."""

    rows_added = Signal(int, int)
    rows_changed = Signal(object)
    rows_reset = Signal()
    current_changed = Signal(int)
    progress_changed = Signal(object)
    preview_ready = Signal(int, str)
    heatmap_ready = Signal(int, str)
    words_ready = Signal(int, object, object)
    notice = Signal(str)
    offered = Signal(str, str, object)
    device_changed = Signal(str)
    models_changed = Signal(str, str)

    def __init__(
        self,
        ledger: LedgerPort,
        client: WorkerPort,
        settings: Settings,
        gui_priority: GuiPriority | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.ledger, self.client, self.settings = ledger, client, settings
        self.rows = Rows()
        self.undo_stack = QUndoStack(self)
        self.undo_stack.setUndoLimit(500)
        self.session_id, self.session_name = -1, ""
        self.current_row = -1
        self.gui_priority = gui_priority or GuiPriority()  # shared by the threads that scan and store
        self._early: list[FoundPhoto] = []  # came before a session is open
        self._chance = random.Random()
        self._batch = Batch()
        self._arrived: dict[int, Outcome] = {}
        self._flushed = 0.0
        self._edited = -1  # the row whose caption was just edited: somebody waits for its answer
        self._flush_timer = QTimer(self, singleShot=True, interval=_FLUSH_MS)
        self._flush_timer.timeout.connect(self._flush)
        self._closed = False
        self._connect_client()

    def _connect_client(self) -> None:
        client = self.client
        client.ready.connect(self._worker_ready)
        client.started.connect(self._started)
        client.result.connect(self._result)
        client.preview_ready.connect(lambda item, file: self._picture(self.preview_ready, item, file))
        client.heatmap_ready.connect(lambda item, file: self._picture(self.heatmap_ready, item, file))
        client.words_ready.connect(self._words)
        client.notice.connect(self.notice)

    # --- sessions

    def start(self) -> None:
        """Open the last session and start the worker; called when the window is on the screen."""
        self.client.start(self.settings)
        self.ledger.open_last(self._session_loaded)

    def new_session(self, name: str = "") -> None:
        """Begin an empty session; the old one stays in the store."""
        self.ledger.new_session(name, self._session_loaded)

    def open_session(self, session_id: int) -> None:
        """Open a stored session in place of the present one."""
        self.ledger.open_session(session_id, self._session_loaded)

    def open_day(self, source: str, name: str) -> None:
        """Today's session of a watched folder."""
        self.ledger.open_day(source, name, self._session_loaded)

    def _session_loaded(self, loaded: LoadedSession) -> None:
        self.client.cancel(None)
        self._flush_timer.stop()
        self._arrived.clear()
        self.undo_stack.clear()
        self.session_id, self.session_name = loaded.session_id, loaded.name
        self.rows.take(loaded.rows)
        self._new_batch()
        self.rows_reset.emit()
        early, self._early = self._early, []
        self.add_items(early)
        waiting = np.flatnonzero(self.rows.status == Status.QUEUED)
        if len(waiting):
            photos = "1 photo" if len(waiting) == 1 else f"{len(waiting):,} photos"
            self.offered.emit(
                f"This session has {photos} not finished.", "Finish", lambda: self.retry(waiting.tolist())
            )
        self._tell_progress()

    def clear_finished(self) -> None:
        """Take rows that need nothing more out of the list: done or decided. Nothing is deleted from the disk."""
        rows = self.rows
        settled = (rows.status >= Status.DONE) & ~rows.to_review() & (rows.status != Status.FAILED)
        gone = np.flatnonzero(settled | (rows.operator != NOT_SET))
        if len(gone):
            self._flush()
            self.ledger.forget(rows.item_id[gone].tolist())
            self.undo_stack.clear()
            rows.remove(gone)
            self._new_batch()
            self.rows_reset.emit()
            self._tell_progress()

    # --- photos in

    def add_items(self, photos: Sequence[FoundPhoto]) -> None:
        """Add photos to the open session; what comes before one is open waits for it."""
        session = self.session_id
        if session < 0:
            self._early += photos
            return
        for start in range(0, len(photos), _PIECE):
            piece = photos[start : start + _PIECE]
            self.ledger.add_items(session, piece, partial(self._added, session, piece))

    def _added(self, session: int, photos: Sequence[FoundPhoto], items: Sequence[NewItem]) -> None:
        if session != self.session_id or not items:
            return
        if not self._unfinished():
            self._new_batch()
        added = self.rows.add(items)
        errors = {photo.path: photo.error for photo in photos if photo.error}
        for row in added:
            if self.rows.path[row] in errors:
                self.rows.set_outcome(row, failure(errors[self.rows.path[row]]))
                self.ledger.record([(int(self.rows.item_id[row]), failure(errors[self.rows.path[row]]))])
        self.rows_added.emit(added.start, len(added))
        self._classify([row for row in added if self.rows.status[row] == Status.QUEUED])
        self._tell_progress()

    def _classify(self, rows: Sequence[int], priority: Priority = Priority.REST) -> None:
        self.client.classify(
            [(int(self.rows.item_id[r]), self.rows.path[r], self.rows.caption[r]) for r in rows], priority
        )

    # --- what the worker says

    def _worker_ready(self, ready: Ready) -> None:
        self.device_changed.emit(ready.device)
        self.models_changed.emit(ready.image_model or "", ready.text_model or "")
        if ready.notice:
            self.notice.emit(ready.notice)

    def say_state(self, state: str) -> None:
        """The worker's state, for the strip; once it is ready its device stands there."""
        words = {"starting": "Starting…", "restarting": "Starting again…", "failed": "Stopped"}
        if state in words:
            self.device_changed.emit(words[state])

    def _started(self, items: Sequence[int]) -> None:
        rows = [
            row for row in map(self.rows.row_of, items) if row >= 0 and self.rows.status[row] == Status.QUEUED
        ]
        if rows:
            self.rows.set_status(rows, Status.RUNNING)
            self.rows_changed.emit(np.array(rows, dtype=np.int32))

    def _result(self, item: int, outcome: Outcome) -> None:
        row = self.rows.row_of(item)
        if row < 0:
            return
        self._arrived[row] = outcome
        since = (time.monotonic() - self._flushed) * 1000
        if since > _FLUSH_MS or row == self._edited:
            self._edited = -1 if row == self._edited else self._edited
            self._flush()
        elif not self._flush_timer.isActive():
            self._flush_timer.start()

    def _flush(self) -> None:
        """Bring what arrived to the rows and the store, in one go."""
        self._flushed = time.monotonic()
        self._flush_timer.stop()
        arrived, self._arrived = self._arrived, {}
        if not arrived:
            return
        fresh = 0
        for row, outcome in arrived.items():
            fresh += self.rows.status[row] <= Status.RUNNING
            self.rows.set_outcome(row, outcome)
        self.ledger.record([(int(self.rows.item_id[row]), outcome) for row, outcome in arrived.items()])
        self._batch.pace.count(int(fresh))
        self.rows_changed.emit(np.fromiter(arrived, dtype=np.int32))
        self._tell_progress()

    def _words(self, item: int, words: Sequence[str], values: Sequence[float]) -> None:
        row = self.rows.row_of(item)
        if row >= 0:
            self.words_ready.emit(row, words, values)

    def _picture(self, signal: SignalInstance, item: int, file: str) -> None:
        row = self.rows.row_of(item)
        if row >= 0:
            signal.emit(row, file)

    # --- what the operator does

    def set_current(self, row: int) -> None:
        """Make a row the current one (-1: none)."""
        if row != self.current_row:
            self.current_row = row
            self.current_changed.emit(row)

    def set_captions(self, rows: Sequence[int], text: str) -> None:
        """Give rows a caption; can be undone. They are scored anew."""
        text = " ".join(text.split())
        changed = [row for row in rows if self.rows.caption[row] != text]
        if changed:
            self.undo_stack.push(
                CaptionCommand(self, changed, [self.rows.caption[row] for row in changed], text)
            )

    def set_labels(self, rows: Sequence[int], label: int) -> None:
        """The operator's label: 0 to 3, UNSURE, or NOT_SET to take it back; can be undone."""
        selected = np.asarray(rows, dtype=np.int64)
        changed = selected[self.rows.operator[selected] != label]
        self._push_labels(changed, np.full(len(changed), label, dtype=np.int8))

    def accept(self, rows: Sequence[int]) -> None:
        """What is shown becomes the operator's label; rows that he decided, or that have no answer, stay."""
        selected = np.asarray(rows, dtype=np.int64)
        changed = selected[(self.rows.operator[selected] == NOT_SET) & (self.rows.label[selected] != NOT_SET)]
        self._push_labels(changed, self.rows.label[changed].copy())

    def _push_labels(self, rows: np.ndarray, labels: np.ndarray) -> None:
        if len(rows):
            self.undo_stack.push(LabelCommand(self, rows, self.rows.operator[rows].copy(), labels))

    def apply_captions(self, rows: Sequence[int], texts: Sequence[str]) -> None:
        """Carry out a caption command."""
        self._edited = rows[-1] if rows else -1
        for row, text in zip(rows, texts, strict=True):
            self.rows.caption[row] = text
            item = int(self.rows.item_id[row])
            if self.rows.status[row] in (Status.DONE, Status.FAILED):
                image = self.rows.image[row]
                votes = None if np.isnan(image[0]) else image.tolist()
                self.client.rescore(item, text, votes, self.rows.error[row])
            else:
                self.client.classify([(item, self.rows.path[row], text)], Priority.EDITED)
        self.ledger.set_captions([int(self.rows.item_id[row]) for row in rows], texts)
        self.rows_changed.emit(np.asarray(rows, dtype=np.int32))

    def apply_labels(self, rows: np.ndarray, labels: np.ndarray) -> None:
        """Carry out a label command."""
        self.rows.set_operator(rows, labels)
        items, spots = self.rows.item_id[rows].tolist(), self.rows.spot[rows].tolist()
        self.ledger.set_labels(items, labels.tolist(), spots)
        self.rows_changed.emit(rows.astype(np.int32))

    def offer_spot_check(self) -> int:
        """Now and then a sure row to confirm, marked as offered; -1 otherwise."""
        row = offer_spot_check(self.rows, self.settings.confirm_one_in, self._chance)
        if row >= 0:
            self.rows.spot[row] = SpotCheck.OFFERED
            self.ledger.offer_spot(int(self.rows.item_id[row]))
            self.rows_changed.emit(np.array([row], dtype=np.int32))
        return row

    def show_first(self, rows: np.ndarray) -> None:
        """Rows on the screen are worked on before the rest."""
        waiting = [row for row in rows.tolist() if self.rows.status[row] == Status.QUEUED]
        if waiting:
            self.client.prioritise([int(self.rows.item_id[row]) for row in waiting], Priority.VISIBLE)

    def request_preview(self, row: int, size: int = 1600) -> None:
        """Have a JPEG of the photo made that fits `size` pixels; it comes as `preview_ready`."""
        self.client.preview(int(self.rows.item_id[row]), self.rows.path[row], size)

    def request_heatmap(self, row: int) -> None:
        """Where the image model looked, for the label that counts or its own where there is none."""
        image = self.rows.image[row]
        if np.isnan(image[0]):
            self.notice.emit("There is no heat-map: the image model gave no answer for this photo.")
            return
        final = self.rows.final(row)
        label = final if 0 <= final < len(image) else int(image.argmax())
        self.client.heatmap(int(self.rows.item_id[row]), self.rows.path[row], label)

    def request_words(self, row: int) -> None:
        """How much each caption word speaks for the label that counts; nothing where the text model abstained."""
        text = self.rows.text[row]
        if not np.isnan(text[0]):
            final = self.rows.final(row)
            label = final if 0 <= final < len(text) else int(text.argmax())
            self.client.words(int(self.rows.item_id[row]), self.rows.caption[row], label)

    def retry(self, rows: Sequence[int]) -> None:
        """Classify these again."""
        # After a stop nobody works on the other rows that wait, so the batch does not run again for their sake.
        waiting = np.flatnonzero(self.rows.status == Status.QUEUED)
        still_stopped = self._batch.cancelled and not np.isin(waiting, np.asarray(rows)).all()
        self._new_batch(again=len(rows))
        self._batch.cancelled = still_stopped
        self.rows.set_status(rows, Status.QUEUED)
        self._classify(list(rows))
        self.rows_changed.emit(np.asarray(rows, dtype=np.int32))
        self._tell_progress()

    def pause(self) -> None:
        """Start no more photos."""
        self._batch.paused = True
        self.client.pause()
        self._tell_progress()

    def resume(self) -> None:
        """Go on after `pause`."""
        self._batch.paused = False
        self._batch.pace.reset()
        self.client.resume()
        self._tell_progress()

    def cancel(self) -> None:
        """Stop within one batch. What is not done stays queued and can be finished later."""
        self.client.cancel(None)
        running = np.flatnonzero(self.rows.status == Status.RUNNING)
        self.rows.status[running] = Status.QUEUED
        self.rows_changed.emit(running.astype(np.int32))
        waiting = np.flatnonzero(self.rows.status == Status.QUEUED)
        self._batch.cancelled = True
        self._batch.paused = False
        self._tell_progress()
        if len(waiting):
            self.offered.emit(
                f"Stopped; {len(waiting):,} photos not finished.",
                "Finish",
                lambda: self.retry(waiting.tolist()),
            )

    def configure(self, settings: Settings) -> None:
        """Settings changed: the worker takes them over, and the rows on the screen follow the threshold."""
        self.settings = settings
        self.client.configure(settings)

    # --- progress

    def _unfinished(self) -> int:
        return int((self.rows.status <= Status.RUNNING).sum())

    def _new_batch(self, again: int = 0) -> None:
        self._batch.begin(len(self.rows) - self._unfinished() - again)

    def progress(self) -> Progress:
        """How far the present batch is."""
        return self._batch.progress(len(self.rows), self._unfinished())

    def _tell_progress(self) -> None:
        self.progress_changed.emit(self.progress())

    def close(self) -> None:
        """End the worker, finish writing. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._flush()
        self._flush_timer.stop()
        self.client.close()
        self.ledger.close()
