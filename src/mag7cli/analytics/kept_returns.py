"""The daily returns of a lake, kept by quarter in `state/daily_returns.json`: a new date costs those of its quarter.

The returns of a quarter follow from the rows of its dates, of those since the companies were last bought alike before
its first day, of a few before them, and from the splits. They are computed again when one of these rows is another,
after an upgrade of mag7 or DuckDB, or when the view changes. The file saves work and decides nothing.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from itertools import groupby
from typing import Any, Final

import orjson

from mag7cli import __version__
from mag7cli.analytics.period import DailyReturn, read_returns
from mag7cli.core.errors import StoreError
from mag7cli.lake.layout import Lake
from mag7cli.lake.store import ObjectInfo
from mag7cli.tables.return_queries import COMPANY_RETURNS, DAILY_RETURNS, LONGEST_ABSENCE
from mag7cli.tables.schema import TABLE
from mag7cli.tables.table_files import TableFiles, year_of
from mag7cli.warehouse.engines import SqlEngine
from mag7cli.warehouse.engines.duckdb import DuckDbEngine, version

KEY: Final = "state/daily_returns.json"

_PRICED: Final = ("concentration_metrics", "sp500_constituents")
_SPLITS: Final = """\
SELECT trading_date, ticker, split_from, split_to, ratio FROM market_data.stock_splits ORDER BY 1, 2, 3, 4"""
_NEEDED: Final = ("concentration_metrics", "sp500_constituents", "stock_splits", "company_returns", "daily_returns")
# After the third Friday of a quarter's last month all companies are bought alike again; no month has an earlier one.
_FIRST_THIRD_FRIDAY: Final = 15
_TOGETHER: Final = 4
_DATES: Final = "SELECT trading_date FROM market_data.concentration_metrics ORDER BY trading_date"


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """A quarter of the calendar; `number` is 1 to 4."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> "Quarter":
        """The quarter of a day."""
        return cls(day.year, (day.month + 2) // 3)

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        following = date(self.year + self.number // 4, 3 * self.number % 12 + 1, 1)
        return following - timedelta(days=1)

    @property
    def rebalanced(self) -> date:
        """A day before which the companies were bought alike whose returns its first days have."""
        before = self.first - timedelta(days=1)
        return before.replace(day=_FIRST_THIRD_FRIDAY)


@dataclass(frozen=True, slots=True)
class QuarterReturns:
    """The returns of a quarter, and the fingerprint of the rows that they follow from."""

    fingerprint: str
    days: tuple[DailyReturn, ...]


@dataclass(frozen=True, slots=True)
class YearRows:
    """The files of a year's prices, as one fingerprint, and the fingerprint of their rows on each date."""

    files: str
    dates: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class KeptReturns:
    """What a lake keeps."""

    years: Mapping[int, YearRows]
    quarters: Mapping[Quarter, QuarterReturns]


_NOTHING: Final = KeptReturns({}, {})


def daily_returns(engine: SqlEngine, lake: Lake | None) -> tuple[DailyReturn, ...]:
    """The price returns of every date, oldest first, kept where the engine is DuckDB over that lake.

    Raises EngineError, StoreError.
    """
    if lake is None or not (isinstance(engine, DuckDbEngine) and engine.is_of_lake):
        return read_returns(engine)
    before = _kept(lake)
    now = _brought_up(lake, engine, before)
    if now != before:
        with suppress(StoreError):  # a lake that may only be read has a report, too
            lake.store.write(KEY, _encoded(now))
    return tuple(day for quarter in sorted(now.quarters) for day in now.quarters[quarter].days)


def _brought_up(lake: Lake, engine: DuckDbEngine, before: KeptReturns) -> KeptReturns:
    dates = [day for (day,) in engine.query(_DATES).values if isinstance(day, date)]
    splits = [(day, repr(row)) for day, *row in engine.query(_SPLITS).values if isinstance(day, date)]
    years = _rows_by_year(TableFiles.of_years(lake), engine, before)
    rows = sorted((date.fromisoformat(day), digest) for year in years.values() for day, digest in year.dates.items())
    since = {quarter: _reaches_back_to(dates, quarter) for quarter in sorted({Quarter.of(day) for day in dates})}
    prints = {quarter: _fingerprint(first, quarter, rows, splits) for quarter, first in since.items()}
    now = {quarter: kept for quarter, kept in before.quarters.items() if prints.get(quarter) == kept.fingerprint}
    for together in _together([quarter for quarter in since if quarter not in now]):
        days = _computed(lake, since[together[0]], together)
        now |= {quarter: QuarterReturns(prints[quarter], days.get(quarter, ())) for quarter in together}
    return KeptReturns(years, now)


def _together(quarters: Sequence[Quarter]) -> Iterator[Sequence[Quarter]]:
    """Those that are computed by one engine: a year of them at the most, which bounds what it holds."""
    return (quarters[start : start + _TOGETHER] for start in range(0, len(quarters), _TOGETHER))


def _reaches_back_to(dates: Sequence[date], quarter: Quarter) -> date:
    """The first date that the returns of a quarter follow from: a return needs a base, however long there was none."""
    first = bisect_left(dates, quarter.rebalanced)
    return dates[max(0, first - LONGEST_ABSENCE - 2)]


def _computed(lake: Lake, since: date, quarters: Sequence[Quarter]) -> dict[Quarter, tuple[DailyReturn, ...]]:
    """The returns of some quarters, oldest first; those between them, if there are any, are passed over."""
    first, last = quarters[0].first - timedelta(days=1), quarters[-1].last
    with closing(DuckDbEngine.over_lake(lake, since=since, until=last, names=_NEEDED)) as engine:
        days = read_returns(engine, first, last)
    return {quarter: tuple(of) for quarter, of in groupby(days, lambda day: Quarter.of(day.on))}


def _rows_by_year(files: TableFiles, engine: DuckDbEngine, before: KeptReturns) -> dict[int, YearRows]:
    """What the tables have on each date; a year whose files are those of before is not read again."""
    by_year: dict[int, dict[str, ObjectInfo]] = {}
    for table in _PRICED:
        for info in files.flat(table):
            by_year.setdefault(year_of(info.key), {})[table] = info
    years = {}
    for year, of_year in sorted(by_year.items()):
        fingerprint = _digest([_code(), *(f"{info.key} {info.version}" for info in of_year.values())])
        kept = before.years.get(year)
        years[year] = (
            kept if kept and kept.files == fingerprint else _year_rows(files.lake, engine, of_year, fingerprint)
        )
    return years


def _year_rows(lake: Lake, engine: DuckDbEngine, of_year: Mapping[str, ObjectInfo], fingerprint: str) -> YearRows:
    """The rows of a year's files, read after their versions were: a file that is replaced meanwhile is read again."""
    by_date: dict[str, list[str]] = {}
    for table, info in of_year.items():
        for day, rows in engine.rows_of_file(lake, TABLE[table], info.key, info.version).items():
            by_date.setdefault(day.isoformat(), []).append(f"{table} {rows.count} {rows.hash_sum}")
    return YearRows(fingerprint, {day: _digest(of) for day, of in sorted(by_date.items())})


def _fingerprint(
    since: date, quarter: Quarter, rows: Sequence[tuple[date, str]], splits: Sequence[tuple[date, str]]
) -> str:
    """Of the rows of the dates that count, and of the splits in them, whose files a new date makes anew."""
    own = [f"{day} {digest}" for day, digest in rows if since <= day <= quarter.last]
    own += [f"{day} {split}" for day, split in splits if since <= day <= quarter.last]
    return _digest([_code(), str(since), *own])


def _code() -> str:
    """What the returns are computed by."""
    return f"mag7cli {__version__}, duckdb {version()}\n{COMPANY_RETURNS}\n{DAILY_RETURNS}"


def _digest(parts: Iterable[str]) -> str:
    return blake2b("\n".join(parts).encode(), digest_size=12).hexdigest()


def _kept(lake: Lake) -> KeptReturns:
    try:
        content = orjson.loads(lake.store.read(KEY))
        quarters = {
            Quarter(*map(int, name.split("Q"))): QuarterReturns(of, tuple(map(_day, days)))
            for name, (of, days) in content["quarters"].items()
        }
        years = {int(year): YearRows(files, dict(dates.items())) for year, (files, dates) in content["years"].items()}
        return KeptReturns(years, quarters) if _is_sound(years) else _NOTHING
    except (StoreError, orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError):
        return _NOTHING


def _is_sound(years: Mapping[int, YearRows]) -> bool:
    """Raises ValueError for a key that is no date."""
    return all(
        date.fromisoformat(day) and isinstance(rows, str) for of in years.values() for day, rows in of.dates.items()
    )


def _day(row: Sequence[Any]) -> DailyReturn:
    """Raises TypeError, ValueError for what is no day with its returns."""
    on, base, *pcts = row
    if not all(pct is None or isinstance(pct, int | float) for pct in pcts):
        raise TypeError(f"the returns of {on} are no numbers")
    return DailyReturn(date.fromisoformat(on), date.fromisoformat(base), *pcts)


def _encoded(kept: KeptReturns) -> bytes:
    quarters = {
        f"{quarter.year}Q{quarter.number}": [of.fingerprint, [[d.on, d.base, *_pcts(d)] for d in of.days]]
        for quarter, of in sorted(kept.quarters.items())
    }
    years = {str(year): [of.files, of.dates] for year, of in sorted(kept.years.items())}
    return orjson.dumps({"years": years, "quarters": quarters}, option=orjson.OPT_APPEND_NEWLINE)


def _pcts(day: DailyReturn) -> tuple[float | None, ...]:
    return (day.group_pct, day.rest_pct, day.index_pct, day.equal_weight_pct)
