"""How the share and the returns of a group moved with a series of somebody's own: a fund, small caps, volatility.

The series is a file of dates and levels; what both know on the same dates is compared, change by change.
"""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from mag7cli.analytics import groups
from mag7cli.analytics.period import DailyReturn, levels, read_returns
from mag7cli.analytics.queries import Concentration
from mag7cli.analytics.statistics import QUARTER_SESSIONS, CoMovement, co_movement
from mag7cli.analytics.value_changes import Point
from mag7cli.core.errors import UsageError
from mag7cli.core.text_files import decoded
from mag7cli.market.groups import THE_SEVEN, CompanyGroup
from mag7cli.warehouse.engines import SqlEngine

HINT: Final = "a CSV with a column of dates, such as 2024-12-31, and one of levels: date,close"
_MORE_DATES: Final = "mag7 collect --benchmark SYMBOL asks for what a kept series lacks; a file needs more dates"
KIND: Final = "correlation and beta of daily log changes"

_LEVELS: Final = ("adj close", "adjusted close", "close", "close_price", "level", "value", "price")


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """The window that ends `on`: how share and price return of the group moved with the series; None if unknown."""

    on: date
    share_correlation: float | None
    share_beta: float | None
    return_correlation: float | None
    return_beta: float | None


@dataclass(frozen=True, slots=True)
class IndicatorAnswer:
    """A group beside a series: `rows` are windows of `sessions` changes, `whole` is all of the `dates` in common.

    The share is that of complete dates. A return cannot leave a date out: `suspect_returns` are the dates of the series
    whose return is that of a suspect date. `assumed_splits` are the dates on which a step of the series was taken for a
    split, which no list says.
    """

    series: str
    group: str
    subject: str
    kind: str
    sessions: int
    dates: int
    first: date
    last: date
    whole: IndicatorRow
    rows: tuple[IndicatorRow, ...]
    simulated: bool
    suspect_returns: int = 0
    assumed_splits: tuple[date, ...] = ()


def parse_series(data: bytes, name: str) -> dict[date, float]:
    """The levels of a series by date.

    Args:
        data: A CSV: the first column that is called a date, and of the others the adjusted close, the close, the level
            or the value; where none has such a name, the second column.
        name: What messages call it.

    Raises:
        UsageError: A row has no date or no level above zero, two rows are of one date, or there are too few.
    """
    rows = [row for row in csv.reader(decoded(data).splitlines()) if any(cell.strip() for cell in row)]
    heading = [cell.strip().lower() for cell in rows[0]] if rows else []
    if len(heading) < 2:
        raise UsageError(f"{name} has no two columns", hint=HINT)
    on_column = next((place for place, cell in enumerate(heading) if cell in ("date", "trading_date", "day")), 0)
    column = next((heading.index(cell) for cell in _LEVELS if cell in heading), 1 if on_column == 0 else 0)
    if _day(heading[on_column]):
        raise UsageError(f"{name} has no heading", hint=HINT)
    series: dict[date, float] = {}
    for number, row in enumerate(rows[1:], 2):
        day, level = _cells(row, on_column, column)
        if day is None or level is None:
            raise UsageError(f"{name}, row {number}: {','.join(row)!r} is no date with a level above zero", hint=HINT)
        if day in series:
            raise UsageError(f"{name} has {day} twice", hint="one level a date")
        series[day] = level
    return series


def _cells(row: Sequence[str], on_column: int, column: int) -> tuple[date | None, float | None]:
    if len(row) <= max(on_column, column):
        return None, None
    try:
        level = float(row[column])
    except ValueError:
        level = math.nan
    return _day(row[on_column].strip()), level if 0 < level < math.inf else None


def _day(text: str) -> date | None:
    """`2024-12-31`, also with a time behind it; other ways of writing a date mean another day elsewhere."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def beside(
    engine: SqlEngine, series: Mapping[date, float], name: str, group: CompanyGroup = THE_SEVEN
) -> IndicatorAnswer:
    """How a group moved with a series.

    Args:
        engine: Over the tables.
        series: Levels above zero, by date.
        name: What the series is called.
        group: Whose share and whose returns.

    Raises:
        EngineError: The SQL could not be run.
        UsageError: There are fewer dates in common than a window needs.
    """
    returns = read_returns(engine, group=group)
    return moved_with(groups.read_concentration(engine, group), returns, series, name, group=group)


def moved_with(
    concentration: Concentration,
    returns: Sequence[DailyReturn],
    series: Mapping[date, float],
    name: str,
    *,
    group: CompanyGroup = THE_SEVEN,
) -> IndicatorAnswer:
    """The same of what was read already. Raises UsageError."""
    days = {day.on: day.figure.share_pct for day in concentration.days if day.status == "complete" and day.figure}
    common = sorted(days.keys() & series.keys())
    if len(common) <= QUARTER_SESSIONS:
        raise UsageError(
            f"{name} and the lake have {len(common)} complete dates in common; a window takes {QUARTER_SESSIONS + 1}",
            hint=_MORE_DATES,
        )
    growth = _growth(returns)
    rows = _windows(days, growth, series, QUARTER_SESSIONS)
    whole = _windows(days, growth, series, None)
    return IndicatorAnswer(
        series=name,
        group=group.name,
        subject=group.subject,
        kind=KIND,
        sessions=QUARTER_SESSIONS,
        dates=len(common),
        first=common[0],
        last=common[-1],
        whole=whole[-1] if whole else IndicatorRow(common[-1], None, None, None, None),
        rows=rows,
        simulated=concentration.simulated,
        suspect_returns=sum(
            day.status == "suspect" and day.on in growth and day.on in series for day in concentration.days
        ),
    )


def _growth(returns: Sequence[DailyReturn]) -> dict[date, float]:
    """What 100 in the group became, by date; nothing where a date has no return."""
    grown = levels([each.group_pct for each in returns])
    dates = [*(each.base for each in returns[:1]), *(each.on for each in returns)]
    return {day: level for day, level in zip(dates, grown, strict=False) if level is not None}


def _windows(
    share: Mapping[date, float], growth: Mapping[date, float], series: Mapping[date, float], window: int | None
) -> tuple[IndicatorRow, ...]:
    """The windows of both, by the date that they end on; a single one of everything without a length."""
    by_share, by_return = (_moved_with(values, series, window) for values in (share, growth))
    return tuple(_row(day, by_share.get(day), by_return.get(day)) for day in sorted(by_share.keys() | by_return.keys()))


def _moved_with(
    values: Mapping[date, float], series: Mapping[date, float], window: int | None
) -> dict[date, CoMovement]:
    days = sorted(values.keys() & series.keys())
    ours, theirs = ([Point(day, each[day]) for day in days] for each in (values, series))
    return {each.on: each for each in co_movement(ours, theirs, window or max(2, len(days) - 1))}


def _row(day: date, share: CoMovement | None, returns: CoMovement | None) -> IndicatorRow:
    return IndicatorRow(
        on=day,
        share_correlation=share.correlation if share else None,
        share_beta=share.beta if share else None,
        return_correlation=returns.correlation if returns else None,
        return_beta=returns.beta if returns else None,
    )
