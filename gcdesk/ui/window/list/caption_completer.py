"""Completions of a caption: captions of this session first, then the cities' item phrases. No Qt."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from pathlib import Path

_PAST = 2000  # past captions that are remembered


def read_phrases(path: Path) -> list[str]:
    """The phrases of a text file, one a line; `#` starts a comment. A missing file gives none."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return sorted({line.strip() for line in lines if line.strip() and not line.startswith("#")})


class Phrases:
    """Suggestions for the beginning of a caption."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = sorted(known)
        self._past: dict[str, int] = {}
        self._clock = 0

    def learn(self, known: Iterable[str]) -> None:
        """Set the phrases that are always there."""
        self._known = sorted(known)

    def remember(self, caption: str) -> None:
        """A caption that was used; it comes before the cities' phrases from now on."""
        text = " ".join(caption.lower().split())
        if len(text) < 3:
            return
        self._clock += 1
        self._past.pop(text, None)
        self._past[text] = self._clock
        if len(self._past) > _PAST:
            del self._past[next(iter(self._past))]

    def remember_all(self, captions: Iterable[str]) -> None:
        """Captions of earlier, the latest first."""
        for caption in reversed(list(captions)):
            self.remember(caption)

    def suggest(self, typed: str, limit: int = 6) -> list[str]:
        """Up to `limit` captions for what is typed: same beginning (latest used, then shortest), then a word inside."""
        start = " ".join(typed.lower().split())
        if not start:
            return []
        found = [text for text in reversed(self._past) if text.startswith(start) and text != start]
        first = bisect.bisect_left(self._known, start)
        last = bisect.bisect_right(self._known, start + "\uffff")
        beginnings = sorted(
            (text for text in self._known[first:last] if text != start), key=lambda t: (len(t), t)
        )
        found.extend(beginnings)
        if len(found) < limit and len(start) >= 2:
            inside = f" {start}"
            found.extend(sorted((text for text in self._known if inside in text), key=lambda t: (len(t), t)))
        return list(dict.fromkeys(found))[:limit]
