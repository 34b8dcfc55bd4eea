"""Money is exact to the cent, although nearly all of it is multiplied as floats: caps, totals, a document's digits."""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from hypothesis import example, given, settings
from hypothesis import strategies as st

from mag7cli.lake import document as market_data
from mag7cli.market.money import cents, market_cap_usd, pct_of, total_usd, usd

# The vendor's closes have up to four decimals; no company has had more than a trillion shares.
closes = st.integers(1, 10_000_000).map(lambda units: units / 10_000)
whole_shares = st.integers(1, 10**12)
fractional_shares = st.floats(1.0, 1e12)
WIDE = Context(prec=100)
# To a thousand trillion dollars.
amounts = st.integers(0, 10**17).map(lambda number: Decimal(number).scaleb(-2))


def in_decimal(close_usd: float, shares: float) -> Decimal:
    """The product as one would do it on paper."""
    product = WIDE.multiply(Decimal(repr(close_usd)), Decimal(repr(shares)))
    return product.quantize(Decimal("0.01"), ROUND_HALF_EVEN, WIDE)


@given(closes, whole_shares | fractional_shares)
@example(1.005, 1)  # 100.49999999999999 cents as a float product
@example(0.0101, 50)  # half a cent exactly
@example(0.0103, 50)
@example(999.9999, 10**12)  # more cents than a float can tell apart
def test_a_cap_is_the_decimal_product_rounded_half_even(close_usd: float, shares: float) -> None:
    assert market_cap_usd(close_usd, shares) == in_decimal(close_usd, shares)


@given(closes, st.integers(1, 10**8), st.sampled_from((25, 50, 125, 250)))
def test_a_cap_is_exact_where_products_end_at_half_a_cent(close_usd: float, shares: int, factor: int) -> None:
    assert market_cap_usd(close_usd, shares * factor) == in_decimal(close_usd, shares * factor)


@given(amounts)
@example(Decimal("35184372088831.99"))
@example(Decimal("35184372088832.01"))
@example(Decimal("70368744177664.01"))
def test_an_amount_has_its_cents_and_two_digits(amount: Decimal) -> None:
    assert usd(cents(amount)) == amount
    assert str(usd(cents(amount)))[-3] == "."


@given(st.integers(0, 2**45 * 100 - 1))
def test_a_parser_s_float_is_the_amount_that_was_written(number: int) -> None:
    assert cents(float(Decimal(number).scaleb(-2))) == number


@given(st.lists(amounts, max_size=600))
def test_a_total_is_exact(caps: list[Decimal]) -> None:
    assert total_usd(caps) == sum(map(Fraction, caps))


@given(amounts.filter(bool), amounts.filter(bool))
def test_a_percentage_is_the_float_next_to_the_quotient(part: Decimal, whole: Decimal) -> None:
    assert pct_of(part, whole) == float(100 * Fraction(part) / Fraction(whole))


@settings(deadline=None)
@given(st.lists(st.tuples(amounts.filter(bool), st.booleans()), min_size=7, max_size=60))
def test_a_document_has_the_amounts_that_were_written_however_large(lines: list[tuple[Decimal, bool]]) -> None:
    rows = [
        {"ticker": f"L{place}", "market_cap": cap, "counted": counted} for place, (cap, counted) in enumerate(lines)
    ]
    total = total_usd(cap for cap, counted in lines if counted)
    details = {"constituents": rows, "total_market_cap": total, "gross_market_cap": total_usd(cap for cap, _ in lines)}
    companies = {
        row["ticker"]: {"name": "A", "market_cap": row["market_cap"], "shares_outstanding": 1} for row in rows[:7]
    }
    metrics = {
        "total_mag7_market_cap": total_usd(cap for cap, _ in lines[:7]),
        "sp500_total_market_cap": total,
        "mag7_pct_of_sp500": 1.0,
        "mag7_companies_count": 7,
    }
    written = {
        "trading_date": "2026-08-10",
        "data_collection_time": "",
        "companies": companies,
        "rankings": {"by_market_cap": rows[:7]},
        "concentration_metrics": metrics,
        "sp500_details": details,
    }

    assert market_data.decode(market_data.encode(written), "here") == written  # type: ignore[arg-type]
