"""The arithmetic of concentration, on the figures that were published for 2024-12-13."""

import json
from datetime import date
from pathlib import Path

import pytest

from mag7cli.core.errors import DocumentError
from mag7cli.lake.document import concentration, decode, encode, market_cap_usd, total_usd

CONSOLE_PIPELINE = Path(__file__).parents[2] / "data" / "console_pipeline" / "market_data_2023-03-06.json"

# Close (USD) and shares outstanding: docs/methodology.md has the source.
SEVEN = {
    "AAPL": (248.13, 15_115_823_000, 3_750_689_160_990.00),
    "MSFT": (447.27, 7_434_880_776, 3_325_399_124_681.52),
    "GOOGL": (189.82, 12_241_000_000, 2_323_586_620_000.00),
    "AMZN": (227.46, 10_515_011_008, 2_391_744_403_879.68),
    "NVDA": (134.25, 24_490_000_000, 3_287_782_500_000.00),
    "META": (620.35, 2_524_488_533, 1_566_066_461_446.55),
    "TSLA": (436.23, 3_210_059_659, 1_400_324_325_045.57),
}
PUBLISHED_TOTAL = 56_560_392_349_612.24
# Alphabet's other line, class C at 191.38, valued by the same 12,241 million shares of the whole company.
SECOND_ALPHABET = market_cap_usd(191.38, 12_241_000_000)


@pytest.mark.parametrize("ticker", SEVEN)
def test_a_market_cap_is_close_times_shares_to_the_cent(ticker: str) -> None:
    close, shares, cap = SEVEN[ticker]

    assert market_cap_usd(close, shares) == cap


def test_the_published_share_counts_alphabet_twice() -> None:
    seven = [cap for _, _, cap in SEVEN.values()]
    others = total_usd([PUBLISHED_TOTAL, -total_usd(seven)])

    twice = concentration(date(2024, 12, 13), seven, [*seven, others])
    once = concentration(date(2024, 12, 13), seven, [*seven, total_usd([others, -SECOND_ALPHABET])])

    assert twice["mag7_pct_of_sp500"] == pytest.approx(31.905, abs=0.0005)
    assert once["mag7_pct_of_sp500"] == pytest.approx(33.28, abs=0.005)


def test_a_hundred_equal_companies_are_a_hundred_effective_ones() -> None:
    found = concentration(date(2024, 12, 13), [1e9] * 7, [1e9] * 100)

    assert found["hhi"] == pytest.approx(100)
    assert found["effective_n"] == pytest.approx(100)
    assert found["top10_pct"] == pytest.approx(10)


def test_a_document_of_the_console_pipeline_survives_the_round_trip() -> None:
    document = decode(CONSOLE_PIPELINE.read_bytes(), "old")

    assert decode(encode(document), "again") == document == json.loads(CONSOLE_PIPELINE.read_bytes())
    assert document["sp500_details"]["total_market_cap"] == 21_234_567_890_123.25


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
