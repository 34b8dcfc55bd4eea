"""A market cap is exact to the cent, although nearly all of them are multiplied as floats."""

from decimal import ROUND_HALF_UP, Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from mag7cli.lake.document import market_cap_usd

# The vendor's closes have up to four decimals; no company has had more than a trillion shares.
closes = st.integers(1, 10_000_000).map(lambda units: units / 10_000)
whole_shares = st.integers(1, 10**12)
fractional_shares = st.floats(1.0, 1e12)


def in_decimal(close_usd: float, shares: float) -> float:
    """The product as one would do it on paper."""
    return float((Decimal(repr(close_usd)) * Decimal(repr(shares))).quantize(Decimal("0.01"), ROUND_HALF_UP))


@given(closes, whole_shares | fractional_shares)
@example(1.005, 1)  # 100.49999999999999 cents as a float product
@example(0.0101, 50)  # half a cent exactly
@example(999.9999, 10**12)  # more cents than a float can tell apart
def test_a_cap_is_the_decimal_product_rounded_half_up(close_usd: float, shares: float) -> None:
    assert market_cap_usd(close_usd, shares) == in_decimal(close_usd, shares)


@given(closes, st.integers(1, 10**8), st.sampled_from((25, 50, 125, 250)))
def test_a_cap_is_exact_where_products_end_at_half_a_cent(close_usd: float, shares: int, factor: int) -> None:
    assert market_cap_usd(close_usd, shares * factor) == in_decimal(close_usd, shares * factor)
