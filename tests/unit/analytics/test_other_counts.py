"""The figures beside the headline: each class at its own close, and without stock that has not vested."""

from decimal import Decimal
from typing import Any

import pytest

from mag7cli.analytics.other_counts import other_counts
from mag7cli.lake.document import Document
from mag7cli.market.money import market_cap_usd
from mag7cli.shares.cover_pages import shipped_cover_pages

TESLA_SHARES = 3_752_431_984


def document(day: str, *, simulated: bool = False, **metrics: float) -> Document:
    """The Mag 7, of whom Tesla has its real count and close of the end of 2025, and the rest of the index as one."""
    tesla = market_cap_usd(449.72, TESLA_SHARES)
    row: dict[str, Any] = {"ticker": "TSLA", "counted": True, "close_price": 449.72, "shares_outstanding": TESLA_SHARES,
                           "market_cap": tesla}  # fmt: skip
    content: dict[str, Any] = {
        "trading_date": day,
        "companies": {"TSLA": {}},
        "concentration_metrics": {
            "total_mag7_market_cap": Decimal("21700000000000.00"),
            "sp500_total_market_cap": Decimal("62300000000000.00"),
            "mag7_pct_of_sp500": 100 * 21.7 / 62.3,
            **metrics,
        },
        "sp500_details": {"constituents": [row]},
        "source": {"simulated": simulated},
    }
    return content  # type: ignore[return-value]


def test_without_what_has_not_vested_the_seven_are_a_quarter_of_a_point_less():
    (found,) = other_counts(document("2025-12-31"), shipped_cover_pages())

    assert found.kind == "without_unvested"
    assert found.points == pytest.approx(-0.247, abs=0.005)
    assert "519,743,904 shares of TSLA" in found.explanation
    assert "Form 4 0001104659-25-109263" in found.explanation


@pytest.mark.parametrize("day", ["2025-08-15", "2021-06-30"])
def test_before_a_cover_page_counts_an_award_there_is_nothing_to_leave_out(day: str):
    assert other_counts(document(day), shipped_cover_pages()) == []


def test_a_simulated_tesla_has_no_awards():
    assert other_counts(document("2025-12-31", simulated=True), {}) == []


def test_each_class_at_its_own_close_is_said_with_the_difference():
    found = other_counts(document("2021-06-30", mag7_pct_by_class=35.0), {})

    assert [(one.kind, one.mag7_pct) for one in found] == [("by_class", 35.0)]
    assert found[0].points == pytest.approx(35.0 - 100 * 21.7 / 62.3)


def test_a_date_without_a_headline_has_no_other_figure():
    partial = document("2025-12-31")
    partial["concentration_metrics"] = None

    assert other_counts(partial, shipped_cover_pages()) == []
