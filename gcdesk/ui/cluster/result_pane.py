"""The result of one cluster job: figures beside the model in use, curves, or why it failed with lines of its log."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QPlainTextEdit, QVBoxLayout, QWidget

from gcdesk.cluster.job_registry import EXPORTED, JobRecord
from gcdesk.cluster.results.import_record import Arrival
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.widgets.dialogs import note
from gcdesk.ui.widgets.line_chart import LineChart, Panel
from gcdesk.ui.widgets.plain_text import PlainLabel

_CURVES = {"loss": "training loss", "val": "validation", "station": "station"}
_SPLITS = {
    "val": "Validation photos",
    "test": "Test photos",
    "station_chosen_on": "Station photos (chosen on)",
    "station_held_out": "Station photos (held out)",
}
_CURVES_OF_A_SWEEP = 3
_PLACES = 8
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class ResultPane(QWidget):
    """Shows one job."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self.words = PlainLabel(wordWrap=True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.proof = QPlainTextEdit(readOnly=True)
        self.proof.setAccessibleName("Lines of the log")
        self.proof.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.proof.setFixedHeight(theme.px(86))
        self._table = QWidget()
        self._grid = QGridLayout(self._table)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.px(22))
        self.curves = LineChart(theme)
        self.notes = note()
        for widget in (self.words, self.proof, self._table, self.curves, self.notes):
            column.addWidget(widget)
        column.addStretch(1)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.proof.setFixedHeight(theme.px(86))
        self.curves.set_theme(theme)

    def show_job(self, job: JobRecord | None, arrival: Arrival | None) -> None:
        """`arrival` is None for a job whose result did not come yet."""
        self.words.setText(_sentence(job, arrival))
        diagnosis = arrival.diagnosis if arrival is not None else None
        self.proof.setPlainText("\n".join(diagnosis.lines) if diagnosis else "")
        self.proof.setVisible(bool(diagnosis and diagnosis.lines))
        self._show_figures(arrival)
        self._show_curves(arrival)
        self.notes.setText(" ".join(arrival.differences) if arrival is not None else "")
        self.notes.setVisible(bool(self.notes.text()))

    def _show_curves(self, arrival: Arrival | None) -> None:
        if arrival is not None and arrival.sweep:
            lines = {trial.words: trial.curve for trial in arrival.sweep[:_CURVES_OF_A_SWEEP]}
        else:
            epochs = arrival.epochs if arrival is not None else ()
            lines = {
                words: tuple((float(line["epoch"]), float(line[name])) for line in epochs if name in line)
                for name, words in _CURVES.items()
            }
        lines = {words: points for words, points in lines.items() if points}
        self.curves.show_panels([Panel("", lines)])
        self.curves.setVisible(bool(lines))

    def _show_figures(self, arrival: Arrival | None) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        figures = arrival.figures if arrival is not None else ()
        self._table.setVisible(arrival is not None and bool(figures or arrival.sweep))
        if arrival is None or not self._table.isVisibleTo(self):
            return
        if arrival.sweep:
            self._show_ranking(arrival)
            return
        for column, words in enumerate(("Right answers", arrival.installed, arrival.compared_with)):
            self._cell(0, column, words, head=True)
        for row, figure in enumerate(figures, 1):
            self._cell(row, 0, _SPLITS.get(figure.split, figure.split))
            self._cell(row, 1, f"{figure.new:.1%} of {figure.new_items:,}")
            used = "not measured" if figure.used is None else f"{figure.used:.1%} of {figure.used_items:,}"
            self._cell(row, 2, used)
        self._grid.setColumnStretch(3, 1)

    def _show_ranking(self, arrival: Arrival) -> None:
        """The best settings of a sweep; the winner alone was measured on the test photos."""
        for column, words in enumerate(("Settings", "Validation", "Trainings")):
            self._cell(0, column, words, head=True)
        for row, trial in enumerate(arrival.sweep[:_PLACES], 1):
            half = "" if trial.half is None else f" ± {trial.half:.1%}"
            for column, words in enumerate(
                (f"{row}. {trial.words}", f"{trial.mean:.1%}{half}", f"{trial.count}")
            ):
                self._cell(row, column, words)
        test = next((figure for figure in arrival.figures if figure.split == "test"), None)
        if test is not None:
            row = min(len(arrival.sweep), _PLACES) + 1
            self._cell(row, 0, "The winner on the test photos")
            self._cell(row, 1, f"{test.new:.1%} of {test.new_items:,}")
        self._grid.setColumnStretch(3, 1)

    def _cell(self, row: int, column: int, words: str, head: bool = False) -> None:
        label = PlainLabel(words)
        label.setFont(self._theme.font(bold=head))
        if column:
            label.setAlignment(_RIGHT)
        self._grid.addWidget(label, row, column)


def _sentence(job: JobRecord | None, arrival: Arrival | None) -> str:
    if job is None:
        return "No job was exported yet."
    if arrival is None:
        if job.state == EXPORTED:
            return f"Its bundle is {job.bundle}. Its README.md says what to copy and to type."
        return job.message
    if arrival.installed:
        return (
            f"{arrival.installed} is installed. The photos that both were measured on may differ: "
            "measure both on the same photos before you switch."
        )
    return arrival.diagnosis.sentence if arrival.diagnosis is not None else "It brought no model."
