"""The pipe's format: one JSON object a line, `{"v": 1, "type": ..., fields}`. Standard library only.

Neither side believes the other: a line is size-capped, every field is checked against its dataclass, an unknown
type is refused, and unknown fields are passed over, so that a newer side may say more.
"""

from __future__ import annotations

import json
import sys
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from enum import IntEnum
from functools import cache
from typing import Any

from gcdesk.worker.protocol.messages import (
    Event,
    Message,
    Request,
)

VERSION = 1
# A `classify` of 64 items whose paths are as long as Linux allows, each byte escaped, has 1.6 MB.
MAX_LINE_BYTES = 4 * 1024 * 1024

# Above it an int is no float, and infinity and NaN are refused with it.
_LARGEST_NUMBER = sys.float_info.max

_Read = Callable[[Any], Any]

REQUESTS: tuple[type[Request], ...] = typing.get_args(Request)
EVENTS: tuple[type[Event], ...] = typing.get_args(Event)


class ProtocolError(Exception):
    """A line that is none of ours."""


def to_line(message: Message) -> bytes:
    """The message as a line, newline included. Raises ProtocolError where it would be refused."""
    content = {"v": VERSION, "type": message.type, **asdict(message)}
    try:
        # ASCII, because a file name may hold surrogates, which UTF-8 has no bytes for.
        line = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode() + b"\n"
    except ValueError as error:
        raise ProtocolError(f"{message.type} holds a number that is none: {error}") from error
    if len(line) > MAX_LINE_BYTES:
        raise ProtocolError(f"{message.type} has {len(line)} bytes, at most {MAX_LINE_BYTES} are sent.")
    return line


def parse_request(line: bytes) -> Request:
    """What the window asks. Raises ProtocolError."""
    return typing.cast(Request, parse_one_of(line, REQUESTS))


def parse_event(line: bytes) -> Event:
    """What the worker says. Raises ProtocolError."""
    return typing.cast(Event, parse_one_of(line, EVENTS))


def parse_one_of(line: bytes, kinds: tuple[type[Message], ...]) -> Message:
    """The message of one of these kinds that a line holds. Raises ProtocolError."""
    return _parse(line, _by_type(kinds))


@cache
def _by_type(kinds: tuple[type[Message], ...]) -> Mapping[str, type[Message]]:
    return {kind.type: kind for kind in kinds}


def _parse(line: bytes, known: Mapping[str, type[Message]]) -> Message:
    if len(line) > MAX_LINE_BYTES:
        raise ProtocolError(f"a line of {len(line)} bytes, at most {MAX_LINE_BYTES} are read")
    try:
        content = json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"no JSON: {_shown(line)}") from error
    if not isinstance(content, dict):
        raise ProtocolError(f"no object: {_shown(line)}")
    if content.get("v") != VERSION:
        raise ProtocolError(f"version {repr(content.get('v'))[:80]} instead of {VERSION}: {_shown(line)}")
    name = content.get("type")
    kind: Any = known.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ProtocolError(f"the unknown type {repr(name)[:80]}")
    try:
        message: Message = _reader(kind)(content)
    except ProtocolError as error:
        raise ProtocolError(f"{name}: {error}") from error
    return message


def _refuse_constant(value: str) -> float:
    raise ValueError(f"{value} is no JSON")


def _shown(line: bytes) -> str:
    return repr(line[:80])


@cache
def _reader(kind: type) -> _Read:
    """What turns an object into the dataclass `kind`."""
    hints = typing.get_type_hints(kind)
    readers = [(field.name, _value_reader(hints[field.name]), _is_required(field)) for field in fields(kind)]

    def read(content: Any) -> Any:
        if not isinstance(content, dict):
            raise ProtocolError(f"{str(content)[:80]!r} is no {kind.__name__}")
        values = {}
        for name, reader, required in readers:
            if name in content:
                try:
                    values[name] = reader(content[name])
                except ProtocolError as error:
                    raise ProtocolError(f"{name}: {error}") from error
            elif required:
                raise ProtocolError(f"{name} is missing")
        return kind(**values)

    return read


def _is_required(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _value_reader(hint: Any) -> _Read:
    """What checks and converts a value of the type `hint`."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        (inner,) = (argument for argument in arguments if argument is not type(None))
        read_inner = _value_reader(inner)
        return lambda value: None if value is None else read_inner(value)
    if origin is tuple:
        read_each = _value_reader(arguments[0])
        return lambda value: tuple(read_each(each) for each in _of_type(value, list))
    if origin is dict:
        read_value = _value_reader(arguments[1])
        return lambda value: {key: read_value(each) for key, each in _of_type(value, dict).items()}
    if is_dataclass(hint):
        return _reader(typing.cast(type, hint))
    if hint is float:
        return _number
    if hint is int:
        return _whole
    if issubclass(hint, IntEnum):
        return lambda value: _member(value, hint)
    return lambda value: _of_type(value, hint)


def _of_type(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise ProtocolError(f"{str(value)[:80]!r} is no {kind.__name__}")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not -_LARGEST_NUMBER <= value <= _LARGEST_NUMBER:
        raise ProtocolError(f"{str(value)[:80]!r} is no number")
    return float(value)


def _member(value: Any, kind: type[IntEnum]) -> IntEnum:
    try:
        return kind(_of_type(value, int))
    except ValueError as error:
        raise ProtocolError(f"{value} is no {kind.__name__}") from error


def _whole(value: Any) -> int:
    """A whole number that SQLite can keep."""
    if not -(2**63) <= _of_type(value, int) < 2**63:
        raise ProtocolError(f"{str(value)[:80]!r} is too large")
    return int(value)
