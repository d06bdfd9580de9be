"""The application's style sheet, from the theme's colours: flat controls, hairlines, room to breathe."""

from __future__ import annotations

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

from gcdesk.ui.theme.theme import BODY, Theme, font_family

_SHEET = """
QMainWindow, QDialog {{ background: {ground}; }}
QToolTip {{ background: {text}; color: {surface}; border: 0; padding: 5px 8px; }}
QMenu {{ background: {raised}; border: 1px solid {line}; padding: 6px; }}
QMenu::item {{ padding: 6px 28px 6px 12px; border-radius: 5px; }}
QMenu::item:selected {{ background: {select}; }}
QMenu::item:disabled {{ color: {text_3}; }}
QMenu::separator {{ height: 1px; background: {line}; margin: 5px 8px; }}

QPushButton, QToolButton {{ background: {raised}; color: {text}; border: 1px solid {line}; border-radius: 7px;
    padding: {pad_y}px {pad_x}px; }}
QPushButton:hover, QToolButton:hover {{ background: {hover}; border-color: {control}; }}
QPushButton:pressed, QToolButton:pressed, QToolButton:checked, QPushButton:checked {{ background: {select};
    border-color: {control}; }}
QPushButton:focus, QToolButton:focus {{ border: 2px solid {focus}; padding: {pad_y_1}px {pad_x_1}px; }}
QPushButton:disabled, QToolButton:disabled {{ color: {text_3}; background: {ground}; }}
QPushButton[role="main"] {{ background: {text}; color: {surface}; border-color: {text}; font-weight: 600; }}
QPushButton[role="main"]:hover {{ background: {text_2}; }}
QPushButton[role="main"]:disabled {{ background: {ground}; color: {text_3}; border-color: {line}; }}
QPushButton[role="quiet"], QToolButton[role="quiet"] {{ background: transparent; border-color: transparent; }}
QPushButton[role="quiet"]:hover, QToolButton[role="quiet"]:hover {{ background: {select}; }}
QPushButton[role="quiet"]:focus, QToolButton[role="quiet"]:focus {{ border: 2px solid {focus}; }}
QPushButton[role="filter"] {{ background: transparent; border: 1px solid transparent;
    border-radius: {round}px;
    padding: 0 11px; min-height: {tall}px; max-height: {tall}px; color: {text_2}; }}
QPushButton[role="filter"]:hover {{ background: {select}; }}
QPushButton[role="filter"]:checked {{ background: {surface}; border: 1px solid {control}; color: {text}; }}
QPushButton[role="filter"]:focus {{ border: 2px solid {focus}; padding: 0 10px; min-height: {tall_1}px;
    max-height: {tall_1}px; }}
QToolButton::menu-indicator, QPushButton::menu-indicator {{ image: none; width: 0; }}

QLineEdit {{ background: {surface}; color: {text}; border: 1px solid {control}; border-radius: 7px;
    padding: {pad_y}px 10px; selection-background-color: {focus}; selection-color: {surface}; }}
QLineEdit:focus {{ border: 2px solid {focus}; padding: {pad_y_1}px 9px; }}
QLineEdit[role="cell"] {{ border: 2px solid {focus}; border-radius: 5px; padding: 0 6px;
    font-size: {large}px; }}
QComboBox, QSpinBox, QDoubleSpinBox {{ background: {surface}; border: 1px solid {control}; border-radius: 6px;
    padding: 4px 8px; }}

QTableView {{ background: {surface}; border: 0; gridline-color: transparent; outline: 0; }}
QHeaderView {{ background: {surface}; border: 0; }}
QHeaderView::section {{ background: {surface}; color: {text_3}; border: 0; border-bottom: 1px solid {line};
    padding: 8px 10px 7px 10px; font-size: {small}px; text-align: left; }}
QHeaderView::section:hover {{ color: {text}; }}
QListView[role="suggestions"] {{ background: {raised}; border: 1px solid {control}; padding: 4px;
    outline: 0; }}
QListView[role="suggestions"]::item {{ padding: 5px 8px; border-radius: 4px; color: {text}; }}
QListView[role="suggestions"]::item:selected {{ background: {select}; color: {text}; }}

QScrollBar:vertical {{ background: transparent; width: 12px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 0; }}
QScrollBar::handle {{ background: {handle}; border-radius: 4px; margin: 2px; min-height: 32px;
    min-width: 32px; }}
QScrollBar::handle:hover {{ background: {control}; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{ background:
transparent;
    width: 0; height: 0; }}
QFrame#rule {{ background: {line}; border: 0; max-width: 1px; min-width: 1px; }}
QToolButton[role="quiet"] {{ padding: 5px; }}
QToolButton[role="quiet"]:checked {{ background: {select}; border-color: {control}; }}
QToolButton[role="quiet"]:focus {{ padding: 4px; }}
QSplitter::handle {{ background: {line}; }}
QProgressBar {{ background: {track}; border: 0; border-radius: 3px; }}
QProgressBar::chunk {{ background: {text_2}; border-radius: 3px; }}

QWidget#head, QWidget#strip {{ background: {ground}; }}
QWidget#strip {{ border-top: 1px solid {line}; }}
QWidget#head {{ border-bottom: 1px solid {line}; }}
QWidget#detail, QWidget#empty {{ background: {surface}; }}
QLabel[tone="2"] {{ color: {text_2}; }}
QLabel[tone="3"] {{ color: {text_3}; font-size: {small}px; }}
QLabel[tone="notice"] {{ color: {text}; font-weight: 600; }}
"""


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Give the application the theme's palette, font and style sheet."""
    app.setStyle("Fusion")
    app.setPalette(theme.palette())
    font = QFont(font_family())
    font.setPixelSize(theme.px(BODY))
    font.setFeature(QFont.Tag("tnum"), 1)
    app.setFont(font)
    app.setStyleSheet(style_sheet(theme))


def style_sheet(theme: Theme) -> str:
    """The sheet for one theme and text scale."""
    pad_y, pad_x = 6, 12
    return _SHEET.format(
        **{
            name: getattr(theme, name).name()
            for name in (
                [
                    "ground",
                    "surface",
                    "raised",
                    "line",
                    "control",
                    "text",
                    "text_2",
                    "text_3",
                    "select",
                    "hover",
                    "focus",
                    "track",
                ]
            )
        },
        handle=("#454b51" if theme.dark else "#cfcfca"),
        pad_y=pad_y,
        pad_x=pad_x,
        pad_y_1=pad_y - 1,
        pad_x_1=pad_x - 1,
        round=theme.px(12),
        tall=theme.px(25),
        tall_1=theme.px(25) - 2,
        large=theme.px(14),
        small=theme.px(12),
    )
