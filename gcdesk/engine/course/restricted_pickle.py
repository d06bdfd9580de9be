"""Reading the pickle of a `.pth` without running it: an interpreter of the opcodes that a state dict needs.

Python's own unpickler looks names up and calls what it finds. This one has no look-up at all: a name in the
pickle is a string that is either in the short table below, where it stands for a small function of ours, or
refused. So the worst that a hostile file can do is to be told so. What is neither a container, a number, a
string nor a tensor (numpy scalars, devices, dtypes) becomes `DROPPED`.

Opcodes are decoded by the standard library's `pickletools.genops`, which reads and never executes.
"""

from __future__ import annotations

import math
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, NoReturn

from gcdesk.engine.errors import LegacyError

# An EfficientNet-B2 with its Adam states takes 30,000 opcodes and 1 MB; a wrapper may hold a history too.
MAX_PICKLE_BYTES = 16 * 1024**2
MAX_OPCODES = 1_000_000
MAX_DIMENSIONS = 8
# Beyond the elements of any tensor; keeps every later sum within what numpy counts with.
_MAX_NUMBER = 2**40
_MAX_ENCODED = 4096
# Adam numbers the parameters; nothing else in a checkpoint is kept by number.
_MAX_KEY = 1_000_000
_MAX_ODD_KEYS = 1_000
# torch's own functions take seven at most.
_MAX_ARGUMENTS = 16

SAVE_WEIGHTS_ALONE = "Save the weights alone where it was made: torch.save(model.state_dict(), 'weights.pth')"


class Dropped(Enum):
    """Stands for a value that nobody needs and that was therefore never made."""

    DROPPED = "dropped"


DROPPED = Dropped.DROPPED


@dataclass(frozen=True)
class Storage:
    """`count` elements of type `dtype` (numpy's name, or bfloat16) in the zip's member `data/<key>`."""

    key: str
    dtype: str
    count: int


@dataclass(frozen=True)
class StoredTensor:
    """A view of a storage: offset and strides in elements, checked to lie within it."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Marker(Enum):
    """Things of the pickle machine that may never be part of a result."""

    MARK = "mark"


@dataclass(frozen=True)
class _Name:
    """A name that the pickle refers to, by its place in our tables."""

    text: str


# torch's storage classes, by the type of their elements.
STORAGE_DTYPES = {
    "torch FloatStorage": "float32",
    "torch HalfStorage": "float16",
    "torch BFloat16Storage": "bfloat16",
    "torch DoubleStorage": "float64",
    "torch LongStorage": "int64",
    "torch IntStorage": "int32",
    "torch ShortStorage": "int16",
    "torch CharStorage": "int8",
    "torch ByteStorage": "uint8",
    "torch BoolStorage": "bool",
}
# dtypes that may appear as a value (a saved setting); never called.
_DTYPE_WORDS = (
    "float16 half bfloat16 float32 float float64 double uint8 int8 int16 short int32 int int64 long bool"
)
_VALUES = frozenset(f"torch {word}" for word in _DTYPE_WORDS.split())


def _ordered_dict(*items: object) -> dict[object, object]:
    if items:
        _refuse("an OrderedDict is made in a way that torch never uses")
    return {}


def _rebuild_tensor(
    storage: object, offset: object, shape: object, strides: object, *rest: object
) -> StoredTensor:
    """`torch._utils._rebuild_tensor_v2`; `rest` is requires_grad, hooks and metadata, all of no use here."""
    if not isinstance(storage, Storage) or len(rest) not in (2, 3):
        _refuse("a tensor is not made as torch makes one")
    where = _whole(offset)
    sizes, steps = _whole_numbers(shape), _whole_numbers(strides)
    if len(sizes) != len(steps):
        _refuse("a tensor's shape and strides do not fit together")
    count = math.prod(sizes)
    if not count and math.prod(size or 1 for size in sizes) >= _MAX_NUMBER:
        _refuse("an empty tensor has a shape beyond all measure")
    reach = where + 1 + sum((size - 1) * step for size, step in zip(sizes, steps, strict=True))
    # A view may skip elements but not repeat them: a broadcast one could ask for any amount of memory.
    if count and (reach > storage.count or count > storage.count):
        _refuse("a tensor reaches beyond the end of its storage")
    return StoredTensor(storage, where, sizes, steps)


def _rebuild_parameter(data: object, *rest: object) -> StoredTensor:
    if not isinstance(data, StoredTensor) or len(rest) != 2:
        _refuse("a parameter is not made as torch makes one")
    return data


def _size(shape: object) -> tuple[int, ...]:
    return _whole_numbers(shape)


def _dropped(*_arguments: object) -> Dropped:
    return DROPPED


def _encoded(text: object, encoding: object) -> Dropped:
    """`_codecs.encode`: how protocol 2 writes the bytes of a numpy scalar."""
    if not isinstance(text, str) or encoding != "latin1" or len(text) > _MAX_ENCODED:
        _refuse("bytes are not written as numpy writes a number")
    return DROPPED


_CALLS: dict[str, Callable[..., object]] = {
    "collections OrderedDict": _ordered_dict,
    "torch._utils _rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils _rebuild_parameter": _rebuild_parameter,
    "torch Size": _size,
    "torch device": _dropped,
    "numpy dtype": _dropped,
    "numpy.core.multiarray scalar": _dropped,
    "numpy._core.multiarray scalar": _dropped,
    "_codecs encode": _encoded,
}


def read_pickle(data: bytes) -> object:
    """Return what a `data.pkl` describes: dicts, lists, tuples, numbers, strings, StoredTensor and DROPPED.

    Raises LegacyError for whatever is outside the tables above, larger than the caps, or no pickle.
    """
    if len(data) > MAX_PICKLE_BYTES:
        raise LegacyError(f"its table of contents has {len(data) / 1e6:.0f} MB, which no course model has.")
    machine = _Machine()
    try:
        for number, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            if number >= MAX_OPCODES:
                _refuse(f"it has more than {MAX_OPCODES:,} steps")
            machine.step(opcode.name, argument)
        return machine.result()
    except ValueError as error:  # genops: an opcode that does not exist, or one that is cut off
        raise LegacyError("its table of contents is damaged: it is no pickle.") from error
    except (IndexError, TypeError) as error:  # too few, or the wrong, values on the stack
        raise LegacyError("its table of contents is damaged: its steps make no sense.") from error


class _Machine:
    """The stack, the memo, and one method for each opcode that needs more than a line."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.odd_keys = 0
        self.steps: dict[str, Callable[[Any], None]] = {
            "MARK": lambda _: self.stack.append(_Marker.MARK),
            "EMPTY_DICT": lambda _: self.stack.append({}),
            "EMPTY_LIST": lambda _: self.stack.append([]),
            "EMPTY_TUPLE": lambda _: self.stack.append(()),
            "TUPLE": lambda _: self.stack.append(tuple(self._since_mark())),
            "TUPLE1": lambda _: self.stack.append(tuple(self._last(1))),
            "TUPLE2": lambda _: self.stack.append(tuple(self._last(2))),
            "TUPLE3": lambda _: self.stack.append(tuple(self._last(3))),
            "NONE": lambda _: self.stack.append(None),
            "NEWTRUE": lambda _: self.stack.append(True),
            "NEWFALSE": lambda _: self.stack.append(False),
            "APPEND": lambda _: self._extend(self._last(1)),
            "APPENDS": lambda _: self._extend(self._since_mark()),
            "SETITEM": lambda _: self._update(self._last(2)),
            "SETITEMS": lambda _: self._update(self._since_mark()),
            "GLOBAL": self._name,
            "STACK_GLOBAL": self._stack_name,
            "REDUCE": self._call,
            "BUILD": self._build,
            "BINPERSID": self._storage,
            "MEMOIZE": lambda _: self._remember(len(self.memo)),
        }
        for name in ("PROTO", "FRAME", "STOP"):
            self.steps[name] = lambda _: None
        for name in ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE"):
            self.steps[name] = self.stack.append
        for name in ("SHORT_BINBYTES", "BINBYTES"):  # a numpy scalar's, in protocol 3 and later
            self.steps[name] = lambda _: self.stack.append(DROPPED)
        for name in ("BINPUT", "LONG_BINPUT"):
            self.steps[name] = self._remember
        for name in ("BINGET", "LONG_BINGET"):
            self.steps[name] = self._recall

    def step(self, opcode: str, argument: Any) -> None:
        """Carry out one opcode, or refuse it."""
        action = self.steps.get(opcode)
        if action is None:
            _refuse(f"it uses {opcode}, which no state dict needs")
        action(argument)

    def result(self) -> object:
        """The one value that is left at the end."""
        if len(self.stack) != 1:
            _refuse("it does not describe one thing")
        return _plain(self.stack[0])

    def _last(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise IndexError("the stack is empty")
        taken = self.stack[-count:]
        del self.stack[-count:]
        return [_plain(value) for value in taken]

    def _since_mark(self) -> list[Any]:
        taken: list[Any] = []
        while (value := self.stack.pop()) is not _Marker.MARK:
            taken.append(value)
        return [_plain(value) for value in reversed(taken)]

    def _extend(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not list:
            _refuse("it appends to something that is no list")
        target.extend(values)

    def _update(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not dict or len(values) % 2:
            _refuse("it sets items of something that is no dict")
        for key, value in zip(values[::2], values[1::2], strict=True):
            # Strings and numbers only: hashing a tuple that is nested deep enough would exhaust C's stack.
            if type(key) not in (str, int, float, bool, type(None)):
                _refuse("it has a dict whose keys are neither strings nor numbers")
            # Numbers can be chosen so that all of them hash alike: small whole ones cannot, and others are few.
            if type(key) is float or (type(key) is int and not 0 <= key <= _MAX_KEY):
                self.odd_keys += 1
                if self.odd_keys > _MAX_ODD_KEYS:
                    _refuse("it has a dict whose keys are odd numbers")
            target[key] = value

    def _remember(self, place: Any) -> None:
        self.memo[place] = self.stack[-1]

    def _recall(self, place: Any) -> None:
        if place not in self.memo:
            _refuse("it recalls something that it never said")
        self.stack.append(self.memo[place])

    def _name(self, text: str) -> None:
        if text not in _CALLS and text not in STORAGE_DTYPES and text not in _VALUES:
            raise UnknownName(text.replace(" ", ".", 1))
        self.stack.append(_Name(text))

    def _stack_name(self, _argument: None) -> None:
        module, name = self._last(2)
        if type(module) is not str or type(name) is not str:
            _refuse("it refers to a name that is no string")
        self._name(f"{module} {name}")

    def _call(self, _argument: None) -> None:
        (arguments,) = self._last(1)
        function = self.stack.pop()
        if type(function) is not _Name or function.text not in _CALLS or type(arguments) is not tuple:
            _refuse("it calls something that cannot be called")
        if len(arguments) > _MAX_ARGUMENTS:  # each call would copy them
            _refuse("it calls something with far too much")
        self.stack.append(_CALLS[function.text](*arguments))

    def _build(self, _argument: None) -> None:
        """The state of an OrderedDict (torch's `_metadata`) or of a numpy dtype: both are let go."""
        self._last(1)
        if type(self.stack[-1]) is not dict and self.stack[-1] is not DROPPED:
            _refuse("it sets the state of something that has none")

    def _storage(self, _argument: None) -> None:
        (identity,) = self._last(1)
        if type(identity) is not tuple or len(identity) != 5 or identity[0] != "storage":
            _refuse("it refers to something outside that is no tensor storage")
        _, kind, key, _location, count = identity
        if not isinstance(kind, _Name) or kind.text not in STORAGE_DTYPES:
            _refuse("a tensor storage is of an unknown type")
        if type(key) is not str or len(key) > 9 or not key.isascii() or not key.isdigit():
            _refuse("a tensor storage has a name that torch never gives")
        self.stack.append(Storage(key, STORAGE_DTYPES[kind.text], _whole(count)))


class UnknownName(LegacyError):
    """The pickle refers to a name that is in no table: what torch would have looked up and run."""

    def __init__(self, name: str) -> None:
        self.name = name[:120]
        super().__init__(
            f"it asks to run {self.name!r}, which weights do not need, so it is refused. {SAVE_WEIGHTS_ALONE}"
        )


def _plain(value: Any) -> Any:
    """A value that may be kept: a mark may not, and a dtype that is a value is of no use."""
    if value is _Marker.MARK:
        _refuse("it has a mark where a value belongs")
    if type(value) is _Name and value.text in _VALUES:
        return DROPPED
    return value


def _whole(value: object) -> int:
    if type(value) is not int or not 0 <= value < _MAX_NUMBER:
        _refuse("a tensor's size or place is no sensible number")
    return value


def _whole_numbers(values: object) -> tuple[int, ...]:
    if type(values) is not tuple or len(values) > MAX_DIMENSIONS:
        _refuse("a tensor's shape is no list of sensible numbers")
    return tuple(_whole(value) for value in values)


def _refuse(what: str) -> NoReturn:
    raise LegacyError(f"its table of contents is damaged or hostile: {what}.")
