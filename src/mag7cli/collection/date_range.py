"""Which dates a run is about: what was asked for, what the plan serves, and what is a sensible default."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from mag7cli.core.errors import NotYetAvailableError, PlanError, UsageError
from mag7cli.lake.layout import Lake
from mag7cli.market.calendar import next_session, session_on_or_before, sessions, years_before
from mag7cli.vendors.subscription import Plan

_DEFAULT_YEARS: Final = 4


@dataclass(frozen=True, slots=True)
class DateRange:
    """First and last date of a run. `notice` says what the default was cut to, None if it was not."""

    start: date
    end: date
    notice: str | None = None


def resolve(lake: Lake, plan: Plan, now: datetime, start: date | None, end: date | None) -> DateRange:
    """The range of a run, refused before the first call if the plan does not serve it.

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
    return DateRange(start, until, notice)


def _default_start(lake: Lake, oldest: date, until: date, plan: Plan) -> tuple[date, str | None]:
    present = list(lake.documents())
    wanted = present[0] if present else years_before(until, _DEFAULT_YEARS)
    if wanted >= oldest:
        return wanted, None
    return oldest, f"the {plan.name} plan serves data from {oldest} on: starting there, not on {wanted}"


def _check_order(start: date, until: date, end: date | None) -> None:
    if start > until and end is None:
        raise UsageError(
            f"--start {start} is after {until}, the last session whose data is served", hint="give an earlier --start"
        )
    if start > until:
        raise UsageError(f"--end {until} is before --start {start}", hint="the first date goes to --start")


def _check_plan(plan: Plan, start: date, until: date, oldest: date, last_served: date) -> None:
    if start < oldest and sessions(start, min(until, oldest)):
        raise PlanError(
            f"the {plan.name} plan serves data from {oldest} on, --start is {start}",
            hint=f"use --start {oldest}, or name the plan you have with --plan",
        )
    if until > last_served and session_on_or_before(until) > last_served:
        upcoming = next_session(last_served)
        raise NotYetAvailableError(
            f"the {plan.name} plan serves {upcoming} from {plan.opens(upcoming):%Y-%m-%d %H:%M} New York time on",
            hint=f"use --end {last_served}, or run again then",
        )
