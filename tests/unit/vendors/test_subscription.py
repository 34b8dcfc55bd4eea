"""The vendor's plans: how far back, how fast, and from when a session's data can be asked for."""

from datetime import date, datetime

import pytest

from mag7cli.core.clock import NEW_YORK
from mag7cli.core.errors import UsageError
from mag7cli.vendors import subscription
from mag7cli.vendors.rate_limit import Rate


def new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


def test_the_plans_and_their_rates_are_the_published_ones() -> None:
    assert {name: str(plan.rate) for name, plan in subscription.plans().items()} == {
        "basic": "5/min",
        "starter": "100/s",
        "developer": "100/s",
        "advanced": "100/s",
    }


def test_each_plan_says_where_its_row_comes_from() -> None:
    assert all(plan.source.startswith("https://") for plan in subscription.plans().values())


def test_the_free_plan_serves_two_years() -> None:
    assert subscription.plan("basic").first_date(date(2024, 12, 13)) == date(2022, 12, 13)
    assert subscription.plan("basic").first_date(date(2024, 2, 29)) == date(2022, 2, 28)


@pytest.mark.parametrize(
    ("plan", "now", "last"),
    [
        ("basic", "2024-12-13 19:00", date(2024, 12, 12)),
        ("basic", "2024-12-13 23:59", date(2024, 12, 12)),
        ("basic", "2024-12-14 00:00", date(2024, 12, 13)),
        ("basic", "2024-12-16 12:00", date(2024, 12, 13)),
        ("starter", "2024-12-13 20:59", date(2024, 12, 12)),
        ("starter", "2024-12-13 21:00", date(2024, 12, 13)),
        ("starter", "2024-12-15 12:00", date(2024, 12, 13)),
        ("advanced", "2025-01-09 23:00", date(2025, 1, 8)),  # the day of mourning for President Carter
    ],
)
def test_the_last_session_is_the_last_whose_data_has_opened(plan: str, now: str, last: date) -> None:
    assert subscription.plan(plan).last_session(new_york(now)) == last


def test_the_hour_is_new_yorks_wherever_the_machine_is() -> None:
    in_tokyo = datetime.fromisoformat("2024-12-14T13:59:00+09:00")  # 23:59 of the 13th in New York

    assert subscription.plan("basic").last_session(in_tokyo) == date(2024, 12, 12)


def test_a_session_before_the_clocks_change_opens_at_midnight_too() -> None:
    assert subscription.plan("basic").opens(date(2024, 3, 8)).isoformat() == "2024-03-09T00:00:00-05:00"
    assert subscription.plan("basic").last_session(new_york("2024-03-11 00:00")) == date(2024, 3, 8)
    assert subscription.plan("basic").last_session(new_york("2024-11-02 00:00")) == date(2024, 11, 1)


def test_an_unknown_plan_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as refused:
        subscription.plan("gold")

    assert refused.value.hint == "use one of basic, starter, developer, advanced"


def test_the_paid_plans_stay_under_the_recommended_rate() -> None:
    assert subscription.plan("advanced").rate == Rate(100, 1.0)
