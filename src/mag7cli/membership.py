"""Who was in the index on a trading date, and how that is known. Pure: knows neither the lake nor the form of a file.

Between two holdings files the earlier one holds. Before the first one there is none to hold, so the nearest stands in;
without any file, the list that is shipped with the package. Which of the three it was goes with the answer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Protocol

from mag7cli import tickers
from mag7cli.market_data import MembershipKind


class Equity(Protocol):
    """A line of a fund, as `holdings.Holding` has it."""

    @property
    def ticker(self) -> str:
        """Our name of the line."""
        ...

    @property
    def name(self) -> str:
        """The issuer's name as the file has it."""
        ...

    @property
    def weight_pct(self) -> float | None:
        """Percent of the fund, 0-100."""
        ...


class File(Protocol):
    """A holdings file that was read, as `holdings.Holdings` is."""

    @property
    def equities(self) -> tuple[Equity, ...]:
        """The shares of companies in it, each ticker once."""
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the index. `weight_pct` is the fund's own float-adjusted weight, None where no file gives it."""

    ticker: str
    cik: str | None
    weight_pct: float | None
    name: str


@dataclass(frozen=True, slots=True)
class Membership:
    """The lines of the index: observed in a file of `as_of` or before, taken from the nearest file, or bundled."""

    kind: MembershipKind
    as_of: date
    lines: tuple[Line, ...]


def members_on(on: date, files: Mapping[date, File]) -> Membership:
    """Who was in the index `on` a date, by holdings files by their as-of date; a file without equities says nothing."""
    return members_by_date([on], files)[on]


def members_by_date(dates: Iterable[date], files: Mapping[date, File]) -> dict[date, Membership]:
    """Who was in the index on each of the dates; dates under one file share their lines."""
    lines = {as_of: _lines(file.equities) for as_of, file in sorted(files.items()) if file.equities}
    return {on: _membership(on, lines) for on in dates}


def _membership(on: date, lines: Mapping[date, tuple[Line, ...]]) -> Membership:
    before = max((as_of for as_of in lines if as_of <= on), default=None)
    if before is not None:
        return Membership("observed", before, lines[before])
    nearest = min(lines, default=None)
    if nearest is not None:
        return Membership("nearest", nearest, lines[nearest])
    return Membership("bundled", tickers.BUNDLED_AS_OF, _bundled_lines())


def _lines(equities: Iterable[Equity]) -> tuple[Line, ...]:
    return tuple(Line(row.ticker, tickers.company_cik(row.ticker), row.weight_pct, row.name) for row in equities)


@cache
def _bundled_lines() -> tuple[Line, ...]:
    return tuple(Line(line.ticker, line.cik, None, line.name) for line in tickers.bundled_constituents())
