"""Who was in the index on a trading date, and how that is known. Pure: knows neither the lake nor the form of a file.

A holdings file says it for its own day; from there its list is brought forward by the known joins and leaves
(`index_history`). Without a file on or before a date the history alone says it. Where that ends, the nearest list
stands in. Which of these it was goes with the answer.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final, Literal, Protocol

from mag7cli.market import index_history, symbology

MembershipKind = Literal["observed", "history", "nearest", "bundled"]
"""How it is known who was in the index: from a file of that very day; by the dated changes, from a file before it or
from the history alone; from the nearest file; or from the nearest list that comes with mag7, without any file."""

# What the S&P 500's own funds differ by, a right or a delayed trade, is far below; another fund's list far above.
_SAME_INDEX: Final = 0.95


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
class Constituent:
    """One line of the index. `weight_pct` is the fund's own float-adjusted weight, None where no file gives it."""

    ticker: str
    cik: str | None
    weight_pct: float | None
    name: str


@dataclass(frozen=True, slots=True)
class Membership:
    """The lines of the index on a date.

    `as_of` is since when this list was in force as far as is known: the day of the holdings file or of the last change
    after it. `file` is the day of the holdings file behind it, None without one.
    """

    kind: MembershipKind
    as_of: date
    constituents: tuple[Constituent, ...]
    file: date | None = None


def members_on(on: date, files: Mapping[date, File]) -> Membership:
    """Who was in the index `on` a date, by holdings files by their as-of date; a file without equities says nothing."""
    return members_by_date([on], files)[on]


def members_by_date(dates: Iterable[date], files: Mapping[date, File]) -> dict[date, Membership]:
    """Who was in the index on each of the dates; dates under one list share its lines."""
    usable = {as_of: files[as_of] for as_of in sorted(files) if files[as_of].equities}
    lists = _Lists(usable)
    return {on: lists.membership(on) for on in dates}


def is_same_index(tickers: Iterable[str], day: date) -> bool:
    """True if a list of a day is the S&P 500's but for a few lines, as far as the history knows the day."""
    theirs, ours = set(tickers), set(index_history.constituents_on(day))
    return len(theirs & ours) >= _SAME_INDEX * max(len(theirs), len(ours))


class _Lists:
    """The lists of the index by the holdings files of a lake; each is put together once."""

    def __init__(self, files: Mapping[date, File]) -> None:
        self._files = files
        self._days: Sequence[date] = list(files)
        self._replayable = {
            day: index_history.is_known(day) and is_same_index((row.ticker for row in file.equities), day)
            for day, file in files.items()
        }
        self._lines: dict[tuple[date | None, date], tuple[Constituent, ...]] = {}

    def membership(self, on: date) -> Membership:
        """Who was in the index on a date."""
        file = self._file_before(on)
        if file == on:
            return Membership("observed", on, self._of_file(on, on), on)
        until = min(on, index_history.confirmed_until())
        if file and (self._replayable[file] or until < file):
            as_of = max(file, min(index_history.in_force_since(until), until))
            kind: MembershipKind = "history" if index_history.is_known(on) else "nearest"
            return Membership(kind, as_of, self._of_file(file, as_of), file)
        if index_history.is_known(on) and not self._own_index(file, on):
            since = index_history.in_force_since(on)
            return Membership("history", since, self._of_history(since))
        nearest = file or next(iter(self._days), None)
        if nearest:
            return Membership("nearest", nearest, self._of_file(nearest, nearest), nearest)
        since = index_history.in_force_since(on)
        return Membership("bundled", since, self._of_history(since))

    def _file_before(self, on: date) -> date | None:
        """The latest file on or before a date."""
        position = bisect_right(self._days, on)
        return self._days[position - 1] if position else None

    def _own_index(self, file: date | None, on: date) -> bool:
        """True if the file that is nearest to a date is of its day another index than the history's.

        A list that somebody keeps although it is not the S&P 500's is taken at its word.
        """
        nearest = file or next((day for day in self._days if day > on), None)
        return nearest is not None and index_history.is_known(nearest) and not self._replayable[nearest]

    def _of_file(self, file: date, as_of: date) -> tuple[Constituent, ...]:
        """The lines of a file, brought forward to a day."""
        if (file, as_of) not in self._lines:
            rows = {row.ticker: row for row in self._files[file].equities}
            tickers = index_history.replay(rows, file, as_of) if file < as_of else tuple(rows)
            constituents = (_of_row(rows[ticker]) if ticker in rows else _known_line(ticker) for ticker in tickers)
            self._lines[file, as_of] = tuple(constituents)
        return self._lines[file, as_of]

    def _of_history(self, since: date) -> tuple[Constituent, ...]:
        if (None, since) not in self._lines:
            self._lines[None, since] = tuple(map(_known_line, index_history.constituents_on(since)))
        return self._lines[None, since]


def _of_row(row: Equity) -> Constituent:
    return Constituent(row.ticker, symbology.company_cik(row.ticker), row.weight_pct, row.name)


@cache
def _known_line(ticker: str) -> Constituent:
    return Constituent(ticker, symbology.company_cik(ticker), None, _names()[ticker])


@cache
def _names() -> Mapping[str, str]:
    return {constituent.ticker: constituent.name for constituent in symbology.known_constituents()}
