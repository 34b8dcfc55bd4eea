"""The vendor's plans: how fast one may ask, how far back, and when a session's data opens.

The rows are in `data/plans.csv`, with their sources. Which plan a key has, the vendor does not say: the user does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Final, Literal

from mag7cli.core import packaged_data
from mag7cli.core.clock import NEW_YORK, Clock
from mag7cli.core.errors import UsageError
from mag7cli.core.progress import Listener
from mag7cli.market import calendar
from mag7cli.vendors.rate_limit import Rate

DEFAULT_PLAN: Final = "basic"
"""Whoever does not say has the free one: too slow does no harm."""


# A machine that slept through its alarm should not sleep on for hours.
_NAP_S: Final = 300.0

Feed = Literal["delayed", "realtime"]
"""A stream of minute bars: 15 minutes late, or at once."""

_FEEDS: Final[Mapping[str, Feed | None]] = {"none": None, "delayed": "delayed", "realtime": "realtime"}


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan: its rate, its history in years, and how long after midnight of its day a session's data opens.

    `stream` is its stream of minute bars during the session, None if it has none.
    """

    name: str
    rate: Rate
    history_years: int
    opens_after: timedelta
    has_snapshots: bool
    stream: Feed | None
    source: str

    def first_date(self, today: date) -> date:
        """The oldest date that the plan serves `today`."""
        return calendar.years_before(today, self.history_years)

    def last_session(self, now: datetime) -> date:
        """The last session whose data the plan serves at this moment."""
        wall_clock = now.astimezone(NEW_YORK).replace(tzinfo=None)  # the hour is New York's, summer and winter
        return calendar.session_on_or_before((wall_clock - self.opens_after).date())

    def opens(self, session: date) -> datetime:
        """When the session's data opens, in New York time."""
        return (datetime.combine(session, datetime.min.time()) + self.opens_after).replace(tzinfo=NEW_YORK)


@cache
def plans() -> Mapping[str, Plan]:
    """Every plan by its name, the free one first."""
    return {row["plan"]: _plan(row) for row in packaged_data.read("plans")}


def plan(name: str) -> Plan:
    """The plan of this name. Raises UsageError."""
    known = plans()
    if name not in known:
        raise UsageError(f"there is no plan {name!r}", hint=f"use one of {', '.join(known)}")
    return known[name]


def wait_until_served(served_by: Plan, clock: Clock, listener: Listener) -> None:
    """Sleep until the plan serves the session of today, if it has one; a few minutes at a time, for machines sleep."""
    today = clock.now().astimezone(NEW_YORK).date()
    opens = served_by.opens(today)
    if not calendar.is_session(today) or clock.now() >= opens:
        return
    listener.notice(f"waiting until {opens:%Y-%m-%d %H:%M} New York time, when the plan serves {today}")
    while (left := (opens - clock.now()).total_seconds()) > 0:
        clock.sleep(min(left, _NAP_S))


def _plan(row: Mapping[str, str]) -> Plan:
    hours, minutes = row["available"].split(":")
    return Plan(
        name=row["plan"],
        rate=Rate(int(row["calls_per_period"]), float(row["period_s"])),
        history_years=int(row["history_years"]),
        opens_after=timedelta(hours=int(hours), minutes=int(minutes)),
        has_snapshots=row["snapshots"] == "yes",
        stream=_FEEDS[row["stream"]],
        source=row["source"],
    )
