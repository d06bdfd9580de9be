"""Photos on their way into a session: files and folders are read on a thread, and come in piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from gcdesk.engine.captions.rules import caption_from_path
from gcdesk.engine.photos.discovery import find_photos
from gcdesk.ui.session.ports import FoundPhoto
from gcdesk.ui.threads.background import Background

_PIECE = 500  # photos that are stored and shown at a time
_FIRST_PIECE = 200


class PhotoReader:
    """Calls `take(session, photos)` on the window's thread for each piece, as long as its session is open.

    What comes before a session is open waits for it.
    """

    def __init__(self, background: Background, take: Callable[[int, list[FoundPhoto]], None]) -> None:
        self._background, self._take = background, take
        self._session = -1
        self._early: list[Iterator[FoundPhoto]] = []

    def open_session(self, session: int) -> None:
        """From now on photos go into this session; what is still to come of another one's stays out."""
        self._session = session
        early, self._early = self._early, []
        for found in early:
            self._read_on(found, _FIRST_PIECE)

    def read_paths(self, paths: Sequence[str]) -> None:
        found = find_photos(list(paths), self._background.right_of_way.give)
        self.read(FoundPhoto(str(one.path), None, one.error or "") for one in found)

    def read(self, found: Iterator[FoundPhoto]) -> None:
        if self._session < 0:
            self._early.append(found)
        else:
            self._read_on(found, _FIRST_PIECE)

    def _read_on(self, found: Iterator[FoundPhoto], size: int) -> None:
        session = self._session

        def done(piece: list[FoundPhoto]) -> None:
            if session != self._session:
                return
            if piece:
                self._take(session, piece)
            if len(piece) == size:
                self._read_on(found, _PIECE)

        self._background.run(lambda: [_with_caption(photo) for photo in islice(found, size)], done)


def _with_caption(photo: FoundPhoto) -> FoundPhoto:
    if photo.caption is not None:
        return photo
    return replace(photo, caption=caption_from_path(photo.path))
