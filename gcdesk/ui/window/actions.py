"""All actions of the window in one table: menu, text, shortcuts, tooltip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from gcdesk.ui.widgets.plain_text import tip

MENUS = {"file": "File", "edit": "Edit", "item": "Photo", "view": "View", "models": "Models", "help": "Help"}


@dataclass(frozen=True)
class Spec:
    """One action. `where`: "window" (anywhere in the window) or "list" (list and photo only, so that a
    focused
    button keeps its own Space). `later` marks an action that another room provides."""

    menu: str
    name: str
    text: str
    keys: tuple[str, ...] = ()
    tip: str = ""
    where: str = "window"
    later: bool = False
    checkable: bool = False


SPECS = (
    Spec("file", "open_photos", "Open photos…", ("Ctrl+O",), "Choose photos"),
    Spec("file", "open_folder", "Open folder…", ("Ctrl+Shift+O",), "Choose a folder and what is in it"),
    Spec("file", "watch", "Watch a folder…", ("Ctrl+Shift+W",), "New photos", later=True, checkable=True),
    Spec("file", "samples", "Open the sample photos"),
    Spec("file", "-1", ""),
    Spec("file", "new_session", "New session", ("Ctrl+N",), later=True),
    Spec("file", "sessions", "Sessions…", ("Ctrl+R",), later=True),
    Spec("file", "-2", ""),
    Spec("file", "export_csv", "Export as CSV…", ("Ctrl+E",), later=True),
    Spec("file", "export_json", "Export as JSON…", later=True),
    Spec("file", "copy_to_bins", "Copy photos into bin folders…", later=True),
    Spec("file", "move_to_bins", "Move photos into bin folders…", later=True),
    Spec("file", "take_back_sorting", "Take back the last sorting into folders…", later=True),
    Spec("file", "save_training_set", "Save corrected photos as a training set…", later=True),
    Spec("file", "talc_export", "Train the image model on TALC…", tip="Write a job for a cluster", later=True),
    Spec("file", "talc_classify", "Classify a large folder on a cluster…", later=True),
    Spec("file", "talc_jobs", "Cluster jobs…", tip="Exported jobs and results that came back", later=True),
    Spec("file", "-3", ""),
    Spec("file", "quit", "Quit", ("Ctrl+Q",)),
    Spec("edit", "paste", "Paste", ("Ctrl+V",), "Paste an image or file names", later=True),
    Spec("edit", "find", "Search", ("Ctrl+F",)),
    Spec("edit", "settings", "Settings…", ("Ctrl+,",), later=True),
    Spec("item", "edit_caption", "Edit the caption", ("F2",), where="list"),
    Spec("item", "same_caption", "Same caption as the row above", ("F4", "Ctrl+D")),
    Spec("item", "-4", ""),
    Spec("item", "bin_0", "Black", ("1",)),
    Spec("item", "bin_1", "Blue", ("2",)),
    Spec("item", "bin_2", "Green", ("3",)),
    Spec("item", "bin_3", "TTR", ("4",)),
    Spec("item", "unsure", "None of these / unsure", ("0",)),
    Spec("item", "take_back", "Take back my label", ("Backspace",), where="list"),
    Spec("item", "accept", "Accept and go to the next to review", ("Space",), where="list"),
    Spec("item", "next_review", "Next to review", ("Ctrl+J",)),
    Spec("item", "-5", ""),
    Spec("item", "retry", "Try again", ("Ctrl+Shift+R",), "Classify the selected photos again"),
    Spec("item", "clear_finished", "Clear finished"),
    Spec("view", "heat", "Heat-map", ("Ctrl+H",), "Where the image model looked", checkable=True),
    Spec("view", "fit", "Fit the photo", ("Ctrl+9",)),
    Spec("view", "zoom_in", "Zoom in", ("Ctrl+=", "Ctrl++")),
    Spec("view", "zoom_out", "Zoom out", ("Ctrl+-",)),
    Spec("view", "-6", ""),
    Spec("view", "least_sure", "Least sure first", ("Ctrl+L",)),
    Spec("view", "refresh", "Apply filter and order again", ("F5",)),
    Spec("view", "station", "Station view", ("F11",), "For two metres away", later=True, checkable=True),
    Spec("models", "models", "Models…", ("Ctrl+M",), "Installed models", later=True),
    Spec("models", "import_model", "Import a model…", tip="A .gcmodel, its zip, or a course .pth", later=True),
    Spec("models", "train_text", "Train the text model…", ("Ctrl+T",), later=True),
    Spec("models", "evaluation", "Evaluation…", ("Ctrl+Shift+E",), "How good the models are", later=True),
    Spec("help", "help", "Help", ("F1",), later=True),
    Spec("help", "diagnostics", "Save diagnostics…", later=True),
    Spec("help", "about", "About gcdesk", later=True),
)  # fmt: skip


class Actions:
    """The actions by name, and the menu. An action without a slot is hidden."""

    def __init__(self, window: QWidget) -> None:
        self._window = window
        self.by_name: dict[str, QAction] = {}
        self.menu = QMenu(window)
        self.menus = {key: self.menu.addMenu(title) for key, title in MENUS.items()}
        self.listed: list[QAction] = []
        for spec in SPECS:
            if spec.name.startswith("-"):
                self.menus[spec.menu].addSeparator()
            else:
                self.add(spec)
        self.tidy()

    def __getitem__(self, name: str) -> QAction:
        return self.by_name[name]

    def add(self, spec: Spec, slot: Callable[..., None] | None = None) -> QAction:
        """Make an action, put it in its menu, and give it to the window or, for "list", to those who ask."""
        action = QAction(spec.text, self._window)
        action.setCheckable(spec.checkable)
        action.setShortcuts([QKeySequence(key) for key in spec.keys])
        shown = (
            QKeySequence(spec.keys[0]).toString(QKeySequence.SequenceFormat.NativeText) if spec.keys else ""
        )
        hint = spec.tip or spec.text.rstrip("…")
        action.setToolTip(tip(f"{hint} ({shown})" if shown else hint))
        action.setMenuRole(QAction.MenuRole.NoRole)
        if spec.where == "list":
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            self.listed.append(action)
        else:
            self._window.addAction(action)
        action.setVisible(not spec.later)
        action.setEnabled(not spec.later)
        self.menus[spec.menu].addAction(action)
        self.by_name[spec.name] = action
        if slot is not None:
            self.provide(spec.name, slot)
        return action

    def provide(self, name: str, slot: Callable[..., object]) -> QAction:
        """Say what an action does, and show it. A checkable one hands over its state."""
        action = self.by_name[name]
        if action.isCheckable():
            action.toggled.connect(slot)
        else:
            action.triggered.connect(lambda _checked=False: slot())
        action.setVisible(True)
        action.setEnabled(True)
        self.tidy()
        return action

    def withhold(self, name: str, why: str) -> QAction:
        """Show an action that this gcdesk cannot do, greyed, with a sentence that says where it can be done."""
        action = self.by_name[name]
        action.setVisible(True)
        action.setEnabled(False)
        action.setToolTip(tip(why))
        action.setStatusTip(why)
        for menu in self.menus.values():
            if action in menu.actions():
                menu.setToolTipsVisible(True)
        self.tidy()
        return action

    def tidy(self) -> None:
        """Hide menus that have nothing to show."""
        for menu in self.menus.values():
            shown = any(action.isVisible() and not action.isSeparator() for action in menu.actions())
            menu.menuAction().setVisible(shown)

    def give_to(self, *widgets: QWidget) -> None:
        """The list's keys work in these widgets."""
        for widget in widgets:
            widget.addActions(self.listed)
