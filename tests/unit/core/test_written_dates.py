"""Days in the spellings of issuers and brokers."""

from datetime import date

import pytest

from mag7cli.core.written_dates import find, parse


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-17",
        "2026/09/17",
        "20260917",
        "17-Sep-26",
        "17-Sep-2026",
        "17/Sep/2026",
        "17.Sep.2026",
        "17.Sept.2026",
        "17. September 2026",
        "17.09.2026",
        "Sep 17, 2026",
        "Sep. 17, 2026",
        "September 17, 2026",
        "09/17/2026",
        "17/09/2026",
        "As of 17-Sep-2026",
        "Date downloaded Sep-17-2026 2:55 p.m ET",
        "Positions for account Individual ...001 as of 04:10 PM ET, 2026/09/17",
    ],
)
def test_one_day_in_many_spellings(text: str) -> None:
    assert find(text) == date(2026, 9, 17)


def test_months_of_other_languages() -> None:
    assert [find(text) for text in ("31.Juli2026", "22.Mai2026", "5 déc. 2026", "5 dic 2026", "1 gen 2026")] == [
        date(2026, 7, 31),
        date(2026, 5, 22),
        date(2026, 12, 5),
        date(2026, 12, 5),
        date(2026, 1, 1),
    ]


@pytest.mark.parametrize("text", ["", "-", "NVDA", "99/99/2026", "30.02.2026", "10.000,00", "1 of 2", "Class A 10"])
def test_no_day(text: str) -> None:
    assert find(text) is None


def test_a_text_that_is_more_than_a_day_is_none() -> None:
    assert parse(" 17-Sep-26 ") == date(2026, 9, 17)
    assert parse("2024-02-30") is None
    assert parse("as of 2024-12-06") is None
