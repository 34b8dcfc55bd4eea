"""What a terminal of any width shows: whole figures, whole dates, whole words."""

import re

import pytest
from tests.simulators.command_line import mag7, mag7_in_terminal
from tests.simulators.filled_lake import fill

from mag7cli.cli.output import Column, Grid, expanded_lines
from mag7cli.core.formatting import wrapped
from mag7cli.lake.layout import Lake

WIDTHS = (40, 60, 80, 200)
SQL = (
    "SELECT DATE '2024-12-13' AS trading_date, CAST(17600000000000.01 AS DECIMAL(20,2)) AS total_mag7_market_cap, "
    "CAST(52600000000000.25 AS DECIMAL(20,2)) AS sp500_total_market_cap, 33.28 AS mag7_pct_of_sp500, "
    "'Rows whose totals are not those of their lines' AS meaning"
)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    folder = tmp_path_factory.mktemp("terminal")
    fill(Lake.at(str(folder / "lake")).store)
    return folder


def _shown(here, *words, columns):
    text = mag7_in_terminal(*words, cwd=here, columns=columns, env={"NO_COLOR": "1"}).stderr
    return re.sub(r"\x1b\[\d+m", "", text)


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize(
    "words",
    [["sql", SQL], ["status"], ["status", "--check"], ["show", "--lake", "nothing here"], ["tickers", "--changes"]],
)
def test_no_word_figure_or_date_is_broken_and_no_line_is_too_long(here, columns, words):
    piped, shown = mag7(*words, cwd=here), _shown(here, *words, columns=columns)
    assert set((piped.stdout + piped.stderr).split()) <= set(shown.split())
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= columns


def test_a_table_that_is_too_wide_is_set_a_column_a_line(here):
    assert _shown(here, "sql", SQL, columns=60).splitlines()[:3] == [
        "trading_date            2024-12-13",
        "total_mag7_market_cap   17600000000000.01",
        "sp500_total_market_cap  52600000000000.25",
    ]


def test_a_long_result_is_set_so_too(here):
    statement = "SELECT range AS number, repeat('x', 36) AS a_name_of_some_length FROM range(1500)"
    shown = _shown(here, "sql", statement, columns=40).splitlines()
    assert len(shown) == 1500 * 4
    assert shown[:4] == ["number                 0", "a_name_of_some_length", f"  {'x' * 36}", ""]
    assert max(map(len, shown)) <= 40


def test_a_value_without_room_beside_its_heading_stands_below_it():
    grid = Grid((Column("total_mag7_market_cap"), Column("name")), [["17500000000000.25", "Apple"], ["1", None]])
    assert expanded_lines(grid, 30) == [
        *("total_mag7_market_cap", "  17500000000000.25", "name                   Apple", ""),
        *("total_mag7_market_cap  1", "name"),
    ]


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("short", 40, ["short"]),
        ("of the index: 33.28 % today", 19, ["of the index:", "33.28 % today"]),
        ("$17.06 T of $51.91 T", 12, ["$17.06 T of", "$51.91 T"]),
        (
            "Then mag7 explain --lake 'a b' 2024-12-31 shows it.",
            20,
            ["Then", "mag7 explain --lake 'a b' 2024-12-31", "shows it."],
        ),
        ("  indented as the first", 12, ["  indented", "  as the", "  first"]),
    ],
)
def test_lines_are_broken_at_words(text, width, lines):
    assert wrapped(text, width) == lines
