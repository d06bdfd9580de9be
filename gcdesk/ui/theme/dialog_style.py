"""The style sheet of the dialogs, over the window's: fields, lists and pages."""

from __future__ import annotations

from gcdesk.config.resources import resource_path
from gcdesk.ui.theme.theme import Theme

_SHEET = """
QTableWidget, QTextBrowser, QScrollArea#framed {{ background: {surface}; border: 1px solid {line};
    border-radius: 8px; outline: 0; }}
QTableWidget::item {{ padding: 0 7px; border: 0; }}
QTableWidget::item:selected {{ background: {select}; color: {text}; }}
QTableWidget QHeaderView {{ background: transparent; }}
QTableWidget QHeaderView::section {{ background: {surface}; }}
QTableWidget QHeaderView::section:first {{ border-top-left-radius: 7px; }}
QTableWidget QHeaderView::section:last, QTableWidget QHeaderView::section:only-one {{
    border-top-right-radius: 7px; }}
QAbstractScrollArea::corner {{ background: transparent; border: 0; }}
QTableWidget QLineEdit {{ border: 2px solid {focus}; border-radius: 5px; padding: 0 6px; }}
QScrollArea, QScrollArea > QWidget > QWidget#page {{ background: transparent; border: 0; }}
QFrame#card {{ background: {surface}; border: 1px solid {line}; border-radius: 10px; }}
QFrame#card QLabel {{ background: transparent; }}
QLabel[role="key"] {{ background: {ground}; border: 1px solid {line}; border-bottom-width: 2px;
    border-radius: 5px; padding: 1px 7px; color: {text}; font-size: {small}px; }}
QPlainTextEdit {{ background: {surface}; border: 1px solid {line}; border-radius: 8px; padding: 6px;
    color: {text_2}; font-size: {small}px; }}

QComboBox, QSpinBox, QDoubleSpinBox {{ background: {surface}; color: {text}; border: 1px solid {control};
    border-radius: 7px; padding: 0 8px; min-height: {field}px; max-height: {field}px; }}
QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus {{ border: 2px solid {focus}; padding: 0 7px;
    min-height: {field_2}px; max-height: {field_2}px; }}
QComboBox:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled {{ color: {text_3}; border-color: {line}; }}
QComboBox {{ combobox-popup: 0; }}
QComboBox::drop-down {{ border: 0; width: {arrow_box}px; }}
QComboBox::down-arrow {{ image: url({chevron}); width: {arrow}px; height: {arrow}px; }}
QComboBox QAbstractItemView {{ background: {raised}; color: {text}; border: 1px solid {control};
    padding: 4px; outline: 0; selection-background-color: {select}; selection-color: {text}; }}
QComboBox QAbstractItemView::item {{ min-height: {field}px; padding: 0 6px; border: 0; }}
QComboBox QAbstractItemView::item:selected {{ background: {select}; color: {text}; }}
QSpinBox::up-button, QDoubleSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::down-button {{
    background: transparent; border: 0; width: {arrow_box}px; subcontrol-origin: border; }}
QSpinBox::up-button, QDoubleSpinBox::up-button {{ subcontrol-position: top right; top: 3px; }}
QSpinBox::down-button, QDoubleSpinBox::down-button {{ subcontrol-position: bottom right; bottom: 3px; }}
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow {{ image: url({chevron_up}); width: {arrow}px;
    height: {arrow}px; }}
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow {{ image: url({chevron}); width: {arrow}px;
    height: {arrow}px; }}
QCheckBox, QRadioButton {{ spacing: 8px; padding: 2px 4px 2px 1px; border: 2px solid transparent; border-radius: 6px;
    margin-left: -3px; }}
QCheckBox:focus, QRadioButton:focus {{ border-color: {focus}; }}
QCheckBox::indicator {{ width: {box}px; height: {box}px; border: 1px solid {control}; border-radius: 4px;
    background: {surface}; }}
QCheckBox::indicator:checked {{ background: {text}; border-color: {text}; image: url({tick}); }}
QRadioButton::indicator {{ width: {box}px; height: {box}px; border: 1px solid {control};
    border-radius: {round}px; background: {surface}; }}
QRadioButton::indicator:checked {{ border: {dot}px solid {text}; width: {inner}px; height: {inner}px;
    background: {surface}; }}
QPushButton:focus {{ outline: 0; }}
"""
_COLOURS = ("surface", "line", "select", "text", "focus", "control", "text_3", "raised", "ground", "text_2")


def dialog_style(theme: Theme) -> str:
    """The sheet for one theme and text scale."""
    look = "dark" if theme.dark else "light"
    box = theme.px(16)
    field = theme.px(30)
    return _SHEET.format(
        **{name: getattr(theme, name).name() for name in _COLOURS},
        chevron=resource_path("icons", f"chevron-{look}.svg").as_posix(),
        chevron_up=resource_path("icons", f"chevron-up-{look}.svg").as_posix(),
        tick=resource_path("icons", f"tick-{look}.svg").as_posix(),
        small=theme.px(12),
        field=field - 2,
        field_2=field - 4,
        arrow=theme.px(10),
        arrow_box=theme.px(24),
        box=box,
        round=(box + 2) // 2,
        dot=theme.px(5),
        inner=box + 2 - 2 * theme.px(5),
    )
