"""What happened between two closes: the share of a group then and now, and price returns of all who were in it.

Returns are in percent without dividends, chained from close to close (docs/methodology.md, "Returns").
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import Final

from mag7cli.analytics import groups, queries
from mag7cli.analytics.queries import Cap, Concentration, Day, Figure
from mag7cli.analytics.summary import KIND, plain_name
from mag7cli.core.errors import UsageError
from mag7cli.market.groups import THE_SEVEN, CompanyGroup
from mag7cli.warehouse.engines import SqlEngine

RETURNS_KIND: Final = "price returns without dividends, weighted by full market value at the close before"


@dataclass(frozen=True, slots=True)
class DailyReturn:
    """Price returns of a date since `base`, percent. `equal_weight_pct` is of all companies alike."""

    on: date
    base: date
    group_pct: float | None
    rest_pct: float | None
    index_pct: float
    equal_weight_pct: float | None


@dataclass(frozen=True, slots=True)
class PeriodReturns:
    """Chained price returns of a period, percent; None where a series has a day without one."""

    group_pct: float | None
    rest_pct: float | None
    index_pct: float | None
    equal_weight_pct: float | None


@dataclass(frozen=True, slots=True)
class CompanyPeriod:
    """One company: market value (USD) and share of the index (percent) then and now, None where it was not in it.

    `return_pct` is its price return over its days in the index, `contribution_pct` the points that it brought of the
    index's return.
    """

    ticker: str
    name: str
    cap_then_usd: Decimal | None
    cap_now_usd: Decimal | None
    share_then_pct: float | None
    share_now_pct: float | None
    return_pct: float | None
    contribution_pct: float

    @property
    def share_points(self) -> float:
        """What its share of the index gained, percentage points."""
        return (self.share_now_pct or 0.0) - (self.share_then_pct or 0.0)


@dataclass(frozen=True, slots=True)
class FundClose:
    """A fund's own float-adjusted weight of the Mag 7 at a close, percent by company, from its file of `as_of`.

    `basis` is `file`, `interpolated` or `carried`: between files and after the last one it is moved by prices.
    """

    on: date
    as_of: date
    basis: str
    weights_pct: Mapping[str, float]

    @property
    def mag7_pct(self) -> float:
        """The Mag 7 together."""
        return sum(self.weights_pct.values())


@dataclass(frozen=True, slots=True)
class FundPeriod:
    """A fund at two closes: another number than the share. None at a close that no file speaks for.

    `return_pct` is what the lines of its files gained by price between them, None where they do not say.
    """

    fund: str
    then: FundClose | None
    now: FundClose | None
    return_pct: float | None


@dataclass(frozen=True, slots=True)
class PeriodAnswer:
    """The share of a group at two closes, `base` and `last`, and what happened between them.

    `dates` counts the collected dates after the base, `suspect` and `partial` those of them that are not complete, the
    base included. The bounds of both shares are None where they are unknown.
    """

    group: str
    subject: str
    kind: str
    returns_kind: str
    base: date
    last: date
    then: Figure
    then_low_pct: float | None
    then_high_pct: float | None
    now: Figure
    now_low_pct: float | None
    now_high_pct: float | None
    returns: PeriodReturns
    companies: tuple[CompanyPeriod, ...]
    dates: int
    suspect: int
    partial: int
    simulated: bool
    fund: FundPeriod | None = None

    @property
    def share_points(self) -> float:
        """What the share gained, percentage points."""
        return self.now.share_pct - self.then.share_pct


def compare(engine: SqlEngine, base: date, last: date, group: CompanyGroup = THE_SEVEN) -> PeriodAnswer:
    """The period from the close of `base` to the close of `last`.

    Args:
        engine: Where the SQL runs.
        base: A date with a figure.
        last: A later date with a figure.
        group: Whose share and returns; the others are "the rest".

    Returns:
        Shares, chained returns, and every company that was in the group at one of the two closes.

    Raises:
        UsageError: One of the dates has no figure.
        EngineError: The SQL could not be run.
    """
    concentration = groups.read_concentration(engine, group, base, last)
    (first, then), (latest, now) = (_close(concentration.days, day) for day in (base, last))
    statuses = Counter(day.status for day in concentration.days)
    returns = read_returns(engine, base, last, group)
    return PeriodAnswer(
        group=group.name,
        subject=group.subject,
        kind=KIND,
        returns_kind=RETURNS_KIND,
        base=base,
        last=last,
        then=then,
        then_low_pct=first.low_pct,
        then_high_pct=first.high_pct,
        now=now,
        now_low_pct=latest.low_pct,
        now_high_pct=latest.high_pct,
        returns=chained(returns),
        companies=_companies(engine, concentration, returns, base, last),
        dates=sum(day.on > base for day in concentration.days),
        suspect=statuses["suspect"],
        partial=statuses["partial"],
        simulated=concentration.simulated,
    )


def read_returns(
    engine: SqlEngine,
    since: date = queries.BEGINNING,
    until: date = queries.END,
    group: CompanyGroup = THE_SEVEN,
) -> tuple[DailyReturn, ...]:
    """Price returns of every date after `since` and up to `until`, oldest first. Raises EngineError."""
    parameters = {"since": since, "until": until}
    rows = engine.query(_DAILY, parameters).records()
    own = rows
    if not group.is_the_seven:
        own = engine.query(groups.returns_sql(group), parameters).records()
    equal = {row["trading_date"]: row["equal_weight_return_pct"] for row in rows} if not group.without else {}
    return tuple(
        DailyReturn(
            on=row["trading_date"],  # type: ignore[arg-type]
            base=row["base_date"],  # type: ignore[arg-type]
            group_pct=row["group_return_pct"],  # type: ignore[arg-type]
            rest_pct=row["rest_return_pct"],  # type: ignore[arg-type]
            index_pct=row["index_return_pct"],  # type: ignore[arg-type]
            equal_weight_pct=equal.get(row["trading_date"]),  # type: ignore[arg-type]
        )
        for row in own
    )


_DAILY: Final = """\
SELECT
    trading_date,
    base_date,
    mag7_return_pct AS group_return_pct,
    rest_return_pct,
    sp500_return_pct AS index_return_pct,
    equal_weight_return_pct
FROM market_data.daily_returns
WHERE trading_date > CAST(:since AS DATE) AND trading_date <= CAST(:until AS DATE)
ORDER BY trading_date"""

_COMPANY_RETURNS: Final = """\
SELECT trading_date, ticker, price_return_pct, contribution_pct
FROM market_data.company_returns
WHERE trading_date > CAST(:since AS DATE) AND trading_date <= CAST(:until AS DATE) AND ticker IN ({tickers})
ORDER BY trading_date, ticker"""


def chained(returns: Sequence[DailyReturn]) -> PeriodReturns:
    """The returns of a whole period from those of its days."""
    return PeriodReturns(
        group_pct=_chain(each.group_pct for each in returns),
        rest_pct=_chain(each.rest_pct for each in returns),
        index_pct=_chain(each.index_pct for each in returns),
        equal_weight_pct=_chain(each.equal_weight_pct for each in returns),
    )


def levels(pcts: Sequence[float | None]) -> list[float | None]:
    """The growth of 100 through these returns, one more than there are; unknown throughout if one of them is."""
    if None in pcts:
        return [None] * (len(pcts) + 1)
    return list(accumulate(pcts, lambda level, pct: level * (1 + pct / 100), initial=100.0))  # type: ignore[operator]


def _chain(pcts: Iterable[float | None]) -> float | None:
    known = list(pcts)
    if not known or None in known:
        return None
    return 100 * (math.prod(1 + (pct or 0.0) / 100 for pct in known) - 1)


def _close(days: Sequence[Day], on: date) -> tuple[Day, Figure]:
    """A date that has a figure, and that. Raises UsageError, naming the dates around it."""
    day = next((day for day in days if day.on == on), None)
    if day is not None and day.figure is not None:
        return day, day.figure
    near = [other.on for other in days if other.figure]
    hint = f"mag7 show {near[0]} {near[-1]}" if len(near) > 1 else f"mag7 collect --start {on} --end {on}"
    why = "is not in the lake" if day is None else f"has no figure: {day.reason or 'nobody of the group'}"
    raise UsageError(f"{on} {why}", hint=hint)


def _companies(
    engine: SqlEngine, concentration: Concentration, returns: Sequence[DailyReturn], base: date, last: date
) -> tuple[CompanyPeriod, ...]:
    """Whoever was in the group at one of the two closes, the largest contribution first."""
    then, now = ({cap.ticker: cap for cap in concentration.caps if cap.on == day} for day in (base, last))
    tickers = sorted(then.keys() | now.keys())
    moves = _moves(engine, tickers, returns, base, last)
    companies = [
        _company(ticker, concentration.names, then.get(ticker), now.get(ticker), moves.get(ticker))
        for ticker in tickers
    ]
    return tuple(sorted(companies, key=lambda company: (-company.contribution_pct, company.ticker)))


def _moves(
    engine: SqlEngine, tickers: Sequence[str], returns: Sequence[DailyReturn], base: date, last: date
) -> dict[str, tuple[float, float]]:
    """Return and linked contribution of each company, percent: a day's points times the index's level before it."""
    levels: dict[date, float] = {}
    level = 1.0
    for each in returns:
        levels[each.on] = level
        level *= 1 + each.index_pct / 100
    statement = _COMPANY_RETURNS.format(tickers=", ".join(f"'{ticker}'" for ticker in tickers))
    moves: dict[str, tuple[float, float]] = {}
    for on, ticker, move, points in engine.query(statement, {"since": base, "until": last}).values:
        gained, brought = moves.get(str(ticker), (1.0, 0.0))
        linked = brought + levels[on] * points  # type: ignore[index, operator]
        moves[str(ticker)] = (gained * (1 + move / 100), linked)  # type: ignore[operator]
    return {ticker: (100 * (gained - 1), brought) for ticker, (gained, brought) in moves.items()}


def _company(
    ticker: str, names: Mapping[str, str], then: Cap | None, now: Cap | None, moves: tuple[float, float] | None
) -> CompanyPeriod:
    return CompanyPeriod(
        ticker=ticker,
        name=plain_name(names.get(ticker, ticker)),
        cap_then_usd=then.market_cap_usd if then else None,
        cap_now_usd=now.market_cap_usd if now else None,
        share_then_pct=then.pct_of_sp500 if then else None,
        share_now_pct=now.pct_of_sp500 if now else None,
        return_pct=moves[0] if moves else None,
        contribution_pct=moves[1] if moves else 0.0,
    )
