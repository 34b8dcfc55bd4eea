"""The splits of the index's lines as the vendor lists them, kept in the lake and held against the price.

`raw/reference/splits.json` has the rows that stand, the rows that were refused with the reason, and the range of
execution dates that was asked for. Announced splits lie in the future: each day's run asks for them again.
"""

import logging
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import Any, Final

import orjson

from mag7cli.core.errors import DocumentError, MarketDataError
from mag7cli.lake.layout import Lake
from mag7cli.market import symbology
from mag7cli.market.records import Split
from mag7cli.shares.split_adjustment import settle_splits, splits_of_factors
from mag7cli.vendors.calls import VendorCalls

_log = logging.getLogger(__name__)

SCHEMA_VERSION: Final = 1
_FILE: Final = "splits.json"
# Splits are announced a few weeks before they are executed; the vendor was seen to add rows some days late.
_AHEAD: Final = timedelta(days=30)
_AGAIN: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class SplitCache:
    """The splits that stand, by line, and the rows that do not, with the reason.

    `covers` is what was asked for, and `tickers` are those whose rows were kept.
    """

    by_ticker: Mapping[str, tuple[Split, ...]]
    refused: Mapping[tuple[str, Split], str] = field(default_factory=dict)
    covers: tuple[date, date] | None = None
    asked_on: date | None = None
    tickers: frozenset[str] = frozenset()

    def of(self, ticker: str) -> tuple[Split, ...]:
        """The splits of a line, oldest first."""
        return self.by_ticker.get(ticker, ())

    def rows(self, ticker: str) -> tuple[Split, ...]:
        """Every row that the vendor lists for a line, those refused included."""
        return (*self.of(ticker), *(split for owner, split in self.refused if owner == ticker))


def read_splits(lake: Lake) -> SplitCache:
    """The splits that the lake knows. Raises DocumentError."""
    data = lake.read_reference(_FILE)
    if data is None:
        return SplitCache({})
    try:
        document = orjson.loads(data)
        rows = [(row["ticker"], _split(row)) for row in document["rows"]]
        refused = {(row["ticker"], _split(row)): row["reason"] for row in document["refused"]}
        first, last = (date.fromisoformat(day) for day in document["covers"])
        asked_on = date.fromisoformat(document["asked_on"])
        return SplitCache(_by_ticker(rows), refused, (first, last), asked_on, frozenset(document["lines"]))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        where = lake.store.uri(f"raw/reference/{_FILE}")
        raise DocumentError(where, f"not a splits file ({error}); delete it to ask the vendor again") from error


def calls_for_splits(known: SplitCache, tickers: Collection[str], start: date, today: date) -> int:
    """How many calls `update_splits` will make at least; a full history takes some pages more."""
    return 0 if _is_fresh(known, tickers, start, today) else 1


def update_splits(
    lake: Lake, calls: VendorCalls, tickers: Collection[str], *, start: date, today: date, step_of: "StepOf"
) -> SplitCache:
    """The splits from `start` on, asked for where they are not known yet, and settled by the price.

    They are settled anew each time: a price that could not be had the last time may be there now.
    `step_of(ticker, day)` is the log step of the unadjusted close over a day, None where it is not known.
    """
    known = read_splits(lake)
    covers, asked_on, ours = known.covers, known.asked_on, known.tickers
    answered: list[tuple[str, Split]] = []
    if not _is_fresh(known, tickers, start, today):
        ours = known.tickers.union(tickers)
        answered, covers = _ask(calls, known, ours, start, today)
        asked_on = today
    before = [(ticker, split) for ticker, splits in known.by_ticker.items() for split in splits]
    rows = [*before, *known.refused, *answered]
    by_ticker, refused = _settle(rows, known.refused, step_of)
    if doubted := _unanswered(refused.keys() - known.refused.keys(), by_ticker):
        rows += _of_second_witness(calls, ours, doubted, today)
        by_ticker, refused = _settle(rows, known.refused, step_of)
    splits = SplitCache(by_ticker, refused, covers, asked_on, ours)
    if splits != known:
        lake.write_reference(_FILE, _encode(splits))
    return splits


def _ask(
    calls: VendorCalls, known: SplitCache, ours: Collection[str], start: date, today: date
) -> tuple[list[tuple[str, Split]], tuple[date, date]]:
    """What the vendor lists of our lines, and from when to when it is known then."""
    first = min(start, known.covers[0]) if known.covers else start
    is_new = known.covers is None or first < known.covers[0] or not known.tickers.issuperset(ours)
    # A clock that was set back must not make the range an empty one.
    ask_from = first if is_new or known.asked_on is None else min(known.asked_on, today) - _AGAIN
    listed = calls.once(lambda: calls.source.splits(ask_from, today + _AHEAD))
    return _of_lines(listed, ours), (first, today + _AHEAD)


def _of_lines(splits: Iterable[Split], ours: Collection[str]) -> list[tuple[str, Split]]:
    """The splits of lines that are ours, each with its line."""
    return [
        (ticker, split)
        for split in splits
        if (ticker := symbology.ticker_for(split.symbol, split.execution_date)) in ours
        and not symbology.other_security(split.symbol, split.execution_date)
    ]


def _unanswered(
    refused: Iterable[tuple[str, Split]], by_ticker: Mapping[str, Sequence[Split]]
) -> list[tuple[str, Split]]:
    """The refused rows on whose day no other row of the line stands."""
    days = {(ticker, split.execution_date) for ticker, splits in by_ticker.items() for split in splits}
    return [(ticker, split) for ticker, split in refused if (ticker, split.execution_date) not in days]


def _of_second_witness(
    calls: VendorCalls, ours: Collection[str], doubted: Sequence[tuple[str, Split]], today: date
) -> list[tuple[str, Split]]:
    """What the vendor's other list has of the lines in doubt, and what its factors say; nothing if it cannot be had."""
    tickers = {ticker for ticker, _ in doubted}.intersection(ours)
    first = min(split.execution_date for _, split in doubted)
    try:
        listed = calls.once(lambda: calls.source.splits_with_factors(first, today + _AHEAD))
    except MarketDataError as error:
        _log.info("no second list of splits: %s", error)
        return []
    rows = _of_lines(listed, tickers)
    return rows + _of_lines(splits_of_factors((split for _, split in rows), today), tickers)


StepOf = Callable[[str, date], float | None]


def log_step(before: float | None, after: float | None) -> float | None:
    """The log step between two closes, None unless both are known."""
    return math.log(after / before) if before and after else None


def _is_fresh(known: SplitCache, tickers: Collection[str], start: date, today: date) -> bool:
    is_covered = known.covers is not None and known.covers[0] <= start and known.tickers.issuperset(tickers)
    return is_covered and known.asked_on == today


def _settle(
    rows: Iterable[tuple[str, Split]], refused_before: Mapping[tuple[str, Split], str], step_of: StepOf
) -> tuple[dict[str, tuple[Split, ...]], dict[tuple[str, Split], str]]:
    """Hold each line's rows against its price; a row refused once stays refused while no price is there to ask."""
    by_ticker: dict[str, set[Split]] = {}
    refused: dict[tuple[str, Split], str] = {}
    for ticker, split in rows:
        reason = refused_before.get((ticker, split))
        if reason and step_of(ticker, split.execution_date) is None:
            refused[ticker, split] = reason
        else:
            by_ticker.setdefault(ticker, set()).add(split)
    standing: dict[str, tuple[Split, ...]] = {}
    for ticker, splits in by_ticker.items():
        stand, wrong = settle_splits(splits, partial(_step_of_split, step_of, ticker))
        if stand:
            standing[ticker] = tuple(stand)
        refused.update({(ticker, split): reason for split, reason in wrong.items()})
    return standing, refused


def _step_of_split(step_of: StepOf, ticker: str, split: Split) -> float | None:
    return step_of(ticker, split.execution_date)


def _by_ticker(rows: Iterable[tuple[str, Split]]) -> dict[str, tuple[Split, ...]]:
    by_ticker: dict[str, list[Split]] = {}
    for ticker, split in rows:
        by_ticker.setdefault(ticker, []).append(split)
    return {
        ticker: tuple(sorted(splits, key=lambda split: split.execution_date)) for ticker, splits in by_ticker.items()
    }


def _split(row: Mapping[str, Any]) -> Split:
    return Split(row["symbol"], date.fromisoformat(row["execution_date"]), row["split_from"], row["split_to"])


def _row(ticker: str, split: Split) -> dict[str, Any]:
    return {
        "ticker": ticker,
        "symbol": split.symbol,
        "execution_date": split.execution_date.isoformat(),
        "split_from": split.split_from,
        "split_to": split.split_to,
    }


def _encode(splits: SplitCache) -> bytes:
    refused = sorted(splits.refused.items(), key=lambda item: (item[0][0], item[0][1].execution_date, item[0][1].ratio))
    document = {
        "schema_version": SCHEMA_VERSION,
        "covers": [day.isoformat() for day in splits.covers or ()],
        "asked_on": splits.asked_on.isoformat() if splits.asked_on else None,
        "lines": sorted(splits.tickers),
        "rows": [_row(ticker, split) for ticker in sorted(splits.by_ticker) for split in splits.by_ticker[ticker]],
        "refused": [{**_row(ticker, split), "reason": reason} for (ticker, split), reason in refused],
    }
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
