"""Finding the state dict in what a `.pth` holds: its wrapper, prefixes, and the class order if it is told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gcdesk.engine.course.restricted_pickle import StoredTensor
from gcdesk.engine.errors import LabelError, LegacyError
from gcdesk.engine.labels import BINS, canonical_bin, usual_bin

# What course projects call the weights beside their optimizer, the likeliest first.
_WEIGHTS_KEYS = (
    "model_state_dict",
    "model_state",
    "state_dict",
    "model",
    "net",
    "weights",
    "best_model_state",
)
# DataParallel, torch.compile and a Lightning module put these before every key.
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.")
# How a key that says the names of the classes is called, whatever stands around these words: `class_names`,
# `idx2label`, `categories`. As a list of names, or as a dict either way round.
_NAME_KEY = re.compile(r"class|label|categor|target_?names|^names$|^bins$", re.IGNORECASE)
_MOST_CLASSES = 64  # more are the labels of photos, not the names of classes
_DEEPEST = 3  # levels of wrappers that are looked through
_MAX_SHOWN = 8


@dataclass(frozen=True)
class StateDict:
    """Tensors by key, without wrapper and prefixes; `wrapper` is what was taken off, in the file's words.

    class_order: the bins in the order of the outputs, where the file tells it in our words. class_names: what it
    calls its classes, in whatever words.
    """

    tensors: dict[str, StoredTensor]
    wrapper: tuple[str, ...]
    class_order: tuple[str, ...] | None
    class_names: tuple[str, ...] | None = None

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {key: tensor.shape for key, tensor in self.tensors.items()}


def find_state_dict(content: object) -> StateDict:
    """Unwrap what a pickle describes. Raises LegacyError when there is no state dict, or more than one."""
    if not isinstance(content, Mapping):
        raise LegacyError("it holds no state dict: it is no table of named weights.")
    wrapper: tuple[str, ...] = ()
    table = content
    if not _tensors(content):
        key = _weights_key(content)
        table = content[key]
        wrapper = (key, *(str(other)[:40] for other in content if other != key))
    tensors = _tensors(table)
    while tensors and (prefix := next((p for p in _PREFIXES if all(k.startswith(p) for k in tensors)), None)):
        tensors = {key.removeprefix(prefix): tensor for key, tensor in tensors.items()}
        wrapper += (prefix,)
    return StateDict(tensors, wrapper, _class_order(content), _class_names(content))


def shown_keys(keys: Iterable[str]) -> str:
    """The first keys, for a message."""
    listed = [key if len(key) <= 60 else key[:57] + "..." for key in keys]
    more = f" and {len(listed) - _MAX_SHOWN} more" if len(listed) > _MAX_SHOWN else ""
    return ", ".join(ascii(key)[1:-1] for key in listed[:_MAX_SHOWN]) + more


def check_class_order(order: Iterable[str]) -> tuple[str, ...]:
    """Return four bins, by the names we use. Raises LegacyError unless each bin is there once."""
    given = list(order)
    try:
        bins = tuple(canonical_bin(name) for name in given)
    except LabelError as error:
        raise LegacyError(f"the class order cannot be used: {error}") from error
    if sorted(bins) != sorted(BINS):
        raise LegacyError(f"the class order must name each of {', '.join(BINS)} once.")
    return bins


def _tensors(table: object) -> dict[str, StoredTensor]:
    """A state dict's tensors; whatever else it holds is let go."""
    if not isinstance(table, Mapping):
        return {}
    return {k: v for k, v in table.items() if isinstance(k, str) and isinstance(v, StoredTensor)}


def _weights_key(content: Mapping[object, object]) -> str:
    found = [key for key, value in content.items() if isinstance(key, str) and _tensors(value)]
    for key in _WEIGHTS_KEYS:
        if key in found:
            return key
    if len(found) == 1:
        return found[0]
    if found:
        raise LegacyError(
            f"it holds several state dicts ({shown_keys(found)}): save the one that is meant on its own."
        )
    keys = shown_keys(str(key) for key in content)
    raise LegacyError(f"it holds no weights. What it does hold: {keys or 'nothing'}.")


def bins_meant(names: Sequence[str]) -> tuple[str, ...] | None:
    """The bins that names of classes suggest (Compost, "black bin"), None unless each is suggested once; a single
    name that suggests nothing gets the bin that is left.
    """
    meant = []
    for name in names:
        try:
            meant.append(canonical_bin(name))
        except LabelError:
            meant.append(usual_bin(name) or "")
    if meant.count("") == 1:
        meant[meant.index("")] = next((name for name in BINS if name not in meant), "")
    return tuple(meant) if sorted(meant) == sorted(BINS) else None


def _class_names(content: Mapping[object, object]) -> tuple[str, ...] | None:
    """The names of the classes in the order of the outputs, from the content or a wrapper in it; four of them first,
    and of those what are our bins.
    """
    found = list(_candidates(content, _DEEPEST))
    found.sort(key=lambda names: (len(names) != len(BINS), _order_of(names) is None))
    return found[0] if found else None


def _candidates(content: Mapping[object, object], deeper: int) -> Iterator[tuple[str, ...]]:
    for key, value in content.items():
        if isinstance(key, str) and _NAME_KEY.search(key):
            names = _listed(value)
            if names is not None and 1 < len(names) <= _MOST_CLASSES:
                yield names
                continue
        if deeper and isinstance(value, Mapping):
            yield from _candidates(value, deeper - 1)


def _class_order(content: Mapping[object, object]) -> tuple[str, ...] | None:
    """The class order that a wrapper tells in our own words, or None; None too where two places contradict."""
    orders = {order for names in _candidates(content, _DEEPEST) if (order := _order_of(names)) is not None}
    return orders.pop() if len(orders) == 1 else None


def _order_of(names: Sequence[str]) -> tuple[str, ...] | None:
    try:
        return check_class_order(names) if len(names) == len(BINS) else None
    except LegacyError:
        return None


def _listed(value: object) -> tuple[str, ...] | None:
    """The class names in the order of their indices, from a list, {name: index} or {index: name}."""
    if isinstance(value, Mapping):
        items = [(_index(index), name) for index, name in value.items()]
        if any(index is None or not isinstance(name, str) for index, name in items):
            items = [(_index(index), name) for name, index in value.items()]
        if any(index is None or not isinstance(name, str) for index, name in items):
            return None
        items.sort(key=lambda item: item[0] or 0)
        if [index for index, _ in items] != list(range(len(items))):
            return None
        value = [name for _, name in items]
    if isinstance(value, list | tuple) and value and all(isinstance(name, str) for name in value):
        return tuple(value)
    return None


def _index(value: object) -> int | None:
    """A number, or one in words as JSON writes the keys of a dict."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 4:
        return int(value)
    return value if type(value) is int else None
