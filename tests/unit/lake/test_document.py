"""The arithmetic of concentration, on the figures that were published for 2024-12-13."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from mag7cli.core.errors import DocumentError
from mag7cli.lake.document import concentration, decode, encode
from mag7cli.market.money import cents, market_cap_usd

CONSOLE_PIPELINE = Path(__file__).parents[2] / "data" / "console_pipeline" / "market_data_2023-03-06.json"

# Close (USD) and shares outstanding: docs/methodology.md has the source.
SEVEN = {
    "AAPL": (248.13, 15_115_823_000, Decimal("3750689160990.00")),
    "MSFT": (447.27, 7_434_880_776, Decimal("3325399124681.52")),
    "GOOGL": (189.82, 12_241_000_000, Decimal("2323586620000.00")),
    "AMZN": (227.46, 10_515_011_008, Decimal("2391744403879.68")),
    "NVDA": (134.25, 24_490_000_000, Decimal("3287782500000.00")),
    "META": (620.35, 2_524_488_533, Decimal("1566066461446.55")),
    "TSLA": (436.23, 3_210_059_659, Decimal("1400324325045.57")),
}
PUBLISHED_TOTAL = Decimal("56560392349612.24")
# Alphabet's other line, class C at 191.38, valued by the same 12,241 million shares of the whole company.
SECOND_ALPHABET = market_cap_usd(191.38, 12_241_000_000)


@pytest.mark.parametrize("ticker", SEVEN)
def test_a_market_cap_is_close_times_shares_to_the_cent(ticker: str) -> None:
    close, shares, cap = SEVEN[ticker]

    assert market_cap_usd(close, shares) == cap


def test_the_published_share_counts_alphabet_twice() -> None:
    seven = [cents(cap) for _, _, cap in SEVEN.values()]
    others = cents(PUBLISHED_TOTAL) - sum(seven)

    twice = concentration(date(2024, 12, 13), seven, [*seven, others])
    once = concentration(date(2024, 12, 13), seven, [*seven, others - cents(SECOND_ALPHABET)])

    assert twice["mag7_pct_of_sp500"] == pytest.approx(31.905, abs=0.0005)
    assert once["mag7_pct_of_sp500"] == pytest.approx(33.28, abs=0.005)


def test_a_hundred_equal_companies_are_a_hundred_effective_ones() -> None:
    found = concentration(date(2024, 12, 13), [10**11] * 7, [10**11] * 100)

    assert found["hhi"] == pytest.approx(100)
    assert found["effective_n"] == pytest.approx(100)
    assert found["top10_pct"] == pytest.approx(10)


def test_a_document_of_the_console_pipeline_survives_the_round_trip() -> None:
    document = decode(CONSOLE_PIPELINE.read_bytes(), "old")

    written = json.loads(CONSOLE_PIPELINE.read_bytes())
    digits = json.loads(CONSOLE_PIPELINE.read_bytes(), parse_float=Decimal)

    assert decode(encode(document), "again") == document
    assert json.loads(encode(document)) == written
    (first, *_), (written_first, *_) = document["rankings"]["by_market_cap"], digits["rankings"]["by_market_cap"]
    assert first["market_cap"] == written_first["market_cap"]
    assert document["sp500_details"]["total_market_cap"] == Decimal("21234567890123.25")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not JSON"),
        (b"[]", "a JSON object is expected"),
        (b"{}", "'trading_date' is missing"),
        (json.dumps({"trading_date": 3}).encode(), "'trading_date' is missing"),
    ],
)
def test_what_is_no_document_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError, match=f"here: {reason}"):
        decode(data, "here")


# Amounts


def large(total: str, *caps: str, **changes: object) -> bytes:
    """A document of these lines, whose total is written as given."""
    rows = [{"ticker": f"L{place}", "market_cap": Decimal(cap), "counted": True} for place, cap in enumerate(caps)]
    details = {"constituents": rows, "total_market_cap": Decimal(total), "gross_market_cap": Decimal(total), **changes}
    text = {"trading_date": "2026-08-10", "data_collection_time": "", "companies": {}, "rankings": {}}
    return encode(text | {"sp500_details": details})  # type: ignore[arg-type]


def total_of(data: bytes) -> Decimal:
    return decode(data, "here")["sp500_details"]["total_market_cap"]


def test_amounts_are_written_with_every_digit_as_numbers():
    data = large("70368744177664.03", "70368744177664.03")

    assert b'"total_market_cap":70368744177664.03' in data
    assert b'"market_cap":70368744177664.03' in data


def test_a_total_that_was_written_as_a_float_is_what_its_lines_add_up_to():
    # Above 2^46 dollars floats are 1/64 of a dollar apart: 81 and 82 cents are one number.
    caps = (*["10000000000000.10"] * 7, "10000000000000.12")
    assert 80_000_000_000_000.81 == 80_000_000_000_000.82

    assert total_of(large("80000000000000.81", *caps)) == Decimal("80000000000000.82")


def test_a_total_that_its_lines_do_not_add_up_to_stays_as_it_is_written_for_the_checks_to_find():
    assert total_of(large("80000000000001.00", "40000000000000.00", "40000000000000.41")) == 80_000_000_000_001
    assert total_of(large("60000000000000.01", "30000000000000.00", "30000000000000.00")) == Decimal(
        "60000000000000.01"
    )


def test_lines_too_large_for_floats_keep_their_digits():
    document = decode(large("987654321098765.43", "987654321098765.43"), "here")

    (row,) = document["sp500_details"]["constituents"]
    assert row["market_cap"] == document["sp500_details"]["total_market_cap"] == Decimal("987654321098765.43")


def test_a_large_total_without_lines_keeps_its_digits():
    assert total_of(large("987654321098765.43")) == Decimal("987654321098765.43")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("x", "not a list of objects"),
        ([1], "not a list of objects"),
        ([{"ticker": "A", "counted": True, "market_cap": "1"}], "market_cap of .* of another type"),
        ([{"ticker": "A", "counted": 1, "market_cap": 1}], "counted of .* of another type"),
        ([{"counted": True, "market_cap": 1}], "ticker of .* is missing"),
        (
            [{"ticker": "A", "counted": True, "market_cap": 1, "market_cap_by_class": "1"}],
            "by_class of .* another type",
        ),
    ],
)
def test_lines_that_have_no_amounts_are_refused(rows: object, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        decode(large("1.00", constituents=rows), "here")
