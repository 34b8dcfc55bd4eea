"""Which dates a run is about: what was asked for, what the plan serves, and what is a sensible default."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from mag7cli.core.errors import NotYetAvailableError, PlanError, UsageError
from mag7cli.core.formatting import counted
from mag7cli.lake.layout import Lake
from mag7cli.market.calendar import next_session, session_on_or_before, sessions, years_before
from mag7cli.vendors.subscription import Plan, plans

_DEFAULT_YEARS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Unserved:
    """The sessions at the beginning of a range that the plan does not serve and the lake lacks.

    `served_by` is the smallest plan that serves them all, None if there is none.
    """

    first: date
    last: date
    count: int
    plan: str
    served_from: date
    served_by: str | None

    def __str__(self) -> str:
        where = f"; the {self.served_by} plan has them" if self.served_by else "; no plan has them all"
        return (
            f"the {self.plan} plan serves data from {self.served_from} on: {counted(self.count, 'session')} from "
            f"{self.first} to {self.last} {'is' if self.count == 1 else 'are'} outside of it{where}"
        )


@dataclass(frozen=True, slots=True)
class DateRange:
    """First and last date of a run. `notice` says what the default was cut to, None if it was not.

    `unserved` is what was asked for besides and cannot be had by the plan, None if there is nothing.
    """

    start: date
    end: date
    notice: str | None = None
    unserved: Unserved | None = None


def resolve(lake: Lake, plan: Plan, now: datetime, start: date | None, end: date | None) -> DateRange:
    """The range of a run, cut to what the plan serves; refused before the first call if that is nothing.

    Without `end`: the last session that the plan serves now. Without `start`: the lake's first date, so that gaps are
    filled; for an empty lake the last four years, or as much of them as the plan has.
    Raises PlanError, NotYetAvailableError, UsageError.
    """
    last_served = plan.last_session(now)
    until = end or last_served
    oldest = plan.first_date(now.date())
    notice = None
    if start is None:
        start, notice = _default_start(lake, oldest, until, plan)
    _check_order(start, until, end)
    _check_plan(plan, start, until, oldest, last_served)
    return DateRange(max(start, oldest), until, notice, _unserved(lake, plan, start, oldest, now.date()))


def _default_start(lake: Lake, oldest: date, until: date, plan: Plan) -> tuple[date, str | None]:
    present = list(lake.documents())
    start = present[0] if present else years_before(until, _DEFAULT_YEARS)
    if start >= oldest:
        return start, None
    return oldest, f"the {plan.name} plan serves data from {oldest} on: starting there, not on {start}"


def _unserved(lake: Lake, plan: Plan, start: date, oldest: date, today: date) -> Unserved | None:
    """What of the range lies before the plan's history, but for dates that have a document."""
    before = sessions(start, oldest - timedelta(days=1)) if start < oldest else []
    present = lake.documents() if before else {}
    missing = [day for day in before if day not in present]
    if not missing:
        return None
    others = (other.name for other in plans().values() if other.first_date(today) <= missing[0])
    return Unserved(
        first=missing[0],
        last=missing[-1],
        count=len(missing),
        plan=plan.name,
        served_from=oldest,
        served_by=next(others, None),
    )


def _check_order(start: date, until: date, end: date | None) -> None:
    if start > until and end is None:
        raise UsageError(
            f"--start {start} is after {until}, the last session whose data is served", hint="give an earlier --start"
        )
    if start > until:
        raise UsageError(f"--end {until} is before --start {start}", hint="the first date goes to --start")


def _check_plan(plan: Plan, start: date, until: date, oldest: date, last_served: date) -> None:
    if until < oldest:
        raise PlanError(
            f"the {plan.name} plan serves data from {oldest} on, the range ends on {until}",
            hint="ask for later dates, or name the plan you have with --plan",
        )
    if until > last_served and session_on_or_before(until) >= max(start, next_session(last_served)):
        upcoming = next_session(max(start - timedelta(days=1), last_served))
        sooner = f"use --end {last_served}, or " if start <= last_served else ""
        raise NotYetAvailableError(
            f"the {plan.name} plan serves {upcoming} from {plan.opens(upcoming):%Y-%m-%d %H:%M} New York time on",
            hint=f"{sooner}run again then",
        )
