"""From a file name or a typed text to the words that a text model reads.

A caption is brought into the form that its model was trained on, by the rule that the model file names. An
empty caption means that there are no words: the text model abstains.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from pathlib import Path

from gcdesk.config.thresholds import CAPTION_MAX_CHARACTERS

_NOT_LETTERS = re.compile(r"[^a-z ]")
_DIGITS = re.compile(r"\d")
_WORDS = re.compile(r"[^\W\d_]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Prefixes that only cameras and phones write: never a word of a caption, so they go wherever they stand.
_CAMERA_CODES = _words(
    "img imgp dsc dscn dscf dscim pxl mvimg gopr dji cimg hpim kimg pict mmexport fullsizerender"
)
# Words that name a file when nothing but numbers and companions stand beside them (`photo 3`), and are
# words of a caption otherwise (`photo frame`).
_FILE_WORDS = _words(
    "image photo foto pic picture vid screenshot snapchat whatsapp signal telegram received untitled"
    " unnamed scan capture download burst"
)
# `IMG_1 - Copy`, `2024-05-01 at 10.20.30 AM`: with numbers alone these mean nothing either.
_LINKS = _words("a am at copy edit edited from jpeg jpg heic kopie bearbeitet new of pm png the webp")
# `PXL_1.PORTRAIT`, `IMG_1_BURST001_COVER`, `P_1_vHDR_On`: these alone may be things (`cover`, `top`).
_MODES = _words("cover fb gif hdr ios mp night on original pano portrait share top vhdr wa")
_COMPANIONS = _LINKS | _MODES
# Letters that makers put before a number: P1040123 (Panasonic), P_20230501_1015 (Asus), GH010123 (GoPro),
# SAM_0123 (Samsung), MOV_0123, WP_2015 (Windows). Other pairs of letters are things: `tv_672`, `cd_1012`.
_NUMBERED = re.compile(r"([a-z]|g[hpsx]|sam|mov|wp)[_-]?\d{3,}", re.IGNORECASE)
# A messenger or a screenshot followed by its date; apps add their own name behind
# (`Screenshot_2024..._Chrome`).
_DATED = re.compile(
    r"(?:screenshot|screen[ _-]shot|whatsapp[ _-]image|snapchat|signal|telegram)[ _-]*\d{4,}.*",
    re.IGNORECASE,
)
_SCREEN_SHOT = re.compile(r"screen[ _-]+shot", re.IGNORECASE)
_UUID = re.compile(r"\{?[0-9a-f]{8}(?:[-_]?[0-9a-f]{4}){3}[-_]?[0-9a-f]{12}\}?", re.IGNORECASE)
_HASH = re.compile(r"(?=(?:.*\d){3})[0-9a-f]{12,}", re.IGNORECASE)
# `IMG_E2031` is an iPhone's edited IMG_2031.
_EDITED_IPHONE = re.compile(r"\bimg_e(?=\d)", re.IGNORECASE)


class CaptionRule(StrEnum):
    """How a text becomes a caption. The value is what a model file records."""

    COURSE_V1 = "course-v1"
    COURSE_ORIGINAL = "course-original"


def apply_rule(text: str, rule: CaptionRule = CaptionRule.COURSE_V1) -> str:
    """Return `text` in the form that a model trained under `rule` reads; "" when nothing is left.

    COURSE_V1: lower-case, `_` and white space to one space, accents folded (NFKD), digits and whatever is
    not a to z removed, stripped. COURSE_ORIGINAL: `_` to space and digits removed, as the course's
    notebooks did, and stripped. What comes after CAPTION_MAX_CHARACTERS is not read. No text raises.
    """
    text = text[:CAPTION_MAX_CHARACTERS]
    if rule is CaptionRule.COURSE_ORIGINAL:
        return _DIGITS.sub("", text.replace("_", " ")).strip()
    folded = unicodedata.normalize("NFKD", text).casefold()
    spaced = " ".join(folded.replace("_", " ").split())
    return " ".join(_NOT_LETTERS.sub("", spaced).split())


def caption_from_path(path: Path | str, rule: CaptionRule = CaptionRule.COURSE_V1) -> str:
    """The caption that a file's name is: its stem by `rule`, and "" for a name that a camera gave.

    A camera's code beside real words is left out: `IMG_2031 banana peel.jpg` gives `banana peel`.
    """
    stem = Path(path).stem
    if is_camera_name(stem):
        return ""
    return apply_rule(_without_codes(stem), rule)


def is_camera_name(stem: str) -> bool:
    """Whether a file's stem was given by a camera, a phone or a messenger, so that its letters mean nothing.

    It was when nothing is left beside numbers and separators but camera codes (`DSC`), file words (`photo`)
    and their companions (`at`, `copy`, `edited`), or when it is a bare number, a date, a UUID or a hash.
    `photo frame` and `image of a can` are captions.
    """
    stem = _EDITED_IPHONE.sub("img_", stem.strip())
    if _UUID.search(stem) or _DATED.fullmatch(stem):
        return True
    words = [word.lower() for word in _WORDS.findall(_SCREEN_SHOT.sub("screenshot", stem))]
    if not words or _HASH.fullmatch(stem):
        return True
    if _NUMBERED.match(stem):
        words = words[1:]
        return all(word in _COMPANIONS for word in words)
    rest = [word for word in words if word not in _CAMERA_CODES and word not in _FILE_WORDS]
    if len(rest) < len(words):
        return all(word in _COMPANIONS for word in rest)
    return all(word in _LINKS for word in rest) and any(character.isdigit() for character in stem)


def _without_codes(stem: str) -> str:
    """The stem without camera codes that stand as words of their own."""
    return re.sub(
        r"[^\W\d_]+", lambda match: "" if match.group().lower() in _CAMERA_CODES else match.group(), stem
    )
