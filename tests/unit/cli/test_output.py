import csv
import io
import json
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.simulators.command_line import without_times

from mag7cli.cli.output import (
    Column,
    Grid,
    Line,
    Output,
    Result,
    csv_text,
    json_text,
    markdown_text,
    one_line,
    say_failure,
)
from mag7cli.core.formatting import pct, usd

GRID = Grid(
    (
        Column("ticker"),
        Column("market_cap", "market cap", show=usd, right=True),
        Column("pct_of_sp500", "share", show=pct, right=True),
        Column("note", optional=True),
    ),
    [
        ["NVDA", Decimal("3352000000000.00"), 6.4, None],
        ["BRK.B", None, 2.0, "a|b"],
    ],
)
RESULT = Result({"rows": GRID.records()}, GRID)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_text_in_a_pipe_is_aligned_without_trailing_blanks_or_colour(capsys):
    Output("text").show(RESULT)
    assert capsys.readouterr().out == (
        "ticker  market cap   share  note\n"
        "NVDA       $3.35 T  6.40 %\n"
        "BRK.B            –  2.00 %  a|b\n"
    )  # fmt: skip


def test_json_is_one_document_with_its_schema_version_first(capsys):
    Output("json").show(RESULT)
    document = json.loads(capsys.readouterr().out)
    assert next(iter(document)) == "schema_version"
    assert document["rows"][0] == {"ticker": "NVDA", "market_cap": 3352000000000.0, "pct_of_sp500": 6.4, "note": None}


def test_json_writes_a_decimal_as_a_number_with_all_of_its_digits():
    text = json_text({"cents": Decimal("987654321098765.40"), "long": Decimal("0.12345678901234567890")}, indent=False)
    assert text == '{"cents":987654321098765.40,"long":0.12345678901234567890}\n'


def test_json_writes_dates_and_paths_as_text_and_has_no_nan():
    document = json_text({"day": date(2024, 12, 13), "file": Path("a/b"), "nan": float("nan")}, indent=False)
    assert document == '{"day":"2024-12-13","file":"a/b","nan":null}\n'


def test_csv_has_raw_values_under_the_names_of_the_columns(capsys):
    Output("csv").show(RESULT)
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows == [
        ["ticker", "market_cap", "pct_of_sp500", "note"],
        ["NVDA", "3352000000000.00", "6.4", ""],
        ["BRK.B", "", "2.0", "a|b"],
    ]


def test_csv_writes_truth_and_dates_as_databases_read_them():
    grid = Grid((Column("a"), Column("b"), Column("c")), [[True, date(2024, 12, 13), 'say "hi", twice']])
    assert csv_text(grid) == 'a,b,c\ntrue,2024-12-13,"say ""hi"", twice"\n'


def test_markdown_escapes_what_would_break_the_table():
    assert markdown_text(GRID).splitlines()[:2] == [
        "| ticker | market cap | share | note |",
        "| --- | ---: | ---: | --- |",
    ]
    assert markdown_text(GRID).splitlines()[3] == "| BRK.B | – | 2.00 % | a\\|b |"


def test_a_command_may_have_a_format_of_its_own(capsys):
    result = Result({}, GRID, verbatim={"python": "tickers = ['AAPL']\n"})
    Output("python").show(result)
    assert capsys.readouterr().out == "tickers = ['AAPL']\n"


def test_a_terminal_gets_colour_and_no_color_takes_it_away(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in _shown_on_terminal(monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in _shown_on_terminal(monkeypatch)


def test_a_dumb_terminal_gets_what_a_pipe_gets(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert _shown_on_terminal(monkeypatch).startswith("ticker  market cap   share  note\n")


def test_a_narrow_terminal_goes_without_the_optional_columns(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "30")
    shown = _shown_on_terminal(monkeypatch)
    assert "note" not in shown
    assert "6.40 %" in shown


@pytest.mark.parametrize("format_", ["json", "csv", "markdown"])
def test_a_terminal_and_a_pipe_get_the_same_bytes_of_a_machine_format(format_, monkeypatch, capsys):
    monkeypatch.setenv("TERM", "xterm-256color")
    Output(format_).show(RESULT)
    piped = capsys.readouterr().out
    assert _shown_on_terminal(monkeypatch, format_) == piped


def _shown_on_terminal(monkeypatch, format_="text"):
    terminal = Terminal()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal)
        block = Grid((Column("state", tone=lambda _: "bad"),), [["failed"]])
        result = RESULT if format_ != "text" else Result({}, GRID, text=[GRID, Line(), block])
        Output(format_).show(result)
    return terminal.getvalue()


def test_a_failure_is_one_line_and_a_hint(capsys):
    say_failure("two\nlines", code=1, hint="try\tthis")
    assert without_times(capsys.readouterr().err) == "Error: two lines\nHint: try this\n"


def test_a_failure_as_json_is_one_line_with_its_code(capsys):
    say_failure("no key", code=4, as_json=True)
    said = json.loads(capsys.readouterr().err)
    assert (said["error"], said["code"], said["hint"], said["level"]) == ("no key", 4, None, "error")


def test_a_failure_cannot_steer_the_terminal():
    assert one_line("a\x1b[2Jb\x07") == "a\\x1b[2Jb\\x07"
