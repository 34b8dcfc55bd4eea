"""Dates as people say them, around weekends, holidays and the ends of years."""

from datetime import date

import pytest

from mag7cli.core.errors import UsageError
from mag7cli.market.date_words import Period, is_word, period

FRIDAY_AFTER_THANKSGIVING = date(2024, 11, 29)
FIRST, LATEST = date(2021, 1, 4), date(2024, 12, 12)


def said(*words: str, today: date = date(2024, 12, 13), latest: date = LATEST) -> date | Period | None:
    return period(words, today=today, first=FIRST, latest=latest)


@pytest.mark.parametrize(
    ("today", "yesterday"),
    [
        (date(2024, 12, 13), date(2024, 12, 12)),
        (date(2024, 12, 14), date(2024, 12, 13)),  # Saturday: Friday
        (date(2024, 12, 15), date(2024, 12, 13)),  # Sunday: Friday still
        (date(2024, 12, 16), date(2024, 12, 13)),  # Monday
        (FRIDAY_AFTER_THANKSGIVING, date(2024, 11, 27)),
        (date(2025, 1, 1), date(2024, 12, 31)),
        (date(2025, 1, 10), date(2025, 1, 8)),  # a day of mourning in between
    ],
)
def test_yesterday_is_the_last_session_before_today(today: date, yesterday: date) -> None:
    assert said("yesterday", today=today) == yesterday


@pytest.mark.parametrize(
    ("word", "base", "last"),
    [
        ("2022", date(2021, 12, 31), date(2022, 12, 30)),  # the 31st was a Saturday
        ("2023", date(2022, 12, 30), date(2023, 12, 29)),
        ("2021", date(2020, 12, 31), date(2021, 12, 31)),
        ("2024", date(2023, 12, 29), LATEST),  # not over yet
        ("2024-06", date(2024, 5, 31), date(2024, 6, 28)),
        ("2024-04", date(2024, 3, 28), date(2024, 4, 30)),  # Good Friday was the 29th
        ("2024-01", date(2023, 12, 29), date(2024, 1, 31)),
        ("2023-12", date(2023, 11, 30), date(2023, 12, 29)),
        ("2024-02", date(2024, 1, 31), date(2024, 2, 29)),
        ("2024-12", date(2024, 11, 29), LATEST),
        ("ytd", date(2023, 12, 29), LATEST),
        ("YTD", date(2023, 12, 29), LATEST),
        ("max", FIRST, LATEST),
    ],
)
def test_a_period_begins_at_the_last_close_before_it(word: str, base: date, last: date) -> None:
    assert said(word) == Period(word, base, last)


def test_year_to_date_follows_the_latest_date_not_today() -> None:
    assert said("ytd", today=date(2025, 1, 3), latest=date(2024, 12, 31)) == Period(
        "ytd", date(2023, 12, 29), date(2024, 12, 31)
    )


def test_a_single_date_stays_as_it_was_said_and_two_make_a_period_between_closes() -> None:
    assert said("2024-06-08") == date(2024, 6, 8)
    assert said() is None
    assert said("2023-12-31", "2024-06-19") == Period("2023-12-31 2024-06-19", date(2023, 12, 29), date(2024, 6, 18))
    assert said("2022", "2023") == Period("2022 2023", date(2021, 12, 31), date(2023, 12, 29))
    assert said("2024-06-03", "yesterday") == Period("2024-06-03 yesterday", date(2024, 6, 3), LATEST)


@pytest.mark.parametrize(
    "words",
    [("2024-12-31", "2023-12-29"), ("2024-06-08", "2024-06-09"), ("2025",), ("a", "b"), ("2024-13",), ("1", "2", "3")],
)
def test_what_is_no_period_is_refused_with_a_hint(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as refused:
        said(*words)

    assert "2023-12-29 2024-12-31" in (refused.value.hint or "")


def test_words_are_known_by_their_form() -> None:
    assert all(map(is_word, ("2024-06-07", "2024-06", "2024", "ytd", "MAX", "yesterday")))
    assert not any(map(is_word, ("", "06/07/2024", "yesterday-ish", "24", "2024-6", "today!")))
