"""The splits of the index's lines as the vendor lists them, kept in the lake and held against the price.

`raw/reference/splits.json` has the rows that stand, the rows that were refused with the reason, and the range of
execution dates that was asked for. Announced splits lie in the future: each day's run asks for them again.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import Any, Final

import orjson

from mag7cli import tickers
from mag7cli.errors import DocumentError
from mag7cli.lake import Lake
from mag7cli.shares import settle_splits
from mag7cli.vendor import MarketDataSource, Split

SCHEMA_VERSION: Final = 1
_FILE: Final = "splits.json"
# Splits are announced a few weeks before they are executed; the vendor was seen to add rows some days late.
_AHEAD: Final = timedelta(days=30)
_AGAIN: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Splits:
    """The splits that stand, by line, and the rows that do not, with the reason. `covers` is what was asked for."""

    by_ticker: Mapping[str, tuple[Split, ...]]
    refused: Mapping[tuple[str, Split], str] = field(default_factory=dict)
    covers: tuple[date, date] | None = None
    asked_on: date | None = None

    def of(self, ticker: str) -> tuple[Split, ...]:
        """The splits of a line, oldest first."""
        return self.by_ticker.get(ticker, ())


def read_splits(lake: Lake) -> Splits:
    """The splits that the lake knows. Raises DocumentError."""
    data = lake.read_reference(_FILE)
    if data is None:
        return Splits({})
    try:
        document = orjson.loads(data)
        rows = [(row["ticker"], _split(row)) for row in document["rows"]]
        refused = {(row["ticker"], _split(row)): row["reason"] for row in document["refused"]}
        first, last = (date.fromisoformat(day) for day in document["covers"])
        asked_on = date.fromisoformat(document["asked_on"])
        return Splits(_by_ticker(rows), refused, (first, last), asked_on)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        where = lake.store.uri(f"raw/reference/{_FILE}")
        raise DocumentError(where, f"not a splits file ({error}); delete it to ask the vendor again") from error


def calls_for_splits(known: Splits, start: date, today: date) -> int:
    """How many calls `update_splits` will make at least; a full history takes some pages more."""
    return 0 if _is_fresh(known, start, today) else 1


def update_splits(
    lake: Lake, source: MarketDataSource, lines: Iterable[str], *, start: date, today: date, step_of: "StepOf"
) -> Splits:
    """The splits from `start` on, asked for where they are not known yet, and settled by the price.

    `step_of(ticker, day)` is the log step of the unadjusted close over a day, None where it is not known.
    """
    known = read_splits(lake)
    if _is_fresh(known, start, today):
        return known
    first = start if known.covers is None or start < known.covers[0] else known.covers[0]
    ask_from = first if known.asked_on is None or first != _first(known) else known.asked_on - _AGAIN
    ours = set(lines)
    told = [
        (ticker, split)
        for split in source.splits(ask_from, today + _AHEAD)
        if (ticker := tickers.ticker_for(split.symbol, split.execution_date)) in ours
        and not tickers.other_security(split.symbol, split.execution_date)
    ]
    before = [(ticker, split) for ticker, splits in known.by_ticker.items() for split in splits]
    by_ticker, refused = _settle([*before, *told], known.refused, step_of)
    splits = Splits(by_ticker, refused, (first, today + _AHEAD), today)
    lake.write_reference(_FILE, _encode(splits))
    return splits


StepOf = Callable[[str, date], float | None]


def log_step(before: float | None, after: float | None) -> float | None:
    """The log step between two closes, None unless both are known."""
    return math.log(after / before) if before and after else None


def _is_fresh(known: Splits, start: date, today: date) -> bool:
    return known.covers is not None and known.covers[0] <= start and known.asked_on == today


def _first(known: Splits) -> date | None:
    return known.covers[0] if known.covers else None


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
    kept: dict[str, tuple[Split, ...]] = {}
    for ticker, splits in by_ticker.items():
        stand, wrong = settle_splits(splits, partial(_step_of_split, step_of, ticker))
        kept[ticker] = tuple(stand)
        refused.update({(ticker, split): reason for split, reason in wrong.items()})
    return kept, refused


def _step_of_split(step_of: StepOf, ticker: str, split: Split) -> float | None:
    return step_of(ticker, split.execution_date)


def _by_ticker(rows: Iterable[tuple[str, Split]]) -> dict[str, tuple[Split, ...]]:
    found: dict[str, list[Split]] = {}
    for ticker, split in rows:
        found.setdefault(ticker, []).append(split)
    return {ticker: tuple(sorted(splits, key=lambda one: one.execution_date)) for ticker, splits in found.items()}


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


def _encode(splits: Splits) -> bytes:
    refused = sorted(splits.refused.items(), key=lambda item: (item[0][0], item[0][1].execution_date, item[0][1].ratio))
    document = {
        "schema_version": SCHEMA_VERSION,
        "covers": [day.isoformat() for day in splits.covers or ()],
        "asked_on": splits.asked_on.isoformat() if splits.asked_on else None,
        "rows": [_row(ticker, split) for ticker in sorted(splits.by_ticker) for split in splits.by_ticker[ticker]],
        "refused": [{**_row(ticker, split), "reason": reason} for (ticker, split), reason in refused],
    }
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
