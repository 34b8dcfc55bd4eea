"""The share of a group, a row a date, with all that a reader must know of each.

Every row stands for itself: its status, its bounds, the kind of number, and whether the market is simulated.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from mag7cli.analytics import groups, queries
from mag7cli.analytics.queries import Concentration, Day
from mag7cli.analytics.summary import KIND
from mag7cli.market.date_quality import DateStatus
from mag7cli.market.groups import THE_SEVEN, CompanyGroup
from mag7cli.warehouse.engines import SqlEngine


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """One date. Amounts are USD, percentages 0-100; a partial date has a reason and no figure.

    `low_pct` and `high_pct` bound the share of the Mag 7, where the tables know how far it may be off.
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
    return rows_of(groups.read_concentration(engine, group, since, until), group)


def rows_of(concentration: Concentration, group: CompanyGroup = THE_SEVEN) -> tuple[SeriesRow, ...]:
    """A row for each date of what was read already."""
    return tuple(_row(day, group) for day in concentration.days)


def first_of_latest(engine: SqlEngine, count: int) -> date:
    """The first of the latest so many collected dates. Raises EngineError."""
    newest = engine.query(
        f"SELECT trading_date FROM market_data.daily_summary ORDER BY trading_date DESC LIMIT {count:d}"  # noqa: S608
    ).values
    return newest[-1][0] if newest else queries.END  # type: ignore[return-value]


def _row(day: Day, group: CompanyGroup) -> SeriesRow:
    figure = day.figure
    return SeriesRow(
        on=day.on,
        group=group.name,
        subject=group.subject,
        kind=KIND,
        status=day.status,
        share_pct=figure.share_pct if figure else None,
        low_pct=day.low_pct,
        high_pct=day.high_pct,
        group_cap_usd=figure.mag7_cap_usd if figure else None,
        index_cap_usd=figure.sp500_cap_usd if figure else None,
        fund=None,
        fund_weight_pct=None,
        fund_as_of=None,
        fund_basis=None,
        reason=day.reason,
        simulated=day.simulated,
    )
