"""The data that is embedded in the page, once, for all charts; the columns carry the tables' names.

A data set is columns and rows, so that names are not repeated 7,000 times; the page and the PNG renderer make the same
records of it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import count, pairwise, product
from string import ascii_lowercase
from typing import TYPE_CHECKING, Final

from mag7cli.analytics.columnar import MappedRows
from mag7cli.analytics.groups import SectorShare
from mag7cli.analytics.indicators import IndicatorAnswer
from mag7cli.analytics.period import DailyReturn, levels
from mag7cli.analytics.queries import Cap, Concentration, Day
from mag7cli.analytics.report_data import Event, ReportData, Session
from mag7cli.analytics.statistics import Projection, co_movement, project
from mag7cli.analytics.value_changes import Point

if TYPE_CHECKING:
    from mag7cli.live.records import Record

Cell = str | float | int | Decimal | None

# Letters closer than this would be written over each other.
_SAME_LETTER_DAYS: Final = 30
# Letters closer than this touch on a phone that shows six years.
_NEAR_LETTER_DAYS: Final = 180
_LETTER_LEVELS: Final = 3
YEAR: Final = 252
"""Sessions of the year over which returns are drawn."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Column names and rows."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]

    def records(self) -> list[dict[str, Cell]]:
        """The rows as the chart library wants them: money as floats."""
        drawn = ([float(cell) if isinstance(cell, Decimal) else cell for cell in row] for row in self.rows)
        return [dict(zip(self.columns, row, strict=True)) for row in drawn]


@dataclass(frozen=True, slots=True)
class FundGrowth:
    """What a fund gained on each date since the one before, percent, without a gap since the close of `begins`."""

    name: str
    begins: date
    returns_pct: Mapping[date, float]
    method: str


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside the share: returns, also of the fund, a minute of the session after the last close, how share
    and returns moved with kept series, the fund's own weight by date, percent, and sectors.
    """

    returns: Sequence[DailyReturn] = ()
    fund: FundGrowth | None = None
    live: "Record | None" = None
    benchmarks: Sequence[IndicatorAnswer] = ()
    fund_name: str = ""
    fund_pct: Mapping[date, float] = field(default_factory=dict)
    sectors: Sequence[SectorShare] = ()


NOTHING: Final = Beside()


def build(data: ReportData, beside: Beside = NOTHING) -> dict[str, Dataset]:
    """Every data set by name; one may be empty."""
    concentration = data.concentration
    return {
        "daily": _daily(concentration.days, beside),
        "growth": _growth(beside),
        "rolling": _rolling(beside),
        "live": _live(beside.live),
        "sector": _sectors(beside.sectors),
        "company": _company(concentration),
        "session": _session(data),
        "event": _events(data.events),
        "movement": _movement(concentration.days),
        "benchmark": _benchmarks(beside.benchmarks),
        "projection": _projection(projection_of(concentration.days)),
    }


def projection_of(days: Iterable[Day]) -> Projection | None:
    """The projection from the complete dates; None with less than a year of them."""
    share, _ = _trusted(days)
    return project(share)


def _trusted(days: Iterable[Day]) -> tuple[list[Point[float]], list[Point[float]]]:
    """Share and index on the complete dates: what is suspect is drawn, but no statistic is built on it."""
    figures = [(day.on, day.figure) for day in days if day.status == "complete" and day.figure]
    share = [Point(on, figure.share_pct) for on, figure in figures]
    return share, [Point(on, float(figure.sp500_cap_usd)) for on, figure in figures]


_RETURNS: Final = ("trading_date", "mag7", "rest", "index", "equal_weight", "fund")


def _growth(beside: Beside) -> Dataset:
    """Growth of 100 since the first date of each series that has a return on every date; the others are empty."""
    rows = zip(_dates_of(beside.returns), zip(*_levels_of(beside), strict=True), strict=False)
    return Dataset(_RETURNS, tuple((on.isoformat(), *map(_rounded, row)) for on, row in rows))


def _rolling(beside: Beside) -> Dataset:
    """What each series gained over the year of sessions that ends on a date, percent."""
    gains = [[_gain(*pair) for pair in zip(each, each[YEAR:], strict=False)] for each in _levels_of(beside)]
    rows = zip(beside.returns[YEAR - 1 :], zip(*gains, strict=True), strict=False)
    return Dataset(_RETURNS, tuple((last.on.isoformat(), *map(_rounded, row)) for last, row in rows))


def _dates_of(returns: Sequence[DailyReturn]) -> list[date]:
    return [*(each.base for each in returns[:1]), *(each.on for each in returns)]


def _gain(then: float | None, now: float | None) -> float | None:
    return None if then is None or now is None else 100 * (now / then - 1)


def _levels_of(beside: Beside) -> list[list[float | None]]:
    returns = beside.returns
    index = levels([each.index_pct for each in returns])
    return [
        levels([each.group_pct for each in returns]),
        levels([each.rest_pct for each in returns]),
        index,
        levels([each.equal_weight_pct for each in returns]),
        _fund_levels(beside, index),
    ]


def _fund_levels(beside: Beside, index: Sequence[float | None]) -> list[float | None]:
    """The fund's growth from where it is known without a gap, at the index's level there."""
    on_dates: list[float | None] = [None] * len(index)
    if not beside.fund or not beside.fund.returns_pct:
        return on_dates
    level: float | None = None
    for place, day in enumerate(_dates_of(beside.returns)):
        if day == beside.fund.begins:
            level = index[place]
        elif level is not None:
            gained = beside.fund.returns_pct.get(day)
            level = None if gained is None else level * (1 + gained / 100)
        on_dates[place] = level
    return on_dates


def _benchmarks(answers: Iterable[IndicatorAnswer]) -> Dataset:
    """How share and return moved with each kept series, over the windows that end on a date."""
    columns = ("trading_date", "ticker", *_MOVED)
    rows = (
        (row.on.isoformat(), answer.series, *(_rounded(getattr(row, name)) for name in _MOVED))
        for answer in answers
        for row in answer.rows
    )
    return Dataset(columns, tuple(rows))


_MOVED: Final = ("share_correlation", "share_beta", "return_correlation", "return_beta")


def _live(point: "Record | None") -> Dataset:
    """The newest minute of a session after the last close: intraday and unofficial."""
    columns = ("trading_date", "share_pct", "low_pct", "high_pct", "minute", "kind")
    return Dataset(columns, (tuple(point[name] for name in columns),) if point else ())


@cache
def _iso(day: date) -> str:
    """A date as it is embedded: one text for the many rows of a date."""
    return day.isoformat()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _sectors(sectors: Iterable[SectorShare]) -> Dataset:
    rows = ((_iso(each.on), each.sector, round(each.share_pct, 4)) for each in sectors)
    return Dataset(("trading_date", "sector", "pct_of_sp500"), tuple(rows))


def _daily(days: Iterable[Day], beside: Beside) -> Dataset:
    columns = (
        "trading_date", "status", "reason", "mag7_pct_of_sp500", "mag7_pct_low", "mag7_pct_high",
        "total_mag7_market_cap", "sp500_total_market_cap", "failed_count", "top10_pct", "hhi", "effective_n",
        "companies_count", "fund_weight_pct",
    )  # fmt: skip
    rows = ((*_daily_row(day), day.companies_count, beside.fund_pct.get(day.on)) for day in days)
    return Dataset(columns, tuple(rows))


def _daily_row(day: Day) -> tuple[Cell, ...]:
    figure = day.figure
    amounts = (figure.mag7_cap_usd, figure.sp500_cap_usd) if figure else (None, None)
    share = (figure.share_pct if figure else None, day.low_pct, day.high_pct)
    breadth = (day.top10_pct, day.hhi, day.effective_n)
    return (_iso(day.on), day.status, day.reason, *share, *amounts, day.failed_count, *breadth)


def _company(concentration: Concentration) -> Dataset:
    columns = ("trading_date", "ticker", "market_cap", "pct_of_mag7", "pct_of_sp500")
    return Dataset(columns, MappedRows(_company_row, concentration.caps))


def _company_row(cap: Cap) -> tuple[Cell, ...]:
    return (_iso(cap.on), cap.ticker, cap.market_cap_usd, cap.pct_of_mag7, cap.pct_of_sp500)


def _session(data: ReportData) -> Dataset:
    columns = ("trading_date", "ticker", "open_price", "close_price", "gain_pct")
    return Dataset(columns, MappedRows(_session_row, data.sessions))


def _session_row(session: Session) -> tuple[Cell, ...]:
    return (_iso(session.on), session.ticker, session.open_usd, session.close_usd, round(session.gain_pct, 4))


def _events(events: Sequence[Event]) -> Dataset:
    """Splits and renames with the letter that stands for them; those of the same weeks share one.

    `gap_days` is how near the next letter of the same row of them is, `level` the letter's place in that row: where a
    narrow chart would write them over each other, they stand one below the other.
    """
    groups: list[list[Event]] = []
    for event in events:
        if groups and (event.on - groups[-1][0].on).days < _SAME_LETTER_DAYS:
            groups[-1].append(event)
        else:
            groups.append([event])
    first_days = [group[0].on for group in groups]
    rows = (
        (on.isoformat(), letter, ", ".join(f"{event.label} on {event.on}" for event in group), *place)
        for on, letter, group, place in zip(first_days, _letters(), groups, _levels(first_days), strict=False)
    )
    return Dataset(("trading_date", "letter", "label", "level", "gap_days"), tuple(rows))


def _levels(days: Sequence[date]) -> Iterator[tuple[int, int]]:
    """For each letter its place in a row of near ones, and the least days between two of that row."""
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    rows = [[0]] if days else []
    for place, gap in enumerate(gaps, 1):
        if gap < _NEAR_LETTER_DAYS:
            rows[-1].append(place)
        else:
            rows.append([place])
    for row in rows:
        gap = min((gaps[place] for place in row[:-1]), default=_NEAR_LETTER_DAYS)
        yield from ((level % _LETTER_LEVELS, gap) for level in range(len(row)))


def _letters() -> Iterator[str]:
    """a, b, …, z, aa, ab, …"""
    for length in count(1):
        yield from map("".join, product(ascii_lowercase, repeat=length))


def _movement(days: Iterable[Day]) -> Dataset:
    share, index = _trusted(days)
    windows = co_movement(share, index) if len(share) > 1 else []
    rows = ((window.on.isoformat(), round(window.correlation, 6), round(window.beta, 6)) for window in windows)
    return Dataset(("trading_date", "correlation", "beta"), tuple(rows))


def _projection(projection: Projection | None) -> Dataset:
    points = projection.points if projection else ()
    rows = ((p.on.isoformat(), p.sessions, p.low_pct, p.middle_pct, p.high_pct) for p in points)
    return Dataset(("trading_date", "sessions", "low_pct", "middle_pct", "high_pct"), tuple(rows))
