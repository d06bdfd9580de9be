"""Every message survives the wire; whatever else comes over it is refused with a reason."""

from __future__ import annotations

import json
import subprocess
import sys
import types
import typing
from dataclasses import fields, is_dataclass
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcdesk.worker.protocol.codec import (
    EVENTS,
    MAX_LINE_BYTES,
    REQUESTS,
    ProtocolError,
    parse_event,
    parse_request,
    to_line,
)
from gcdesk.worker.protocol.messages import (
    Classify,
    Event,
    Heartbeat,
    Item,
    Message,
    Notice,
    Pause,
    Prioritise,
    Priority,
    Rescore,
    Result,
)


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Anything that a field of this type may hold."""
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is types.UnionType:
        return st.none() | values_of(arguments[0])
    if typing.get_origin(hint) is tuple:
        return st.lists(values_of(arguments[0]), max_size=4).map(tuple)
    if typing.get_origin(hint) is dict:
        return st.dictionaries(st.text(max_size=5), values_of(arguments[1]), max_size=3)
    if is_dataclass(hint):
        return messages(hint)  # type: ignore[arg-type]
    if issubclass(hint, IntEnum):
        return st.sampled_from(hint)
    return {
        int: st.integers(-(2**63), 2**63 - 1),
        float: st.floats(allow_nan=False, allow_infinity=False),
        bool: st.booleans(),
        str: st.text(st.characters(), max_size=20),  # surrogates too, as file names may have them
    }[hint]


def messages(kind: type) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{field.name: values_of(hints[field.name]) for field in fields(kind)})


@pytest.mark.parametrize("kind", [*REQUESTS, *EVENTS], ids=lambda kind: kind.type)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_every_message_survives_the_wire(kind: type[Message], data: st.DataObject) -> None:
    message = data.draw(messages(kind))
    line = to_line(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert (parse_request if kind in REQUESTS else parse_event)(line) == message


def test_a_priority_that_is_none_is_refused() -> None:
    line = to_line(Prioritise((1,), Priority.VISIBLE))
    assert parse_request(line) == Prioritise((1,), Priority.VISIBLE)
    with pytest.raises(ProtocolError, match="9 is no Priority"):
        parse_request(line.replace(b'"priority":2', b'"priority":9'))


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=200) | st.text().map(lambda text: json.dumps({"v": 1, "type": f"x{text}"}).encode())
)
def test_garbage_is_refused(line: bytes) -> None:
    for parse in (parse_request, parse_event):
        with pytest.raises(ProtocolError, match=r"."):
            parse(line)


def test_names_that_are_no_utf8_survive() -> None:
    path = "/cam/caf\udce9.jpg"  # what Python makes of a byte that is no UTF-8
    request = Classify((Item(1, 2, path, None, Priority.REST),))
    assert parse_request(to_line(request)) == request


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([], "no object"),
        ({"type": "pause"}, "version None"),
        ({"v": 2, "type": "pause"}, "version 2"),
        ({"v": 1, "type": "explode"}, "unknown type 'explode'"),
        ({"v": 1, "type": "result"}, "unknown type 'result'"),  # an event is no request
        ({"v": 1, "type": "cancel"}, "ids is missing"),
        ({"v": 1, "type": "cancel", "ids": [1, "2"]}, "ids: '2' is no int"),
        ({"v": 1, "type": "cancel", "ids": [True]}, "'True' is no int"),
        ({"v": 1, "type": "cancel", "ids": 7}, "'7' is no list"),
        ({"v": 1, "type": "classify", "items": [{"id": 1}]}, "ticket is missing"),
        ({"v": 1, "type": "rescore", "id": 1, "ticket": 1, "caption": None}, "caption: 'None' is no str"),
    ],
)
def test_what_is_wrong_is_said(content: object, reason: str) -> None:
    with pytest.raises(ProtocolError, match=reason):
        parse_request(json.dumps(content).encode())


def test_a_newer_side_may_say_more() -> None:
    assert parse_request(b'{"v": 1, "type": "pause", "until": "noon"}') == Pause()


def test_numbers_that_are_none_are_refused_on_both_sides() -> None:
    with pytest.raises(ProtocolError, match="number"):
        to_line(Rescore(1, 1, "", (float("nan"),)))
    for value in (b"NaN", b"Infinity", b"1e999"):
        with pytest.raises(ProtocolError):
            parse_event(
                to_line(Result(1, 1, None, None, None, None, 0.25, 0, True, "")).replace(b"0.25", value)
            )


def test_lines_are_capped_on_both_sides() -> None:
    with pytest.raises(ProtocolError, match="at most"):
        to_line(Notice("x" * MAX_LINE_BYTES))
    with pytest.raises(ProtocolError, match="at most"):
        parse_event(b" " * (MAX_LINE_BYTES + 1))
    deep = b'{"v":1,"type":"notice","text":' + b"[" * 100_000
    with pytest.raises(ProtocolError, match="no JSON"):
        parse_event(deep)


def test_a_heartbeat_is_short() -> None:
    event: Event = Heartbeat()
    assert to_line(event) == b'{"v":1,"type":"heartbeat","busy":[]}\n'


def test_the_protocol_needs_the_standard_library_only() -> None:
    probe = (
        "import sys, gcdesk.worker.protocol.codec;"
        "print(sorted({name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['__main__', 'gcdesk']"
