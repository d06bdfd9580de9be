"""The form of training settings: name, starting model, duration; the rest is folded away."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtNetwork import QTcpSocket
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QStyledItemDelegate,
    QWidget,
)

from gcdesk.ui.widgets.dialogs import Sheet, note, roomy
from gcdesk.ui.widgets.form_card import Card

if TYPE_CHECKING:
    from gcdesk.ui.models.jobs import Listed

_DISTILBERT = "distilbert-base-uncased"
_HOST = ("huggingface.co", 443)
_OTHER = "…"
_WIDE = 300
_FOLDED, _UNFOLDED = "More settings ▸", "More settings ▾"


class SettingsCard(Card):
    """changed: a value changed. `settings()`: what differs from the trainer's defaults."""

    changed = Signal()

    def __init__(self, sheet: Sheet, name: str) -> None:
        super().__init__("Training", sheet)
        self._sheet = sheet
        self.name = QLineEdit(name)
        self.name.setMaxLength(60)
        self.add("Name of the new model", self.name, width=_WIDE)
        self.base = self._base_box()
        self.add(
            "Start from",
            self.base,
            "The starter’s knowledge of words is small and quick; DistilBERT’s is larger, four times slower.",  # noqa: RUF001
            width=_WIDE,
        )
        self.epochs = self._whole(1, 50, 5)
        self.add(
            "Epochs (times through all captions)",
            self.epochs,
            "It stops early when the watched captions get no better; the best epoch counts.",
        )
        self.estimate = note()
        self.add_whole(self.estimate)
        self.fold = QPushButton(_FOLDED)
        self.fold.setCheckable(True)
        self.fold.setAutoDefault(False)
        self.fold.setProperty("role", "quiet")
        line = QHBoxLayout()
        line.addWidget(self.fold)
        line.addStretch(1)
        self.add_line(line)
        self._expert = self._expert_page()
        self.add_whole(self._expert)
        self._expert.hide()
        self.fold.toggled.connect(self._expert.setVisible)
        self.fold.toggled.connect(lambda on: self.fold.setText(_UNFOLDED if on else _FOLDED))
        for box in (self.name, self.base, self.epochs, *self._fields.values()):
            self._listen(box)

    def _base_box(self) -> QComboBox:
        box = QComboBox()
        box.setItemDelegate(QStyledItemDelegate(box))
        box.addItem("The starter model", "starter")
        box.addItem("A folder on this computer…", _OTHER)
        box.activated.connect(self._chosen)
        return box

    def _expert_page(self) -> QWidget:
        page = Card("", self._sheet)
        page.setObjectName("fold")
        page.title.hide()
        page.column.setContentsMargins(0, 0, 0, 0)
        self._fields: dict[str, QWidget] = {
            "rate": page.add("Learning rate of the encoder", self._number(1e-6, 1e-2, 1.5e-4)),
            "head_rate": page.add("Learning rate of the last layer", self._number(1e-6, 1e-1, 1e-3)),
            "batch": page.add("Captions at a time", self._whole(2, 256, 32)),
            "patience": page.add(
                "Stop when it gets no better for so many times", self._whole(0, 20, 2, "never")
            ),
            "max_tokens": page.add("Longest caption, in pieces of words", self._whole(8, 128, 32)),
            "label_smoothing": page.add("Label smoothing", self._number(0, 0.4, 0.05)),
            "typos": page.add("Share of captions that get a typing error", self._number(0, 1, 0.3)),
            "drop_word": page.add("Share of captions that lose a word", self._number(0, 1, 0.1)),
            "seed": page.add("Seed of chance", self._whole(0, 1_000_000, 0)),
        }
        freeze = QCheckBox("Leave the word vectors as they are (half the time)")
        freeze.setChecked(True)
        weights = QCheckBox("Rare bins count more")
        weights.setChecked(True)
        for name, check in (("freeze_embeddings", freeze), ("class_weights", weights)):
            self._fields[name] = check
            page.add_whole(check)
        return page

    def _whole(self, low: int, high: int, value: int, zero: str = "") -> QSpinBox:
        box = QSpinBox()
        box.setRange(low, high)
        box.setValue(value)
        box.setSpecialValueText(zero)
        roomy(box)
        return box

    def _number(self, low: float, high: float, value: float) -> QDoubleSpinBox:
        box = QDoubleSpinBox()
        box.setDecimals(6 if value < 0.01 else 2)
        box.setRange(low, high)
        box.setSingleStep(value / 3 if value < 0.01 else 0.05)
        box.setValue(value)
        roomy(box)
        return box

    def _listen(self, box: QWidget) -> None:
        if isinstance(box, QLineEdit):
            box.textChanged.connect(lambda _text: self.changed.emit())
        elif isinstance(box, QComboBox):
            box.currentIndexChanged.connect(lambda _place: self.changed.emit())
        elif isinstance(box, QCheckBox):
            box.toggled.connect(lambda _on: self.changed.emit())
        elif isinstance(box, QSpinBox | QDoubleSpinBox):
            box.valueChanged.connect(lambda _value: self.changed.emit())

    # --- what it starts from

    def show_models(self, models: list[Listed]) -> None:
        """Text models of the library as bases, before the last entry."""
        for listed in models:
            model = listed.model
            if not model.starter and model.info is not None and model.info.kind == "text":
                self._offer(model.name, str(model.folder))

    def look_online(self) -> None:
        """Offer the model that must be fetched where it was fetched before, or where its host answers."""
        if (Path.home() / ".cache" / "huggingface" / "hub" / f"models--{_DISTILBERT}").is_dir():
            self._offer("DistilBERT", _DISTILBERT)
            return
        self._socket = QTcpSocket(self)
        self._socket.connected.connect(self._online)
        self._socket.connectToHost(*_HOST)

    def _online(self) -> None:
        self._socket.abort()
        self._offer("DistilBERT, fetched once (270 MB)", _DISTILBERT)

    def _offer(self, words: str, base: str) -> None:
        if self.base.findData(base) < 0:
            self.base.insertItem(self.base.count() - 1, words, base)

    def _chosen(self, _place: int) -> None:
        if self.base.currentData() != _OTHER:
            return
        folder = QFileDialog.getExistingDirectory(self, "A .gcmodel folder, or one of a Hugging Face model")
        if folder:
            self._offer(Path(folder).name, folder)
        self.base.setCurrentIndex(max(0, self.base.findData(folder)) if folder else 0)

    def base_id(self) -> str:
        """As the trainer names it."""
        chosen = self.base.currentData()
        return str(chosen) if chosen != _OTHER else "starter"

    def settings(self) -> dict[str, str]:
        """As the trainer reads them."""
        found: dict[str, Any] = {"name": self.name.text().strip(), "epochs": self.epochs.value()}
        for name, box in self._fields.items():
            if isinstance(box, QCheckBox):
                found[name] = "true" if box.isChecked() else "false"
            elif isinstance(box, QSpinBox | QDoubleSpinBox):
                found[name] = box.value()
        return {name: str(value) for name, value in found.items()}

    def pace_key(self) -> tuple[str, ...]:
        """What the speed of a training depends on."""
        values = self.settings()
        return (self.base_id(), *(values[name] for name in ("batch", "max_tokens", "freeze_embeddings")))
