"""What a run is told between two steps: go on, save, or save and stop. Rank 0 looks; all do the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import IntEnum

from trainer.image.process.distributed import ALONE, Team


class Order(IntEnum):
    GO_ON = 0
    SAVE = 1
    STOP = 2


class Orders:
    """`stop` is asked at every step (a look at a file, or a flag); a save is due every `save_seconds`."""

    def __init__(
        self,
        stop: Callable[[], bool] | None = None,
        save_seconds: float | None = None,
        team: Team = ALONE,
    ) -> None:
        self._stop, self._every, self._team = stop, save_seconds, team
        self._saved = time.monotonic()

    def next(self) -> Order:
        """The order after a step; every process asks at the same steps."""
        if self._stop is None and self._every is None:
            return Order.GO_ON
        return Order(self._team.agree(self._look() if self._team.leads else Order.GO_ON))

    def _look(self) -> Order:
        if self._stop is not None and self._stop():
            return Order.STOP
        if self._every is not None and time.monotonic() - self._saved >= self._every:
            return Order.SAVE
        return Order.GO_ON

    def saved(self) -> None:
        """A checkpoint was written just now."""
        self._saved = time.monotonic()
