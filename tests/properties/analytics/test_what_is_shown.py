"""Sums that must come out whatever the figures are."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from mag7cli.analytics.exposure import expose
from mag7cli.analytics.portfolio import Position
from mag7cli.analytics.statistics import Snapshot, contributions
from mag7cli.analytics.summary import sparkline
from mag7cli.market.holdings_file import EQUITY, Holding, Holdings
from mag7cli.market.symbology import MAGNIFICENT_7

CAPS = st.lists(st.floats(1e9, 9e12), min_size=7, max_size=7)
REST = st.floats(1e12, 9e13)


@given(CAPS, REST, CAPS, REST)
def test_contributions_sum_to_the_change_of_the_share_and_of_the_caps(
    then_caps: list[float], then_rest: float, now_caps: list[float], now_rest: float
) -> None:
    then = Snapshot(date(2021, 1, 4), dict(zip(MAGNIFICENT_7, then_caps, strict=True)), sum(then_caps) + then_rest)
    now = Snapshot(date(2024, 12, 13), dict(zip(MAGNIFICENT_7, now_caps, strict=True)), sum(now_caps) + now_rest)

    parts = contributions(then, now)

    assert abs(sum(part.share_points for part in parts) - (now.share_pct - then.share_pct)) < 1e-9
    assert abs(sum(part.cap_change_usd for part in parts) - (now.mag7 - then.mag7)) < 1.0
    assert [part.cap_change_usd for part in parts] == sorted((p.cap_change_usd for p in parts), reverse=True)


TICKERS = st.sampled_from([*MAGNIFICENT_7, "GOOG", "BRK.B", "JPM", "ZZZZ", "USD", "FUNDA", "FUNDB"])
HOLDING = st.builds(
    lambda ticker, weight, kind: Holding(
        ticker, ticker, ticker.title(), "", kind, 1e6 * (weight or 0), weight, None, None
    ),
    TICKERS,
    st.one_of(st.none(), st.floats(0, 40)),
    st.sampled_from([EQUITY, EQUITY, "Cash", "Futures"]),
)
FUNDS = st.dictionaries(
    st.sampled_from(["FUNDA", "FUNDB"]),
    st.builds(lambda rows: Holdings("A fund", date(2024, 12, 6), tuple(rows)), st.lists(HOLDING, max_size=8)),
)
POSITION = st.builds(Position, TICKERS, st.floats(0.01, 1e7), st.sampled_from(["any", "fund", "stock", "cash"]))


@given(st.lists(POSITION, min_size=1, max_size=8), FUNDS)
def test_every_dollar_that_goes_in_comes_out_under_one_of_four_heads(
    positions: list[Position], funds: dict[str, Holdings]
) -> None:
    found = expose(positions, funds)

    total = sum(position.amount_usd for position in positions)
    assert abs(found.total_usd - total) < 1e-6 * total
    heads = found.mag7_usd + found.others_usd + found.cash_usd + found.unknown_usd
    assert abs(heads - total) < 1e-6 * total
    assert len(found.mag7) == 7


@given(st.lists(POSITION, min_size=1, max_size=8), FUNDS)
def test_a_company_is_held_by_the_ways_that_are_named(positions: list[Position], funds: dict[str, Holdings]) -> None:
    found = expose(positions, funds, top=100)

    assert found.others_count == len(found.others)
    for company in (*found.mag7, *found.others):
        assert abs(sum(company.via.values()) - company.amount_usd) < 1e-6 * (1 + company.amount_usd)
        assert company.ticker != "GOOG", "the second line of Alphabet is no company of its own"


@given(st.lists(st.floats(-1e12, 1e12), max_size=80))
def test_a_sparkline_has_one_block_per_value(values: list[float]) -> None:
    line = sparkline(values)

    assert len(line) == len(values)
    if values and max(values) > min(values):
        assert line[values.index(max(values))] == "█"
        assert line[values.index(min(values))] == "▁"
