"""The share of any group of companies over time, computed in SQL from the lines of the index.

In the shape of that of the Mag 7 (`queries.Concentration`), so that answer and page are made by the same code.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, Final

from mag7cli.analytics import queries
from mag7cli.analytics.queries import BEGINNING, END, Cap, Concentration, Day, Figure
from mag7cli.core.errors import UsageError
from mag7cli.market import sectors, symbology
from mag7cli.market.groups import CompanyGroup
from mag7cli.tables import return_queries
from mag7cli.warehouse.engines import SqlEngine

_COMPANIES: Final = """\
SELECT
    trading_date,
    ticker,
    market_cap,
    SUM(market_cap) OVER (PARTITION BY trading_date) AS index_cap{ranking}
FROM market_data.sp500_constituents
WHERE counted AND pct_of_sp500 IS NOT NULL{without}"""

_MEMBERS: Final = """\
WITH companies AS (
{companies}
),
members AS (
    SELECT * FROM companies WHERE {condition}
)
"""

_FIGURES: Final = """\
SELECT trading_date, SUM(market_cap) AS group_cap, MAX(index_cap) AS index_cap, COUNT(*) AS companies_count
FROM members
WHERE trading_date >= CAST(:since AS DATE) AND trading_date <= CAST(:until AS DATE)
GROUP BY trading_date
ORDER BY trading_date"""

_CAPS: Final = """\
SELECT
    trading_date,
    ticker,
    market_cap,
    100 * CAST(market_cap AS DOUBLE PRECISION)
        / CAST(SUM(market_cap) OVER (PARTITION BY trading_date) AS DOUBLE PRECISION) AS pct_of_group,
    100 * CAST(market_cap AS DOUBLE PRECISION) / CAST(index_cap AS DOUBLE PRECISION) AS pct_of_index,
    ROW_NUMBER() OVER (PARTITION BY trading_date ORDER BY market_cap DESC, ticker) AS ranking
FROM members
WHERE trading_date >= CAST(:since AS DATE) AND trading_date <= CAST(:until AS DATE)
ORDER BY trading_date, ranking"""

_RETURNS: Final = """\
SELECT
    r.trading_date,
    MAX(r.base_date) AS base_date,
    SUM(r.contribution_pct * m.is_member) * 100 / NULLIF(SUM(r.weight_pct * m.is_member), 0) AS group_return_pct,
    SUM(r.contribution_pct * (1 - m.is_member)) * 100 / NULLIF(SUM(r.weight_pct * (1 - m.is_member)), 0)
        AS rest_return_pct,
    SUM(r.contribution_pct) * 100 / SUM(r.weight_pct) AS index_return_pct
FROM market_data.company_returns r
JOIN (
    SELECT c.trading_date, c.ticker, CASE WHEN g.ticker IS NULL THEN 0 ELSE 1 END AS is_member
    FROM companies c
    LEFT JOIN members g ON g.trading_date = c.trading_date AND g.ticker = c.ticker
) m ON m.trading_date = r.base_date AND m.ticker = r.ticker
{within}GROUP BY r.trading_date
ORDER BY r.trading_date"""
_WITHIN: Final = """\
WHERE r.trading_date > CAST(:since AS DATE) AND r.trading_date <= CAST(:until AS DATE)
"""


def read_concentration(
    engine: SqlEngine, group: CompanyGroup, since: date = BEGINNING, until: date = END
) -> Concentration:
    """The share of a group from `since` to `until`, both included.

    Args:
        engine: Where the SQL runs.
        group: Who belongs to it; of the ten largest that is decided anew on every date.
        since: The first date.
        until: The last date.

    Returns:
        Days whose figure is the group's. A date without a figure of the Mag 7 has none of another group either, since
        its total is not whole.

    Raises:
        EngineError: The SQL could not be run.
        UsageError: None of the group was in the index in this time.
    """
    whole = queries.read_concentration(engine, since, until)
    if group.is_the_seven:
        return whole
    parameters = {"since": since, "until": until}
    figures = {row["trading_date"]: row for row in engine.query(_select(group, _FIGURES), parameters).records()}
    if whole.days and not figures:
        raise UsageError(f"nobody of {group.name} was in the index on any of these dates")
    caps = tuple(map(_cap, engine.query(_select(group, _CAPS), parameters).records()))
    days = tuple(
        replace(day, figure=_figure(day, figures.get(day.on)), low_pct=None, high_pct=None) for day in whole.days
    )
    return Concentration(days=days, caps=caps, names=dict(company_names()), doubts=whole.doubts)


@dataclass(frozen=True, slots=True)
class SectorShare:
    """A sector's part of the index on a date, percent."""

    on: date
    sector: str
    share_pct: float


def read_sectors(engine: SqlEngine) -> tuple[SectorShare, ...]:
    """The sectors by size at the last date of each month, and at the last of all. Raises EngineError."""
    shares: dict[tuple[date, str], float] = defaultdict(float)
    for since, until in queries.spans(engine):
        for on, ticker, pct in engine.query(_MONTH_ENDS, {"since": since, "until": until}).values:
            shares[on, sectors.sector_on(str(ticker), on)] += pct  # type: ignore[index, arg-type, operator]
    return tuple(SectorShare(on, sector, pct) for (on, sector), pct in sorted(shares.items()))


_MONTH_ENDS: Final = """\
SELECT c.trading_date, c.ticker, c.pct_of_sp500
FROM market_data.sp500_constituents c
JOIN (
    SELECT MAX(trading_date) AS trading_date
    FROM market_data.concentration_metrics
    WHERE trading_date >= CAST(:since AS DATE) AND trading_date <= CAST(:until AS DATE)
    GROUP BY EXTRACT(YEAR FROM trading_date), EXTRACT(MONTH FROM trading_date)
) m ON m.trading_date = c.trading_date
WHERE c.counted AND c.pct_of_sp500 IS NOT NULL"""


def members_sql(group: CompanyGroup) -> str:
    """The statement whose rows are the companies of a group on each date, with their market value and the index's."""
    return _select(group, "SELECT trading_date, ticker, market_cap, index_cap FROM members")


def share_sql(group: CompanyGroup) -> str:
    """The statement whose rows are the share of a group on each date, percent, and how many companies it has."""
    return _select(
        group,
        "SELECT trading_date, SUM(market_cap) AS group_cap, MAX(index_cap) AS index_cap, "
        "100 * CAST(SUM(market_cap) AS DOUBLE PRECISION) / CAST(MAX(index_cap) AS DOUBLE PRECISION) "
        "AS group_pct_of_index, "
        "COUNT(*) AS companies_count "
        "FROM members GROUP BY trading_date",
    )


def returns_sql(group: CompanyGroup) -> str:
    """The statement of the group's price returns since the date before, with the rest's and the index's, percent.

    Who belongs to the group is decided at the close before. It takes `since` (excluded) and `until` (included).
    """
    return _select(group, _RETURNS.format(within=_WITHIN))


def rolling_sql(group: CompanyGroup) -> str:
    """The statement of the group's returns over the last 21, 63 and 252 sessions, with the rest's and the index's."""
    columns = ("group_return_pct", "rest_return_pct", "index_return_pct")
    return return_queries.rolling(f"({_select(group, _RETURNS.format(within=''))}) d", columns)


@cache
def company_names() -> Mapping[str, str]:
    """The name of every line, by ticker."""
    return {constituent.ticker: constituent.name for constituent in symbology.known_constituents()}


def _select(group: CompanyGroup, query: str) -> str:
    ranking = (
        ",\n    ROW_NUMBER() OVER (PARTITION BY trading_date ORDER BY market_cap DESC, ticker) AS ranking"
        if group.largest
        else ""
    )
    without = f" AND ticker NOT IN ({_literals(group.without)})" if group.without else ""
    companies = _COMPANIES.format(ranking=ranking, without=without)
    return _MEMBERS.format(companies=companies, condition=_condition(group)) + query


def _condition(group: CompanyGroup) -> str:
    """Who belongs to the group, as a condition. Its texts are our own: tickers and dates of tables."""
    if group.largest:
        return f"ranking <= {group.largest:d}"
    if group.sector is None:
        return f"ticker IN ({_literals(group.tickers)})"
    spells = sectors.spells_in(group.sector)
    always = [spell.ticker for spell in spells if spell.first_day is None and spell.end_day is None]
    parts = [f"ticker IN ({_literals(always)})"]
    parts += [
        f"ticker = '{spell.ticker}' AND trading_date >= CAST('{spell.first_day}' AS DATE)"
        for spell in spells
        if spell.first_day
    ]
    parts += [
        f"ticker = '{spell.ticker}' AND trading_date < CAST('{spell.end_day}' AS DATE)"
        for spell in spells
        if spell.end_day
    ]
    return " OR ".join(f"({part})" for part in parts)


def _literals(tickers: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"'{ticker}'" for ticker in tickers)


def _figure(day: Day, row: Mapping[str, Any] | None) -> Figure | None:
    if row is None or day.figure is None:
        return None
    group_cap, index_cap = Decimal(row["group_cap"]), Decimal(row["index_cap"])
    return Figure(group_cap, index_cap, float(100 * group_cap / index_cap))


def _cap(row: Mapping[str, Any]) -> Cap:
    return Cap(
        on=row["trading_date"],
        ticker=row["ticker"],
        market_cap_usd=row["market_cap"],
        pct_of_mag7=row["pct_of_group"],
        pct_of_sp500=row["pct_of_index"],
        ranking=row["ranking"],
    )
