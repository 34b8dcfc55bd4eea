"""What a collection would cost, told before the first call: dates, calls by kind, time at the rate, bytes.

Calls for prices are counted exactly. How many share counts the sampler will want depends on the answers; the estimate
is the first round, counted exactly, and what the rounds after it took on the markets of docs/performance.md.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

from mag7cli import counting
from mag7cli.clock import Clock
from mag7cli.fiscal import FiscalCalendar, known_calendars
from mag7cli.lake import Lake
from mag7cli.ledger import Ledger
from mag7cli.prices import PriceRequest, Prices
from mag7cli.rate import Rate
from mag7cli.reference import calls_for_splits, read_splits
from mag7cli.sampling import Request, first_days
from mag7cli.tickers import MAGNIFICENT_7
from mag7cli.worklist import CollectOptions, Part, Worklist, worklist

# Measured over ranges of a month to four years: the answers that a line wants to prove its calendar, and the part of
# the quarters that will be asked for where the first round leaves one, two, or more in a row open.
_PROOFS: Final = 0.9
_PROOFS_OF_ONE_STEP: Final = 0.3
_QUARTERS_ASKED: Final = (0.0, 0.15, 0.4, 0.6)
_BYTES_PER_LINE: Final = 155
_BYTES_PER_ANSWER: Final = 210


@dataclass(frozen=True, slots=True)
class CollectPlan:
    """What a run would do. `calls` are by kind; `present` are dates of the range that are there already."""

    start: date
    end: date
    dates: tuple[date, ...]
    present: int
    lines: int
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
    work = worklist(lake, options)
    calls = _calls(lake, work, options, clock) if work.dates else {}
    total = sum(calls.values())
    return CollectPlan(
        options.start,
        options.end,
        work.dates,
        work.present,
        len(work.lines),
        calls,
        options.method == "grouped" and not all(part.is_evening for part in work.parts),
        len(work.dates) * len(work.lines) * _BYTES_PER_LINE + calls.get("details", 0) * _BYTES_PER_ANSWER,
        rate.seconds_for(total),
    )


def _calls(lake: Lake, work: Worklist, options: CollectOptions, clock: Clock) -> dict[str, int]:
    prices = Prices(lake)
    prices.load()
    prices.doubt(work.failed)
    ledger = Ledger(lake, clock)
    ledger.load()
    way, price_calls = prices.calls(PriceRequest(work.lines, work.valued))
    calls = {
        "grouped" if way == "days" else "bars": price_calls,
        "splits": calls_for_splits(read_splits(lake), work.lines, work.valued[0], clock.now().date()),
        "details": sum(_details(ledger, part, options) for part in work.parts),
    }
    return {kind: count for kind, count in calls.items() if count}


def _details(ledger: Ledger, part: Part, options: CollectOptions) -> int:
    members = part.member_dates()
    anchors = ledger.missing(counting.anchors(members, part.dates[0]))
    if options.method == "details":
        return len(anchors) + len(ledger.missing((line, day) for line, days in members.items() for day in days))
    if part.is_evening:
        wanted = counting.rolling_requests(ledger, part.lines, part.dates, options.refresh)
        return len(ledger.missing(wanted))
    return len(anchors) + _sampled(ledger, members)


def _sampled(ledger: Ledger, members: Mapping[str, list[date]]) -> int:
    """The first round, and the share of what it leaves open that later rounds will ask for."""
    calendars = known_calendars()
    first_round: list[Request] = []
    later = 0.0
    for line, days in members.items():
        steps = calendars.get(line, FiscalCalendar()).steps(days)
        first = first_days(days, steps)
        first_round += [(line, day) for day in first]
        if line in MAGNIFICENT_7:
            later += 2 * len(steps) - len(first) + 2
        else:
            later += (_PROOFS if len(steps) > 1 else _PROOFS_OF_ONE_STEP) + sum(
                _open_quarters_asked(bisect_right(steps, last) - bisect_right(steps, before))
                for before, last in pairwise(first)
            )
    missing = len(ledger.missing(first_round))
    return missing + round(later * missing / max(1, len(first_round)))


def _open_quarters_asked(steps: int) -> float:
    """How many of the quarters between so many expected steps, of which none is known, will be asked for."""
    unknown = max(0, steps - 1)
    return unknown * _QUARTERS_ASKED[min(unknown, len(_QUARTERS_ASKED) - 1)]
