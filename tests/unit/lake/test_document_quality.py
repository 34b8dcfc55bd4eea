"""What a document says of its own quality: of failed lines, of doubts, of its margins, and what it does not say."""

from typing import Any

import pytest

from mag7cli.lake.document_quality import date_quality
from mag7cli.market.records import SPLIT_NOT_AS_LISTED
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.shares.anomalies import Event


def row(ticker: str, cap: float, *, counted: bool = True) -> dict[str, Any]:
    return {"ticker": ticker, "market_cap": cap, "counted": counted, "close_price": 1.0, "shares_outstanding": cap}


def document(**added: Any) -> Any:
    """A document of seven companies of 1 T, sixty others of 200 B, and a small one of 1 B."""
    rows = [row(ticker, 1e12) for ticker in MAGNIFICENT_7]
    rows += [row(f"C{number}", 2e11) for number in range(60)]
    rows += [row("TINY", 1e9), row("GOOG", 1e12, counted=False)]
    metrics = {"total_mag7_market_cap": 7e12, "sp500_total_market_cap": 1.9001e13, "mag7_companies_count": 7}
    details = {"failed_count": 0, "failed_tickers": [], "constituents": rows, **added.pop("details", {})}
    return {
        "trading_date": "2024-06-07",
        "companies": {ticker: {"market_cap": 1e12} for ticker in MAGNIFICENT_7},
        "concentration_metrics": metrics,
        "sp500_details": details,
        "uncertainty": [],
        **added,
    }


def failing(*caps: float | None) -> dict[str, Any]:
    entries: list[dict[str, Any]] = [{"ticker": f"F{number}", "reason": "no price"} for number in range(len(caps))]
    for entry, cap in zip(entries, caps, strict=True):
        if cap is not None:
            entry["last_known_market_cap"] = cap
    return {"failed_count": len(entries), "failed_tickers": entries}


def doubt(ticker: str, kind: str, used: float, other: float | None) -> dict[str, Any]:
    return {
        "ticker": ticker,
        "kind": kind,
        "field": "shares_outstanding",
        "used": used,
        "other": other,
        "reason": "odd",
    }


def test_a_document_with_nothing_to_tell_is_complete_and_exact() -> None:
    quality = date_quality(document())

    assert quality.status == "complete"
    assert quality.bound
    assert quality.bound.low_pct == quality.bound.high_pct == pytest.approx(100 * 7 / 19.001)


@pytest.mark.parametrize(
    ("caps", "status"), [((1e9,), "suspect"), ((1.8e10,), "suspect"), ((2e10,), "partial"), ((None,), "partial")]
)
def test_what_failed_is_weighed_by_what_was_last_known_of_it(caps: tuple[float | None, ...], status: str) -> None:
    assert date_quality(document(details=failing(*caps))).status == status


def test_most_of_the_market_missing_leaves_no_figure_although_the_document_has_one() -> None:
    quality = date_quality(document(details=failing(*[None] * 245)))

    assert quality.status == "partial"
    assert str(quality.partial_reason).startswith("245 lines failed, about 72.")


def test_a_failure_that_the_total_does_not_lack_costs_nothing_of_the_bound() -> None:
    quality = date_quality(document(details=failing(0.0)))

    assert quality.status == "suspect"
    assert quality.bound
    assert quality.bound.low_pct == quality.bound.high_pct


def test_a_document_of_0_1_0_carries_no_bound() -> None:
    older = document()
    del older["uncertainty"]

    assert date_quality(older).bound is None
    assert date_quality(older).bound_unknown == "the document carries none"


@pytest.mark.parametrize(
    ("entry", "low", "high"),
    [
        ({"mag7_above": 1e11, "mag7_below": 2e11, "rest_above": 0.0, "rest_below": 0.0}, 6.9 / 18.901, 7.2 / 19.201),
        ({"mag7": 1e11}, 6.9 / 18.901, 7.1 / 19.101),
        ({"rest": 1e11}, 7 / 19.101, 7 / 18.901),
    ],
)
def test_margins_have_two_sides_or_one_for_both(entry: dict[str, float], low: float, high: float) -> None:
    quality = date_quality(document(uncertainty=[{"source": "sampling", "reason": "steps", **entry}]))

    assert quality.bound
    assert quality.bound.low_pct == pytest.approx(100 * low)
    assert quality.bound.high_pct == pytest.approx(100 * high)


@pytest.mark.parametrize(
    ("one", "status", "high"),
    [
        (doubt("NVDA", "shares_step", 1.0, 1.5), "suspect", 7.5 / 19.501),
        (doubt("C1", "shares_jump", 1.0, 0.5), "suspect", 7 / 18.901),
        (doubt("TINY", "cover_page_differs", 1.0, 1.1), "complete", 7 / 19.001),
        (doubt("NVDA", "split_undecided", 1.0, 4.0), "suspect", (6 + 5) / (18.001 + 5)),
    ],
)
def test_the_other_candidate_of_a_doubt_is_within_the_bound(one: dict[str, Any], status: str, high: float) -> None:
    quality = date_quality(document(doubts=[one]))

    assert quality.status == status
    assert quality.bound
    assert quality.bound.high_pct == pytest.approx(100 * high)


@pytest.mark.parametrize("one", [doubt("C1", "new_registrant", 1.0, None), doubt("GONE", "shares_jump", 1.0, 2.0)])
def test_of_what_may_be_anything_there_is_no_bound(one: dict[str, Any]) -> None:
    quality = date_quality(document(doubts=[one]))

    assert (quality.status, quality.bound) == ("suspect", None)
    assert quality.bound_unknown


def test_what_the_guard_saw_counts_like_a_doubt() -> None:
    event = Event("C1", "shares_step", "suspect", "shares_outstanding", 0.4, 1.0, "the count moved", "close")

    quality = date_quality(document(), [event])

    assert quality.reasons == ("C1: the count moved",)
    assert quality.bound
    assert quality.bound.high_pct == pytest.approx(100 * 7 / (19.001 - 0.12))


@pytest.mark.parametrize(
    ("kind", "ticker", "status"),
    [("unlisted_split", "C1", "complete"), ("unlisted_split", "C2", "suspect"), ("shares_step", "C1", "suspect")],
)
def test_a_split_that_close_and_counts_made_out_is_no_doubt_although_no_list_has_it(
    kind: str, ticker: str, status: str
) -> None:
    correction = {"ticker": "C1", "field": "shares", "from": 1.0, "to": 4.0, "reason": SPLIT_NOT_AS_LISTED}
    event = Event(ticker, kind, "suspect", "shares_outstanding", 1.0, 4.0, "the count moved", "close")

    quality = date_quality(document(details={"corrections": [correction]}), [event])

    assert quality.status == status
    assert (quality.bound is not None and quality.bound.low_pct == quality.bound.high_pct) == (status == "complete")


def test_a_damaged_document_is_judged_by_what_is_left_of_it() -> None:
    assert date_quality(document(doubts="none", details={"failed_tickers": None})).status == "complete"
