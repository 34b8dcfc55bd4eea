"""All charts, in the order of the page, with the sentences that depend on the figures."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from mag7cli.analytics.queries import Day
from mag7cli.analytics.statistics import INTERVAL_PCT, Projection
from mag7cli.core.clock import NEW_YORK
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.reporting import charts, motion_charts, performance_charts
from mag7cli.reporting.charts import Chart, LiveMark
from mag7cli.reporting.datasets import NOTHING, YEAR, Beside, Dataset
from mag7cli.reporting.marks import Dates
from mag7cli.reporting.story import long_date
from mag7cli.reporting.whose import SEVEN, Whose

if TYPE_CHECKING:
    from mag7cli.live.records import Record


def all_charts(
    days: Sequence[Day],
    tickers: Sequence[str],
    events: Dataset,
    projection: Projection | None,
    *,
    beside: Beside = NOTHING,
    whose: Whose = SEVEN,
) -> tuple[Chart, ...]:
    """Every chart that there are figures for. `tickers` are the companies that are drawn one by one."""
    figured = [day.on for day in days if day.figure]
    dates = Dates(figured[0], figured[-1])
    key = event_key(events) if whose.is_the_seven else f"The {len(tickers)} largest of now, at all times."
    has_bounds = any(day.low_pct is not None for day in days)
    drawn = [
        charts.share(
            dates, whose, has_bounds=has_bounds, fund=beside.fund_name, live=_live_mark(beside.live, figured[-1])
        ),
        *([performance_charts.growth(dates, whose, beside.fund)] if len(beside.returns) > 1 else []),
        *([performance_charts.rolling(dates, whose, beside.fund)] if len(beside.returns) > YEAR else []),
        charts.stacked(dates, _others(days, whose), whose),
        charts.then_and_now(dates, len(tickers), whose),
        charts.contribution(dates, len(tickers), whose),
        charts.company_share(dates, tickers, key),
        charts.company_cap(dates, tickers, key),
        charts.effective(dates),
        *([performance_charts.sectors(dates)] if len({each.on for each in beside.sectors}) > 1 else []),
        *(_of_sessions(dates, tickers[0]) if whose.is_the_seven else ()),
        motion_charts.correlation(dates),
        motion_charts.beta(dates),
        *([motion_charts.benchmarks(dates, beside.benchmarks, whose)] if beside.benchmarks else []),
    ]
    if projection:
        drawn.append(motion_charts.projection(projection_caption(projection), whose))
    return (*drawn, charts.failures(dates, max(day.failed_count for day in days)))


def _live_mark(point: "Record | None", close: date) -> LiveMark | None:
    """The newest minute of a session after the last close, as a mark of the chart."""
    if not point:
        return None
    minute = datetime.fromisoformat(point["minute"]).astimezone(NEW_YORK)
    on = date.fromisoformat(point["trading_date"])
    return LiveMark(on, close, f"the session of {long_date(on)} at {minute:%H:%M} New York")


def _of_sessions(dates: Dates, ticker: str) -> tuple[Chart, ...]:
    """From open to close: of the Mag 7 alone, whose opens the tables have."""
    return (
        motion_charts.gains(dates),
        motion_charts.gain_distribution(dates, ticker),
        motion_charts.gain_series(dates, ticker),
    )


def _others(days: Sequence[Day], whose: Whose) -> str:
    """How many companies stand beside the Mag 7, on the first and the last date that knows."""
    if not whose.is_the_seven:
        return ""
    known = [(day.on, day.companies_count - len(MAGNIFICENT_7)) for day in days if day.figure and day.companies_count]
    if not known:
        return ""
    (first, before), (last, now) = known[0], known[-1]
    changed = f"{before} others on {long_date(first)}, {now} on {long_date(last)}"
    return f"; {changed}" if before != now else f"; {now} others on {long_date(last)}"


def event_key(events: Dataset) -> str:
    """What the letters stand for."""
    if not events.rows:
        return "No split and no new symbol falls in this time."
    listed = "; ".join(f"{letter} {label}" for _, letter, label, *_ in events.rows)
    return f"A split changes no market value: {listed}."


def projection_caption(projection: Projection) -> str:
    """What the band is, how such bands did, and what it is not."""
    return (
        f"Dashed: the last share. Band: the {INTERVAL_PCT:.0f} % interval of {projection.tested_sessions} sessions, "
        f"calibrated on {projection.observations:,}: of {projection.trials} such intervals of the past, each from what "
        f"was known then, {projection.hits} held what came. This is arithmetic, not advice."
    )
