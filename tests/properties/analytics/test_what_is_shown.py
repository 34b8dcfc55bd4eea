"""Sums that must come out whatever the figures are."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from mag7cli.analytics.statistics import Snapshot, contributions
from mag7cli.analytics.summary import sparkline
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


@given(st.lists(st.floats(-1e12, 1e12), max_size=80))
def test_a_sparkline_has_one_block_per_value(values: list[float]) -> None:
    line = sparkline(values)

    assert len(line) == len(values)
    if values and max(values) > min(values):
        assert line[values.index(max(values))] == "█"
        assert line[values.index(min(values))] == "▁"
