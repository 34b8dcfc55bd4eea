"""On which days to ask for a line's count: where an answer tells most of its calendar, or of its quarters. Pure."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Final
from zlib import crc32

from mag7cli.shares.sampling import within

if TYPE_CHECKING:
    from mag7cli.shares.uncertainty import Interval

# So likely a step has to be that both of its sides are asked for at once.
_LIKELY: Final = 0.5
# A grid of every fifth quarter meets each season in turn.
_GRID: Final = 5
_SHORT: Final = timedelta(days=70)


def first_days(ticker: str, sessions: Sequence[date], steps: Sequence[date]) -> list[date]:
    """The first round of a line: first, last, and every fifth quarter the day of an expected step, sorted.

    One more answer, of the day before, proves such a step. In the quarter after it the count is known: lines take
    turns by their names, so that what is in doubt about all of them is alike on all dates.
    """
    turn = crc32(ticker.encode()) % _GRID
    return sorted({sessions[0], sessions[-1], *steps[turn::_GRID]})


def proofs_first(intervals: "Iterable[Interval]") -> "list[Interval]":
    """The intervals, but only one of a line whose calendar is not proven yet: a proof may settle the others."""
    chosen: list[Interval] = []
    unproven: dict[str, list[Interval]] = {}
    for interval in intervals:
        if interval.sampled.is_proven or interval.is_exceptional:
            chosen.append(interval)
        else:
            unproven.setdefault(interval.sampled.security.ticker, []).append(interval)
    return [*chosen, *map(_most_telling, unproven.values())]


def _most_telling(intervals: "Sequence[Interval]") -> "Interval":
    """The interval in which to find a step: one within a quarter, where a search has come so far.

    Else the one whose latest step is the fewest calendars', so that it tells most of them apart, and of these the
    widest change.
    """
    short = [interval for interval in intervals if interval.last - interval.first <= _SHORT]
    return max(short or intervals, key=lambda interval: (-_rivals(interval), interval.base_shares))


def _rivals(interval: "Interval") -> int:
    """How many of the calendars that a line may have expect a step on the day on which the likeliest has its latest."""
    sampled = interval.sampled
    within_it = (within(sampled.steps_of(calendar), interval.first, interval.last) for calendar in sampled.candidates)
    latest = [steps[-1] for steps in within_it if steps]
    return latest.count(latest[0]) if latest else 0


def next_days(interval: "Interval") -> list[date]:
    """What to ask next inside an interval; nothing if its step is on the day.

    While no calendar is proven, what tells the likely ones apart. On a proven one the count stands still between two
    steps: an answer from amid a quarter tells all of it, whichever of the possible calendars is the true one.
    """
    sampled = interval.sampled
    sessions = sampled.security.sessions
    low, high = bisect_left(sessions, interval.first), bisect_left(sessions, interval.last)
    if high - low <= 1:
        return []
    indices = _quarter(interval) if sampled.is_proven else _telling_apart(interval)
    fresh = [index for index in indices if low < index < high and sessions[index] not in sampled.requested]
    return [sessions[index] for index in fresh or (_month_start(sessions, low, high, (low + high) // 2),)]


def _quarter(interval: "Interval") -> tuple[int, ...]:
    """The middle of the middle quarter; both sides of the step where there is one only, or each has to be found."""
    sessions, expected = interval.sampled.security.sessions, interval.expected
    if not expected:
        return ()
    middle = len(expected) // 2
    step = bisect_left(sessions, expected[middle])
    if len(expected) == 1 or interval.sampled.security.exact:
        return step - 1, step
    return (step - 1,)


def _telling_apart(interval: "Interval") -> tuple[int, ...]:
    """The sides of the latest step by which the likely calendars come to halves; both sides of a step that is likely.

    If one side was asked, the other: a step is proven by both.
    """
    weights = _latest_steps(interval)
    if not weights:
        return ()
    half = sum(weights.values()) / 2
    steps = sorted(weights)
    sums = list(accumulate(weights[step] for step in steps))
    place = next(place for place, total in enumerate(sums) if total >= half)
    step, weight = steps[place], weights[steps[place]]
    if weight >= 2 * half * _LIKELY:
        return step - 1, step
    before = sums[place] - weight
    return (step - 1,) if abs(before - half) <= abs(sums[place] - half) else (step,)


def _latest_steps(interval: "Interval") -> dict[int, float]:
    """How likely the latest step inside an interval is on which session, given by its index."""
    sampled = interval.sampled
    weights: dict[int, float] = {}
    for calendar, weight in sampled.candidates.items():
        inside = within(sampled.steps_of(calendar), interval.first, interval.last)
        if inside:
            index = bisect_left(sampled.security.sessions, inside[-1])
            weights[index] = weights.get(index, 0.0) + weight
    return weights


def _month_start(sessions: Sequence[date], low: int, high: int, middle: int) -> int:
    """The index nearest `middle` at which a month begins, or ends: most fiscal periods end there. Else `middle`."""
    turns = list(_month_turns(sessions, low, high))
    return min(turns, key=lambda index: (abs(index - middle), index)) if turns else middle


def _month_turns(sessions: Sequence[date], low: int, high: int) -> Iterator[int]:
    for start in range(low + 1, high):
        if sessions[start].month != sessions[start - 1].month:
            yield from (index for index in (start, start - 1) if low < index < high)
