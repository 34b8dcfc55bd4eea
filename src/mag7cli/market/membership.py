"""Who was in the index on a trading date, and how that is known. Pure: knows neither the lake nor the form of a file.

Between two holdings files the earlier one holds. Before the first one there is none to hold, so the nearest stands in;
without any file, the list that is shipped with the package. Which of the three it was goes with the answer.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal, Protocol

from mag7cli.market import symbology

MembershipKind = Literal["observed", "nearest", "bundled"]
"""How it is known who was in the index: from a file of that time, from the nearest file, from the shipped list."""


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
    """Who was in the index on each of the dates; dates under one file share its lines."""
    known = sorted(as_of for as_of, file in files.items() if file.equities)
    chosen = {on: _as_of(on, known) for on in dates}
    lines = {as_of: _lines(files[as_of].equities) for as_of in set(chosen.values()) if as_of is not None}
    return {on: _membership(on, as_of, lines) for on, as_of in chosen.items()}


def _as_of(on: date, known: Sequence[date]) -> date | None:
    """The file for a date: the latest on or before it, else the nearest, which is then the oldest; None without any."""
    position = bisect_right(known, on)
    return known[max(position - 1, 0)] if known else None


def _membership(on: date, as_of: date | None, lines: Mapping[date, tuple[Line, ...]]) -> Membership:
    if as_of is None:
        return Membership("bundled", symbology.BUNDLED_AS_OF, _bundled_lines())
    return Membership("observed" if as_of <= on else "nearest", as_of, lines[as_of])


def _lines(equities: Iterable[Equity]) -> tuple[Line, ...]:
    return tuple(Line(row.ticker, symbology.company_cik(row.ticker), row.weight_pct, row.name) for row in equities)


@cache
def _bundled_lines() -> tuple[Line, ...]:
    return tuple(Line(line.ticker, line.cik, None, line.name) for line in symbology.bundled_constituents())
