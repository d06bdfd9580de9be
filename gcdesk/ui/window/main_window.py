"""The main window: builds toolbar, list, detail pane and status strip, and connects them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence
from PySide6.QtWidgets import QFileDialog, QSplitter, QStackedWidget, QVBoxLayout, QWidget
from PySide6.QtWidgets import QMainWindow as _QMainWindow

from gcdesk.config.resources import resource_path
from gcdesk.engine.labels import NOT_SET, UNSURE
from gcdesk.ui.session.controller import Controller
from gcdesk.ui.session.filtering import Show, SortBy
from gcdesk.ui.session.review import next_to_review
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.threads.background import Background
from gcdesk.ui.window.actions import Actions
from gcdesk.ui.window.detail import Detail
from gcdesk.ui.window.detail_presenter import DetailPresenter
from gcdesk.ui.window.empty_state import EmptyState
from gcdesk.ui.window.list.caption_completer import Phrases, read_phrases
from gcdesk.ui.window.list.model import ItemModel
from gcdesk.ui.window.list.view import ItemView
from gcdesk.ui.window.status_strip import StatusStrip
from gcdesk.ui.window.toolbar import Toolbar
from gcdesk.ui.window.view_updater import ViewUpdater
from gcdesk.ui.window.window_state import load_state, save_state

PHOTO_FILTER = (
    "Photos (*.jpg *.jpeg *.png *.webp *.bmp *.tif *.tiff *.gif *.heic *.heif *.avif);;All files (*)"
)


def _yes() -> bool:
    return True


class MainWindow(_QMainWindow):
    """See docs/design-window.md. Other rooms reach it through `gcdesk.ui.host.Host`."""

    paths_opened = Signal(list)  # of str: files and folders that were opened, dropped or handed over
    closing = Signal()  # before anything is shut down

    def __init__(self, controller: Controller, theme: Theme) -> None:
        super().__init__()
        self.controller, self.theme = controller, theme
        self.setWindowTitle("gcdesk")
        self.resize(1360, 860)
        self.may_close: Callable[[], bool] = _yes  # asks first where something would be lost
        self.background = Background(self)
        self._pictures = Background(self)  # a slow disk must not hold filters up
        self.phrases = Phrases()
        self.model = ItemModel(controller.rows, self)
        self.actions_ = Actions(self)
        self.head = Toolbar(theme, self.actions_)
        self.filter_bar = self.head.filters
        self.view = ItemView(self.model, theme, self.phrases)
        self.empty = EmptyState(theme)
        self.detail = Detail(theme)
        self.strip = StatusStrip(theme)
        self.view_updater = ViewUpdater(self.model, self.background, self)
        self.presenter = DetailPresenter(controller, self.model, self.detail, self._pictures)
        self._assemble()
        self._connect_parts()
        self._connect_controller()
        self._wire_actions()
        self._restore()
        self._rows_reset()
        QTimer.singleShot(0, self._read_phrases)

    # --- building

    def _assemble(self) -> None:
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.view)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, handleWidth=1, childrenCollapsible=False)
        self.splitter.addWidget(self._stack)
        self.splitter.addWidget(self.detail)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setSizes([940, self.theme.px(420)])
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.head)
        column.addWidget(self.splitter, 1)
        column.addWidget(self.strip)
        self.setCentralWidget(whole)
        self.actions_.give_to(self.view, self.detail.photo)
        self.setTabOrder(self.head.search, self.view)
        self.setTabOrder(self.view, self.detail.photo)

    def _connect_parts(self) -> None:
        self.head.search_changed.connect(lambda text: self.view_updater.ask(search=text))
        self.head.left_search.connect(self.view.setFocus)
        self.filter_bar.chosen.connect(lambda show: self.view_updater.ask(show=show))
        self.view_updater.counted.connect(self.filter_bar.set_counts)
        self.view_updater.settled.connect(self.presenter.refresh)
        self.view.sort_requested.connect(lambda sort, down: self.view_updater.ask(sort=sort, descending=down))
        self.view.current_row_changed.connect(self._current_changed)
        self.view.visible_changed.connect(lambda: self.controller.show_first(self.view.rows_on_screen()))
        self.model.caption_edited.connect(self._caption_edited)
        self.empty.samples_wanted.connect(self.open_samples)
        self.empty.open_wanted.connect(self.choose_photos)
        self.detail.label_chosen.connect(self.set_label)
        self.detail.accepted.connect(self.accept_and_next)
        self.strip.pause_wanted.connect(
            lambda on: self.controller.pause() if on else self.controller.resume()
        )
        self.strip.cancel_wanted.connect(self.controller.cancel)

    def _connect_controller(self) -> None:
        controller = self.controller
        controller.rows_added.connect(self._rows_added)
        controller.rows_changed.connect(self._rows_changed)
        controller.rows_reset.connect(self._rows_reset)
        controller.progress_changed.connect(self.strip.show_progress)
        controller.notice.connect(self.strip.say)
        controller.offered.connect(self.strip.say)
        controller.device_changed.connect(self.strip.show_device)
        controller.models_changed.connect(self.strip.show_models)

    def _wire_actions(self) -> None:
        provide = self.provide
        provide("open_photos", self.choose_photos)
        provide("open_folder", self.choose_folder)
        provide("samples", self.open_samples)
        provide("quit", self.close)
        provide("find", self.head.focus_search)
        provide("edit_caption", self.view.edit_caption)
        provide("same_caption", self.same_caption)
        for code in range(UNSURE):
            provide(f"bin_{code}", lambda code=code: self.set_label(code))
        provide("unsure", lambda: self.set_label(UNSURE))
        provide("take_back", lambda: self.set_label(NOT_SET))
        provide("accept", self.accept_and_next)
        provide("next_review", self.go_to_review)
        provide("retry", lambda: self.controller.retry(self.view.selected_rows()))
        provide("clear_finished", self.controller.clear_finished)
        provide("heat", self.detail.heat.setChecked)
        self.detail.heat.toggled.connect(self.actions_["heat"].setChecked)
        self.detail.photo.heat_toggled.connect(self.actions_["heat"].toggle)
        provide("fit", self.detail.photo.fit)
        provide("zoom_in", lambda: self.detail.photo.zoom_by(1.25))
        provide("zoom_out", lambda: self.detail.photo.zoom_by(0.8))
        provide("refresh", self.view_updater.ask)
        provide("least_sure", self.least_sure)
        stack = self.controller.undo_stack
        edit = self.actions_.menus["edit"]
        for make, keys, before in (
            (stack.createUndoAction, ["Ctrl+Z"], "undo"),
            (stack.createRedoAction, ["Ctrl+Shift+Z", "Ctrl+Y"], "redo"),
        ):
            action = make(self)
            action.setShortcuts([QKeySequence(key) for key in keys])
            self.actions_.by_name[before] = action
            self.addAction(action)
            edit.insertAction(self.actions_["paste"], action)
        self.actions_.tidy()

    # --- plug points

    def provide(self, name: str, slot: Callable[..., object]) -> QAction:
        """Say what a known action does; until then it is hidden."""
        return self.actions_.provide(name, slot)

    def open_paths(self, paths: Sequence[str]) -> None:
        """Emit `paths_opened`, unless there are none."""
        if paths:
            self.paths_opened.emit([str(path) for path in paths])

    def say(self, text: str, offer: str = "", act: Callable[[], object] | None = None) -> None:
        """One line of news in the strip."""
        self.strip.say(text, offer, act)

    def interrupt(self, text: str, offer: str, act: Callable[[], object]) -> None:
        """As `say`, but an offer that stands comes back when this one is gone."""
        self.strip.interrupt(text, offer, act)

    def is_offering(self, act: Callable[[], object]) -> bool:
        """Whether the strip shows a button that calls `act`."""
        return self.strip.act == act

    def withdraw(self, act: Callable[[], object]) -> None:
        """Take the news away whose button calls `act`."""
        if self.is_offering(act):
            self.strip.clear_notice()

    @property
    def widget(self) -> QWidget:
        return self

    def action(self, name: str) -> QAction:
        return self.actions_[name]

    def refresh_detail(self) -> None:
        self.presenter.refresh()

    def visible_rows(self) -> np.ndarray:
        """Row numbers in view order, the newest included."""
        self.view_updater.catch_up()
        return self.model.index_array

    def selected_rows(self) -> list[int]:
        """Row numbers of the selection in view order; the current row where nothing is selected."""
        return self.view.selected_rows()

    def show_row(self, row: int) -> None:
        """Make a row the current one; a row that the filter hides joins the end of the list."""
        self.view_updater.catch_up()
        if self.model.position_of(row) < 0:
            self.model.set_index_array(np.append(self.model.index_array, np.int32(row)))
        self.view.show_row(row)

    def set_theme(self, theme: Theme) -> None:
        """Another look or text scale."""
        self.theme = theme
        for part in (self.head, self.view, self.empty, self.detail, self.strip):
            part.set_theme(theme)

    # --- what the operator does

    def choose_photos(self) -> None:
        paths, _kind = QFileDialog.getOpenFileNames(self, "Open photos", "", PHOTO_FILTER)
        self.open_paths(paths)

    def choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Open folder")
        self.open_paths([folder] if folder else [])

    def open_samples(self) -> None:
        self.open_paths([str(resource_path("samples"))])

    def set_label(self, label: int) -> None:
        """Set the bin of the selected rows by hand."""
        rows = self.view.selected_rows()
        if rows:
            self.controller.set_labels(rows, label)

    def accept_and_next(self) -> None:
        """Accept the current row as it stands and go to the next to review, or now and then to a spot check."""
        row = self.view.current_row()
        if row < 0:
            return
        following = next_to_review(self.controller.rows, self.model.index_array, row)
        self.controller.accept([row])
        spot = self.controller.offer_spot_check()
        if spot >= 0:
            self.show_row(spot)
        elif following >= 0:
            self.show_row(following)
        else:
            self.view.move_by(1)
            if not self.controller.rows.to_review().any():
                self.say("Nothing left to review.")

    def least_sure(self) -> None:
        """Order by the rule's margin, the smallest first."""
        self.view.set_sort(SortBy.MARGIN, False)
        self.view_updater.ask(sort=SortBy.MARGIN, descending=False)

    def go_to_review(self) -> None:
        """Go to the next row to review."""
        row = next_to_review(self.controller.rows, self.model.index_array, self.view.current_row())
        if row >= 0:
            self.show_row(row)

    def same_caption(self) -> None:
        """The selected rows take the caption of the row above the first of them."""
        rows = self.view.selected_rows()
        above = self.model.row_at(self.model.position_of(rows[0]) - 1) if rows else -1
        if above >= 0:
            self.controller.set_captions(rows, self.controller.rows.caption[above])
            if len(rows) == 1:
                self.view.move_by(1)

    def _caption_edited(self, row: int, text: str) -> None:
        chosen = self.view.selected_rows()
        self.phrases.remember(text)
        self.controller.set_captions(chosen if row in chosen else [row], text)

    def _current_changed(self, row: int) -> None:
        self.controller.set_current(row)
        self.presenter.show_row(row)

    # --- what the controller says

    def _rows_added(self, first: int, _count: int) -> None:
        fresh = first == 0
        self.view_updater.added()
        self._show_list()
        if fresh and self.model.rowCount():
            self.view.show_row(self.model.row_at(0))
            self.view.setFocus()

    def _rows_changed(self, changed: np.ndarray) -> None:
        self.model.refresh_rows(changed)
        self.presenter.refresh_if(changed)
        self.view_updater.follow()

    def _rows_reset(self) -> None:
        self.view_updater.reset()
        self.strip.drop_offer()  # it was about rows that are gone
        self._show_list()
        self.controller.ledger.past_captions(self.phrases.remember_all)
        self.show_name()
        if self.model.rowCount():
            self.view.show_row(self.model.row_at(0))
        else:
            self.presenter.show_row(-1)

    def show_name(self) -> None:
        """The session's name in the title."""
        name = self.controller.session_name
        self.setWindowTitle(f"{name} – gcdesk" if name else "gcdesk")  # noqa: RUF001 - a dash

    def _show_list(self) -> None:
        empty = not len(self.controller.rows)
        self._stack.setCurrentWidget(self.empty if empty else self.view)
        self.detail.setVisible(not empty)
        self.filter_bar.setVisible(not empty)
        if empty:
            self.filter_bar.choose(Show.ALL)
            self.empty.samples.setFocus()

    def _read_phrases(self) -> None:
        file = resource_path("phrases.txt")
        self.background.run(lambda: read_phrases(file), self.phrases.learn)

    # --- leaving

    def _restore(self) -> None:
        state = load_state()
        if "window" in state:
            self.restoreGeometry(state["window"])
        if "columns" in state:
            self.view.horizontalHeader().restoreState(state["columns"])
        if "regions" in state:
            self.splitter.restoreState(state["regions"])

    def close_unasked(self) -> None:
        """Close whatever runs: the system is going down, or the question was answered."""
        self.may_close = _yes
        self.close()

    def event(self, event: QEvent) -> bool:
        """Layout and paint of the whole window go before what threads do: every cell is a call into Python."""
        if event.type() in (QEvent.Type.UpdateRequest, QEvent.Type.LayoutRequest):
            with self.controller.gui_priority:
                return super().event(event)
        return super().event(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.may_close():
            event.ignore()
            return
        self.closing.emit()
        columns = self.view.horizontalHeader().saveState()
        save_state({"window": self.saveGeometry(), "columns": columns, "regions": self.splitter.saveState()})
        self.presenter.close()
        self.view_updater.close()
        self.view.close_down()
        self.background.close()
        self._pictures.close()
        self.controller.close()
        super().closeEvent(event)
