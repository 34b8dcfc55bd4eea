"""The daily returns of a lake, kept by year in `state/daily_returns.json`: a new date costs those of its own year.

The returns of a year follow from its tables, from the dates since the quarter of its first day began and a few before
them, and from the splits. A year is computed again when one of these files is another, after an upgrade of mag7 or
DuckDB, or when the view changes. The file saves work and decides nothing.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson

from mag7cli import __version__
from mag7cli.analytics.period import DailyReturn, read_returns
from mag7cli.core.errors import StoreError
from mag7cli.lake.layout import Lake
from mag7cli.tables.return_queries import COMPANY_RETURNS, DAILY_RETURNS, LONGEST_ABSENCE
from mag7cli.tables.table_files import TableFiles, year_of
from mag7cli.warehouse.engines import SqlEngine
from mag7cli.warehouse.engines.duckdb import DuckDbEngine, version

KEY: Final = "state/daily_returns.json"

_PRICED: Final = ("concentration_metrics", "sp500_constituents")
_SPLITS: Final = """\
SELECT trading_date, ticker, split_from, split_to, ratio FROM market_data.stock_splits ORDER BY 1, 2, 3, 4"""
# The quarter of January begins after the third Friday of December.
_QUARTER_BEGINS: Final = (12, 15)
_DATES: Final = "SELECT trading_date FROM market_data.concentration_metrics ORDER BY trading_date"


@dataclass(frozen=True, slots=True)
class YearReturns:
    """The returns of a year, and the fingerprint of the files that they follow from."""

    fingerprint: str
    days: tuple[DailyReturn, ...]


def daily_returns(engine: SqlEngine, lake: Lake | None) -> tuple[DailyReturn, ...]:
    """The price returns of every date, oldest first, kept where the engine is DuckDB over that lake.

    Raises EngineError, StoreError.
    """
    if lake is None or not (isinstance(engine, DuckDbEngine) and engine.is_of_lake):
        return read_returns(engine)
    dates = [day for (day,) in engine.query(_DATES).values if isinstance(day, date)]
    splits = [(day, repr(row)) for day, *row in engine.query(_SPLITS).values if isinstance(day, date)]
    before, versions, now = _kept(lake), _versions(TableFiles.of(lake)), {}
    for year in sorted({day.year for day in dates}):
        since = _reaches_back_to(dates, year)
        of = _fingerprint(since, year, versions, splits)
        now[year] = (
            before[year] if year in before and before[year].fingerprint == of else _computed(lake, since, year, of)
        )
    if now != before:
        with suppress(StoreError):  # a lake that may only be read has a report, too
            lake.store.write(KEY, _encoded(now))
    return tuple(day for year in sorted(now) for day in now[year].days)


def _reaches_back_to(dates: Sequence[date], year: int) -> date:
    """The first date that the returns of a year follow from: a return needs a base, however long there was none."""
    first = bisect_left(dates, date(year - 1, *_QUARTER_BEGINS))
    return dates[max(0, first - LONGEST_ABSENCE - 2)]


def _computed(lake: Lake, since: date, year: int, fingerprint: str) -> YearReturns:
    until = date(year, 12, 31)
    with closing(DuckDbEngine.over_lake(lake, since=since, until=until)) as engine:
        return YearReturns(fingerprint, read_returns(engine, date(year - 1, 12, 31), until))


def _versions(files: TableFiles) -> list[tuple[int, str]]:
    """Every file of prices and of figures, by year."""
    return [(year_of(info.key), f"{info.key} {info.version}") for table in _PRICED for info in files.flat(table)]


def _fingerprint(
    since: date, year: int, versions: Sequence[tuple[int, str]], splits: Sequence[tuple[date, str]]
) -> str:
    """Of the files of the years that count, and of the splits in them, whose files a new date makes anew."""
    code = f"mag7cli {__version__}, duckdb {version()}, {since}\n{COMPANY_RETURNS}\n{DAILY_RETURNS}"
    files = [file for at, file in versions if since.year <= at <= year]
    return _digest([code, *files, *(f"{day} {split}" for day, split in splits if since <= day <= date(year, 12, 31))])


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _kept(lake: Lake) -> dict[int, YearReturns]:
    try:
        years = orjson.loads(lake.store.read(KEY))["years"]
        return {int(year): YearReturns(of, tuple(map(_day, days))) for year, (of, days) in years.items()}
    except (StoreError, orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError):
        return {}


def _day(row: Sequence[Any]) -> DailyReturn:
    on, base, *pcts = row
    return DailyReturn(date.fromisoformat(on), date.fromisoformat(base), *pcts)


def _encoded(years: Mapping[int, YearReturns]) -> bytes:
    content = {
        str(year): [of.fingerprint, [[d.on, d.base, *_pcts(d)] for d in of.days]] for year, of in sorted(years.items())
    }
    return orjson.dumps({"years": content}, option=orjson.OPT_APPEND_NEWLINE)


def _pcts(day: DailyReturn) -> tuple[float | None, ...]:
    return (day.group_pct, day.rest_pct, day.index_pct, day.equal_weight_pct)
