"""The sessions dialog: open, begin, rename, delete."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QTableWidgetItem

from gcdesk.store import SessionInfo
from gcdesk.ui.host import Host
from gcdesk.ui.session.wording import day_and_time
from gcdesk.ui.widgets.dialogs import Answer, Question, Sheet, note
from gcdesk.ui.widgets.plain_text import tip
from gcdesk.ui.widgets.tables import list_table

_HEADS = ("Session", "Photos", "Not finished", "Corrected", "Opened")
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_COUNTS = (1, 2, 3)
_NUMBER = Qt.ItemDataRole.UserRole


class SessionsDialog(Sheet):
    """A table of all sessions, the one opened latest first."""

    def __init__(self, host: Host) -> None:
        super().__init__(host.widget, host.theme, "Sessions – gcdesk", "Sessions")  # noqa: RUF001 - a dash
        self._host, self._controller = host, host.controller
        self._found: list[SessionInfo] = []
        self._filling = False
        self.setMinimumSize(480, 320)
        self.resize_within(680, 460)
        self.table = list_table(_HEADS, "Sessions", self.theme.px(36))
        self._set_up_table()
        self.body.addWidget(self.table, 1)
        self.news = note()
        self.body.addWidget(self.news)
        self.add_button("New session", self._begin)
        self.rename = self.add_button("Rename", self._edit_name)
        self.rename.setToolTip("Rename (F2)")
        self.delete = self.add_button("Delete…", self._ask_delete)
        self.delete.setToolTip("Delete (Del)")
        self.buttons.addStretch(1)
        self.add_button("Close", self.close)
        self.open_ = self.add_button("Open", self._open_chosen, main=True)
        QShortcut(QKeySequence(Qt.Key.Key_F2), self, self._edit_name)
        QShortcut(
            QKeySequence(Qt.Key.Key_Delete),
            self.table,
            self._ask_delete,
            context=Qt.ShortcutContext.WidgetShortcut,
        )
        self._chosen_changed()
        self.refresh()

    def _set_up_table(self) -> None:
        table = self.table
        for column in _COUNTS:
            item = table.horizontalHeaderItem(column)
            if item is not None:
                item.setTextAlignment(_RIGHT)
        table.itemSelectionChanged.connect(self._chosen_changed)
        table.itemDoubleClicked.connect(lambda _item: self._open_chosen())
        table.itemChanged.connect(self._name_edited)

    # --- contents

    def refresh(self) -> None:
        """Read the sessions again, off the window's thread."""
        self._controller.ledger.sessions(self.while_open(self._fill))

    def _fill(self, found: list[SessionInfo]) -> None:
        chosen = self.chosen()
        keep = chosen.id if chosen is not None else self._controller.session_id
        self._found, self._filling = found, True
        self.table.setRowCount(len(found))
        for row, session in enumerate(found):
            counts = [f"{n:,}" if n else "" for n in (session.items, session.unfinished, session.corrected)]
            for column, text in enumerate((session.name, *counts, day_and_time(session.opened))):
                item = QTableWidgetItem(text)
                if column in _COUNTS:
                    item.setTextAlignment(_RIGHT)
                if column == 0:
                    item.setData(_NUMBER, session.id)
                    item.setToolTip(tip(session.source or session.name))
                    font = item.font()
                    font.setBold(session.id == self._controller.session_id)
                    item.setFont(font)
                self.table.setItem(row, column, item)
        self._filling = False
        if found:
            self.table.selectRow(next((i for i, entry in enumerate(found) if entry.id == keep), 0))
            self.table.setFocus()
        self._chosen_changed()

    def chosen(self) -> SessionInfo | None:
        row = self.table.currentRow()
        return self._found[row] if 0 <= row < len(self._found) else None

    def _chosen_changed(self) -> None:
        present = self.chosen() is not None
        for button in (self.rename, self.delete, self.open_):
            button.setEnabled(present)

    # --- what the operator does

    def _begin(self) -> None:
        self._controller.new_session("")
        self.close()

    def _open_chosen(self) -> None:
        session = self.chosen()
        if session is not None:
            if session.id != self._controller.session_id:
                self._controller.open_session(session.id)
            self.close()

    def _edit_name(self) -> None:
        item = self.table.item(self.table.currentRow(), 0)
        if item is not None:
            self.table.editItem(item)

    def _name_edited(self, item: QTableWidgetItem) -> None:
        session = self.chosen()
        if self._filling or item.column() != 0 or session is None:
            return
        name = " ".join(item.text().split())
        if name == session.name:
            return

        def done(problem: str) -> None:
            self.news.setText(problem)
            if not problem and session.id == self._controller.session_id:
                self._controller.session_name = name
                self._host.show_name()
            self.refresh()

        self._controller.ledger.rename_session(session.id, name, self.while_open(done))

    def _ask_delete(self) -> None:
        session = self.chosen()
        if session is None:
            return
        photos = "1 photo" if session.items == 1 else f"{session.items:,} photos"
        Question(
            self,
            self.theme,
            f"Delete “{session.name}”?",
            f"What gcdesk knows of its {photos} goes: answers, captions and corrections. The photos"
            " themselves stay where they are; only pictures that were dropped out of a browser or pasted"
            " are deleted.",
            [Answer("Delete", lambda: self._delete(session))],
            refuse="Keep",
        ).open()

    def _delete(self, session: SessionInfo) -> None:
        def done(problem: str) -> None:
            if not problem and session.id == self._controller.session_id:
                others = [item for item in self._found if item.id != session.id]
                if others:
                    self._controller.open_session(others[0].id)
                else:
                    self._controller.new_session("")
            if problem:
                self._host.say(problem)
            self.while_open(lambda _problem: self.refresh())(problem)

        self._controller.ledger.delete_session(session.id, done)
