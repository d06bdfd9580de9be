"""The settings dialog; each change is applied at once."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QPushButton,
    QSpinBox,
    QStyledItemDelegate,
    QVBoxLayout,
    QWidget,
)

from gcdesk.config.build import why_no_torch
from gcdesk.config.folders import user_folders
from gcdesk.config.settings import Settings
from gcdesk.ui.host import Host
from gcdesk.ui.settings.preferences import Preferences
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.widgets.dialogs import Sheet, note, roomy, scrolled
from gcdesk.ui.widgets.form_card import Card, disable_entry

_THEMES = (("As the system", "system"), ("Light", "light"), ("Dark", "dark"))
_SCALES = tuple((f"{percent} %", percent / 100) for percent in (80, 90, 100, 110, 125, 150, 175, 200))
_RULES = (
    ("Both, text first (recommended)", None),
    ("As fitted on this station's items", "fitted"),
    ("The surer model, calibrated", "calibrated"),
    ("The surer model, as in the original project", "max_confidence"),
    ("The mean of both", "mean"),
    ("Both, weighted", "weighted"),
)
_DEVICES = (("Automatic", "auto"), ("CPU", "cpu"), ("Graphics card (CUDA)", "cuda"))
_STARTER = "comes with gcdesk"
_KEPT = ("watch_folder",)  # not a matter of taste: defaults leave it


class SettingsDialog(Sheet):
    """`field(name)` is the widget of a setting."""

    def __init__(self, host: Host, preferences: Preferences) -> None:
        super().__init__(host.widget, host.theme, "Settings – gcdesk", "Settings")  # noqa: RUF001 - a dash
        self._preferences = preferences
        self._fields: dict[str, QWidget] = {}
        self._showing = False
        self.resize_within(600, 680)
        self.setMinimumSize(420, 360)
        page = QWidget()
        page.setObjectName("page")
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 12, 0)
        column.setSpacing(12)
        for card in (self._look(), self._deciding(), self._models(), self._watching(), self._folders()):
            column.addWidget(card)
        column.addStretch(1)
        self.body.addWidget(scrolled(page), 1)
        self.add_button("Restore defaults", self._restore)
        self.buttons.addStretch(1)
        self.add_button("Close", self.close, main=True)
        self.show_settings(preferences.settings)
        preferences.list_models(self.while_open(self._show_models))

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for card in self.findChildren(Card):
            card.set_theme(theme)

    def field(self, name: str) -> Any:
        """The widget of a setting, by the setting's name."""
        return self._fields[name]

    # --- the cards

    def _look(self) -> Card:
        card = Card("Look", self)
        card.add("Theme", self._choice("theme", _THEMES))
        card.add("Text size", self._choice("text_scale", _SCALES))
        return card

    def _deciding(self) -> Card:
        card = Card("Deciding", self)
        card.add("Which model decides", self._choice("rule", _RULES), width=330)
        self._weight = card.add("Weight of the text model", self._fraction("text_weight"))
        card.add(
            "Ask for a review below",
            self._fraction("review_threshold"),
            "An answer that is less sure than this is marked “to review”.",
        )
        card.add(
            "Ask for a review where the models disagree and are closer than",
            self._fraction("disagreement_margin"),
        )
        card.add("Say “sure” from", self._fraction("sure_threshold"))
        card.add(
            "Now and then confirm a sure answer: one in",
            self._whole("confirm_one_in", 0, 100_000, "never"),
            "Picked at random and counted apart: how often the models are right in your work.",
        )
        return card

    def _models(self) -> Card:
        card = Card("Models", self)
        for name, words in (("image_model", "Image model"), ("text_model", "Text model")):
            card.add(words, self._choice(name, ((_STARTER, None),)), width=280)
        devices = self._choice("device", _DEVICES)
        why = why_no_torch("Using the graphics card")
        if why:
            disable_entry(devices, devices.findData("cuda"), why)
        card.add("Device", devices, why)
        card.add("Threads", self._whole("threads", 0, 256, "automatic"))
        return card

    def _watching(self) -> Card:
        card = Card("Watched folder", self)
        box = QCheckBox("Only new photos")
        box.toggled.connect(lambda on: self._changed("only_new_photos", on))
        self._fields["only_new_photos"] = box
        card.add_whole(box)
        card.add("Say so when no photo came for", self._whole("quiet_minutes", 0, 1440, "never", " min"))
        return card

    def _folders(self) -> Card:
        card = Card("Folders", self)
        folders = user_folders()
        for words, path in (
            ("Sessions and models", folders.data),
            ("Settings", folders.config),
            ("Thumbnails", folders.cache),
            ("Log", folders.log),
        ):
            button = QPushButton("Open", autoDefault=False)
            button.clicked.connect(
                lambda _on, path=path: QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
            )
            card.add(words, button, width=70)
            where = note(str(path))
            where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            card.add_whole(where)
            button.setAccessibleName(f"Open the folder: {words}")
        return card

    # --- fields

    def _choice(self, name: str, entries: tuple[tuple[str, Any], ...]) -> QComboBox:
        box = QComboBox()
        box.setItemDelegate(QStyledItemDelegate(box))  # its own one draws a menu and knows no sheet
        for words, value in entries:
            box.addItem(words, value)
        box.activated.connect(lambda _place: self._changed(name, box.currentData()))
        self._fields[name] = box
        return box

    def _fraction(self, name: str) -> QDoubleSpinBox:
        box = QDoubleSpinBox()
        box.setRange(0, 1)
        box.setDecimals(2)
        box.setSingleStep(0.05)
        roomy(box)
        box.valueChanged.connect(lambda value: self._changed(name, round(value, 2)))
        self._fields[name] = box
        return box

    def _whole(self, name: str, low: int, high: int, zero: str, suffix: str = "") -> QSpinBox:
        box = QSpinBox()
        box.setRange(low, high)
        box.setSpecialValueText(zero)
        box.setSuffix(suffix)
        roomy(box)
        box.valueChanged.connect(lambda value: self._changed(name, value))
        self._fields[name] = box
        return box

    def _changed(self, name: str, value: Any) -> None:
        if self._showing:
            return
        if name == "threads":
            value = value or None
        if name == "review_threshold":
            self.field("sure_threshold").setMinimum(value)  # "sure" may not ask for a review
        self._preferences.change(**{name: value})
        self._weight.setEnabled(self._preferences.settings.rule == "weighted")

    # --- showing

    def show_settings(self, settings: Settings) -> None:
        """Put the values into the fields; changes nothing."""
        self._showing = True
        self.field("sure_threshold").setMinimum(min(settings.review_threshold, settings.sure_threshold))
        for name, box in self._fields.items():
            value = getattr(settings, name)
            if isinstance(box, QComboBox):
                self._show_choice(box, value)
            elif isinstance(box, QCheckBox):
                box.setChecked(value)
            elif isinstance(box, QSpinBox | QDoubleSpinBox):
                box.setValue(value or 0)
        self._weight.setEnabled(settings.rule == "weighted")
        self._showing = False

    def _show_choice(self, box: QComboBox, value: Any) -> None:
        index = box.findData(value)
        if index < 0:  # a size or a model from the file that is not in the list
            box.addItem(f"{value:.0%}" if isinstance(value, float) else str(value), value)
            index = box.count() - 1
        box.setCurrentIndex(index)

    def _show_models(self, models: dict[str, list[tuple[str, str | None]]]) -> None:
        self._showing = True
        for kind in ("image", "text"):
            box = self.field(f"{kind}_model")
            box.clear()
            for words, name in models[kind] or [(_STARTER, None)]:
                box.addItem(words, name)
            self._show_choice(box, getattr(self._preferences.settings, f"{kind}_model"))
        self._showing = False

    def _restore(self) -> None:
        defaults = {name: value for name, value in asdict(Settings()).items() if name not in _KEPT}
        self._preferences.change(**defaults)
        self.show_settings(self._preferences.settings)
