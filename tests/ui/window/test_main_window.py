"""The window by keyboard and mouse, on a session in memory: captions, corrections, undo,
filter, sort, spot checks.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from window_kit import outcome

from gcdesk.engine.labels import NOT_SET, UNSURE
from gcdesk.store import SpotCheck, Status
from gcdesk.ui.intake.intake import Intake
from gcdesk.ui.session.filtering import Show, SortBy
from gcdesk.ui.session.ports import FoundPhoto
from gcdesk.ui.session.rows import NewItem
from gcdesk.ui.window.detail import margin_words
from gcdesk.ui.window.list.caption_editor import CaptionEdit
from gcdesk.ui.window.list.model import Column
from gcdesk.ui.window.main_window import MainWindow


@pytest.fixture
def window(quiet_window: MainWindow, qtbot: QtBot) -> MainWindow:
    """Twelve photos with results; rows 2, 5 and 9 are to review."""
    photos = [FoundPhoto(f"/p/IMG_{i:02d}.jpg", f"cup {chr(97 + i)}") for i in range(12)]
    quiet_window.controller.add_items(photos)
    qtbot.waitUntil(lambda: len(quiet_window.controller.rows) == 12)
    for row in range(12):
        quiet_window.controller.client.result.emit(row + 1, outcome(review=row in (2, 5, 9)))
    rows = quiet_window.controller.rows
    qtbot.waitUntil(lambda: bool((rows.status == Status.DONE).all()))
    quiet_window.view.show_row(0)
    quiet_window.view.setFocus()
    return quiet_window


def press(qtbot: QtBot, window: MainWindow, *keys: Qt.Key) -> None:
    for key in keys:
        qtbot.keyClick(window.view, key)


def caption_box(window: MainWindow) -> CaptionEdit:
    box = window.view.findChild(CaptionEdit)
    assert box is not None
    return box


def test_an_empty_list_says_what_to_do_and_offers_the_samples(quiet_window: MainWindow, qtbot: QtBot) -> None:
    intake = Intake(quiet_window)
    assert quiet_window.empty.isVisible()
    assert not quiet_window.detail.isVisible()
    qtbot.mouseClick(quiet_window.empty.samples, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(quiet_window.controller.rows) >= 12)
    assert quiet_window.view.isVisible()
    assert "orange peel" in quiet_window.controller.rows.caption
    qtbot.waitUntil(lambda: "classify" in [call[0] for call in quiet_window.controller.client.asked])
    intake.close()


def test_a_letter_opens_the_caption_box_and_enter_goes_to_the_next_row(
    window: MainWindow, qtbot: QtBot
) -> None:
    qtbot.keyClicks(window.view, "t")
    qtbot.keyClicks(caption_box(window), "ea bag")
    qtbot.keyClick(caption_box(window), Qt.Key.Key_Return)
    assert window.controller.rows.caption[0] == "tea bag"
    assert window.view.current_row() == 1
    asked = [call for call in window.controller.client.asked if call[0] == "rescore"]
    assert asked[-1][1:3] == (1, "tea bag")


def test_escape_leaves_the_caption_as_it_was(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClicks(window.view, "zz")
    qtbot.keyClick(caption_box(window), Qt.Key.Key_Escape)
    assert window.controller.rows.caption[0] == "cup a"
    assert window.view.current_row() == 0


def test_tab_takes_the_suggestion(window: MainWindow, qtbot: QtBot) -> None:
    window.phrases.learn(["coffee cup", "coffee filter paper"])
    qtbot.keyClicks(window.view, "c")
    box = caption_box(window)
    qtbot.keyClicks(box, "off")
    assert box.suggestions()[:2] == ["coffee cup", "coffee filter paper"]
    assert box.ghost() == "ee cup"
    qtbot.keyClick(box, Qt.Key.Key_Down)
    qtbot.keyClick(box, Qt.Key.Key_Down)
    qtbot.keyClick(box, Qt.Key.Key_Tab)
    assert box.text() == "coffee filter paper"
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert window.controller.rows.caption[0] == "coffee filter paper"


def test_digits_are_text_in_the_caption_box_and_bins_outside(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClicks(window.view, "b")
    qtbot.keyClicks(caption_box(window), "ag 4")
    qtbot.keyClick(caption_box(window), Qt.Key.Key_Return)
    assert window.controller.rows.caption[0] == "bag 4"
    assert window.controller.rows.operator[0] == NOT_SET
    press(qtbot, window, Qt.Key.Key_4)
    assert window.controller.rows.operator[1] == 3


def test_corrections_can_be_undone_and_redone(window: MainWindow, qtbot: QtBot) -> None:
    rows = window.controller.rows
    press(qtbot, window, Qt.Key.Key_1)
    assert rows.final(0) == 0
    assert rows.label[0] == 1
    press(qtbot, window, Qt.Key.Key_0)
    assert rows.final(0) == UNSURE
    qtbot.keyClick(window.view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert rows.final(0) == 0
    qtbot.keyClick(window.view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert rows.operator[0] == NOT_SET
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(window.view, Qt.Key.Key_Z, both)
    assert rows.final(0) == 0
    press(qtbot, window, Qt.Key.Key_Backspace)
    assert rows.operator[0] == NOT_SET


def test_selected_rows_are_edited_together(window: MainWindow, qtbot: QtBot) -> None:
    rows = window.controller.rows
    for _ in range(3):
        qtbot.keyClick(window.view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    press(qtbot, window, Qt.Key.Key_3)
    assert rows.operator[:5].tolist() == [2, 2, 2, 2, NOT_SET]
    qtbot.keyClicks(window.view, "x")
    qtbot.keyClick(caption_box(window), Qt.Key.Key_Return)
    assert rows.caption[:5] == ["x", "x", "x", "x", "cup e"]
    window.controller.undo_stack.undo()
    assert rows.caption[:4] == ["cup a", "cup b", "cup c", "cup d"]


def test_home_and_end_go_to_the_first_and_the_last_row(window: MainWindow, qtbot: QtBot) -> None:
    last = len(window.controller.rows) - 1
    for modifier in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier):
        qtbot.keyClick(window.view, Qt.Key.Key_End, modifier)
        assert window.view.current_row() == last
        assert window.view.selected_rows() == [last]
        qtbot.keyClick(window.view, Qt.Key.Key_Home, modifier)
        assert window.view.current_row() == 0
        assert window.view.selected_rows() == [0]
    qtbot.keyClick(window.view, Qt.Key.Key_Down)
    qtbot.keyClick(window.view, Qt.Key.Key_End, Qt.KeyboardModifier.ShiftModifier)
    assert window.view.selected_rows() == list(range(1, last + 1))


def test_same_caption_as_the_row_above_on_one_key(window: MainWindow, qtbot: QtBot) -> None:
    press(qtbot, window, Qt.Key.Key_Down, Qt.Key.Key_F4, Qt.Key.Key_F4)
    assert window.controller.rows.caption[:4] == ["cup a", "cup a", "cup a", "cup d"]
    assert window.view.current_row() == 3


def test_space_accepts_and_goes_through_the_review_queue(window: MainWindow, qtbot: QtBot) -> None:
    rows = window.controller.rows
    press(qtbot, window, Qt.Key.Key_Space)
    assert rows.operator[0] == 1
    assert window.view.current_row() == 2
    assert window.detail.answer.accessibleName() == "Blue check 1 / 3 to review"
    press(qtbot, window, Qt.Key.Key_Space)
    assert window.view.current_row() == 5
    press(qtbot, window, Qt.Key.Key_4, Qt.Key.Key_Space)
    assert rows.final(5) == 3
    assert window.view.current_row() == 9
    press(qtbot, window, Qt.Key.Key_Space)
    assert not rows.to_review().any()
    assert window.strip.notice.text() == "Nothing left to review."


def test_now_and_then_a_sure_row_is_offered_and_kept_apart(window: MainWindow, qtbot: QtBot) -> None:
    controller = window.controller
    controller.settings = type(controller.settings)(confirm_one_in=1)
    press(qtbot, window, Qt.Key.Key_Space)
    row = window.view.current_row()
    assert controller.rows.spot[row] == SpotCheck.OFFERED
    assert window.detail.reason.text().startswith("SpotCheck check: is Blue right?")
    press(qtbot, window, Qt.Key.Key_2)
    assert controller.rows.spot[row] == SpotCheck.ANSWERED
    assert ("offer_spot",) not in controller.client.asked


def test_filter_keeps_a_decided_row_until_it_is_chosen_again(window: MainWindow, qtbot: QtBot) -> None:
    window.filter_bar.choose(Show.REVIEW)
    qtbot.waitUntil(lambda: window.visible_rows().tolist() == [2, 5, 9])
    window.controller.set_labels([5], 0)
    qtbot.wait(700)
    assert window.visible_rows().tolist() == [2, 5, 9]
    window.filter_bar.choose(Show.REVIEW)
    qtbot.waitUntil(lambda: window.visible_rows().tolist() == [2, 9])


def test_search_narrows_and_escape_brings_all_back(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(window.head.search, "img_1")
    qtbot.waitUntil(lambda: window.visible_rows().tolist() == [10, 11])
    qtbot.keyClick(window.head.search, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: len(window.visible_rows()) == 12)


def test_photos_that_pour_in_appear_a_moment_later_and_a_current_one_at_once(
    window: MainWindow, qtbot: QtBot
) -> None:
    rows, shown, pour = window.controller.rows, window.model.rowCount, window.view_updater._pour
    pour.start(3_600_000)

    def arrive(count: int) -> None:
        rows.add([NewItem(900 + len(rows) + n, f"/p/new_{len(rows) + n}.jpg", "") for n in range(count)])
        window.view_updater.added()

    arrive(1)
    arrive(2)
    assert shown() == 12  # to paint the list anew for each would be slow
    pour.timeout.emit()
    assert shown() == 15

    arrive(2)
    assert shown() == 15
    window.show_row(16)
    assert window.view.current_row() == 16
    assert window.model.index_array.tolist() == list(range(17))

    arrive(1)
    assert window.visible_rows().tolist() == list(range(18))


def test_a_head_sorts_up_then_down_then_not(window: MainWindow, qtbot: QtBot) -> None:
    head = window.view.horizontalHeader()
    for wanted in (SortBy.CAPTION, SortBy.CAPTION, SortBy.ARRIVAL):
        head.sectionClicked.emit(Column.CAPTION)
        assert window.view_updater.spec.sort is wanted
    qtbot.waitUntil(lambda: window.visible_rows().tolist() == list(range(12)))


def test_the_current_row_stays_current_when_the_order_changes(window: MainWindow, qtbot: QtBot) -> None:
    window.view.show_row(4)
    window.view_updater.ask(sort=SortBy.NAME, descending=True)
    qtbot.waitUntil(lambda: window.visible_rows()[0] == 11)
    assert window.view.current_row() == 4


def test_detail_shows_both_models_and_the_reason(window: MainWindow) -> None:
    said = "Text is more confident: 0.80 against 0.70, so Blue."
    window.controller.client.result.emit(1, outcome(reason=said))
    window.controller._flush()
    assert window.detail.reason.text() == said
    words = window.detail.bars.accessibleDescription()
    assert "Image model: Black 0.10, Blue 0.10, Green 0.70" in words
    assert "Text model: Black 0.05, Blue 0.80" in words


def test_the_margin_is_told_and_orders_the_list(window: MainWindow, qtbot: QtBot) -> None:
    close = outcome(image=None, text=(0.46, 0.44, 0.05, 0.05))
    window.controller.client.result.emit(8, close)
    window.controller._flush()
    qtbot.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.visible_rows()[0] == 7)
    assert margin_words(window.controller.rows, 7) == "ahead by 0.02"


def test_columns_are_remembered(window: MainWindow) -> None:
    window.view.setColumnWidth(Column.NAME, 231)
    window.close()
    again = MainWindow(window.controller, window.theme)
    assert again.view.columnWidth(Column.NAME) == 231
    again.close()


def test_everything_has_a_name_and_shortcuts_do_not_clash(window: MainWindow) -> None:
    keys = [key.toString() for action in window.actions_.by_name.values() for key in action.shortcuts()]
    assert len(keys) == len(set(keys))
    for button in (*window.detail.buttons, window.head.menu_button, window.detail.heat):
        assert button.accessibleName()
        assert button.toolTip()


def longest_stall(qtbot: QtBot, work: Callable[[], object], milliseconds: int) -> float:
    """The longest work of the window's thread, in seconds, between ticks of a 5 ms timer while `work` has its effect.

    Its own seconds of the processor, so that other programs' work does not count.
    """
    spent = [time.thread_time()]
    tick = QTimer(interval=5, timerType=Qt.TimerType.PreciseTimer)
    tick.timeout.connect(lambda: spent.append(time.thread_time()))
    tick.start()
    work()
    qtbot.wait(milliseconds)
    qtbot.waitUntil(lambda: len(spent) > 20)
    tick.stop()
    return float(np.diff(spent).max())


@pytest.mark.figures
def test_100_000_rows_filter_sort_and_scroll_without_holding_the_window_up(
    quiet_window: MainWindow, qtbot: QtBot
) -> None:
    window, rows = quiet_window, quiet_window.controller.rows
    rows.add([NewItem(i, f"/p/IMG_{i * 7919 % 100_000:06d}.jpg", f"cup {i % 99}") for i in range(100_000)])
    random = np.random.default_rng(2)
    rows.text[:] = random.dirichlet(np.ones(4), 100_000)
    rows.label[:] = rows.text.argmax(axis=1)
    rows.confidence[:] = rows.text.max(axis=1)
    rows.status[:] = Status.DONE
    rows.review[::9] = True
    window.controller.rows_reset.emit()
    qtbot.waitUntil(lambda: not window.view_updater._busy)
    stalls = {
        "name": longest_stall(qtbot, lambda: window.view_updater.ask(sort=SortBy.NAME), 1200),
        "filter": longest_stall(qtbot, lambda: window.view_updater.ask(show=Show.REVIEW), 600),
        "search": longest_stall(qtbot, lambda: window.view_updater.ask(show=Show.ALL, search="cup 98"), 900),
        "all": longest_stall(qtbot, lambda: window.view_updater.ask(search="", sort=SortBy.ARRIVAL), 600),
        "select": longest_stall(qtbot, window.view.selectAll, 300),
    }
    assert window.model.rowCount() == 100_000
    # 50 ms by the clock on a quiet machine (benchmarks/responsiveness.py).
    assert max(stalls.values()) < 0.25, stalls


def test_a_large_result_stream_reaches_the_list_in_few_steps(window: MainWindow, qtbot: QtBot) -> None:
    changes: list[int] = []
    window.controller.rows_changed.connect(lambda rows: changes.append(len(rows)))
    started = time.monotonic()
    while len(changes) < 5:
        window.controller.client.result.emit(3, outcome())
        QApplication.processEvents()
    assert time.monotonic() - started > 0.25


def test_going_to_another_row_selects_it_alone_while_control_is_held(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.view.show_row(0)
    qtbot.keyClick(window.view, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)  # goes to the next row
    assert len(window.selected_rows()) == 1
    qtbot.keyClick(window.view, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
    assert window.selected_rows() == [window.view.current_row()]
