"""What a share count counts although it has not vested: by the cover page behind the count, not by the day."""

from datetime import date

import pytest

from mag7cli.shares.cover_pages import shipped_cover_pages
from mag7cli.shares.stock_awards import award_events, events_in_count, unvested

TESLA = shipped_cover_pages()["TSLA"]


@pytest.mark.parametrize(
    ("day", "shares"),
    [
        ("2021-06-30", 0),
        ("2025-08-15", 0),
        ("2025-09-29", 0),
        ("2025-09-30", 96_000_000),
        ("2025-12-30", 96_000_000),
        ("2025-12-31", 519_743_904),
        ("2026-04-30", 519_743_904),
        ("2026-06-30", 710_172_677),
    ],
)
def test_a_count_holds_what_was_unvested_on_the_day_of_its_cover_page(day: str, shares: int):
    assert unvested(events_in_count("TSLA", date.fromisoformat(day), TESLA)) == shares


def test_without_what_is_unvested_the_count_is_the_basic_one_of_the_quarter():
    """The report of June 2026 divides by 3,237 million, an average over the quarter."""
    july = TESLA[-1]

    assert july.shares is not None
    assert july.shares - unvested(events_in_count("TSLA", july.as_of, TESLA)) == pytest.approx(3_237e6, rel=0.002)


def test_nothing_is_known_of_a_company_without_awards_or_without_covers():
    assert events_in_count("AAPL", date(2026, 7, 1), shipped_cover_pages()["AAPL"]) == []
    assert events_in_count("TSLA", date(2026, 7, 1), []) == []


def test_no_award_is_ever_less_than_nothing_and_each_event_has_its_filing():
    left: dict[tuple[str, str], int] = {}
    for event in award_events():
        left[event.company, event.award] = left.get((event.company, event.award), 0) + event.change
        assert left[event.company, event.award] >= 0
        assert event.filing.startswith("Form 4")
