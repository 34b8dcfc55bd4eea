"""What is inside a fund, and inside the funds that it holds: companies, cash, and what its file leaves open."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from mag7cli.market import symbology
from mag7cli.portfolio.fund_file import FundHolding, FundHoldings
from mag7cli.portfolio.identity import US, Companies, Company, is_us_symbol, known_company
from mag7cli.portfolio.known_funds import known_fund

_ROUNDING: Final = 1e-9  # less than this of a fund is the rounding of floats, not of a file


@dataclass(frozen=True, slots=True)
class Gap:
    """A part of a fund that is unknown, 1 being all of it, and why; `leverage` is how often its money may work."""

    weight: float
    reason: str
    leverage: int = 1


@dataclass(slots=True)
class Contents:
    """The parts of a fund, 1 being all of it: companies, their sectors, cash and other, and gaps. They sum to one."""

    companies: dict[Company, float] = field(default_factory=dict)
    sectors: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    cash: float = 0.0
    gaps: list[Gap] = field(default_factory=list)

    def part_of(self, tickers: Iterable[str]) -> float:
        """The part of some companies of the index."""
        return math.fsum(self.companies.get(company, 0.0) for company in map(known_company, tickers))


def contents(symbol: str, funds: Mapping[str, FundHoldings], companies: Companies) -> Contents:
    """What is inside a fund; funds inside it are opened, except one that is around it.

    Args:
        symbol: The fund's key in `funds`.
        funds: Holdings by symbol or ISIN.
        companies: The companies of all securities in them.
    """
    opener = _Opener(funds, companies)
    opener.open(symbol, 1.0, frozenset())
    return opener.contents


def sector_of(company: Company, in_file: str) -> str:
    """The sector of a company: of the index's own list, else what the file says."""
    return _sectors().get(company.ticker, in_file) if company.country == US else in_file


class _Opener:
    """Opens a fund, and the funds inside it, into their contents."""

    def __init__(self, funds: Mapping[str, FundHoldings], companies: Companies) -> None:
        self.contents = Contents()
        self._funds = funds
        self._companies = companies

    def open(self, symbol: str, part: float, around: frozenset[str]) -> None:
        """Add what a part of a fund consists of; `around` are the funds that it is inside of."""
        holdings = self._funds[symbol]
        around |= {symbol}
        for row in holdings.rows:
            self._add(row, part * row.weight, symbol, around)
        if holdings.unknown > _ROUNDING:
            reason = f"{100 * holdings.unknown:.2f} % of {symbol} is not in its holdings file"
            self.contents.gaps.append(Gap(part * holdings.unknown, reason))

    def _add(self, row: FundHolding, weight: float, symbol: str, around: frozenset[str]) -> None:
        inner = _inner_fund(row, self._funds)
        if inner is not None and inner not in around:
            self.open(inner, weight, around)
        elif inner is not None or _is_fund(row):
            self.contents.gaps.append(_closed(row, weight, symbol, is_circle=inner is not None))
        elif row.kind == "stock":
            company = self._companies.of(row.security, self._funds[symbol].as_of)
            self.contents.companies[company] = self.contents.companies.get(company, 0.0) + weight
            self.contents.sectors[sector_of(company, row.sector)] += weight
        else:
            self.contents.cash += weight


def _inner_fund(row: FundHolding, funds: Mapping[str, FundHoldings]) -> str | None:
    """The key of the fund that a line is, if its holdings are known; no share of a foreign exchange is one."""
    if not _may_be_fund(row):
        return None
    keys = (symbology.vendor_symbol(row.security.symbol), row.security.isin)
    return next((key for key in keys if key and key in funds), None)


def _is_fund(row: FundHolding) -> bool:
    return row.kind == "fund" or (_may_be_fund(row) and known_fund(row.security.symbol) is not None)


def _may_be_fund(row: FundHolding) -> bool:
    return row.kind == "fund" or (row.kind == "stock" and is_us_symbol(row.security))


def _closed(row: FundHolding, weight: float, symbol: str, *, is_circle: bool) -> Gap:
    name = row.security.symbol or row.security.name
    fund = known_fund(row.security.symbol)
    reason = f"{symbol} holds itself" if is_circle else f"{name} inside {symbol} has no holdings file here"
    return Gap(weight, reason, fund.leverage if fund else 1)


@cache
def _sectors() -> Mapping[str, str]:
    return {row.ticker: row.sector for row in symbology.known_constituents()}
