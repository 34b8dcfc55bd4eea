"""Who was in the S&P 500 on any day since 2021, as dated facts: `data/index_changes.csv` replayed from one list. Pure.

The list of 2024-12-06 (`data/constituents.csv`) is taken apart backwards and forwards, a join and a leave at a time.
Tickers are ours throughout (`symbology`), so that a rename is no change here.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import groupby
from typing import Final, Literal

from mag7cli.core import packaged_data
from mag7cli.market import symbology
from mag7cli.market.index_knowledge import TABLE
from mag7cli.market.index_knowledge import confirmed_until as confirmed_until

Change = Literal["joins", "leaves"]
Side = Literal["table", "file"]

FIRST_KNOWN: Final = date(2021, 1, 4)
"""The first session for which the table knows the list."""


@dataclass(frozen=True, slots=True)
class IndexChange:
    """A line joins or leaves with the session of `effective_date`.

    `last_traded` is the last session on which a line that leaves had a price, None if that is the one before, or if it
    trades on. `source` says who says so.
    """

    effective_date: date
    change: Change
    ticker: str
    reason: str = ""
    last_traded: date | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A line that only the table or only the file has on a day."""

    ticker: str
    only_in: Side

    def __str__(self) -> str:
        """What a person reads of it."""
        if self.only_in == "file":
            return f"{self.ticker} is in the holdings file, but not in the index of that day as it is known"
        return f"{self.ticker} was in the index that day as it is known, but is not in the holdings file"


@dataclass(frozen=True, slots=True)
class _Stage:
    """The list in force from `first_day` until the next change."""

    first_day: date
    tickers: tuple[str, ...]


@cache
def changes() -> tuple[IndexChange, ...]:
    """Every join and leave that is known, oldest first."""
    return tuple(sorted(map(_index_change, packaged_data.read(TABLE)), key=lambda row: row.effective_date))


def is_known(day: date) -> bool:
    """True if the table knows the list of that day."""
    return FIRST_KNOWN <= day <= confirmed_until()


def reach(day: date) -> str:
    """How old the knowledge is for a day, in words: the last day for which joins and leaves are known, or the first."""
    if day > confirmed_until():
        return f"joins and leaves are known until {confirmed_until()}, {(day - confirmed_until()).days} days before"
    if day < FIRST_KNOWN:
        return f"joins and leaves are known from {FIRST_KNOWN} on"
    return f"joins and leaves are known until {confirmed_until()}"


def constituents_on(day: date) -> tuple[str, ...]:
    """The tickers of the index on a day, the largest of 2024-12-06 first.

    A day before FIRST_KNOWN or after `confirmed_until` answers with the first or the last list that is known.
    """
    return _stage_on(day).tickers


def in_force_since(day: date) -> date:
    """The first day of the list that was in force on a day, as far as the table knows."""
    return _stage_on(day).first_day


def replay(tickers: Iterable[str], since: date, until: date) -> tuple[str, ...]:
    """A list as it was at the end of `since`, brought forward by the changes of the days after it up to `until`.

    Lines keep their order; joiners follow. A change that the list has already is no change.
    """
    members = dict.fromkeys(tickers)
    for change in changes():
        if not since < change.effective_date <= until:
            continue
        if change.change == "joins":
            members.setdefault(change.ticker)
        else:
            members.pop(change.ticker, None)
    return tuple(members)


def differences(tickers: Collection[str], day: date) -> tuple[Difference, ...]:
    """How a list of a day, such as a holdings file's, differs from the table, line by line and by ticker."""
    ours, theirs = set(constituents_on(day)), set(tickers)
    only: list[tuple[str, Side]] = [(ticker, "table") for ticker in ours - theirs]
    only += [(ticker, "file") for ticker in theirs - ours]
    return tuple(Difference(ticker, side) for ticker, side in sorted(only))


def missing_changes(tickers: Collection[str], day: date, source: str) -> tuple[IndexChange, ...]:
    """The rows with which the table would say of a day what the list says; the list knows no reasons."""
    return tuple(
        IndexChange(day, "joins" if row.only_in == "file" else "leaves", row.ticker, source=source)
        for row in differences(tickers, day)
    )


def last_trading_day(ticker: str) -> date | None:
    """The last session on which a line had a price; None if it trades on, or if that is not known."""
    return _last_trading_days().get(ticker)


def listed_from(ticker: str) -> date | None:
    """The first session on which a line had a price; None if that is before our time, or not known."""
    return _listings().get(ticker)


def _stage_on(day: date) -> _Stage:
    stages = _stages()
    return stages[max(0, bisect_right(stages, day, key=lambda stage: stage.first_day) - 1)]


@cache
def _stages() -> tuple[_Stage, ...]:
    """The list from each change to the next, oldest first."""
    order = {constituent.ticker: rank for rank, constituent in enumerate(symbology.known_constituents())}
    members = {constituent.ticker for constituent in symbology.bundled_constituents()}
    for change in reversed(changes()):
        if change.effective_date <= symbology.BUNDLED_AS_OF:
            members ^= {change.ticker}
    stages = [_Stage(FIRST_KNOWN, tuple(sorted(members, key=order.__getitem__)))]
    for day, together in groupby(changes(), key=lambda change: change.effective_date):
        members ^= {change.ticker for change in together}
        stages.append(_Stage(day, tuple(sorted(members, key=order.__getitem__))))
    return tuple(stages)


@cache
def _last_trading_days() -> dict[str, date]:
    days_by_ticker = {row["ticker"]: row["last_trading_day"] for row in packaged_data.read("index_lines")}
    known = {ticker: date.fromisoformat(day) for ticker, day in days_by_ticker.items() if day}
    return known | {change.ticker: change.last_traded for change in changes() if change.last_traded}


@cache
def _listings() -> dict[str, date]:
    rows = packaged_data.read("index_lines")
    return {row["ticker"]: date.fromisoformat(row["listed_from"]) for row in rows if row["listed_from"]}


def _index_change(row: dict[str, str]) -> IndexChange:
    last = row["last_traded"]
    return IndexChange(
        date.fromisoformat(row["effective_date"]),
        "joins" if row["change"] == "joins" else "leaves",
        row["ticker"],
        reason=row["reason"],
        last_traded=date.fromisoformat(last) if last else None,
        source=row["source"],
    )
