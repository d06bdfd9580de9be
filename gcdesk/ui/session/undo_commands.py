"""Undo commands: captions and labels of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from PySide6.QtGui import QUndoCommand

from gcdesk.engine.labels import NOT_SET
from gcdesk.ui.session.wording import label_name


class CommandTarget(Protocol):
    """What carries the changes out."""

    def apply_captions(self, rows: Sequence[int], texts: Sequence[str]) -> None:
        """Set and store one caption for each row, and have the rows scored again."""

    def apply_labels(self, rows: np.ndarray, labels: np.ndarray) -> None:
        """Set and store one operator label for each row."""


def _of(rows: Sequence[int] | np.ndarray) -> str:
    return f" of {len(rows)} photos" if len(rows) > 1 else ""


class CaptionCommand(QUndoCommand):
    """Sets one caption on rows."""

    def __init__(self, target: CommandTarget, rows: Sequence[int], before: Sequence[str], after: str) -> None:
        super().__init__(f"caption{_of(rows)}")
        self._target, self.rows, self._before, self._after = target, list(rows), list(before), after

    def redo(self) -> None:
        self._target.apply_captions(self.rows, [self._after] * len(self.rows))

    def undo(self) -> None:
        self._target.apply_captions(self.rows, self._before)


class LabelCommand(QUndoCommand):
    """Sets the operator's label on rows; arrays of row numbers and of labels before and after."""

    def __init__(
        self, target: CommandTarget, rows: np.ndarray, before: np.ndarray, after: np.ndarray
    ) -> None:
        words = {label_name(int(code)) if code != NOT_SET else "no label" for code in np.unique(after)}
        super().__init__(f"{words.pop() if len(words) == 1 else 'labels'}{_of(rows)}")
        self._target, self.rows, self._before, self._after = target, rows, before, after

    def redo(self) -> None:
        self._target.apply_labels(self.rows, self._after)

    def undo(self) -> None:
        self._target.apply_labels(self.rows, self._before)
