"""Tables that are shown on a terminal or to a person: no order, and no letter that turns the others round."""

from __future__ import annotations

import csv
import io
import json

from gcdesk.engine.tables.writer import CsvTable, JsonTable

HOSTILE = "can\x1b]0;owned\x07\x9b2J \u202egpj.exe\u2069 caf\u00e9 \u200f \x7f"


def test_a_csv_holds_no_order_for_a_terminal() -> None:
    stream = io.StringIO()
    table = CsvTable(stream, ["caption"])
    table.write({"caption": HOSTILE + "\ttwo\nlines"})
    table.finish()
    assert not {"\x1b", "\x07", "\x9b", "\x7f"} & set(stream.getvalue())
    (row,) = csv.DictReader(io.StringIO(stream.getvalue().lstrip("\ufeff"), newline=""))
    assert row["caption"].endswith("\ttwo\nlines")
    assert "caf\u00e9" in row["caption"]


def test_json_writes_what_cannot_be_seen_as_its_number_and_loses_nothing() -> None:
    stream = io.StringIO()
    table = JsonTable(stream)
    table.write({"caption": HOSTILE})
    table.finish()
    assert not {"\x1b", "\x9b", "\u202e", "\u2069", "\u200f", "\x7f"} & set(stream.getvalue())
    assert "caf\u00e9" in stream.getvalue()
    assert json.loads(stream.getvalue()) == [{"caption": HOSTILE}]
