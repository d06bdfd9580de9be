"""The pages of a running and of an ended training."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPlainTextEdit, QProgressBar, QVBoxLayout, QWidget

from gcdesk.ui.session.wording import duration
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.training.training import Training
from gcdesk.ui.widgets.dialogs import note
from gcdesk.ui.widgets.line_chart import LineChart, Panel
from gcdesk.ui.widgets.model_comparison_view import ComparisonView
from gcdesk.ui.widgets.plain_text import PlainLabel

_LOG_LINES = 500


def _panels(training: Training) -> tuple[list[Panel], float]:
    """Loss and accuracy over the epochs, and how many epochs the training may reach."""

    def line(key: str) -> list[tuple[float, float]]:
        return [(point.step, point.values[key]) for point in training.points if key in point.values]

    epochs = float(training.run.record.settings.get("epochs", "1")) if training.run is not None else 1.0
    panels = [
        Panel("Loss while learning (less is better)", {"loss": line("loss")}),
        Panel("Watched captions right", {"right": line("accuracy")}, percent=True, dots=True),
    ]
    return panels, epochs


class RunningPage(QWidget):
    """Progress, both curves, the best epoch so far, and the log."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.bar = QProgressBar(textVisible=False)
        self.bar.setFixedHeight(8)
        self.bar.setAccessibleName("Progress of the training")
        self.words = PlainLabel()
        self.words.setProperty("tone", "2")
        self.curves = LineChart(theme)
        self.best = PlainLabel(wordWrap=True)
        self.log = QPlainTextEdit(readOnly=True, maximumBlockCount=_LOG_LINES)
        self.log.setAccessibleName("Log of the training")
        self.log.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._shown = 0
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.bar)
        column.addWidget(self.words)
        column.addSpacing(6)
        column.addWidget(self.curves)
        column.addWidget(self.best)
        column.addWidget(self.log, 1)
        column.addWidget(
            note(
                "You can close this sheet and go on working: the training runs at low priority. Every finished epoch is"
                " kept on the disk: a crash or a restart loses no more than one."
            )
        )

    def set_theme(self, theme: Theme) -> None:
        self.curves.set_theme(theme)

    def show_training(self, training: Training) -> None:
        """Show the present state of a running training."""
        progress = training.progress
        if training.stage == "comparing":
            self.bar.setRange(0, 0)
            self.words.setText("Comparing it with the model in use…")
        elif progress is None or not progress.total:
            self.bar.setRange(0, 0)
            self.words.setText("Starting…")
        else:
            self.bar.setRange(0, progress.total)
            self.bar.setValue(progress.done)
            left = f" · {duration(progress.eta)} left" if progress.eta is not None else ""
            self.words.setText(f"{progress.words}{left}")
        if training.stage == "stopping":
            self.words.setText("Stopping: the best so far is written…")
        self.curves.show_panels(*_panels(training))
        best = training.best
        self.best.setText(
            f"Best so far: {best[1]:.1%} of the watched captions, epoch {best[0]:g}." if best else ""
        )
        if self._shown > len(training.lines):
            self.log.clear()
            self._shown = 0
        for line in training.lines[self._shown :]:
            self.log.appendPlainText(line)
        self._shown = len(training.lines)


class EndedPage(QWidget):
    """The new model compared with the one in use, or why there is none."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.problem = PlainLabel(wordWrap=True)
        self.comparison = ComparisonView(theme)
        self.curves = LineChart(theme)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.problem)
        column.addWidget(self.comparison, 3)
        column.addWidget(self.curves)
        column.addStretch(0)

    def set_theme(self, theme: Theme) -> None:
        self.comparison.set_theme(theme)
        self.curves.set_theme(theme)

    def show_training(self, training: Training) -> None:
        """Show how a training ended."""
        words = training.problem if training.stage == "failed" else training.why_not_compared
        if training.stopped:
            words = f"It was stopped early; this is the best it had. {words}".strip()
        self.problem.setText(words)
        self.problem.setVisible(bool(words))
        present = training.comparison is not None and training.stage == "finished"
        self.comparison.setVisible(present)
        if present and training.comparison is not None:
            self.comparison.show_comparison(training.comparison)
        self.curves.show_panels(*_panels(training))
        self.curves.setVisible(bool(training.points))
