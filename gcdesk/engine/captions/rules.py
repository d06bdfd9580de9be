"""From a file name or a typed text to the words that a text model reads.

A caption is brought into the form that its model was trained on, by the rule that the model file names. An
empty caption means that there are no words: the text model abstains. Which part of a file's name is a caption at
all is the same for every rule (see `device_names`).
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from pathlib import Path

from gcdesk.config.thresholds import CAPTION_MAX_CHARACTERS
from gcdesk.engine.captions.device_names import fold, unquoted, words_of_name

_NOT_LETTERS = re.compile(r"[^a-z ]")
_DIGITS = re.compile(r"\d")
# Signs within a word, which it is written without: `kid's`, and what only lays out or joins letters.
_INSIDE_WORDS = re.compile("['\u2019\u2018\u02bc\u0060\u00b4\uff07\u00ad\u200d]")
# `GlassJar`, `TVStand`; but `iPhone`, `McDonald` and `TVs` are one word each.
_CAPITALS = re.compile(r"(?<=[A-Za-z][a-z])(?<!\bMc)(?=[A-Z][A-Za-z])|(?<=[A-Z]{2})(?=[A-Z][a-z]{2})")


class CaptionRule(StrEnum):
    """How a text becomes a caption. The value is what a model file records."""

    COURSE_V1 = "course-v1"
    COURSE_ORIGINAL = "course-original"
    COURSE_V2 = "course-v2"


DEFAULT_CAPTION_RULE = CaptionRule.COURSE_V2


def apply_rule(text: str, rule: CaptionRule = DEFAULT_CAPTION_RULE) -> str:
    """Return `text` in the form that a model trained under `rule` reads; "" when nothing is left.

    COURSE_V2: words of a to z in lower-case, one space between them. Accents and `œ æ ø ł ß` are folded,
    apostrophes go, capitals within a word and every other sign (`- . + , / %20`, digits, other scripts) part words.
    COURSE_V1: `_` and white space to one space, accents folded (NFKD), digits and whatever is not a to z removed.
    COURSE_ORIGINAL: `_` to space and digits removed, as the course's notebooks did, and stripped.
    What comes after CAPTION_MAX_CHARACTERS is not read. No text raises.
    """
    text = text[:CAPTION_MAX_CHARACTERS]
    if rule is CaptionRule.COURSE_ORIGINAL:
        return _DIGITS.sub("", text.replace("_", " ")).strip()
    if rule is CaptionRule.COURSE_V1:
        folded = unicodedata.normalize("NFKD", text).casefold()
        spaced = " ".join(folded.replace("_", " ").split())
        return " ".join(_NOT_LETTERS.sub("", spaced).split())
    whole = _INSIDE_WORDS.sub("", unicodedata.normalize("NFC", unquoted(text)))
    return " ".join(_NOT_LETTERS.sub(" ", fold(_CAPITALS.sub(" ", whole))).split())


def is_unreadable(text: str, rule: CaptionRule = DEFAULT_CAPTION_RULE) -> bool:
    """Whether somebody wrote something of which nothing is left: another script, emoji, digits alone."""
    return bool(text.strip()) and not apply_rule(text, rule)


def caption_from_path(path: Path | str, rule: CaptionRule = DEFAULT_CAPTION_RULE) -> str:
    """The caption that a file's name is: what its stem says, by `rule`, and "" for a name that a device gave.

    What a device or an editor wrote beside real words is left out: `IMG_2031 banana peel - Copy.jpg` gives
    `banana peel`.
    """
    return apply_rule(words_of_name(Path(path).stem), rule)


def is_camera_name(stem: str) -> bool:
    """Whether a file's stem was given by a camera, a phone, a messenger or a program, so that it says nothing."""
    return not words_of_name(stem)
