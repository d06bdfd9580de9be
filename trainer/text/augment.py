"""Captions as operators make them: typing errors, missing, joined and exchanged words, one thing or several."""

from __future__ import annotations

import random
from dataclasses import dataclass

# Neighbours on a QWERTY keyboard.
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = {
    letter: row[max(0, i - 1) : i] + row[i + 1 : i + 2] for row in _ROWS for i, letter in enumerate(row)
}
_SHORTEST = 4  # shorter words turn into other words
_HISSING = ("s", "x", "z", "ch", "sh")


@dataclass(frozen=True)
class Disturbance:
    """Chances (0 to 1) that a caption gets a typing error in one word, loses a word, has two words joined, has its
    words in another order, has its last word in the plural or out of it.
    """

    typos: float = 0.0
    drop_word: float = 0.0
    join_words: float = 0.0
    word_order: float = 0.0
    plurals: float = 0.0


def disturb(text: str, chances: Disturbance, rng: random.Random) -> str:
    """Return `text` with what chance does to it."""
    words = text.split()
    if len(words) > 2 and rng.random() < chances.drop_word:
        words.pop(rng.randrange(len(words)))
    if words and rng.random() < chances.plurals:
        words[-1] = other_number(words[-1])
    long = [i for i, word in enumerate(words) if len(word) >= _SHORTEST]
    if long and rng.random() < chances.typos:
        place = rng.choice(long)
        words[place] = misspell(words[place], rng)
    if len(words) > 1 and rng.random() < chances.word_order:
        # A list names the thing first: `jar, glass, empty`.
        place = rng.randrange(1, len(words))
        words = [*words[place:], *words[:place]]
    if len(words) > 1 and rng.random() < chances.join_words:
        place = rng.randrange(len(words) - 1)
        words[place : place + 2] = [words[place] + words[place + 1]]
    return " ".join(words)


def other_number(word: str) -> str:
    """The plural of a singular, and the other way round, as regular words make them: `box`, `boxes`."""
    if len(word) < _SHORTEST - 1:
        return word
    if word.endswith("ies") and len(word) > _SHORTEST:
        return word[:-3] + "y"
    if word.endswith("es") and word[:-2].endswith(_HISSING):
        return word[:-2]
    if word.endswith("s"):
        return word if word.endswith("ss") else word[:-1]
    if word.endswith(_HISSING):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def misspell(word: str, rng: random.Random) -> str:
    """One error behind the first letter: a letter lost, doubled, swapped with the next, or its neighbour's key."""
    place = rng.randrange(1, len(word))
    kind = rng.randrange(4)
    if kind == 0:
        return word[:place] + word[place + 1 :]
    if kind == 1:
        return word[:place] + word[place] + word[place:]
    if kind == 2 and place + 1 < len(word):
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    return word[:place] + rng.choice(_NEIGHBOURS.get(word[place], word[place])) + word[place + 1 :]
