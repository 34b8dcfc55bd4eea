"""What a collection would cost, told before the first call: dates, calls by kind, time at the rate, bytes.

Calls for prices are counted exactly. How many share counts the sampler will want depends on the answers; the estimate
is the first rounds, counted exactly, and what the rounds after them took on the markets of docs/performance.md.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

from mag7cli.collection import known_lake, share_counts
from mag7cli.collection.details_cache import DetailsCache
from mag7cli.collection.known_lake import KnownLake
from mag7cli.collection.security_facts import FactsOfSecurities, is_exact, price_request
from mag7cli.collection.split_cache import calls_for_splits, read_splits
from mag7cli.collection.worklist import CollectOptions, DateBatch
from mag7cli.core.clock import Clock
from mag7cli.lake.layout import Lake
from mag7cli.shares.fiscal_calendar import FiscalCalendar, known_calendars
from mag7cli.shares.questions import first_days
from mag7cli.shares.records import HONOURED_FROM
from mag7cli.shares.sampling import Request, both_sides
from mag7cli.shares.split_evidence import NEIGHBOURHOOD
from mag7cli.vendors.rate_limit import Rate

# Measured over ranges of a month to four years. Of the intervals in which a count stepped, the part whose error is too
# large to be left to a calendar that is not proven; and of the quarters that lie open in a year, the part asked for.
_TO_PROVE: Final = 0.36
_OPEN_QUARTERS_ASKED: Final = 0.5
_BYTES_PER_LINE: Final = 220
_BYTES_PER_ANSWER: Final = 210


@dataclass(frozen=True, slots=True)
class CollectPlan:
    """What a run would do. `calls` are by kind; `present` are dates of the range that are there already."""

    start: date
    end: date
    dates: tuple[date, ...]
    present: int
    securities: int
    calls: Mapping[str, int]
    is_estimate: bool
    raw_bytes: int
    seconds: float

    @property
    def total_calls(self) -> int:
        """All calls of the run."""
        return sum(self.calls.values())


def plan(lake: Lake, options: CollectOptions, clock: Clock, rate: Rate) -> CollectPlan:
    """What `collect` would do with these options; asks the lake only."""
    return plan_of(known_lake.read(lake, options, clock), options, clock, rate)


def plan_of(known: KnownLake, options: CollectOptions, clock: Clock, rate: Rate) -> CollectPlan:
    """What `collect` would do with what a lake is known to have."""
    work = known.work
    calls = _calls(known, options, clock) if work.dates else {}
    total = sum(calls.values())
    return CollectPlan(
        options.start,
        options.end,
        work.dates,
        work.present,
        len(work.tickers),
        calls,
        options.method == "grouped" and not all(part.is_evening for part in work.parts),
        len(work.dates) * len(work.tickers) * _BYTES_PER_LINE + calls.get("details", 0) * _BYTES_PER_ANSWER,
        rate.seconds_for(total),
    )


def _calls(known: KnownLake, options: CollectOptions, clock: Clock) -> dict[str, int]:
    work, details = known.work, known.details
    reach = options.reach(clock.now().date())
    facts = FactsOfSecurities(known.prices, read_splits(known.lake), {}, (), reach)
    way, price_calls = known.prices.calls(price_request(work, reach))
    calls = {
        "grouped" if way == "days" else "bars": price_calls,
        "splits": calls_for_splits(facts.splits, work.tickers, work.valued[0] - NEIGHBOURHOOD, clock.now().date()),
        "details": _details(details, work.parts, options, facts),
    }
    return {kind: count for kind, count in calls.items() if count}


def _details(
    details: DetailsCache, parts: Iterable[DateBatch], options: CollectOptions, facts: FactsOfSecurities
) -> int:
    certain: set[Request] = set()
    sampled = 0
    for part in parts:
        members = part.member_dates()
        if options.method == "grouped" and not part.is_evening:
            certain.update([*share_counts.near_splits(members, facts), *_frozen_anchors(members)])
            sampled += _sampled(details, members)
            continue
        certain.update(share_counts.anchors(members, facts))
        if part.is_evening and options.method == "grouped":
            certain.update(share_counts.rolling_requests(details, part.tickers, part.dates, options.refresh))
        else:
            certain.update((ticker, day) for ticker, days in members.items() for day in days)
    return len(details.missing(certain)) + sampled


def _frozen_anchors(members: Mapping[str, Collection[date]]) -> list[Request]:
    """What tells frozen counts from true ones where no date itself does; elsewhere few lines need it."""
    days = share_counts.honoured_days(members)
    return [(ticker, day) for ticker, later in days.items() if max(members[ticker]) < HONOURED_FROM for day in later]


def _sampled(details: DetailsCache, members: Mapping[str, list[date]]) -> int:
    """The first rounds, and the share of what they leave open that later rounds will ask for."""
    calendars = known_calendars()
    first_rounds: list[Request] = []
    later = 0.0
    for ticker, days in members.items():
        steps = [step for step in calendars.get(ticker, FiscalCalendar()).steps(days) if step > days[0]]
        first = first_days(ticker, days, steps)
        if is_exact(ticker):
            first = sorted({*first, *(day for step in steps for day in both_sides(days, step))})
        else:
            later += _asked_later(first, steps)
        first_rounds += [(ticker, day) for day in first]
    missing = len(details.missing(first_rounds))
    return missing + round(later * missing / max(1, len(first_rounds)))


def _asked_later(first: Sequence[date], steps: Sequence[date]) -> float:
    """How many answers a line will want besides its first: one to prove its calendar, some for open quarters.

    A proof takes an answer on each side of a step, of which the first round has one where it was asked on a step's day.
    """
    answers, unproven = 0.0, 1.0
    for before, last in pairwise(first):
        expected = bisect_right(steps, last) - bisect_right(steps, before)
        if expected:
            answers += unproven * _TO_PROVE * (1 if last in steps else 2)
            unproven *= 1 - _TO_PROVE
        answers += _OPEN_QUARTERS_ASKED * max(0, expected - 1)
    return answers
