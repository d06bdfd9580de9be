"""The status strip: progress, news, device and models."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from gcdesk.ui.session.progress import Progress
from gcdesk.ui.theme.theme import Theme, icon
from gcdesk.ui.widgets.plain_text import PlainLabel, tip

_NOTICE_MS = 12_000


class StatusStrip(QWidget):
    """Progress with Pause and Cancel on the left, device and models on the right, one line of news above."""

    pause_wanted = Signal(bool)
    cancel_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("strip")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._paused = False
        self.bar = QProgressBar(textVisible=False)
        self.bar.setFixedSize(150, 6)
        self.bar.setAccessibleName("Progress")
        self.words = PlainLabel()
        self.words.setProperty("tone", "2")
        self.pause = self._button("Pause", "Pause: photos on their way are finished first")
        self.cancel = self._button("Cancel", "Stop; photos that are not done yet stay in the list")
        self.device = PlainLabel()
        self.models = PlainLabel()
        for label in (self.device, self.models):
            label.setProperty("tone", "3")
        self.notice = PlainLabel()
        self.notice.setProperty("tone", "notice")
        self.notice.setAccessibleName("News")
        self.offer = QPushButton()
        self.dismiss = self._button("", "Dismiss")
        self._act: Callable[[], object] | None = None
        self._before: tuple[str, str, Callable[[], object]] | None = None
        self._timer = QTimer(self, singleShot=True, interval=_NOTICE_MS)
        self._timer.timeout.connect(self.clear_notice)
        self.pause.clicked.connect(lambda: self.pause_wanted.emit(not self._paused))
        self.cancel.clicked.connect(self.cancel_wanted)
        self.dismiss.clicked.connect(self.clear_notice)
        self.offer.clicked.connect(self._accept_offer)
        self._build()
        self.set_theme(theme)
        self.show_progress(Progress())
        self.clear_notice()

    def _button(self, text: str, hint: str) -> QPushButton:
        button = QPushButton(text)
        button.setProperty("role", "quiet")
        button.setToolTip(tip(hint))
        button.setAccessibleName(text or hint)
        return button

    def _build(self) -> None:
        news = QHBoxLayout()
        news.setContentsMargins(16, 6, 10, 0)
        news.setSpacing(10)
        for part in (self.notice, self.offer, self.dismiss):
            news.addWidget(part)
        news.addStretch(1)
        line = QHBoxLayout()
        line.setContentsMargins(16, 4, 16, 4)
        line.setSpacing(10)
        line.addWidget(self.bar)
        for part in (self.words, self.pause, self.cancel):
            line.addWidget(part)
        line.addStretch(1)
        line.addWidget(self.device)
        line.addSpacing(12)
        line.addWidget(self.models)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(news)
        whole.addLayout(line)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.setMinimumHeight(theme.px(42))
        self.dismiss.setIcon(icon("cancel", theme, 14))
        self.cancel.setIcon(icon("cancel", theme, 14))
        self._show_pause()

    def show_progress(self, progress: Progress) -> None:
        """Show how far the batch is."""
        if progress.paused != self._paused:  # ten times a second is too often to draw it anew
            self._paused = progress.paused
            self._show_pause()
        for part in (self.bar, self.pause, self.cancel):
            part.setVisible(progress.running)
        self.bar.setRange(0, max(progress.total, 1))
        self.bar.setValue(progress.done)
        self.words.setText(progress.in_words())

    def _show_pause(self) -> None:
        self.pause.setText("Resume" if self._paused else "Pause")
        self.pause.setIcon(icon("resume" if self._paused else "pause", self._theme, 14))

    def show_device(self, text: str) -> None:
        self.device.setText(text)

    def show_models(self, image: str, text: str) -> None:
        """Show the names of the models in use, "" for none."""
        parts = [
            f"Image model {image}" if image else "no image model",
            f"Text model {text}" if text else "no text model",
        ]
        self.models.setText("   ".join(parts))

    def say(self, text: str, offer: str = "", act: Callable[[], object] | None = None) -> None:
        """One line of news; it goes away by itself unless it offers something to do."""
        self.notice.setText(text)
        self.notice.show()
        self.dismiss.show()
        self.offer.setText(offer)
        self.offer.setVisible(bool(offer))
        self._act, self._before = act, None
        if offer:
            self._timer.stop()
        else:
            self._timer.start()

    def interrupt(self, text: str, offer: str, act: Callable[[], object]) -> None:
        """As `say`, but an offer that stands comes back when this one is gone."""
        before = (self.notice.text(), self.offer.text(), self._act) if self._act is not None else None
        self.say(text, offer, act)
        self._before = before

    def clear_notice(self) -> None:
        """Take the news away; what they interrupted comes back."""
        self._timer.stop()
        self._act = None
        for part in (self.notice, self.offer, self.dismiss):
            part.hide()
        if self._before is not None:
            text, offer, act = self._before
            self.say(text, offer, act)

    @property
    def act(self) -> Callable[[], object] | None:
        """What the offer does; None where nothing is offered."""
        return self._act

    def drop_offer(self) -> None:
        """Take offers away that no longer fit; plain news stays."""
        self._before = None
        if self._act is not None:
            self.clear_notice()

    def _accept_offer(self) -> None:
        act = self._act
        self.clear_notice()
        if act is not None:
            act()
