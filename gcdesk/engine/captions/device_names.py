"""What a file's name says: its words without what cameras, phones, messengers, editors and stations add.

Nothing is left of a name that only a device or a program gave. The rules look at kinds of names: DCF (four
characters and four digits), dates and times, identifiers, and what each of `device_words` may stand beside.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from urllib.parse import unquote

from gcdesk.config.resources import resource_path
from gcdesk.config.thresholds import CAPTION_MAX_CHARACTERS
from gcdesk.engine.captions.device_words import (
    CODES,
    COPIES,
    COUNTED,
    EDITS,
    FILE_WORDS,
    LINKS,
    MODES,
    MONTHS,
    SERIES,
)

_ENDING = re.compile(
    r"[._ ](?:jpe?g|jpe|jfif|png|webp|gif|tiff?|bmp|hei[cf]|hif|avif|dng|cr[23]|nef|orf|arw|rw2|raf|pdf|mp4|mov)$",
    re.IGNORECASE,
)
# Roboflow's copies: `glass-jar-12_jpg.rf.<hash>`.
_ROBOFLOW = re.compile(r"[._](?:jpe?g|png|webp|bmp)\.rf\.[0-9a-zA-Z]+$", re.IGNORECASE)
# What identifies a file is replaced by a long number: as a date, it shows that a device wrote the name.
_STAMP = " 00000000 "
_UUID = re.compile(r"\{?[0-9a-f]{8}(?:[-_]?[0-9a-f]{4}){3}[-_]?[0-9a-f]{12}\}?", re.IGNORECASE)
_SIZE = re.compile(
    r"(?<![a-z0-9])(?:\d{2,5}x\d{2,5}|\d{3,4}p|\d+px|\d{1,2}mp)(?![a-z0-9])|@\dx", re.IGNORECASE
)
_CHUNK = re.compile(r"[^\W_]+")
_CASES = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_HEX = re.compile(r"(?=(?:.*\d){3})[0-9a-f]{12,}", re.IGNORECASE)
_HEX_CAPITALS = re.compile(r"(?=(?:.*\d){2})(?=(?:.*[A-F]){2})[0-9A-F]{8}")
_ID_SHORTEST = 7
_ID_PARTS = 4
_ID_PARTS_LETTERS = 6
_ID_PART_LENGTH = 3.2
# A photographer's or an app's name stands where words would: the whole name says nothing.
_WHOLE = re.compile(
    r"pexels-.*-\d{5,}|.*[-_][\w-]{11}-unsplash(?: ?\(\d+\))?|(?:screenshot|smartselect)_\d{4}[-\d]*_.*"
    r"|basler_.*\d{8}.*|processed with vsco.*|il_\d+x\w+\.\d+_\w+|outlook-\w{8}|line_album.*"
    r"|camera ?roll(?:[-_ ]?\d+)?|stock[-_ ]photo[-_ ]\d+"
    r"|[\w+-]{10,}\._[a-z]{2}[a-z0-9,_]+",
    re.IGNORECASE | re.DOTALL,
)
# Folder and file as DCF, the standard of all cameras, names them: `100CANON`, and four characters with four digits.
_DCF_FOLDER = re.compile(r"^\d{3}(?=[A-Z0-9_]*[A-Z])[A-Z0-9_]{5}[ _-](?=\w)")
_DCF = re.compile(r"(?<![A-Za-z0-9])(?=[A-Z0-9_]{0,3}[A-Z])([A-Z0-9_]{4})\d{4}(?![A-Za-z0-9])")
_DCF_SMALL = re.compile(
    r"(?<![A-Za-z0-9])([a-z]{2}\d{2}|[b-df-hj-np-tv-xz]{4}|[a-z]\d{3})\d{4}(?![A-Za-z0-9])"
)
# `100_1234`, `STA_0012`, `5D3_1234`: the fourth character is a line.
_DCF_LINE = re.compile(r"(?<![A-Za-z0-9])([A-Z0-9]{3})_\d{4}(?![A-Za-z0-9])")
# Letters that makers put before a number: P1040123 (Panasonic), P_20230501_1015 (Asus), GH010123 (GoPro),
# SAM_0123 (Samsung), MOV_0123, WP_2015 (Windows). Other pairs of letters are things: `tv_672`, `cd_1012`.
_NUMBERED = re.compile(
    r"^_?(?:[a-z]|g[hpsx]|gs__|sam|max|mov|wp|fhd|mvc|lv|sta|stk|kif|oly)[_-]*\d{3,}[a-z]?(?![a-z])",
    re.IGNORECASE,
)
_SCREEN_SHOT = re.compile(r"\bscreen[ _-]+(?:shot|recording|capture|grab)", re.IGNORECASE)
# `IMG_E2031` is an iPhone's edited IMG_2031.
_EDITED_IPHONE = re.compile(r"\bimg_e(?=\d)", re.IGNORECASE)
# A run of Latin letters, of other letters, or of digits.
_PART = re.compile(r"[A-Za-z\u00c0-\u024f]+|[^\W\d_A-Za-z\u00c0-\u024f]+|\d+")
_CLOCK = re.compile(r"(?<=\d)[hmstz](?=\d)", re.IGNORECASE)
_COUNTER = re.compile(r"0\d+")
_BRACKETED = re.compile(
    r"[ _]?\((?:small|medium|large|custom|mobile|mini|klein|mittel|gro(?:ß|ss)|petit|moyen|grand)\)$",
    re.IGNORECASE,
)
_POP_OUT = re.compile(r"pop[_-]out", re.IGNORECASE)
_REMOVED_GROUND = re.compile(r"[-_ ]removebg(?:[-_ ]preview)?", re.IGNORECASE)
_APPENDED_SIZES = frozenset(
    (
        "small",
        "medium",
        "large",
        "mini",
        "big",
        "full",
        "hd",
        "original",
        "orig",
        "preview",
        "final",
        "min",
        "web",
    )
)
_LEADING_EDITS = frozenset(("thumbnail", "thumbnails", "resized"))
_NOON = frozenset(("am", "pm"))
_LONG_NUMBER = 6
# Things with a frame of their own: no frame of a film.
_FRAMED = frozenset(("picture", "pictures", "photo", "photos", "window", "bed", "door"))
# `100ml`, `5mp`: two letters behind a number are its unit.
_UNIT = 2


@dataclass(frozen=True)
class _Part:
    """A run of letters or digits at start:end of the name. word: lower-case, folded; "" for digits.

    glued: digits stand right before these letters.
    """

    start: int
    end: int
    word: str
    glued: bool

    @property
    def length(self) -> int:
        return self.end - self.start


def words_of_name(stem: str) -> str:
    """The part of a file's stem that is a caption, as it stands; "" when only a device or a program speaks.

    `photo frame` and `image of a can` stay, `photo 3` does not; of `IMG_2031 banana peel - Copy` the words stay.
    """
    name = _without_endings(unicodedata.normalize("NFC", unquoted(stem[:CAPTION_MAX_CHARACTERS])).strip())
    if _WHOLE.fullmatch(name):
        return ""
    for pattern, instead in _REWRITTEN:
        name = pattern.sub(instead, name)
    camera, name = _without_camera(_without_ids(name))
    parts = _parts(name)
    long_number = any(not part.word and part.length >= _LONG_NUMBER for part in parts)
    marked = camera or long_number or _has_date(parts) or any(_is_code(part.word) for part in parts)
    telling = _telling(name, parts, marked)
    if not telling:
        return ""
    kept = _kept(parts, marked)
    if not kept or not any(part.word.isascii() for part in telling):
        kept = telling
    return _cut(name, parts, _without_edits(name, kept))


def unquoted(text: str) -> str:
    """`text` with the web's `%20` as the signs that they stand for."""
    return unquote(text, errors="replace") if "%" in text else text


def fold(text: str) -> str:
    """Lower-case, without accents; `œ æ ø ł ß` and their like become the letters that a keyboard has."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text).casefold() if not unicodedata.combining(c))
    return bare.translate(_LETTERS)


_LETTERS = str.maketrans(
    {
        "œ": "oe",
        "æ": "ae",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ħ": "h",
        "\u0131": "i",
        "ŋ": "n",
    }
)
_REWRITTEN = (
    (_BRACKETED, ""),
    (_SCREEN_SHOT, "screenshot"),
    (_EDITED_IPHONE, "img_"),
    (_POP_OUT, "popout"),
    (_REMOVED_GROUND, ""),
)


@cache
def _phrases() -> tuple[str, ...]:
    """The phrases that ship with the app: what people throw away."""
    text = resource_path("phrases.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if not line.startswith("#"))


@cache
def _item_words() -> frozenset[str]:
    """Words of things that people throw away: those of the phrases, and those that the starter learned."""
    learned = resource_path("models", "starter-text.gcmodel", "known-words.txt")
    words = {word for phrase in _phrases() for word in phrase.split()}
    if learned.is_file():
        words.update(line.removeprefix("~") for line in learned.read_text(encoding="utf-8").splitlines()[1:])
    return frozenset(words)


@cache
def _counted_things() -> frozenset[str]:
    """Words of COUNTED that people throw away: behind a date they are a device, behind a counter not (`tile_0012`)."""
    return COUNTED & frozenset(_phrases())


def _without_endings(name: str) -> str:
    """`glass jar.HEIC` and `IMG_1.jpg` end once more than a file needs."""
    name = _ROBOFLOW.sub(_STAMP, name)
    while (shorter := _ENDING.sub("", name)) != name:
        name = shorter
    return name


def _without_ids(name: str) -> str:
    """UUIDs, hashes, sizes and other identifiers become a number."""
    name = _SIZE.sub(_STAMP, _UUID.sub(_STAMP, name))
    name = _CHUNK.sub(lambda found: _STAMP if _is_id(found.group()) else found.group(), name)
    return _CLOCK.sub(" ", name)


def _is_id(chunk: str) -> bool:
    """Whether letters and digits are mixed as no word has them: `922d9ea2`, `FxYz12aWIAEabcd`."""
    if _HEX.fullmatch(chunk) or _HEX_CAPITALS.fullmatch(chunk):
        return True
    parts = _CASES.findall(chunk) if chunk.isascii() else []
    if len(chunk) < _ID_SHORTEST or len(parts) < _ID_PARTS or len(chunk) > _ID_PART_LENGTH * len(parts):
        return False
    inner = any(part.isdigit() for part in parts[:-1]) and any(not part.isdigit() for part in parts)
    return inner or len(parts) >= _ID_PARTS_LETTERS


def _without_camera(name: str) -> tuple[bool, str]:
    """Whether a camera counted in the name, and the name with its code as a number."""
    found = False

    def stamped(match: re.Match[str]) -> str:
        nonlocal found
        letters = "".join(c for c in match.group(1) if c.isalpha()).lower() if match.re.groups else ""
        if len(letters) > _UNIT and letters in _item_words() and letters not in FILE_WORDS | CODES:
            return match.group()
        found = True
        return _STAMP

    name = _DCF_FOLDER.sub(_STAMP, name)
    for pattern in (_DCF, _DCF_LINE, _DCF_SMALL, _NUMBERED):
        name = pattern.sub(stamped, name)
    return found, name


def _parts(name: str) -> list[_Part]:
    parts = []
    for found in _PART.finditer(name):
        text = found.group()
        word = "" if text.isdigit() else fold(text)
        glued = bool(word) and found.start() > 0 and name[found.start() - 1].isdigit()
        parts.append(_Part(found.start(), found.end(), word, glued))
    return parts


def _has_date(parts: Sequence[_Part]) -> bool:
    """Three numbers in a row, or a month beside a number."""
    numbers = 0
    for place, part in enumerate(parts):
        numbers = numbers + 1 if not part.word else 0
        if numbers == 3 or _is_month(parts, place):
            return True
    return False


def _is_month(parts: Sequence[_Part], place: int) -> bool:
    beside = [*parts[max(0, place - 1) : place], *parts[place + 1 : place + 2]]
    return parts[place].word in MONTHS and any(not part.word for part in beside)


def _is_code(word: str) -> bool:
    return word in CODES


def _telling(name: str, parts: Sequence[_Part], marked: bool) -> list[_Part]:
    """The words that no device writes, where they stand."""
    places = [place for place, part in enumerate(parts) if part.word]
    named = any(parts[place].word in FILE_WORDS for place in places)
    numbered = len(places) < len(parts)
    dated = _has_date(parts) or any(not part.word and part.length >= _LONG_NUMBER for part in parts)
    counted = dated or any(_COUNTER.fullmatch(name[part.start : part.end]) for part in parts)
    alone = all(parts[place].word in COUNTED | LINKS | SERIES or parts[place].length == 1 for place in places)
    words = {parts[place].word for place in places}
    idle = set(FILE_WORDS | CODES | COPIES | EDITS)
    if marked or named or numbered:
        idle |= LINKS
    if marked or named:
        idle |= MODES
    if numbered and not words & _FRAMED:
        idle |= SERIES
    if counted and (alone or marked):
        idle |= COUNTED if dated else COUNTED - _counted_things()
    found = [
        part
        for part, place in ((parts[place], place) for place in places)
        if not _is_idle(name, part, idle)
        and (part.length > 1 or not part.word.isascii())
        and not (part.glued and part.length == _UNIT)
        and not _is_month(parts, place)
    ]
    # Beside a camera's code or a date only what people throw away is a caption: apps add any words of theirs.
    if marked and not any(_is_item(part.word) or not part.word.isascii() for part in found):
        return []
    return found


def _is_idle(name: str, part: _Part, idle: Set[str]) -> bool:
    """Whether the word, or each one that capitals part it into (`capturedImage`), is idle."""
    if part.word in idle:
        return True
    inner = _CASES.findall(name[part.start : part.end])
    return len(inner) > 1 and all(fold(word) in idle for word in inner)


def _is_item(word: str) -> bool:
    words = _item_words()
    return (
        word in words
        or word + "s" in words
        or word.removesuffix("s") in words
        or word.removesuffix("es") in words
    )


def _kept(parts: Sequence[_Part], marked: bool) -> list[_Part]:
    """The words without codes, and without what a device wrote between numbers (`WhatsApp Image 2023-05-01 at`)."""
    idle = FILE_WORDS | CODES | COPIES | EDITS | LINKS | (MODES if marked else frozenset())
    kept: list[_Part] = []
    segment: list[int] = []
    dropped = False
    several = any(not part.word for part in parts)
    for place in range(len(parts) + 1):
        if place < len(parts) and parts[place].word:
            segment.append(place)
            continue
        words = [parts[at] for at in segment if not _is_code(parts[at].word)]
        lone = len(segment) == 1 and parts[segment[0]].word in SERIES
        if several and (lone or all(parts[at].word in idle or _is_month(parts, at) for at in segment)):
            dropped = dropped or bool(segment)
        elif words:
            dangling = (segment[0] > 0 and words[0].word in _NOON) or (dropped and words[0].word in LINKS)
            kept += words[1:] if dangling and len(words) > 1 else words
        segment = []
    return kept


def _without_edits(name: str, kept: list[_Part]) -> list[_Part]:
    """The words less what a copy or an editor added at either end."""
    while len(kept) > 1 and (kept[-1].word in COPIES | EDITS or _is_min(name, kept[-1])):
        kept = kept[:-1]
    gaps = [name[a.end : b.start].strip() for a, b in pairwise(kept)]
    if (
        len(kept) > 2
        and kept[-1].word in _APPENDED_SIZES
        and gaps[-1] in ("_", "-")
        and gaps[-1] not in gaps[:-1]
    ):
        kept = kept[:-1]
    leading = kept[0].word in _LEADING_EDITS or (
        kept[0].word == "thumb" and len(gaps) > 1 and gaps[0] == "_" != gaps[1]
    )
    if len(kept) > 1 and leading:
        kept = kept[1:]
    if len(kept) > 2 and kept[0].word in COPIES and kept[1].word in LINKS:
        kept = kept[2:]
    return kept


def _is_min(name: str, part: _Part) -> bool:
    """`-min`, which programs that shrink photos append; a blank before it makes it a word."""
    return part.word == "min" and part.start > 0 and name[part.start - 1] in "-_."


def _cut(name: str, parts: Sequence[_Part], kept: Sequence[_Part]) -> str:
    """The name from the first to the last kept part, without the words that are not kept."""
    if not kept:
        return ""
    starts = {part.start for part in kept}
    text = list(name)
    for part in parts:
        if part.word and part.start not in starts:
            text[part.start : part.end] = " " * part.length
    return "".join(text[kept[0].start : kept[-1].end])
