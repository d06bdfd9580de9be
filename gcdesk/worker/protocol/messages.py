"""What window and worker say to each other: one frozen dataclass a message. Standard library only.

`id` is the store's id of an item. `ticket` tells one request about an item from the next: an answer carries
the ticket of its request.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import ClassVar


class Priority(IntEnum):
    """How urgent a photo is, the most urgent first. Of WATCHED photos the latest goes first, of others the earliest."""

    WATCHED = 0
    EDITED = 1
    VISIBLE = 2
    REST = 3


@dataclass(frozen=True)
class Message:
    """Anything on the wire; `type` is its name there."""

    type: ClassVar[str] = ""


# --- requests: from the window to the worker


@dataclass(frozen=True)
class Configure(Message):
    """Which models, rule and device; may come again. None: the one in use, the rule or lanes of the app.

    pictures_folder: where thumbnails, previews and heat-maps go.
    """

    type: ClassVar[str] = "configure"
    image_model: str | None
    text_model: str | None
    rule: str | None
    device: str
    threads: int | None
    review_threshold: float
    disagreement_margin: float
    weight: float
    pictures_folder: str


@dataclass(frozen=True)
class Item:
    """A photo to classify. caption: None takes it from the file's name, "" means that there is none."""

    id: int
    ticket: int
    path: str
    caption: str | None
    priority: Priority


@dataclass(frozen=True)
class Classify(Message):
    """An item that waits already is replaced."""

    type: ClassVar[str] = "classify"
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Rescore(Message):
    """Score a caption again and combine it with what the image model said. The photo is not opened.

    Where the worker remembers the photo's logits it takes these, else the logits given, else the probabilities
    as the rule saw them. error: what is wrong with the photo.
    """

    type: ClassVar[str] = "rescore"
    id: int
    ticket: int
    caption: str
    image_probabilities: tuple[float, ...] | None = None
    image_logits: tuple[float, ...] | None = None
    error: str | None = None


@dataclass(frozen=True)
class Prioritise(Message):
    """Waiting items become this urgent; one that is more urgent stays so."""

    type: ClassVar[str] = "prioritise"
    ids: tuple[int, ...]
    priority: Priority


@dataclass(frozen=True)
class Cancel(Message):
    """Forget items that wait, all for None. What is being worked on is finished."""

    type: ClassVar[str] = "cancel"
    ids: tuple[int, ...] | None


@dataclass(frozen=True)
class Pause(Message):
    """Start no more photos; captions, previews and heat-maps go on."""

    type: ClassVar[str] = "pause"


@dataclass(frozen=True)
class Resume(Message):
    """Go on after `Pause`."""

    type: ClassVar[str] = "resume"


@dataclass(frozen=True)
class HeatMap(Message):
    """Where the image model looked for a label: a grey PNG of the photo's proportions."""

    type: ClassVar[str] = "heatmap"
    id: int
    ticket: int
    path: str
    label: str


@dataclass(frozen=True)
class Preview(Message):
    """The photo as a JPEG that fits a square of `size` px."""

    type: ClassVar[str] = "preview"
    id: int
    ticket: int
    path: str
    size: int


@dataclass(frozen=True)
class Words(Message):
    """How much each word of a caption speaks for a label, for the text model."""

    type: ClassVar[str] = "words"
    id: int
    ticket: int
    caption: str
    label: str


@dataclass(frozen=True)
class Shutdown(Message):
    """End the process at once."""

    type: ClassVar[str] = "shutdown"


# --- events: from the worker to the window


@dataclass(frozen=True)
class Ready(Message):
    """The models are loaded. device: in words ("CPU, 2 threads"); models: their names, None where there is none."""

    type: ClassVar[str] = "ready"
    device: str
    image_model: str | None
    text_model: str | None
    image_sha256: str | None
    text_sha256: str | None
    rule: str
    versions: dict[str, str] = field(default_factory=dict)
    notice: str | None = None


@dataclass(frozen=True)
class Heartbeat(Message):
    """Alive; `busy` are the items in work."""

    type: ClassVar[str] = "heartbeat"
    busy: tuple[int, ...] = ()


@dataclass(frozen=True)
class Started(Message):
    """Items whose photos are opened now."""

    type: ClassVar[str] = "started"
    ids: tuple[int, ...]
    tickets: tuple[int, ...]


@dataclass(frozen=True)
class Vote:
    """One model's answer, in the order of the bins: as the rule saw it, and the logits where they are known."""

    probabilities: tuple[float, ...]
    label: str
    confidence: float
    logits: tuple[float, ...] = ()


@dataclass(frozen=True)
class Result(Message):
    """What became of an item. `label` and `winner` (image, text, both) are None where nobody could say anything.

    error: why the photo could not be used. thumbnail: its file. width, height: px of the upright photo, 0 unknown.
    looks_like: names of kinds of things, the likeliest first; of a caption that is scored again none is told.
    """

    type: ClassVar[str] = "result"
    id: int
    ticket: int
    image: Vote | None
    text: Vote | None
    label: str | None
    winner: str | None
    confidence: float
    margin: float
    review: bool
    reason: str
    error: str | None = None
    thumbnail: str | None = None
    width: int = 0
    height: int = 0
    seconds: float = 0.0
    looks_like: tuple[str, ...] = ()


@dataclass(frozen=True)
class HeatMapReady(Message):
    """The file of a heat-map."""

    type: ClassVar[str] = "heatmap_ready"
    id: int
    ticket: int
    file: str


@dataclass(frozen=True)
class PreviewReady(Message):
    """The file of a preview."""

    type: ClassVar[str] = "preview_ready"
    id: int
    ticket: int
    file: str


@dataclass(frozen=True)
class WordsReady(Message):
    """words, and what the label's probability loses without each (-1 to 1)."""

    type: ClassVar[str] = "words_ready"
    id: int
    ticket: int
    words: tuple[str, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Failed(Message):
    """A preview or a heat-map could not be made, and why."""

    type: ClassVar[str] = "failed"
    id: int
    ticket: int
    reason: str


@dataclass(frozen=True)
class Notice(Message):
    """Something that the operator should know, in a sentence."""

    type: ClassVar[str] = "notice"
    text: str


@dataclass(frozen=True)
class Fatal(Message):
    """The worker cannot classify, and why. It stays for another `configure`."""

    type: ClassVar[str] = "fatal"
    text: str


Request = (
    Configure
    | Classify
    | Rescore
    | Prioritise
    | Cancel
    | Pause
    | Resume
    | HeatMap
    | Preview
    | Words
    | Shutdown
)
Event = (
    Ready | Heartbeat | Started | Result | HeatMapReady | PreviewReady | WordsReady | Failed | Notice | Fatal
)
