"""Counts held against cover pages, and large steps of the companies that are watched. Pure.

A count that is not the one of its quarter's cover page is flagged with both. For a company that is watched (the Mag 7)
a step of more than 3 % has to be explained by a cover page, an award of stock, or a split, which is taken out before;
what is not explained is in doubt.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from mag7cli.shares.count_levels import Point
from mag7cli.shares.cover_pages import CoverPage, cover_of
from mag7cli.shares.records import Adjustment
from mag7cli.shares.split_adjustment import SplitUnits
from mag7cli.shares.stock_awards import AwardEvent

# A vendor may keep a count in fewer digits than the cover has.
_SAME: Final = 0.0002
# Until its report is filed a quarter is served with the count of the one before.
_FILING_DELAY: Final = timedelta(days=60)
_LARGE_STEP: Final = math.log(1.03)
_EXPLAINED: Final = 0.01
_A_QUARTER: Final = timedelta(days=85)
_FROM_PERIOD_TO_COVER: Final = timedelta(days=21)


def hold_against_covers(points: Sequence[Point], units: SplitUnits, covers: Sequence[CoverPage]) -> list[Point]:
    """The points (oldest first), those that their quarter's cover page contradicts marked as doubtful."""
    return [_held(point, units, covers) for point in points]


def explain_steps(
    points: Sequence[Point], units: SplitUnits, covers: Sequence[CoverPage], awards: Sequence[AwardEvent]
) -> list[Point]:
    """The points (oldest first) of a watched company, those after a large step that nothing explains in doubt.

    They are so until a cover page confirms one, or the count comes back. If what lies before the step is no longer
    than a quarter, and no cover page confirms it either, it is in doubt as well.
    """
    marked = list(points)
    why: Adjustment | None = None
    base = 0.0
    for index in range(1, len(points)):
        before, point = points[index - 1], points[index]
        if _is_vouched_for(point, units, covers) or (why and abs(point.base_shares / base - 1) <= _EXPLAINED):
            why = None
        elif _is_unexplained(before, point, units, covers, awards):
            why, base = _step(before, point, units), before.base_shares
            for earlier in _unconfirmed_start(points[:index], units, covers):
                marked[earlier] = _with(marked[earlier], why)
        if why:
            marked[index] = _with(marked[index], why)
    return marked


def _held(point: Point, units: SplitUnits, covers: Sequence[CoverPage]) -> Point:
    cover = cover_of(covers, point.on)
    if cover is None or cover.shares is None or _agrees(point, units, cover):
        return point
    earlier = cover_of(covers, cover.period_end - timedelta(days=1))
    if earlier and point.on < cover.period_end + _FILING_DELAY and _agrees(point, units, earlier):
        return point
    ours = units.on(point.base_shares, point.on)
    theirs = units.on(units.to_base(cover.shares, units.epoch(cover.as_of)), point.on)
    why = Adjustment(
        "share count differs from the cover page of its quarter",
        f"{cover} has {theirs:.0f} in the units of {point.on}, the vendor's count comes to {ours:.0f}",
        doubtful=True,
        kind="cover_page_differs",
        other=theirs,
    )
    return _with(point, why)


def _agrees(point: Point, units: SplitUnits, cover: CoverPage) -> bool:
    if cover.shares is None:
        return False
    epoch = units.epoch(cover.as_of)
    slack = units.to_base(cover.rounding, epoch) + point.unit + _SAME * point.base_shares
    return abs(point.base_shares - units.to_base(cover.shares, epoch)) <= slack


def _is_vouched_for(point: Point, units: SplitUnits, covers: Sequence[CoverPage]) -> bool:
    cover = cover_of(covers, point.on)
    return point.basis == "cover_page" or (cover is not None and _agrees(point, units, cover))


def _is_unexplained(
    before: Point, point: Point, units: SplitUnits, covers: Sequence[CoverPage], awards: Sequence[AwardEvent]
) -> bool:
    if abs(math.log(point.base_shares / before.base_shares)) <= _LARGE_STEP or before.is_frozen or point.is_frozen:
        return False
    first, last = (_counted_on(end.on, covers) for end in (before, point))
    awarded = math.fsum(
        units.to_base(event.change, units.epoch(event.on)) for event in awards if first < event.on <= last
    )
    return abs(point.base_shares - before.base_shares - awarded) > _EXPLAINED * before.base_shares


def _counted_on(day: date, covers: Sequence[CoverPage]) -> date:
    """The day of the cover behind the count of a date, or about that."""
    cover = cover_of(covers, day)
    return cover.as_of if cover else day + _FROM_PERIOD_TO_COVER


def _unconfirmed_start(points: Sequence[Point], units: SplitUnits, covers: Sequence[CoverPage]) -> Iterator[int]:
    is_short = points[-1].on - points[0].on < _A_QUARTER
    if is_short and not any(_is_vouched_for(point, units, covers) for point in points):
        yield from range(len(points))


def _step(before: Point, point: Point, units: SplitUnits) -> Adjustment:
    return Adjustment(
        "unexplained step of more than 3 % in the share count",
        f"it moved by {100 * (point.base_shares / before.base_shares - 1):+.2f} % between {before.on} and "
        f"{point.on}, and no split, award of stock or cover page that is known explains it",
        doubtful=True,
        kind="shares_step",
        other=units.on(before.base_shares, point.on),
    )


def _with(point: Point, why: Adjustment) -> Point:
    return replace(point, adjustments=(*point.adjustments, why))
