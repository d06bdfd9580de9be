"""Damage, as it comes from bad disks and bad people: bytes changed at random, and JSON changed in its meaning."""

from __future__ import annotations

import json
import random
import struct
import zlib
from collections.abc import Sequence
from typing import Any

_INTERESTING = (0, 1, 2, 7, 8, 127, 128, 255, 256, 32_767, 65_535, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
_ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 0.5, 1e308, -0.0, 2**31, 2**63, 2**70, 10**400, "", "x", "\0", "\ud800", "NaN",
    "../../x", "a" * 5000, [], {}, [[]], [None] * 40, {"": None}, {"__class__": "x"}, [0.1, 0.2, 0.3], [1e308] * 4,
)  # fmt: skip
_PNG = b"\x89PNG\r\n\x1a\n"


def mutated(data: bytes, others: Sequence[bytes], rng: random.Random, words: Sequence[bytes] = ()) -> bytes:
    """`data` with one to eight changes; parts of `others` and of `words` may turn up in it."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5, 8))):
        _change(out, others, rng, words)
    if out.startswith(_PNG) and rng.random() < 0.7:
        return _with_sound_checksums(bytes(out))
    return bytes(out)


def _change(out: bytearray, others: Sequence[bytes], rng: random.Random, words: Sequence[bytes]) -> None:
    # Headers decide more than pixels do: half of the changes are near the beginning.
    end = len(out) if rng.random() < 0.5 else min(len(out), 256)
    at = rng.randrange(end) if end else 0
    length = min(len(out) - at, rng.choice((1, 2, 4, 8, 32, 512)))
    match rng.randrange(9):
        case 0 if out:
            out[at] ^= 1 << rng.randrange(8)
        case 1 if out:
            out[at] = rng.randrange(256)
        case 2:
            order = rng.choice("<>") + rng.choice("BHIQ")
            number = rng.choice(_INTERESTING) & (2 ** (8 * struct.calcsize(order)) - 1)
            packed = struct.pack(order, number)
            out[at : at + len(packed)] = packed
        case 3:
            del out[at : at + length]
        case 4:
            out[at:at] = out[at : at + length] * rng.choice((1, 2, 64))
        case 5:
            out[at:at] = rng.randbytes(length)
        case 6 if others:
            other = rng.choice(others)
            start = rng.randrange(max(1, len(other)))
            out[at : at + length] = other[start : start + rng.choice((4, 64, 4096))]
        case 7 if words:
            word = rng.choice(words)
            out[at : at + (len(word) if rng.random() < 0.5 else 0)] = word
        case _:
            del out[rng.randrange(len(out) + 1) :]


def _with_sound_checksums(data: bytes) -> bytes:
    """A PNG whose chunks pass their check, so that the decoder looks at what is in them."""
    out, at = bytearray(data), len(_PNG)
    while at + 12 <= len(out):
        length = int.from_bytes(out[at : at + 4], "big")
        end = at + 8 + length
        if end + 4 > len(out):
            break
        out[end : end + 4] = struct.pack(">I", zlib.crc32(out[at + 4 : end]))
        at = end + 4
    return bytes(out)


def mutated_json(data: bytes, rng: random.Random) -> bytes:
    """A JSON text with values of another kind, keys that are gone or new, or (seldom) broken as a text."""
    try:
        value = json.loads(data)
    except ValueError:
        return mutated(data, (), rng)
    for _ in range(rng.choice((1, 1, 2, 4))):
        value = _changed(value, rng)
    text = json.dumps(value).encode()
    return (
        mutated(text, (), rng, (b"NaN", b"1e999", b"[" * 3000, b'{"a":' * 3000))
        if rng.random() < 0.2
        else text
    )


def _changed(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        match rng.randrange(8):
            case 0:
                return {k: v for k, v in value.items() if k != key}
            case 1:
                return {**value, rng.choice(("extra", "", key + " ")): rng.choice(_ODD_VALUES)}
            case _:
                return {**value, key: _changed(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = rng.randrange(len(value))
        match rng.randrange(6):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return value + value
            case _:
                return [*value[:at], _changed(value[at], rng), *value[at + 1 :]]
    return rng.choice(_ODD_VALUES)
