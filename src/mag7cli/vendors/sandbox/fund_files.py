"""Holdings files of three simulated funds: of the index by float, of its growth companies, and of these two funds.

As issuers write them: weights rounded to two places, market values beside them. Every name says that it is simulated.
"""

import io
from collections.abc import Iterator, Sequence
from csv import QUOTE_ALL, writer
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from random import Random
from typing import Final

from mag7cli.vendors.sandbox.market import Market

INDEX_FUND: Final = "SIMIX"
GROWTH_FUND: Final = "SIMGX"
FUND_OF_FUNDS: Final = "SIMFX"

_FUND_USD: Final = 500e9
_CASH_PCT: Final = 0.15
_GROWTH_LINES: Final = 100
_NOT_GROWTH: Final = frozenset({"Financials", "Energy", "Utilities", "Real Estate"})
_PARTS: Final = ((INDEX_FUND, "Simulated Index Fund", 70.0), (GROWTH_FUND, "Simulated Growth Fund", 29.0))
_MONTHS: Final = (2, 5, 8, 11)
_HEADING: Final = (
    "Ticker", "Name", "Sector", "Asset Class", "Market Value", "Weight (%)", "Quantity", "Price",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FundFile:
    """A holdings file as its issuer would offer it."""

    symbol: str
    as_of: date
    data: bytes


@dataclass(frozen=True, slots=True)
class _Row:
    ticker: str
    name: str
    sector: str
    kind: str
    weight_pct: float
    price: float


def fund_files(market: Market, sessions: Sequence[date]) -> Iterator[FundFile]:
    """Files of the three funds for the first of these sessions and the last of each February, May, August, November."""
    for day in file_days(sessions):
        index = _by_float(market, day)
        growth = [row for row in index if row.sector not in _NOT_GROWTH][:_GROWTH_LINES]
        inner = [_Row(symbol, name, "", "Mutual Fund", pct, 100.0) for symbol, name, pct in _PARTS]
        yield _file(INDEX_FUND, "Simulated Index Fund", day, index)
        yield _file(GROWTH_FUND, "Simulated Growth Fund", day, growth)
        yield _file(FUND_OF_FUNDS, "Simulated Fund of Funds", day, inner, cash_pct=1.0)


def file_days(sessions: Sequence[date]) -> list[date]:
    """The days of the files among these sessions."""
    ends = [day for day, after in pairwise(sessions) if day.month in _MONTHS and after.month != day.month]
    return sorted({*sessions[:1], *ends})


@cache
def float_factor(ticker: str) -> float:
    """The part of a line's shares that anybody can buy, drawn once for each line: the rest is in firm hands."""
    return 1 - 0.3 * Random(f"float of {ticker}").random() ** 3


def _by_float(market: Market, day: date) -> list[_Row]:
    """Every line of the index by the value of its own class that floats, the largest first."""
    truth = market.truth
    rows = []
    for ticker in truth.members(day):
        line, close = truth.line(ticker), truth.close(ticker, day)
        value = close * truth.class_shares(ticker, day) * float_factor(ticker)
        rows.append(_Row(ticker.replace(".", ""), line.name, line.sector, "Equity", value, close))
    return sorted(rows, key=lambda row: -row.weight_pct)


def _file(symbol: str, name: str, day: date, rows: Sequence[_Row], cash_pct: float = _CASH_PCT) -> FundFile:
    whole = sum(row.weight_pct for row in rows)
    text = io.StringIO()
    text.write(f"{name} ({symbol})\n")
    text.write(f'Fund Holdings as of,"{day:%b %d, %Y}"\n\n')
    text.write(",".join(_HEADING) + "\n")
    table = writer(text, quoting=QUOTE_ALL, lineterminator="\n")
    for row in [*rows, _Row("USD", "US DOLLAR", "Cash", "Cash", 0.0, 1.0)]:
        pct = cash_pct if row.ticker == "USD" else (100 - cash_pct) * row.weight_pct / whole
        value = _FUND_USD * pct / 100
        table.writerow(
            (row.ticker, row.name, row.sector, row.kind, f"{value:,.2f}", f"{pct:.2f}", f"{value / row.price:,.2f}",
             f"{row.price:,.2f}")
        )  # fmt: skip
    return FundFile(symbol, day, text.getvalue().encode())
