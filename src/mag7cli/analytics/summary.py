"""The answer of one date: how much, as of when, what kind of number, and whether to trust it. Prints nothing.

`mag7 show` and the first screen of the report are made from one `ConcentrationSummary`, so that they cannot disagree.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Generic

from mag7cli.analytics import file_figures
from mag7cli.analytics.queries import BEGINNING, END, Cap, Concentration, Day, Figure
from mag7cli.analytics.value_changes import Change, Point, Value, change_since, month_before, year_before
from mag7cli.core.errors import Mag7Error, UsageError
from mag7cli.core.formatting import counted, pct_within
from mag7cli.lake.failed_checks import FailedCheck
from mag7cli.market.calendar import previous_session
from mag7cli.market.groups import SEVEN, THE_SEVEN, CompanyGroup
from mag7cli.market.index_knowledge import confirmed_until

if TYPE_CHECKING:
    from mag7cli.market.date_quality import DateStatus
    from mag7cli.tables.daily_figures import DailyFigures
    from mag7cli.warehouse.engines import SqlEngine

KIND: Final = "full market capitalisation, each company counted once"

# A year back, and a week more for the last session before a holiday.
_LOOK_BACK: Final = timedelta(days=373)
_SPARK_SESSIONS: Final = 63
_SPARKS: Final = "▁▂▃▄▅▆▇█"
_FORMALITIES: Final = re.compile(
    r",?( (Inc|Corp|Corporation)\.?)?( \(?Class [A-Z]\)?)?( (Common|Capital) Stock)?$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class FundWeight:
    """A fund's own weight of the Mag 7, percent by ticker, float-adjusted, from its holdings file of `as_of`.

    `on_pct` is that weight taken to the close of `on` by prices, where `basis` is not `file`.
    """

    fund: str
    as_of: date | None
    weights_pct: Mapping[str, float]
    on: date | None = None
    on_pct: float | None = None
    basis: str | None = None

    @property
    def mag7_pct(self) -> float:
        """The Mag 7 together."""
        return math.fsum(self.weights_pct.values())


@dataclass(frozen=True, slots=True)
class Changes(Generic[Value]):
    """Against the session before, a month before and a year before; None where the lake has no figure of about then."""

    day: Change[Value] | None
    month: Change[Value] | None
    year: Change[Value] | None


@dataclass(frozen=True, slots=True)
class CompanySummary:
    """One of the Mag 7. `changes` are of its market cap, USD; `trend` is its latest market caps, oldest first."""

    ticker: str
    name: str
    market_cap_usd: Decimal
    pct_of_sp500: float
    pct_of_mag7: float
    changes: Changes[Decimal]
    trend: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PartialReason:
    """Why later dates have no figure, and how many of them for that reason."""

    reason: str
    dates: int


@dataclass(frozen=True, slots=True)
class Quality:
    """Whether to trust it. `reasons` say why the date is suspect; `partial_since` are later dates without a figure,
    `partial_reasons` the reasons, the commonest first.

    `failed_checks` are those of severity error that the date failed: the figure cannot be relied on.
    `membership_known_until` is how far the joins and leaves are known from which the list of constituents follows.
    """

    status: "DateStatus"
    reasons: tuple[str, ...]
    failed_count: int
    partial_since: tuple[date, ...]
    partial_reasons: tuple[PartialReason, ...]
    failed_checks: tuple[FailedCheck, ...]
    membership_kind: str | None
    membership_as_of: date | None
    membership_known_until: date
    method: str | None
    simulated: bool


@dataclass(frozen=True, slots=True)
class ConcentrationSummary:
    """The share of the Mag 7 in the index at one close. `changes` are of the share, in percentage points.

    The true share lies between `low_pct` and `high_pct`, which are None where the bound is unknown.
    `fund`, where it is known, is the other number: a fund's own float-adjusted weight, with its own date. `subject`
    says whose share it is, `group` how that is asked for; the amounts of "the Mag 7" are the group's.
    """

    on: date
    share_pct: float
    low_pct: float | None
    high_pct: float | None
    mag7_cap_usd: Decimal
    sp500_cap_usd: Decimal
    kind: str
    changes: Changes[float]
    companies: tuple[CompanySummary, ...]
    effective_n: float | None
    trend: tuple[float, ...]
    quality: Quality
    fund: FundWeight | None
    group: str = SEVEN
    subject: str = THE_SEVEN.subject

    @property
    def share_text(self) -> str:
        """The share with its bound, as it is printed: `33.28 % ± 0.02`."""
        return pct_within(self.share_pct, self.low_pct, self.high_pct)


def answer(
    engine: "SqlEngine",
    on: date | None = None,
    fund: FundWeight | None = None,
    *,
    group: CompanyGroup = THE_SEVEN,
    failed: Sequence[FailedCheck] = (),
) -> ConcentrationSummary:
    """The answer `on` a date, else of the latest date that has one. Raises Mag7Error if there is none, EngineError.

    `failed` are the checks that the tables failed last.
    """
    from mag7cli.analytics.groups import read_concentration

    concentration = read_concentration(engine, group, *_span(on, on or _last_date(engine)))
    return build(concentration, on, fund, group=group, failed=failed)


def answer_from_files(
    figures: "DailyFigures",
    on: date | None = None,
    *,
    failed: Sequence[FailedCheck] = (),
) -> ConcentrationSummary:
    """The same of the Mag 7, from the figures beside the tables. Raises Mag7Error."""
    span = _span(on, on or file_figures.last_date(figures) or date.max)
    return build(file_figures.read_concentration(figures, *span), on, failed=failed)


def _span(on: date | None, latest: date) -> tuple[date, date]:
    """Which dates the answer needs, from the first to the last."""
    return latest - _LOOK_BACK if latest < date.max else BEGINNING, on or END


def build(
    concentration: Concentration,
    on: date | None = None,
    fund: FundWeight | None = None,
    *,
    group: CompanyGroup = THE_SEVEN,
    failed: Sequence[FailedCheck] = (),
) -> ConcentrationSummary:
    """The answer from what was read already. Raises Mag7Error if the date has no figure."""
    day, figure = _day_with_figure(concentration.days, on)
    shares = [Point(d.on, d.figure.share_pct) for d in concentration.days if d.figure and d.on <= day.on]
    return ConcentrationSummary(
        on=day.on,
        share_pct=figure.share_pct,
        low_pct=day.low_pct,
        high_pct=day.high_pct,
        mag7_cap_usd=figure.mag7_cap_usd,
        sp500_cap_usd=figure.sp500_cap_usd,
        kind=KIND,
        changes=_changes(shares),
        companies=_companies(concentration, day.on),
        effective_n=day.effective_n,
        trend=_trend(shares),
        quality=_quality(concentration, day, failed),
        fund=fund,
        group=group.name,
        subject=group.subject,
    )


def sparkline(values: Sequence[float]) -> str:
    """The values as a row of blocks from the lowest to the highest; a flat series stays in the middle."""
    if not values:
        return ""
    low, high = min(values), max(values)
    if low == high:
        return _SPARKS[3] * len(values)
    steps = len(_SPARKS) - 1
    return "".join(_SPARKS[round(steps * (value - low) / (high - low))] for value in values)


def plain_name(company_name: str) -> str:
    """A company's name as people say it: without the share class and the legal form that the vendor adds."""
    return _FORMALITIES.sub("", company_name)


def _last_date(engine: "SqlEngine") -> date:
    """The last date with a figure, else today's: then `build` says that there is none."""
    latest = engine.query("SELECT MAX(trading_date) FROM market_data.concentration_metrics").values[0][0]
    return latest if isinstance(latest, date) else date.max


def _day_with_figure(days: Sequence[Day], on: date | None) -> tuple[Day, Figure]:
    with_figure = [(day, day.figure) for day in days if day.figure]
    if on is None:
        if not with_figure and days:
            from mag7cli.market.date_quality import grouped_by_reason

            why, dates = grouped_by_reason({day.on: day.reason or "" for day in days})[0]
            hint = "mag7 collect --retry-failed"
            whole = counted(len(days), "date")
            raise Mag7Error(f"no figure on any trading date, {whole}; on {len(dates):,}: {why}", hint=hint)
        if not with_figure:
            raise Mag7Error("the lake has no trading date with a figure yet", hint="mag7 collect, or try mag7 demo")
        return with_figure[-1]
    for day, figure in with_figure:
        if day.on == on:
            return day, figure
    raise _no_figure(days, on)


def _no_figure(days: Sequence[Day], on: date) -> Mag7Error:
    """Why a date has no figure, and what to do about it."""
    for day in days:
        if day.on == on:
            why = day.reason or "one of the Mag 7 has no market cap"
            return Mag7Error(f"{on} is partial and has no figure: {why}", hint="mag7 collect --retry-failed")
    earlier = [day.on for day in days if day.on < on]
    if earlier:
        return UsageError(f"{on} is not in the lake; the last date before it is {earlier[-1]}", hint=_show(earlier[-1]))
    return UsageError(f"{on} is not in the lake", hint=f"mag7 collect --start {on} --end {on}")


def _show(day: date) -> str:
    return f"mag7 show {day}"


def _changes(series: Sequence[Point[Value]]) -> Changes[Value]:
    last = series[-1].on
    has_session_before = len(series) > 1 and series[-2].on >= previous_session(last)
    day = Change(series[-2], series[-1]) if has_session_before else None
    return Changes(day, change_since(series, month_before(last)), change_since(series, year_before(last)))


def _trend(series: Sequence[Point[Value]]) -> tuple[float, ...]:
    return tuple(float(point.value) for point in series[-_SPARK_SESSIONS:])


def _companies(concentration: Concentration, on: date) -> tuple[CompanySummary, ...]:
    """The Mag 7, largest first."""
    series: dict[str, list[Point[Decimal]]] = {}
    today: list[Cap] = []
    for cap in concentration.caps:
        if cap.on <= on:
            series.setdefault(cap.ticker, []).append(Point(cap.on, cap.market_cap_usd))
        if cap.on == on:
            today.append(cap)
    return tuple(
        CompanySummary(
            ticker=cap.ticker,
            name=plain_name(concentration.names.get(cap.ticker, cap.ticker)),
            market_cap_usd=cap.market_cap_usd,
            pct_of_sp500=cap.pct_of_sp500,
            pct_of_mag7=cap.pct_of_mag7,
            changes=_changes(series[cap.ticker]),
            trend=_trend(series[cap.ticker]),
        )
        for cap in sorted(today, key=lambda cap: cap.ranking)
    )


def _quality(concentration: Concentration, day: Day, failed: Sequence[FailedCheck]) -> Quality:
    later = {d.on: d.reason or "" for d in concentration.days if d.on > day.on and d.figure is None}
    return Quality(
        status=day.status,
        reasons=tuple(dict.fromkeys(doubt.sentence for doubt in concentration.doubts if doubt.on == day.on)),
        failed_count=day.failed_count,
        partial_since=tuple(later),
        partial_reasons=_partial_reasons(later) if later else (),
        failed_checks=tuple(check for check in failed if check.concerns(day.on)),
        membership_kind=day.membership_kind,
        membership_as_of=day.membership_as_of,
        membership_known_until=confirmed_until(),
        method=day.method,
        simulated=day.simulated,
    )


def _partial_reasons(reasons: Mapping[date, str]) -> tuple[PartialReason, ...]:
    from mag7cli.market.date_quality import grouped_by_reason

    return tuple(PartialReason(why, len(dates)) for why, dates in grouped_by_reason(reasons))
