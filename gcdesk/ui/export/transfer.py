"""Photos carried into their folders and back again: journaled before each is touched, nothing overwritten. No Qt."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gcdesk.config.files import beside, flush
from gcdesk.config.placing import bring, is_another_file, put_under, same_content
from gcdesk.engine.errors import GcdeskError
from gcdesk.engine.os_errors import in_a_sentence
from gcdesk.store import JournaledMove, PlannedMove, Store
from gcdesk.ui.session.own_files import OwnFiles

Progress = Callable[[int, int], None]
# Photos that the journal takes at a time: each time is a write that the disk has to confirm.
_AT_ONCE = 50


@dataclass(frozen=True)
class Step:
    """One photo and where it shall lie."""

    item_id: int
    source: str
    target: Path


@dataclass(frozen=True)
class Placed:
    """One photo that was placed, what the file was then (size, modification time), and its number in the journal (0
    without one).
    """

    step: Step
    target: str
    identity: tuple[int, int]
    journal_id: int = 0


@dataclass
class Transfer:
    """What was done. `already`: photos whose place held the same content. `problems`: a sentence each."""

    moved: bool
    steps: tuple[Step, ...]
    placed: list[Placed] = field(default_factory=list)
    already: int = 0
    problems: list[str] = field(default_factory=list)
    made: list[Path] = field(default_factory=list)
    stopped: bool = False
    undone: bool = False


@dataclass(frozen=True)
class _Planned:
    step: Step
    work: Path
    target: Path
    identity: tuple[int, int]
    journal_id: int = 0


def carry_out(
    steps: Sequence[Step],
    move: bool,
    journal: Store | None = None,
    stop: threading.Event | None = None,
    tell: Progress | None = None,
    own: OwnFiles | None = None,
) -> Transfer:
    """Copy or move. One photo that cannot be placed does not keep the others; `stop` ends between two.

    journal: where each photo is written down before it is touched; None for one that nobody asks afterwards. own:
    learns the names that appear, so that the watched folder does not take them for new photos. Raises GcdeskError
    where the journal cannot be written at first.
    """
    return _Carrier(
        Transfer(move, tuple(steps)), stop, tell, journal or Store(in_memory=True), own or OwnFiles()
    ).run()


class _Carrier:
    """One transfer on its way."""

    def __init__(
        self,
        transfer: Transfer,
        stop: threading.Event | None,
        tell: Progress | None,
        journal: Store,
        own: OwnFiles,
    ) -> None:
        self.transfer = transfer
        self._stop, self._tell, self._journal, self._own = stop, tell, journal, own
        self._batch = journal.begin_moves(transfer.moved)

    def run(self) -> Transfer:
        steps = self.transfer.steps
        for first in range(0, len(steps), _AT_ONCE):
            if self._stopping():
                break
            planned = self._plan(steps[first : first + _AT_ONCE])
            try:
                numbers = self._journal.plan_moves(self._batch, [_journaled(item) for item in planned])
                self._do(
                    [replace(item, journal_id=n) for item, n in zip(planned, numbers, strict=True)], first
                )
            except GcdeskError as error:  # the journal cannot be written: nothing more is touched
                if not self.transfer.placed:
                    raise
                self.transfer.problems.append(str(error))
                break
        return self.transfer

    def _stopping(self) -> bool:
        if self._stop is not None and self._stop.is_set():
            self.transfer.stopped = True
        return self.transfer.stopped

    def _plan(self, steps: Iterable[Step]) -> list[_Planned]:
        """Free names for some photos; what lies at its place already, or is gone, is left out."""
        planned, taken = [], set[Path]()
        for step in steps:
            try:
                status = os.stat(step.source)  # raises for a photo that is gone, before any folder is made
                _make_folder(step.target.parent, self.transfer.made)
                target = _free_name(step, status.st_size, taken)
            except OSError as error:
                self.transfer.problems.append(in_a_sentence(error))
                continue
            if target is None:
                self.transfer.already += 1
                continue
            taken.add(target)
            planned.append(_Planned(step, beside(target), target, (status.st_size, status.st_mtime_ns)))
        return planned

    def _do(self, planned: Sequence[_Planned], first: int) -> None:
        """Place some photos that are in the journal, and tell it what became of them."""
        placed: list[Placed] = []
        for number, item in enumerate(planned):
            if self._stopping():
                break
            if self._tell is not None:
                self._tell(first + number, len(self.transfer.steps))
            try:
                placed.append(self._place(item))
            except OSError as error:
                self.transfer.problems.append(in_a_sentence(error))
        self.transfer.placed += placed
        if self.transfer.moved:
            _flush_folders([item.target for item in placed] + [item.step.source for item in placed])
        present = {item.journal_id for item in placed}
        self._journal.finish_moves(
            self._batch,
            [(item.journal_id, item.target, *item.identity) for item in placed],
            [item.journal_id for item in planned if item.journal_id not in present],
            [str(folder) for folder in self.transfer.made],
        )

    def _place(self, item: _Planned) -> Placed:
        moved = self.transfer.moved
        try:
            renamed = bring(item.step.source, item.work, moved)
        except BaseException:
            item.work.unlink(missing_ok=True)
            raise
        try:
            target = self._name(item)
        except BaseException:
            _give_back(item, renamed)
            raise
        if moved and not renamed:
            os.unlink(item.step.source)
        status = os.stat(target)
        return Placed(item.step, str(target), (status.st_size, status.st_mtime_ns), item.journal_id)

    def _name(self, item: _Planned) -> Path:
        """Give the hidden file its name, or the next one where somebody took that meanwhile."""
        for target in _names(item.target):
            if target != item.target:
                self._journal.retarget_move(item.journal_id, str(target))
            self._own.expect(str(target))
            try:
                put_under(item.work, target)
            except FileExistsError:
                self._own.forget(str(target))
                continue
            except BaseException:
                self._own.forget(str(target))
                raise
            return target
        raise OSError(errno.EEXIST, "there are too many files of this name", str(item.target))


def _journaled(item: _Planned) -> PlannedMove:
    return PlannedMove(item.step.item_id, item.step.source, str(item.work), str(item.target), *item.identity)


def _give_back(item: _Planned, renamed: bool) -> None:
    if renamed:
        put_under(item.work, Path(item.step.source))
    else:
        item.work.unlink(missing_ok=True)


def _flush_folders(files: Iterable[str]) -> None:
    """The journal may not be on the disk before the new names are."""
    for folder in {os.path.dirname(file) for file in files}:
        with contextlib.suppress(OSError):
            flush(Path(folder))


def _free_name(step: Step, size: int, taken: set[Path]) -> Path | None:
    """The first name that nothing has; None where one of them holds this very content already (or this very file)."""
    for target in _names(step.target):
        if _same(step.source, target, size):
            return None
        if target not in taken and not os.path.lexists(target):
            return target
    raise OSError(errno.EEXIST, "there are too many files of this name", str(step.target))


def _same(source: str, target: Path, size: int) -> bool:
    try:
        return os.stat(target).st_size == size and same_content(source, target)
    except OSError:
        return False


def _names(target: Path) -> Iterator[Path]:
    yield target
    for number in range(2, 10_000):
        yield target.with_name(f"{target.stem} ({number}){target.suffix}")


def _make_folder(folder: Path, made: list[Path]) -> None:
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for item in reversed(missing):
        item.mkdir(exist_ok=True)
        made.append(item)


# --- and back


def earlier(found: Sequence[JournaledMove], folders: Sequence[str]) -> Transfer:
    """A transfer of an earlier start, from the journal."""
    transfer = Transfer(bool(found) and found[0].moved, ())
    transfer.placed = [
        Placed(
            Step(item.item_id, item.source, Path(item.target)),
            item.target,
            (item.size, item.mtime_ns),
            item.id,
        )
        for item in found
    ]
    transfer.made = [Path(folder) for folder in folders]
    return transfer


def take_back(
    transfer: Transfer,
    journal: Store | None = None,
    own: OwnFiles | None = None,
    stop: threading.Event | None = None,
) -> Transfer:
    """Undo: copies are deleted whose original still holds the same content, moved photos return. What was changed
    since, or whose place is taken, stays.

    Returns a transfer whose `placed` are the photos that are back.
    """
    journal, own = journal or Store(in_memory=True), own or OwnFiles()
    back = Transfer(transfer.moved, transfer.steps)
    photos = list(reversed(transfer.placed))
    for first in range(0, len(photos), _AT_ONCE):
        if stop is not None and stop.is_set():
            back.stopped = True
            break
        part = [(item, beside(Path(item.step.source))) for item in photos[first : first + _AT_ONCE]]
        if transfer.moved:
            journal.begin_return([(item.journal_id, str(work)) for item, work in part])
        returned = []
        for item, work in part:
            try:
                if transfer.moved:
                    _move_back(item, work, own)
                else:
                    _delete_copy(item)
                returned.append(item)
            except OSError as error:
                back.problems.append(in_a_sentence(error))
        back.placed += returned
        if transfer.moved:
            _flush_folders([item.step.source for item in returned] + [item.target for item in returned])
        present = {item.journal_id for item in returned}
        journal.finish_return(
            sorted(present), [item.journal_id for item, _ in part if item.journal_id not in present]
        )
    for folder in reversed(transfer.made):
        with contextlib.suppress(OSError):  # something else lies in it
            folder.rmdir()
    transfer.undone = True
    return back


def _unchanged(placed: Placed) -> None:
    """Raises OSError for a file that is another one than was placed."""
    status = os.stat(placed.target)
    if (status.st_size, status.st_mtime_ns) != placed.identity:
        raise OSError(errno.EBUSY, "it was changed since and stays", placed.target)


def _move_back(placed: Placed, work: Path, own: OwnFiles) -> None:
    _unchanged(placed)
    source = Path(placed.step.source)
    if os.path.lexists(source):
        raise OSError(errno.EEXIST, "another file has its old name now, so it stays", placed.target)
    source.parent.mkdir(parents=True, exist_ok=True)
    own.expect(str(source))
    renamed = False
    try:
        renamed = bring(placed.target, work, True)
        put_under(work, source)
    except BaseException:
        own.forget(str(source))
        if renamed:
            put_under(work, Path(placed.target))
        else:
            work.unlink(missing_ok=True)
        raise
    if not renamed:
        os.unlink(placed.target)


def _delete_copy(placed: Placed) -> None:
    """Only where the original still holds what the copy does: else the copy is the last one."""
    _unchanged(placed)
    original = placed.step.source
    try:
        safe = same_content(original, placed.target) and is_another_file(original, placed.target)
    except OSError:
        raise OSError(errno.ENOENT, "its original is gone, so the copy stays", placed.target) from None
    if not safe:
        raise OSError(errno.EBUSY, "its original is another photo now, so the copy stays", placed.target)
    os.unlink(placed.target)
