"""Interfaces of the controller to the worker's client and the store, and their data classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from PySide6.QtCore import SignalInstance

from gcdesk.config.settings import Settings
from gcdesk.store import SessionInfo, Store
from gcdesk.ui.session.rows import NewItem, Outcome, Rows
from gcdesk.worker.protocol.messages import Priority


@dataclass(frozen=True, slots=True)
class FoundPhoto:
    """A photo to add. error: why the path gives no photo, "" for one that does.

    identity: size in bytes and modification time in nanoseconds as `gcdesk.store.identity` gives them; None where
    nobody has looked yet. any_time: a photo of the list with this path and size is this one, whatever its time.
    """

    path: str
    caption: str
    error: str = ""
    identity: tuple[int, int] | tuple[None, None] | None = None
    any_time: bool = False


@dataclass(frozen=True)
class Ready:
    """The worker is ready: device in words, names of the models ("" for none), a notice ("" for none)."""

    device: str
    image_model: str
    text_model: str
    notice: str = ""


@dataclass(frozen=True)
class LoadedSession:
    """A session read from the store."""

    session_id: int
    name: str
    rows: Rows = field(default_factory=Rows, repr=False)


class WorkerPort(Protocol):
    """The worker as the controller uses it. Item ids are the store's; calls return at once."""

    ready: SignalInstance  # Ready
    started: SignalInstance  # list of ids
    result: SignalInstance  # id, Outcome
    preview_ready: SignalInstance  # id, file
    heatmap_ready: SignalInstance  # id, file
    words_ready: SignalInstance  # id, words, what each adds to the label's probability
    notice: SignalInstance  # str

    def start(self, settings: Settings) -> None:
        """Start the worker process; `ready` follows."""

    def configure(self, settings: Settings) -> None:
        """Change models, rule, thresholds or device; the worker keeps its photos."""

    def classify(self, items: Sequence[tuple[int, str, str]], priority: Priority) -> None:
        """(id, path, caption); an id that waits already gets the new caption and priority."""

    def rescore(self, item: int, caption: str, image: Sequence[float] | None, error: str) -> None:
        """New caption; the image model's answer, or the photo's error, stays."""

    def prioritise(self, items: Sequence[int], priority: Priority) -> None:
        """Make photos that wait more urgent."""

    def cancel(self, items: Sequence[int] | None) -> None:
        """Forget photos, all for None: no answer comes for them."""

    def pause(self) -> None:
        """Start no more photos; captions and pictures go on."""

    def resume(self) -> None:
        """Go on after `pause`."""

    def preview(self, item: int, path: str, size: int) -> None:
        """Have a JPEG of the photo made that fits `size` pixels: `preview_ready`."""

    def heatmap(self, item: int, path: str, label: int) -> None:
        """Have a picture made of where the image model looked for a label: `heatmap_ready`."""

    def words(self, item: int, caption: str, label: int) -> None:
        """How much each word of the caption speaks for the label."""

    def close(self) -> None: ...


class LedgerPort(Protocol):
    """The store as the controller uses it. Calls return at once; `done` is called later on the window's thread."""

    @property
    def moves(self) -> Store:
        """The store, which keeps the journal of copied and moved photos. Raises StoreError before a session is open."""

    def open_last(self, done: Callable[[LoadedSession], None]) -> None:
        """Open the session used last, or a new one where there is none."""

    def new_session(self, name: str, done: Callable[[LoadedSession], None]) -> None:
        """Begin an empty session; "" names it after today."""

    def open_session(self, session_id: int, done: Callable[[LoadedSession], None]) -> None:
        """Load a session."""

    def add_items(
        self, session_id: int, photos: Sequence[FoundPhoto], done: Callable[[list[NewItem]], None]
    ) -> None:
        """Add photos; `done` gets the new ones with their ids, without those that the session had already."""

    def past_captions(self, done: Callable[[list[str]], None]) -> None:
        """Captions that operators wrote, the latest first."""

    def record(self, results: Sequence[tuple[int, Outcome]]) -> None:
        """Store results: (item id, outcome)."""

    def set_captions(self, items: Sequence[int], texts: Sequence[str]) -> None:
        """Store captions."""

    def set_labels(self, items: Sequence[int], labels: Sequence[int], spots: Sequence[int]) -> None:
        """Store the operator's labels, and which of them answer a spot check (codes of SpotCheck)."""

    def offer_spot(self, item: int) -> None:
        """Mark an item as offered for a spot check."""

    def forget(self, items: Sequence[int]) -> None:
        """These rows are cleared from the session's list."""

    def set_paths(self, items: Sequence[int], paths: Sequence[str]) -> None:
        """The photos were moved."""

    def find_copies(
        self, session_id: int, items: Sequence[int], done: Callable[[dict[int, int]], None]
    ) -> None:
        """Which of these photos, or of the session's others, hold the content of an earlier one: id to id."""

    def open_day(self, source: str, name: str, done: Callable[[LoadedSession], None]) -> None:
        """The session of a watched folder for today, begun under `name` where there is none yet."""

    def sessions(self, done: Callable[[list[SessionInfo]], None]) -> None:
        """All sessions, the one opened latest first."""

    def rename_session(self, session_id: int, name: str, done: Callable[[str], None]) -> None:
        """`done` gets why it did not work, or ""."""

    def delete_session(self, session_id: int, done: Callable[[str], None]) -> None:
        """Its rows and its own pictures; the photos stay. `done` gets why it did not work, or ""."""

    def close(self) -> None: ...
