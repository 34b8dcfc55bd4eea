"""The share of a group, a row a date, with all that a reader must know of each: what `mag7 export` writes.

Every row stands for itself: its status, its bounds, the kind of number, and whether the market is simulated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from mag7cli.analytics import groups, queries
from mag7cli.analytics.queries import Day
from mag7cli.analytics.summary import KIND
from mag7cli.market.date_quality import DateStatus
from mag7cli.market.groups import THE_SEVEN, CompanyGroup
from mag7cli.tables.schema import TABLE
from mag7cli.warehouse.engines import SqlEngine

LOW, HIGH = "mag7_pct_low", "mag7_pct_high"


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """One date. Amounts are USD, percentages 0-100; a partial date has a reason and no figure.

    `low_pct` and `high_pct` bound the share of the seven, where the tables know how far it may be off.
    `fund_weight_pct` is a fund's own float-adjusted weight, another number: by its file of `fund_as_of`, as
    `fund_basis` says.
    """

    on: date
    group: str
    subject: str
    kind: str
    status: DateStatus
    share_pct: float | None
    low_pct: float | None
    high_pct: float | None
    group_cap_usd: Decimal | None
    index_cap_usd: Decimal | None
    fund: str | None
    fund_weight_pct: float | None
    fund_as_of: date | None
    fund_basis: str | None
    reason: str | None
    simulated: bool


def read_series(
    engine: SqlEngine,
    since: date = queries.BEGINNING,
    until: date = queries.END,
    group: CompanyGroup = THE_SEVEN,
) -> tuple[SeriesRow, ...]:
    """A row for each collected date, oldest first. Raises EngineError, UsageError for a group that is nowhere."""
    concentration = groups.read_concentration(engine, group, since, until)
    bounds = read_bounds(engine) if group.is_the_seven else {}
    return tuple(_row(day, group, bounds.get(day.on, (None, None))) for day in concentration.days)


def first_of_latest(engine: SqlEngine, count: int) -> date:
    """The first of the latest so many collected dates. Raises EngineError."""
    newest = engine.query(
        f"SELECT trading_date FROM market_data.daily_summary ORDER BY trading_date DESC LIMIT {count:d}"  # noqa: S608
    ).values
    return newest[-1][0] if newest else queries.END  # type: ignore[return-value]


def read_bounds(engine: SqlEngine) -> Mapping[date, tuple[float | None, float | None]]:
    """The worst case of the share of the seven by date, percent, where the tables have it."""
    if not {LOW, HIGH} <= {column.name for column in TABLE["daily_summary"].columns}:
        return {}
    rows: Any = engine.query(f"SELECT trading_date, {LOW}, {HIGH} FROM market_data.daily_summary").values  # noqa: S608
    return {on: (low, high) for on, low, high in rows}


def _row(day: Day, group: CompanyGroup, bounds: tuple[float | None, float | None]) -> SeriesRow:
    figure = day.figure
    return SeriesRow(
        on=day.on,
        group=group.name,
        subject=group.subject,
        kind=KIND,
        status=day.status,
        share_pct=figure.share_pct if figure else None,
        low_pct=bounds[0] if figure else None,
        high_pct=bounds[1] if figure else None,
        group_cap_usd=figure.mag7_cap_usd if figure else None,
        index_cap_usd=figure.sp500_cap_usd if figure else None,
        fund=None,
        fund_weight_pct=None,
        fund_as_of=None,
        fund_basis=None,
        reason=day.reason,
        simulated=day.simulated,
    )
