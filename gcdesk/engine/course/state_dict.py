"""Finding the state dict in what a `.pth` holds: its wrapper, prefixes, and the class order if it is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gcdesk.engine.course.restricted_pickle import StoredTensor
from gcdesk.engine.errors import LabelError, LegacyError
from gcdesk.engine.labels import BINS, canonical_bin

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
# DataParallel and torch.compile put these before every key.
_PREFIXES = ("module.", "_orig_mod.")
# Where a wrapper may say the class order: as a list of names, or as a dict either way round.
_ORDER_KEYS = (
    "classes",
    "class_names",
    "class_labels",
    "labels",
    "label_names",
    "class_to_idx",
    "label2id",
    "label_map",
    "idx_to_class",
    "id2label",
)
_MAX_SHOWN = 8


@dataclass(frozen=True)
class StateDict:
    """Tensors by key, without wrapper and prefixes; `wrapper` is what was taken off, in the file's words."""

    tensors: dict[str, StoredTensor]
    wrapper: tuple[str, ...]
    class_order: tuple[str, ...] | None

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
    while prefix := next((p for p in _PREFIXES if all(key.startswith(p) for key in tensors)), None):
        tensors = {key.removeprefix(prefix): tensor for key, tensor in tensors.items()}
        wrapper += (prefix,)
    return StateDict(tensors, wrapper, _class_order(content))


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


def _class_order(content: Mapping[object, object]) -> tuple[str, ...] | None:
    """The class order that a wrapper tells, or None. Whatever is not exactly our four bins tells nothing."""
    for key in _ORDER_KEYS:
        names = _listed(content.get(key))
        if names is not None and len(names) == len(BINS):
            try:
                return check_class_order(names)
            except LegacyError:
                continue
    return None


def _listed(value: object) -> list[str] | None:
    """The class names in the order of their indices, from a list, {name: index} or {index: name}."""
    if isinstance(value, Mapping):
        items = list(value.items())
        if all(isinstance(name, str) and type(index) is int for name, index in items):
            items = [(index, name) for name, index in items]
        if any(type(index) is not int for index, _ in items):
            return None
        items.sort(key=lambda item: item[0])
        if [index for index, _ in items] != list(range(len(BINS))):
            return None
        value = [name for _, name in items]
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return list(value)
    return None
