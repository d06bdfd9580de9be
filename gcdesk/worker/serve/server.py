"""Carries out the window's requests: photos in lanes, captions on their own thread, pictures on another.

The thread that reads the pipe only hands requests over, so that it hears at once when the window is gone.
"""

from __future__ import annotations

import importlib.metadata
import logging
import platform
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import assert_never

from gcdesk.config.redaction import private_trace
from gcdesk.engine.errors import GcdeskError
from gcdesk.engine.os_errors import os_reason
from gcdesk.worker.process.lifecycle import exit_immediately, lower_thread_priority
from gcdesk.worker.process.outbox import Outbox
from gcdesk.worker.protocol.messages import (
    Cancel,
    Classify,
    Configure,
    Failed,
    Fatal,
    Heartbeat,
    HeatMap,
    HeatMapReady,
    Item,
    Notice,
    Pause,
    Preview,
    PreviewReady,
    Prioritise,
    Priority,
    Ready,
    Request,
    Rescore,
    Result,
    Resume,
    Shutdown,
    Started,
    Words,
    WordsReady,
)
from gcdesk.worker.serve.models import Models, load_models
from gcdesk.worker.serve.photo_queue import PhotoQueue
from gcdesk.worker.serve.picture_cache import Pictures
from gcdesk.worker.serve.scoring import ImageScoreCache, draw_heatmap, explain_words, rescore, score_items

_log = logging.getLogger(__name__)

# While somebody works at the window no lane takes more than this at once, so that cancel, pause and a change of
# order count soon.
INTERACTIVE_BATCH = 4
IDLE_SECONDS = 5.0
# Lanes yield to the window and to edited captions.
_LANE_STEP_BACK = 5
# A photo that takes longer than this does not hold up a change of models.
_LANE_PATIENCE = 10.0


class Server:
    """All that goes on in the worker. `handle` returns at once."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._models: Models | None = None
        self._have_models = threading.Event()
        self._pictures = Pictures(Path())
        self._pruning = threading.Lock()
        self._image_scores = ImageScoreCache()
        self._photos = PhotoQueue()
        self._captions: OrderedDict[int, Rescore] = OrderedDict()
        self._captions_changed = threading.Condition()
        self._drawings: queue.LifoQueue[HeatMap | Preview | Words] = queue.LifoQueue()
        self._configurations: queue.SimpleQueue[Configure] = queue.SimpleQueue()
        self._touched = float("-inf")
        self._lanes_ended = threading.Event()
        self._lanes: list[threading.Thread] = []
        self._busy: dict[str, tuple[int, ...]] = {}  # by thread
        self._busy_lock = threading.Lock()
        self._told_device = ""

    def start(self) -> None:
        """Begin; nothing is loaded before the first `configure`."""
        for name, work in (
            ("loader", self._load),
            ("captions", self._score_captions),
            ("pictures", self._draw),
        ):
            threading.Thread(target=_guarded(work), name=name, daemon=True).start()

    def heartbeat(self) -> None:
        """Say that the process lives, and on which items it works."""
        with self._busy_lock:
            busy = {number for ids in self._busy.values() for number in ids}
        self._outbox.send(Heartbeat(tuple(sorted(busy))))

    def handle(self, request: Request) -> None:
        """Take a request; the answers come as events."""
        match request:
            case Classify():
                if any(item.priority < Priority.REST for item in request.items):
                    self._touch()
                self._photos.put(request.items)
            case Rescore():
                self._touch()
                with self._captions_changed:
                    self._captions[request.id] = request
                    self._captions_changed.notify()
            case Prioritise():
                self._touch()
                self._photos.prioritise(request.ids, request.priority)
            case Cancel():
                self._photos.cancel(request.ids)
            case Pause():
                self._photos.pause(True)
            case Resume():
                self._photos.pause(False)
            case HeatMap() | Preview() | Words():
                self._touch()
                self._drawings.put(request)
            case Configure():
                self._configurations.put(request)
            case Shutdown():
                exit_immediately()
            case _:
                assert_never(request)

    @contextmanager
    def _working_on(self, *ids: int) -> Iterator[None]:
        thread = threading.current_thread().name
        with self._busy_lock:
            self._busy[thread] = ids
        try:
            yield
        finally:
            with self._busy_lock:
                del self._busy[thread]

    def _touch(self) -> None:
        self._touched = time.monotonic()

    # --- models

    def _load(self) -> None:
        while True:
            request = self._configurations.get()
            while not self._configurations.empty():
                request = self._configurations.get()
            try:
                models = load_models(request, self._models, self._notify)
            except GcdeskError as error:
                if self._models is None:
                    self._outbox.send(Fatal(str(error)))
                else:  # the models that were loaded go on
                    self._notify(str(error))
                    self._say_ready(self._models)
                continue
            self._end_lanes()
            self._pictures = Pictures(Path(request.pictures_folder))
            self._models = models
            self._say_ready(models)
            self._have_models.set()
            self._start_lanes(models)
            self._prune_soon()

    def _start_lanes(self, models: Models) -> None:
        self._lanes_ended = ended = threading.Event()
        work = _guarded(lambda: self._work_in_lane(models, ended))
        self._lanes = [
            threading.Thread(target=work, name=f"lane-{lane}", daemon=True)
            for lane in range(models.classifier.parallelism.lanes)
        ]
        for thread in self._lanes:
            thread.start()

    def _end_lanes(self) -> None:
        """Let the lanes finish what they have, so that every answer after `ready` is of the new models."""
        self._lanes_ended.set()
        self._photos.wake()
        for thread in self._lanes:
            thread.join(_LANE_PATIENCE)

    def _say_ready(self, models: Models) -> None:
        image, text = models.classifier.image, models.classifier.text
        self._told_device = models.device
        self._outbox.send(
            Ready(
                device=models.device,
                image_model=image.info.name if image else None,
                text_model=text.info.name if text else None,
                image_sha256=image.info.weights_sha256 if image else None,
                text_sha256=text.info.weights_sha256 if text else None,
                rule=models.classifier.rule.value,
                versions={
                    "python": platform.python_version(),
                    "onnxruntime": importlib.metadata.version("onnxruntime"),
                },
            )
        )

    def _notify(self, text: str) -> None:
        self._outbox.send(Notice(text))

    # --- photos

    def _work_in_lane(self, models: Models, ended: threading.Event) -> None:
        lower_thread_priority(_LANE_STEP_BACK)

        def most() -> int:
            largest = models.classifier.parallelism.image_batch
            idle = time.monotonic() - self._touched > IDLE_SECONDS
            return largest if idle else min(largest, INTERACTIVE_BATCH)

        while items := self._photos.take(most, ended.is_set):
            with self._working_on(*(item.id for item in items)):
                answers = self._classified(models, items)
            for answer in answers:
                self._outbox.send(answer)
            if self._pictures.due:
                self._prune_soon()
            if models.device != self._told_device:  # the GPU failed and the CPU took over
                self._say_ready(models)

    def _classified(self, models: Models, items: list[Item]) -> list[Result]:
        ids, tickets = (tuple(getattr(item, name) for item in items) for name in ("id", "ticket"))
        self._outbox.send(Started(ids, tickets))
        try:
            return score_items(models, self._pictures, self._image_scores, items)
        except MemoryError:
            raise
        except Exception as error:  # told to the operator, and in the log with all of its trace
            secrets = [text for item in items for text in (item.path, item.caption or "")]
            _log.error("items %s\n%s", list(ids), private_trace(error, secrets))
            return [_unexpected(item, error) for item in items]

    # --- captions

    def _score_captions(self) -> None:
        while True:
            with self._captions_changed:
                while not self._captions:
                    self._captions_changed.wait()
                # The latest first: it is the one that somebody looks at.
                _, request = self._captions.popitem()
            self._have_models.wait()
            assert self._models is not None  # noqa: S101 - set before the event
            with self._working_on(request.id):
                answer = self._rescored(self._models, request)
            self._outbox.send(answer)

    def _rescored(self, models: Models, asked: Rescore) -> Result:
        try:
            return rescore(models, self._image_scores, asked)
        except MemoryError:
            raise
        except Exception as error:  # told to the operator, and in the log with all of its trace
            _log.error("the caption of item %d\n%s", asked.id, private_trace(error, [asked.caption]))
            return _unexpected(Item(asked.id, asked.ticket, "", asked.caption, Priority.EDITED), error)

    # --- pictures

    def _draw(self) -> None:
        while True:
            request = self._drawings.get()
            self._have_models.wait()
            assert self._models is not None  # noqa: S101 - set before the event
            with self._working_on(request.id):
                made = self._drawn(self._models, request)
            self._outbox.send(made)
            if self._pictures.due:
                self._prune_soon()

    def _drawn(
        self, models: Models, asked: HeatMap | Preview | Words
    ) -> HeatMapReady | PreviewReady | WordsReady | Failed:
        try:
            if isinstance(asked, Preview):
                return PreviewReady(asked.id, asked.ticket, self._pictures.preview(asked.path, asked.size))
            if isinstance(asked, Words):
                return explain_words(models, asked)
            return HeatMapReady(asked.id, asked.ticket, draw_heatmap(models, self._pictures, asked))
        except MemoryError:
            raise
        except GcdeskError as error:
            return Failed(asked.id, asked.ticket, str(error))
        except OSError as error:
            return Failed(asked.id, asked.ticket, f"The picture cannot be written: {os_reason(error)}.")
        except Exception as error:  # told to the operator, and in the log with all of its trace
            secrets = [getattr(asked, name, "") for name in ("path", "caption")]
            _log.error("a picture of item %d\n%s", asked.id, private_trace(error, secrets))
            return Failed(asked.id, asked.ticket, f"The picture could not be made: {error}")

    def _prune_soon(self) -> None:
        """At the lowest priority; one at a time."""
        if self._pruning.acquire(blocking=False):
            threading.Thread(target=_guarded(self._prune), name="prune", daemon=True).start()

    def _prune(self) -> None:
        lower_thread_priority(19)
        try:
            self._pictures.prune()
        finally:
            self._pruning.release()


def _unexpected(item: Item, error: Exception) -> Result:
    message = f"gcdesk could not work on this ({type(error).__name__}: {error}); the log has the details."
    return Result(item.id, item.ticket, None, None, None, None, 0.0, 0.0, True, "", message)


def _guarded(work: Callable[[], None]) -> Callable[[], None]:
    """A thread that ends by an error takes the process with it: the window starts a new one and says so."""

    def run() -> None:
        try:
            work()
        except BaseException:
            _log.critical("the thread %s failed", threading.current_thread().name, exc_info=True)
            exit_immediately(70)

    return run
