"""The review of a session: what the last live share was worth, split into prices and counts."""

from datetime import date, timedelta
from typing import Any

import pytest
from tests.simulators.raw_documents import document

from mag7cli.core.errors import UsageError
from mag7cli.live.baseline import baseline, share_pct
from mag7cli.live.review import review
from mag7cli.market.records import Split
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.market.trading_hours import trading_hours

BEFORE, DAY = date(2024, 6, 7), date(2024, 6, 10)
HOURS = trading_hours(DAY)


def record(minute: int, share: float, **changes: Any) -> dict[str, Any]:
    entry = {
        "minute": (HOURS.open + timedelta(minutes=minute)).isoformat(),
        "phase": "regular",
        "group": ",".join(MAGNIFICENT_7),
        "share_pct": share,
        "low_pct": share - 0.01,
        "high_pct": share + 0.01,
        "has_closes": False,
        "untraded": ["XOM"],
        "is_simulated": True,
        "companies": [{"ticker": "AAPL", "price_usd": 100.0}],
    }
    return entry | changes


def official(document_: Any) -> float:
    return baseline(document_, DAY).share_pct


def at_closes(before: Any, after: Any) -> float:
    closes = {row["ticker"]: row["close_price"] for row in after["sp500_details"]["constituents"]}
    base = baseline(before, DAY)
    return share_pct({one.ticker: one.shares * closes[one.ticker] for one in base.constituents}, base.group)


def test_the_difference_is_that_of_prices_and_that_of_counts() -> None:
    before, after = document(BEFORE), document(DAY, shares={"XOM": 5_000_000_000})
    like_for_like = at_closes(before, after)

    result = review([record(0, 40.0), record(385, like_for_like + 0.005)], after, before)

    assert result.difference == pytest.approx(like_for_like + 0.005 - official(after))
    assert result.difference_of_prices == pytest.approx(0.005)
    assert result.difference_of_counts == pytest.approx(like_for_like - official(after))
    assert result.difference_of_counts > 1
    assert result.is_within
    assert (result.kept.low_pct, result.kept.high_pct) == pytest.approx((40.0, like_for_like + 0.005))


def test_a_share_that_misses_by_more_than_its_bound_is_outside() -> None:
    before, after = document(BEFORE), document(DAY)

    assert not review([record(385, at_closes(before, after) + 0.02)], after, before).is_within


def test_what_was_kept_is_counted_with_its_longest_gap() -> None:
    before, after = document(BEFORE), document(DAY)
    entries = [record(minute, 40.0) for minute in (1, 2, 62, 390)]
    entries += [record(0, 99.0, phase="pre-market"), record(400, 99.0, phase="after-hours")]

    result = review(entries, after, before)

    assert (result.kept.minutes, result.kept.session_minutes, result.kept.longest_gap_s) == (4, 390, 328 * 60)
    assert result.kept.high_pct == 40.0
    assert result.companies[0].close_usd == after["companies"]["AAPL"]["trading_data"]["close_price"]


def test_a_split_between_the_two_documents_is_no_difference() -> None:
    before, after = document(BEFORE), document(DAY)
    for row in after["sp500_details"]["constituents"]:
        if row["ticker"] == "NVDA":
            row["close_price"] /= 10
            row["shares_outstanding"] *= 10

    result = review([record(385, 40.0)], after, before, [Split("NVDA", DAY, 1, 10)])

    assert result.difference_of_counts == pytest.approx(0, abs=1e-9)


def test_without_a_minute_of_the_session_there_is_nothing_to_review() -> None:
    with pytest.raises(UsageError, match="no minute of 2024-06-10 was kept"):
        review([record(0, 40.0, phase="pre-market")], document(DAY), document(BEFORE))
