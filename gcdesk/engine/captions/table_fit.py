"""How a caption table fits the photos that there are, and why it may not."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from gcdesk.engine.captions.caption_table import CaptionTable

_LOOKED_AT = 1000  # entries and photos, for a reason
_ENCODINGS = ("cp1252", "latin-1", "cp437", "mac_roman")  # that UTF-8 is taken for


def fit_note(name: str, table: CaptionTable, fitting: int, photos: Sequence[Path | str]) -> str:
    """A sentence where entries of a table fit no photo, "" where all do. fitting: how many entries fit."""
    count = len(table)
    if fitting == count or not photos:
        return ""
    if fitting:
        return f"{fitting:,} of {count:,} entries of {name} fit a photo."
    return f"0 of {count:,} entries of {name} fit a photo: {why_none(table, photos)}."


def why_none(table: CaptionTable, photos: Iterable[Path | str]) -> str:
    """The likely reason why no entry fits any of these photos, as the end of a sentence."""
    names = [os.path.basename(str(photo)) for photo in photos][:_LOOKED_AT]
    entries = list(table.by_entry)[:_LOOKED_AT]
    by_name = {name.casefold(): name for name in names}
    by_stem = {os.path.splitext(name)[0].casefold(): name for name in names}
    for entry in entries:
        last = entry.rpartition("/")[2]
        if last.casefold() in by_name:
            return f"their folders are others, such as in {entry!r}; leave the names alone, without folders"
        stem = os.path.splitext(last)[0].casefold()
        photo = by_stem.get(last.casefold()) or by_stem.get(stem)
        if photo is not None:
            return f"the endings differ, {last!r} in the table is {photo!r} in the folder"
        for read in _read_wrongly(last):
            if read.casefold() in by_name or os.path.splitext(read)[0].casefold() in by_stem:
                return f"{last!r} is {read!r} in a wrong encoding; save the table as CSV UTF-8"
    if any("\ufffd" in entry for entry in entries):
        return "letters of their names are lost; save the table as CSV UTF-8"
    return f"no name is alike, the first is {entries[0]!r} in the table and {names[0]!r} in the folder"


def _read_wrongly(name: str) -> list[str]:
    """What the name may have been before it was read in a wrong encoding."""
    found = []
    for encoding in _ENCODINGS:
        try:
            found.append(name.encode(encoding).decode("utf-8"))
        except (UnicodeEncodeError, UnicodeDecodeError):
            continue
    return [one for one in found if one != name]
