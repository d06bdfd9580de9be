"""The task "learn": quick learn of one model from corrected items. Arguments: image or text, the model's name or
"" for the one in use, then the sessions' numbers (none: all).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, cast

from gcdesk.engine.errors import LearningError
from gcdesk.engine.learning.learned_model import learn_model, learned_words
from gcdesk.engine.learning.quick_learn import Learned
from gcdesk.engine.library.library import Library
from gcdesk.store import Store, store_path
from gcdesk.worker.protocol.task_messages import Done
from gcdesk.worker.tasks.corrections import SplitAssignment, read_corrections
from gcdesk.worker.tasks.runner import ProgressReporter

Kind = Literal["image", "text"]


def run(arguments: Sequence[str], reporter: ProgressReporter) -> Done:
    """`result` is the new model's name in the library. Raises LearningError where it would be worse."""
    kind, wanted, *sessions = arguments

    def on_progress(done: int, total: int, words: str) -> None:
        reporter.check()
        reporter.progress(done, total, words)

    name, result = learn_from_store(
        cast(Kind, kind), wanted or None, [int(item) for item in sessions] or None, on_progress
    )
    return Done(result=name, summary=learned_words(name, result))


def learn_from_store(
    kind: Kind,
    wanted: str | None,
    sessions: Sequence[int] | None,
    tell: Callable[[int, int, str], None] = lambda _done, _total, _words: None,
) -> tuple[str, Learned]:
    """Learn from what people said, less the station test set. Raises GcdeskError."""
    library = Library()
    base = library.resolve(kind, wanted)
    with Store(store_path()) as store:
        result = read_corrections(
            store,
            sessions,
            tell=lambda done, total: tell(done, total, "Looking for photos of the same thing…"),
        )
    usable = [item for item in result if item.assignment is SplitAssignment.LEARN]
    if not usable:
        raise LearningError(
            "There is nothing to learn from yet: correct some rows first (one group in five is kept as a test set)."
        )
    return learn_model(
        kind,
        base,
        [item.measured() for item in usable],
        [item.group for item in usable],
        library,
        lambda done, total: tell(done, total, "Learning…"),
    )
