"""The words that a text model learned, so that a caption in other words can be told from one that it knows.

The file beside the weights lists the words of the training captions in the order of the alphabet, never a caption. A
word is known when it was learned, or is close to one that was: another form of it, a typing error, two known words in
one, or a word that the model puts beside a learned one by its meaning (`nectarine`; in the file behind a `~`). That
the vocabulary has pieces for a word says nothing: it has pieces for any letters. A model without the file (older ones,
imported ones) knows its words as its vocabulary does (see `CaptionTokenizer.unknown`).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gcdesk.config.files import write_atomically
from gcdesk.config.thresholds import MODEL_EXTRA_MAX_BYTES
from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.modelfile.info import ModelInfo
from gcdesk.engine.modelfile.tokenizer import CaptionTokenizer

_log = logging.getLogger(__name__)
WORDS_FILE = "known-words.txt"
_HEAD = "gcdesk words known to the text model, weights "
_CLOSE = "~"
_WORD = re.compile(r"[^\s]{1,100}")
# They stand in any caption and say nothing of the thing.
_LITTLE_WORDS = frozenset(
    (
        "a",
        "an",
        "and",
        "at",
        "by",
        "for",
        "from",
        "in",
        "no",
        "not",
        "of",
        "on",
        "or",
        "the",
        "to",
        "with",
        "without",
    )
)
# Shorter words turn into other words by one letter.
_SHORTEST_TYPO = 5
_SHORTEST_STEM = 3
_ENDINGS = ("s", "es", "ed", "ing", "er", "y", "d", "ly")
_ADDED = ("s", "es", "ed", "ing", "er", "y")


@dataclass(frozen=True)
class Knowledge:
    """What a text model knows of n captions. shares (n,): the known part of each one's words, 1 where there are none.

    unknown: each caption's words that are not known; empty also where the model cannot name them.
    """

    shares: NDArray[np.float64]
    unknown: tuple[tuple[str, ...], ...]


class KnownWords:
    """The words of a training, and what is close to them. close: words that are so by their meaning."""

    def __init__(self, words: Iterable[str], close: Iterable[str] = ()) -> None:
        self.words = frozenset(words)
        self.close = frozenset(close)
        self._shortened: dict[str, set[str]] | None = None

    def knows(self, word: str) -> bool:
        """Whether the word was learned or is close to one that was."""
        if word in self.close or word.removesuffix("s") in self.close or word + "s" in self.close:
            return True
        return word in self.words or self._is_form(word) or self._is_compound(word) or self._is_typo(word)

    def known_share(self, caption: str) -> tuple[float, tuple[str, ...]]:
        """The share of the words of a caption (in rule form) that are known, and those that are not."""
        words = [word for word in caption.split() if word not in _LITTLE_WORDS and len(word) > 1]
        if not words:
            return 1.0, ()
        unknown = [word for word in words if not self.knows(word)]
        return 1.0 - len(unknown) / len(words), tuple(dict.fromkeys(unknown))

    def _is_form(self, word: str) -> bool:
        if len(word) >= _SHORTEST_STEM and any(word + ending in self.words for ending in _ADDED):
            return True
        return any(stem in self.words for stem in _stems(word))

    def _is_compound(self, word: str) -> bool:
        return any(
            word[:place] in self.words and word[place:] in self.words and word[:place] != word[place:]
            for place in range(_SHORTEST_STEM, len(word) - _SHORTEST_STEM + 1)
        )

    def _is_typo(self, word: str) -> bool:
        """One letter lost, added, exchanged or swapped with its neighbour, behind the first letter."""
        if len(word) < _SHORTEST_TYPO:
            return False
        if self._shortened is None:
            self._shortened = {}
            for known in self.words:
                if len(known) >= _SHORTEST_TYPO - 1:
                    for short in _shortened(known):
                        self._shortened.setdefault(short, set()).add(known)
        candidates = {known for short in _shortened(word) for known in self._shortened.get(short, ())}
        return any(_one_error(word, known) for known in candidates)


def _stems(word: str) -> Iterator[str]:
    """What the word may be a form of: `batteries` of battery, `chopping` of chop."""
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if len(stem) == len(word) or len(stem) < _SHORTEST_STEM:
            continue
        yield from (stem, stem + "e", stem + "y")
        if stem[-1] == stem[-2]:
            yield stem[:-1]
    if word.endswith("ies"):
        yield word[:-3] + "y"


def _shortened(word: str) -> set[str]:
    """The word, and it less one letter behind the first."""
    return {word} | {word[:place] + word[place + 1 :] for place in range(1, len(word))}


def _one_error(word: str, known: str) -> bool:
    """Whether one typing error lies between two words of which one letter less of each may be the same."""
    if abs(len(word) - len(known)) == 1:
        short, long = sorted((word, known), key=len)
        return short in _shortened(long)
    differing = [place for place, (a, b) in enumerate(zip(word, known, strict=True)) if a != b]
    if len(differing) == 1:
        return True
    swapped = len(differing) == 2 and differing[1] == differing[0] + 1
    return swapped and word[differing[0]] == known[differing[1]] and word[differing[1]] == known[differing[0]]


def knowledge_of(captions: Sequence[str], tokenizer: CaptionTokenizer, known: KnownWords | None) -> Knowledge:
    """What a model with these words, or with this vocabulary alone, knows of captions in rule form."""
    if known is None:
        return Knowledge(np.where(tokenizer.unknown(captions), 0.0, 1.0), ((),) * len(captions))
    found = [known.known_share(caption) for caption in captions]
    return Knowledge(
        np.array([share for share, _ in found], dtype=np.float64), tuple(words for _, words in found)
    )


def words_of(captions: Iterable[str]) -> frozenset[str]:
    """The words of captions in rule form that are worth knowing."""
    return frozenset(word for caption in captions for word in caption.split() if len(word) > 1)


def save_known_words(
    words: Iterable[str], folder: Path, weights_sha256: str, close: Iterable[str] = ()
) -> Path:
    """Put the file into a model folder. close: words that are not learned, but close to learned ones by meaning."""
    file = Path(folder) / WORDS_FILE
    marked = sorted(_CLOSE + word for word in set(close))
    write_atomically(file, "\n".join([_HEAD + weights_sha256, *sorted(set(words)), *marked]) + "\n")
    return file


def load_known_words(folder: Path, info: ModelInfo) -> KnownWords | None:
    """The words of a model folder, None where it has no such file, or one of other weights.

    Raises ModelFileError for a damaged one.
    """
    file = Path(folder) / WORDS_FILE
    try:
        with file.open("rb") as stream:
            raw = stream.read(MODEL_EXTRA_MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ModelFileError(f"{folder.name}: {WORDS_FILE} cannot be read: {error.strerror}.") from error
    head, *words = raw.decode("utf-8", "replace").split("\n")
    words = [word for word in words if word]
    if len(raw) > MODEL_EXTRA_MAX_BYTES or not all(map(_WORD.fullmatch, words)):
        raise ModelFileError(f"{folder.name}: {WORDS_FILE} is damaged: delete it.")
    if head != _HEAD + info.weights_sha256:
        # It says nothing of these weights; the model is as good without it.
        _log.warning("%s: %s belongs to other weights and is passed over.", folder.name, WORDS_FILE)
        return None
    close = [word.removeprefix(_CLOSE) for word in words if word.startswith(_CLOSE)]
    return KnownWords((word for word in words if not word.startswith(_CLOSE)), close)
