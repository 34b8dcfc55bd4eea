"""What stands beside the share in the report: returns, a fund, kept series, sectors, the session of today."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from mag7cli.analytics.groups import read_sectors
from mag7cli.analytics.indicators import IndicatorAnswer, moved_with
from mag7cli.analytics.kept_returns import daily_returns
from mag7cli.analytics.period import DailyReturn, read_returns
from mag7cli.analytics.queries import Concentration
from mag7cli.collection import benchmarks
from mag7cli.collection.benchmarks import Benchmark
from mag7cli.core.errors import UsageError
from mag7cli.lake.layout import Lake
from mag7cli.market.groups import CompanyGroup
from mag7cli.portfolio.kept_weights import KeptWeights
from mag7cli.reporting.datasets import Beside, FundGrowth
from mag7cli.reporting.story import long_date
from mag7cli.warehouse.engines import SqlEngine

if TYPE_CHECKING:
    from mag7cli.live.records import Record

_LINES: Final = "SELECT DISTINCT ticker FROM market_data.sp500_constituents"
_BY_CLOSES: Final = "by its own closes, without dividends"
_BY_HOLDINGS: Final = "by the prices of what its last holdings file lists, without dividends and costs"


def read_beside(
    engine: SqlEngine,
    group: CompanyGroup,
    concentration: Concentration,
    *,
    lake: Lake | None,
    fund: KeptWeights,
    intraday: "Record | None",
) -> Beside:
    """Returns, the fund's own weight, kept series and sectors. Raises EngineError."""
    kept = _kept(lake, engine) if lake else {}
    returns = daily_returns(engine, lake) if group.is_the_seven else read_returns(engine, group=group)
    return Beside(
        returns=returns,
        fund=_growth_by_closes(kept, returns) or _growth_of_fund(fund),
        live=intraday,
        benchmarks=_benchmarks(kept, concentration, returns),
        fund_name=fund.fund if fund.days else "",
        fund_pct={on: day.mag7_pct for on, day in fund.days.items()},
        sectors=read_sectors(engine),
    )


def _kept(lake: Lake, engine: SqlEngine) -> dict[str, Benchmark]:
    """The kept series. A line that joined the index after this version has bars there, too, and is none."""
    symbols = benchmarks.kept(lake)
    lines = {ticker for (ticker,) in engine.query(_LINES).values} if symbols else set()
    return {symbol: known for symbol in symbols if symbol not in lines and (known := benchmarks.read(lake, symbol))}


def _benchmarks(
    kept: Mapping[str, Benchmark], concentration: Concentration, returns: Sequence[DailyReturn]
) -> tuple[IndicatorAnswer, ...]:
    """How share and returns moved with each kept series that has dates enough in common."""
    answers = []
    for symbol, known in kept.items():
        with suppress(UsageError):
            answer = moved_with(concentration, returns, known.closes_usd, symbol)
            answers.append(replace(answer, assumed_splits=tuple(known.splits)))
    return tuple(answers)


def _growth_by_closes(kept: Mapping[str, Benchmark], returns: Sequence[DailyReturn]) -> FundGrowth | None:
    """What a fund of the index gained by its own closes since the last gap in them; None if the lake keeps none."""
    if not kept:
        return None
    from mag7cli.portfolio.fund_weights import INDEX_FUNDS

    for fund in INDEX_FUNDS:
        closes = kept[fund].closes_usd if fund in kept else {}
        gained = {each.on: 100 * (closes[each.on] / closes[each.base] - 1) for each in _priced_last(returns, closes)}
        if gained:
            return FundGrowth(fund, _base_of(returns, min(gained)), gained, _BY_CLOSES + _guesses(kept[fund]))
    return None


def _guesses(known: Benchmark) -> str:
    """The steps that were taken for splits, which no list says."""
    days = ", ".join(map(long_date, known.splits))
    return f"; its step on {days} is taken for a split" if days else ""


def _priced_last(returns: Sequence[DailyReturn], closes: Mapping[date, float]) -> Iterator[DailyReturn]:
    """The newest dates that have a close, as their bases have, the newest first."""
    return takewhile(lambda each: {each.on, each.base} <= closes.keys(), reversed(returns))


def _base_of(returns: Sequence[DailyReturn], day: date) -> date:
    return next(each.base for each in returns if each.on == day)


def _growth_of_fund(weights: KeptWeights) -> FundGrowth | None:
    """What the fund gained from date to date since the last gap, by the prices of its holdings; None if unknown."""
    days = weights.days
    dates = sorted(days)
    known = list(takewhile(lambda day: days[day].return_pct is not None, reversed(dates)))
    if not known or len(known) == len(dates):
        return None
    begins = dates[len(dates) - len(known) - 1]
    returns = {day: pct for day in known if (pct := days[day].return_pct) is not None}
    return FundGrowth(weights.fund, begins, returns, _BY_HOLDINGS)
