"""The log file: a line for each record, whatever it quotes."""

from __future__ import annotations

import io
import logging
from pathlib import Path

from PySide6.QtWidgets import QApplication

from gcdesk.ui.app.log_file import LogKeeper, log_file


def test_no_file_name_forges_a_line(qapp: QApplication) -> None:
    keeper = LogKeeper()
    try:
        logging.getLogger("gcdesk.test").warning(
            "%s", "a.jpg\n2026-01-01 00:00:00 ERROR gcdesk: forged\x1b[2J"
        )
        try:
            raise ValueError("foreseen")
        except ValueError:
            logging.getLogger("gcdesk.test").error("with a trace", exc_info=True)
    finally:
        keeper.close()
        keeper.deleteLater()
    lines = log_file().read_text(encoding="utf-8").splitlines()
    assert lines[0].endswith("a.jpg 2026-01-01 00:00:00 ERROR gcdesk: forged\ufffd[2J")
    assert lines[1].endswith("with a trace")
    assert lines[-1] == "ValueError: foreseen"


def test_what_the_worker_prints_is_in_the_log_and_not_in_the_terminal(qapp: QApplication) -> None:
    terminal = logging.StreamHandler(io.StringIO())
    logging.getLogger().addHandler(terminal)
    keeper = LogKeeper()
    try:
        logging.getLogger("gcdesk.jobs.line_process").warning("a library's chatter")
        logging.getLogger("gcdesk.test").warning("our own words")
    finally:
        keeper.close()
        keeper.deleteLater()
        logging.getLogger().removeHandler(terminal)
    assert terminal.stream.getvalue() == "our own words\n"
    assert "a library's chatter" in log_file().read_text(encoding="utf-8")


def test_no_caption_and_no_path_comes_into_the_log(qapp: QApplication, tmp_path: Path) -> None:
    """As lines of the worker, as arguments of a record, and in traces."""
    photo = tmp_path / "Line 2" / "glass jar of Ann.jpg"
    keeper = LogKeeper()
    keeper._before = lambda *_: None
    try:
        log = logging.getLogger("gcdesk.test")
        log.warning("%s", f"ValueError: 'banana of Ann' in {photo}")
        log.warning("%s cannot be read", photo)
        try:
            photo.read_bytes()
        except OSError:
            log.exception("a photo")
        try:
            raise KeyError("the caption of Ann")
        except KeyError as error:
            keeper._unforeseen(type(error), error, error.__traceback__)
    finally:
        keeper.close()
        keeper.deleteLater()
    written = "".join(path.read_text(encoding="utf-8") for path in log_file().parent.iterdir())
    assert "Ann" not in written
    assert str(tmp_path) not in written
    assert written.count("KeyError: '…'") == 2  # the log, and a report of its own
    assert "…/ui/app/test_log_file.py" in written
