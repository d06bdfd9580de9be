"""Which models were in use before, so that one key goes back to the last one. A small JSON file beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from gcdesk.config.files import write_atomically
from gcdesk.config.folders import user_folders

_FILE = ".history.json"
_LONGEST = 20
STARTER = ""  # in place of a name: the model that ships with the app


def record_use(kind: str, name: str | None, folder: Path | None = None) -> None:
    """Note that `name` (None: the starter) was in use until now. Raises OSError."""
    path = _path(folder)
    history = _read(path)
    names = [item for item in history.get(kind, []) if item != (name or STARTER)]
    history[kind] = [*names, name or STARTER][-_LONGEST:]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(history, indent=1))


def previous_model(
    kind: str, now: str | None, installed: Sequence[str], folder: Path | None = None
) -> str | None:
    """The model in use before `now`, of those that are still `installed`: a name, STARTER, or None for none."""
    for name in reversed(_read(_path(folder)).get(kind, [])):
        if name != (now or STARTER) and (name == STARTER or name in installed):
            return name
    return None


def _path(folder: Path | None) -> Path:
    return (folder or user_folders().models) / _FILE


def _read(path: Path) -> dict[str, list[str]]:
    """What can be read of it; a damaged history is an empty one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {str(kind): [str(name) for name in names] for kind, names in content.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
