"""The fund's own weight of the seven, from the newest holdings file of a lake on or before a date."""

import math
from collections.abc import Iterator
from datetime import date
from typing import Final

from mag7cli.analytics.summary import FundWeight
from mag7cli.lake.holdings import read_kept
from mag7cli.lake.layout import Lake
from mag7cli.market import symbology
from mag7cli.market.holdings_file import Holding, Holdings

LAKE_FUND: Final = "IVV"
"""The fund whose holdings files a lake keeps."""


def weight_on(lake: Lake, day: date | None) -> FundWeight | None:
    """The weight as of the latest file on or before the date (None: of the latest file); None without such a file."""
    dates = [as_of for as_of in lake.holdings_dates() if day is None or as_of <= day]
    if not dates:
        return None
    return fund_weight(read_kept(lake, dates[-1]))


def fund_weight(holdings: Holdings) -> FundWeight:
    """The seven in a fund at company level: both lines of Alphabet together."""
    counted = {ticker: company.counted for company in _companies() for ticker in (company.counted, *company.others)}
    parts: dict[str, list[float]] = {ticker: [] for ticker in symbology.MAGNIFICENT_7}
    for row, weight_pct in _weights(holdings):
        ticker = counted.get(row.ticker, row.ticker)
        if ticker in parts:
            parts[ticker].append(weight_pct)
    return FundWeight(holdings.fund, holdings.as_of, {ticker: math.fsum(weights) for ticker, weights in parts.items()})


def _weights(holdings: Holdings) -> Iterator[tuple[Holding, float]]:
    """Each equity with its percentage of the fund: the file's, else by market value."""
    if any(row.weight_pct is not None for row in holdings.rows):
        return ((row, row.weight_pct or 0.0) for row in holdings.equities)
    whole = math.fsum(row.market_value_usd or 0.0 for row in holdings.rows) or 1.0
    return ((row, 100 * (row.market_value_usd or 0.0) / whole) for row in holdings.equities)


def _companies() -> list[symbology.Company]:
    return symbology.companies(symbology.known_constituents())
