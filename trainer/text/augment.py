"""Typing errors and missing words, as operators make them: `tootpaste`, `nuttella`."""

from __future__ import annotations

import random

# Neighbours on a QWERTY keyboard.
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = {
    letter: row[max(0, i - 1) : i] + row[i + 1 : i + 2] for row in _ROWS for i, letter in enumerate(row)
}
_SHORTEST = 4  # shorter words turn into other words


def disturb(text: str, typos: float, drop_word: float, rng: random.Random) -> str:
    """Return `text` with a typing error in one word (chance `typos`) and one word less (chance `drop_word`)."""
    words = text.split()
    if len(words) > 2 and rng.random() < drop_word:
        words.pop(rng.randrange(len(words)))
    long = [i for i, word in enumerate(words) if len(word) >= _SHORTEST]
    if long and rng.random() < typos:
        place = rng.choice(long)
        words[place] = misspell(words[place], rng)
    return " ".join(words)


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
