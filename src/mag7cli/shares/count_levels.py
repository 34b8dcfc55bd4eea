"""Counts that jump: which levels of a count stand, which are held back as glitches, and which are in doubt. Pure.

All counts are in one unit, splits taken out. A level is a run of answers without a large step between them. A short one
that leaves and returns is a glitch; of two levels of which neither is confirmed by others there is no telling which is
right; a large step that nothing explains is believed once the next quarter's answer confirms it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

from mag7cli.shares.close_moves import ROUND_STEPS
from mag7cli.shares.records import Adjustment, Basis

_STEP: Final = math.log(1.3)
_RETURNED: Final = math.log(1.1)
# What is above no merger does; what is nearly a round ratio is a split or a slip.
_UNCONFIRMED: Final = math.log(1.9)
_NO_MERGER: Final = math.log(2.2)
_ROUND_FROM: Final = math.log(1.45)
_NEARLY_ROUND: Final = 0.005
_GLITCH_DAYS: Final = timedelta(days=14)
CONFIRMED_AFTER: Final = timedelta(days=10)
_NEXT_QUARTER: Final = timedelta(days=85)


@dataclass(frozen=True, slots=True)
class Point:
    """A count that the vendor named, as `base_shares` (those before the first split), and what had to be done to it.

    `unit` is how many base shares one share was as the count was told: a count is exact to half of it.
    """

    on: date
    base_shares: float
    unit: float
    basis: Basis
    vendor: float | None
    share_class: float | None
    adjustments: tuple[Adjustment, ...] = ()

    @property
    def is_frozen(self) -> bool:
        """True if the vendor's count did not honour the date, so that another one stands in for it."""
        return any(adjustment.is_frozen for adjustment in self.adjustments)

    @property
    def is_doubtful(self) -> bool:
        """True if something about the count is not explained."""
        return any(adjustment.doubtful for adjustment in self.adjustments)

    @property
    def is_converted(self) -> bool:
        """True if the count was given in the share units of another day."""
        return any(adjustment.is_converted for adjustment in self.adjustments)


@dataclass(frozen=True, slots=True)
class Gap:
    """An answer that tells no count to go by: it named none, or one that is `jump` times the one that stands.

    While it `is_open` no answer on its other side tells whether the count really moved: then every date from the count
    that stands on is in doubt.
    """

    on: date
    vendor: float | None
    share_class: float | None
    jump: float | None = None
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class _Level:
    points: tuple[Point, ...]

    @property
    def first(self) -> Point:
        return self.points[0]

    @property
    def last(self) -> Point:
        return self.points[-1]

    @property
    def span(self) -> timedelta:
        return self.last.on - self.first.on

    def with_doubt(self, reason: str, evidence: str) -> "_Level":
        why = Adjustment(reason, evidence, doubtful=True, kind="shares_step")
        return _Level(tuple(replace(point, adjustments=(*point.adjustments, why)) for point in self.points))


def settle_levels(points: Sequence[Point]) -> tuple[list[Point], list[Gap]]:
    """The points that stand, oldest first, those in doubt marked as such, and the answers that are held back."""
    levels = list(_levels(points))
    if len(levels) < 2:
        return list(points), []
    levels, gaps = _without_glitches(levels)
    levels, first = _without_short_start(levels)
    levels, last = _without_unconfirmed_end(levels)
    return [point for level in _with_doubts(levels) for point in level.points], [*gaps, *first, *last]


def _levels(points: Sequence[Point]) -> Iterator[_Level]:
    run: list[Point] = []
    for point in points:
        if run and _apart(run[-1], point) > _STEP:
            yield _Level(tuple(run))
            run = []
        run.append(point)
    if run:
        yield _Level(tuple(run))


def _without_glitches(levels: Sequence[_Level]) -> tuple[list[_Level], list[Gap]]:
    """Take out the short levels between two that agree; what they parted becomes one level again."""
    steady, gaps = [levels[0]], []
    index = 1
    while index < len(levels):
        level, following = levels[index], levels[index + 1] if index + 1 < len(levels) else None
        before = steady[-1]
        if following and level.span <= _GLITCH_DAYS and _apart(before.last, following.first) <= _RETURNED:
            gaps += [_gap(point, before.last) for point in level.points]
            steady[-1] = _Level((*before.points, *following.points))
            index += 2
        else:
            steady.append(level)
            index += 1
    return steady, gaps


def _without_short_start(levels: Sequence[_Level]) -> tuple[list[_Level], list[Gap]]:
    """The first answers have no past; they are a glitch if they are off and soon give way to a level that lasts."""
    if len(levels) < 2:
        return list(levels), []
    first, second, *rest = levels
    is_short = second.first.on - first.first.on <= _GLITCH_DAYS
    if is_short and _is_lasting(second) and _apart(first.last, second.first) > _UNCONFIRMED:
        return [second, *rest], [_gap(point, second.first) for point in first.points]
    return list(levels), []


def _without_unconfirmed_end(levels: Sequence[_Level]) -> tuple[list[_Level], list[Gap]]:
    """The last answers have no future: a level that is far off is not believed until some days have passed."""
    if len(levels) < 2:
        return list(levels), []
    *earlier, before, last = levels
    if last.span >= CONFIRMED_AFTER or _apart(before.last, last.first) <= _UNCONFIRMED:
        return list(levels), []
    if not earlier and before.span < CONFIRMED_AFTER:
        before = before.with_doubt(*_either(before, last))
    gaps = [replace(_gap(point, before.last), is_open=True) for point in last.points]
    return [*earlier, before], gaps


def _with_doubts(levels: Sequence[_Level]) -> list[_Level]:
    """Mark the levels that no other confirms, and those that a count left for longer and came back to."""
    marked = list(levels)
    for index, (before, after) in enumerate(pairwise(levels), start=1):
        following = levels[index + 1] if index + 1 < len(levels) else None
        returns = following is not None and _apart(before.last, following.first) <= _RETURNED
        if returns or (_needs_confirmation(before, after) and after.span < _NEXT_QUARTER and not following):
            marked[index] = after.with_doubt(*_step_of(before, after))
        if index == 1 and _needs_confirmation(before, after) and before.span < CONFIRMED_AFTER:
            marked[0] = before.with_doubt(*_either(before, after))
    return marked


def _is_lasting(level: _Level) -> bool:
    return len(level.points) > 1 and level.span >= CONFIRMED_AFTER / 2


def _needs_confirmation(before: _Level, after: _Level) -> bool:
    step = _apart(before.last, after.first)
    is_round = step >= _ROUND_FROM and any(abs(step - ratio) < _NEARLY_ROUND for ratio in ROUND_STEPS)
    return step >= _NO_MERGER or is_round


def _apart(point: Point, other: Point) -> float:
    return abs(math.log(point.base_shares / other.base_shares))


def _gap(point: Point, stands: Point) -> Gap:
    return Gap(point.on, point.vendor, point.share_class, point.base_shares / stands.base_shares)


def _times(before: _Level, after: _Level) -> str:
    return f"x{after.first.base_shares / before.last.base_shares:.4g}"


def _step_of(before: _Level, after: _Level) -> tuple[str, str]:
    return (
        "unexplained step in the share count",
        f"it moved by {_times(before, after)} between {before.last.on} and {after.first.on}, with no split, and no "
        "later answer confirms it",
    )


def _either(before: _Level, after: _Level) -> tuple[str, str]:
    return (
        "unexplained step in the share count",
        f"it moves by {_times(before, after)} between {before.last.on} and {after.first.on}, with no split, and "
        "neither side of it is confirmed by other answers",
    )
