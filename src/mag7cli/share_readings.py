"""What the vendor said of a line's shares, read: the right figure of each answer, in the right share units.

Pure: it is given the answers and the splits, and says what it had to do to each. The vendor's faults that it knows
(docs/methodology.md has the evidence for each):

- a count already in post-split shares before the execution date, or not yet in them on it and for days after;
- a history frozen at a later count, in later share units, for all dates before about autumn 2021;
- a missing count; a count that jumps for some days and returns.

In which share units a count was given is `split_units`' to find.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, Literal

from mag7cli.split_units import SplitUnits, read_epochs

Basis = Literal["weighted", "share_class", "last_known"]

HONOURED_FROM: Final = date(2021, 10, 1)
"""From about here on the vendor's whole-company counts honour the date asked for; before, they may stand still."""

_BACKED: Final = math.log(1.03)
# A count that stands still for longer than a quarter before it first moves does not honour the date asked for.
_FROZEN: Final = timedelta(days=100)
_ONE_CLASS: Final = math.log(1.002)
_SAME: Final = 1e-6
# A class that moved by more against a frozen count was converted, not bought back: it says nothing of the company.
_CLASS_DRIFT: Final = math.log(1.1)
_GLITCH: Final = math.log(1.3)
_GLITCH_DAYS: Final = timedelta(days=10)
_UNCONFIRMED: Final = math.log(1.9)
_RETURNED: Final = math.log(1.1)
# Around a split that no list has, the vendor is as early or late as around the others.
_EARLY: Final = timedelta(days=7)
_LATE: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class ShareObservation:
    """What the vendor said of a line for one date: counts of the whole company and of the line's own class."""

    on: date
    weighted: float | None
    share_class: float | None


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Why a count is not the vendor's: `doubtful` if no rule explains it, so that the date is suspect."""

    reason: str
    evidence: str
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """One answer, read: `neutral` shares (units before the first split), and what had to be done to it."""

    on: date
    neutral: float
    basis: Basis
    vendor: float | None
    share_class: float | None
    adjustments: tuple[Adjustment, ...] = ()

    @property
    def is_told(self) -> bool:
        """True if the vendor named this count; a count that was carried over says nothing of its date."""
        return self.basis != "last_known"


def read(answers: Sequence[ShareObservation], units: SplitUnits, jumps: Collection[date] = ()) -> list[Point]:
    """A point for each answer, which are sorted by date; none if no answer names a count.

    `jumps` are dates on which the close moved as in a split that is not listed: a count that jumps there is no glitch.
    """
    return _hold_glitches(_Reading(answers, units).points(), jumps)


class _Reading:
    """Makes points of answers: the right figure of each, in the right units."""

    def __init__(self, answers: Sequence[ShareObservation], units: SplitUnits) -> None:
        self._answers = answers
        self._units = units
        self._one_class = _is_one_class(answers, units)
        given = [one for one in answers if one.weighted]
        run = given[: self._frozen_length(given)]
        weighted = [(one.on, one.weighted) for one in given if one.weighted]
        by_class = [(one.on, one.share_class) for one in answers if one.share_class]
        self._weighted_epochs = read_epochs(weighted, units, len(run), _backed(given, units))
        self._class_epochs = read_epochs(by_class, units)
        self._stale = self._stale_days(run)
        self._frozen_class = next((self._class_neutral(one) for one in reversed(run) if one.share_class), None)

    def points(self) -> list[Point]:
        """A point for each answer; those without a count take the last known one, else the next."""
        points = [self._point(one) for one in self._answers]
        known = next((point for point in points if point), None)
        if known is None:
            return [self._class_point(one, one.share_class) for one in self._answers if one.share_class]
        filled: list[Point] = []
        for one, point in zip(self._answers, points, strict=True):
            known = point or _carried_over(one, known)
            filled.append(known)
        return filled

    def _point(self, one: ShareObservation) -> Point | None:
        """None if the answer does not tell how many shares the whole company has."""
        if one.weighted and not (one.on in self._stale and self._one_class and one.share_class):
            return self._weighted_point(one, one.weighted)
        return self._class_point(one, one.share_class) if one.share_class and self._one_class else None

    def _frozen_length(self, given: Sequence[ShareObservation]) -> int:
        """How many of the first answers are one and the same frozen count: 0 if the history honours the date.

        A count is frozen if it stands still over a split, or for longer than a quarter while the class count moves, or
        before the vendor's counts honour the date if it is not what the company's only class has.
        """
        if not given:
            return 0
        length = next((index for index, one in enumerate(given) if one.weighted != given[0].weighted), len(given))
        run = given[:length]
        over_a_split = self._units.between(run[0].on, run[-1].on) and not _within_split_window(run, self._units)
        classes = {self._units.neutral(one.share_class, self._units.epoch(one.on)) for one in run if one.share_class}
        stands_still = run[-1].on - run[0].on > _FROZEN and len(classes) > 1
        denied = self._one_class and any(one.on < HONOURED_FROM and not _agree(one, self._units) for one in run)
        return length if over_a_split or stands_still or denied else 0

    def _stale_days(self, run: Sequence[ShareObservation]) -> set[date]:
        """The dates of a frozen run for which its count is not true.

        Where the company has one class, its count says so; else all but the end, where the class count stands.
        """
        if self._one_class:
            return {one.on for one in run if one.weighted != one.share_class}
        last = run[-1] if run else None
        return {
            one.on
            for one in run
            if last and (self._units.between(one.on, last.on) or one.share_class != last.share_class)
        }

    def _class_neutral(self, one: ShareObservation) -> float:
        return self._units.neutral(one.share_class or 0.0, self._class_epochs[one.on])

    def _weighted_point(self, one: ShareObservation, shares: float) -> Point:
        epoch, is_stale = self._weighted_epochs[one.on], one.on in self._stale
        neutral = self._units.neutral(shares, epoch)
        adjustments: list[Adjustment] = []
        if epoch != self._units.epoch(one.on):
            adjustments.append(self._wrong_units(one.on, shares, neutral, epoch, is_frozen=is_stale))
        if is_stale:
            drift = self._class_drift(one)
            neutral *= drift
            adjustments.append(_frozen(drift))
        return Point(one.on, neutral, "weighted", shares, one.share_class, tuple(adjustments))

    def _class_drift(self, one: ShareObservation) -> float:
        """How many times the class count that goes with a frozen count the class had on the date; 1 if that is no use.

        The class honours the date, and buybacks and issues move a company's classes about alike.
        """
        if not one.share_class or not self._frozen_class:
            return 1.0
        drift = self._class_neutral(one) / self._frozen_class
        return drift if abs(math.log(drift)) <= _CLASS_DRIFT else 1.0

    def _class_point(self, one: ShareObservation, shares: float) -> Point:
        epoch = self._class_epochs[one.on]
        neutral = self._units.neutral(shares, epoch)
        adjustments = [_class_used(one, is_stale=one.on in self._stale, one_class=self._one_class)]
        if epoch != self._units.epoch(one.on):
            adjustments.append(self._wrong_units(one.on, shares, neutral, epoch, is_frozen=False))
        return Point(one.on, neutral, "share_class", one.weighted, one.share_class, tuple(adjustments))

    def _wrong_units(self, on: date, shares: float, neutral: float, epoch: int, *, is_frozen: bool) -> Adjustment:
        is_ahead = epoch > self._units.epoch(on)
        split = self._units.splits[epoch - 1 if is_ahead else epoch]
        return Adjustment(
            "frozen count un-split" if is_frozen else "share count in the units of another day",
            f"{shares:.0f} is {'already in the units after' if is_ahead else 'still in the units before'} the split "
            f"{split.split_to:g} for {split.split_from:g} of {split.execution_date}: only so does it continue its "
            f"neighbours ({self._units.on(neutral, on):.0f} in the units of {on})",
        )


def _is_one_class(answers: Sequence[ShareObservation], units: SplitUnits) -> bool:
    """True if the line's class is the whole company: where both counts are given and honour the date they agree."""
    both = [one for one in answers if one.weighted and one.share_class]
    fresh = [one for one in both if one.on >= HONOURED_FROM] or both[-1:]
    return sum(_agree(one, units, _ONE_CLASS) for one in fresh) * 2 > len(fresh)


def _agree(one: ShareObservation, units: SplitUnits, tolerance: float = _SAME) -> bool:
    """True if an answer's two counts are one, even if a split of some days around is in one of them only."""
    if not one.weighted or not one.share_class:
        return True
    own = units.epoch(one.on)
    near = [epoch for epoch in range(units.epochs) if epoch == own or units.is_near_split(one.on, epoch)]
    classes = [units.neutral(one.share_class, epoch) for epoch in near]
    return any(
        abs(math.log(units.neutral(one.weighted, epoch) / count)) <= tolerance for epoch in near for count in classes
    )


def _within_split_window(run: Sequence[ShareObservation], units: SplitUnits) -> bool:
    """True if the run reaches over a split only by the few days in which the vendor lags or leads."""
    first, last = units.epoch(run[0].on), units.epoch(run[-1].on)
    is_near = units.is_near_split(run[0].on, first + 1) or units.is_near_split(run[-1].on, last - 1)
    return last == first + 1 and is_near


def _backed(given: Sequence[ShareObservation], units: SplitUnits) -> set[tuple[date, int]]:
    """The readings of the whole-company counts that the class count confirms, as pairs of date and epoch."""
    return {
        (one.on, epoch)
        for one in given
        if one.weighted and one.share_class
        for epoch in range(units.epochs)
        if abs(math.log(units.neutral(one.weighted, epoch) * units.ratio(one.on) / one.share_class)) < _BACKED
    }


def _frozen(drift: float) -> Adjustment:
    """Why a frozen count was used, and what was done to it."""
    if drift == 1:
        evidence = "the count does not honour the date, and no class count tells how far it moved"
    else:
        evidence = f"the count does not honour the date; it was moved by x{drift:.5g} as the class count, which does"
    return Adjustment("share history frozen by the vendor", evidence)


def _class_used(one: ShareObservation, *, is_stale: bool, one_class: bool) -> Adjustment:
    if is_stale:
        return Adjustment(
            "share history frozen by the vendor: share class count used",
            f"the whole-company count {one.weighted:.0f} does not honour the date; the company has one class, "
            "whose count does",
        )
    return Adjustment(
        "whole-company count missing: share class count used",
        "the vendor gave share_class_shares_outstanding only"
        + ("" if one_class else ", and whether the company has further classes is not known"),
        doubtful=not one_class,
    )


def _carried_over(one: ShareObservation, known: Point) -> Point:
    which = "last" if known.on < one.on else "next"
    why = Adjustment(f"share count missing: {which} known count used", f"the {which} known count is of {known.on}")
    return Point(one.on, known.neutral, "last_known", None, one.share_class, (why,))


# Counts that jump


def _hold_glitches(points: Sequence[Point], jumps: Collection[date]) -> list[Point]:
    """Counts that jump and return within days, or have just jumped, are held: the last known one stands, flagged."""
    if not points:
        return []
    first = _hold(points[0], points[1]) if _first_is_glitch(points) else points[0]
    held = [first]
    for index, point in enumerate(points[1:], start=1):
        last = held[-1]
        explained = any(last.on - _LATE < jump <= point.on + _EARLY for jump in jumps)
        is_held = not explained and _is_glitch(points, index, last.neutral)
        held.append(_hold(point, last) if is_held else point)
    return held


def _is_glitch(points: Sequence[Point], index: int, good: float) -> bool:
    """True if the count at `index` left the level `good` and no later answer confirms that it stays away."""
    point = points[index]
    jump = _apart(point, good)
    if jump <= _GLITCH:
        return False
    later = points[index + 1 :]
    returned = next((one for one in later if _apart(one, good) <= _RETURNED), None)
    if returned is not None:
        stays = [one for one in later if one.on < returned.on]
        last = stays[-1].on if stays else point.on
        return last - point.on <= _GLITCH_DAYS and all(_apart(one, good) > _GLITCH for one in stays)
    confirmed = any(one.on - point.on >= _GLITCH_DAYS for one in later)
    return not confirmed and jump > _UNCONFIRMED


def _first_is_glitch(points: Sequence[Point]) -> bool:
    """The first answer has no past; it is held if it is off and all that follow agree with each other."""
    first, *rest = points[:4]
    if len(rest) < 2:
        return False
    level = rest[0].neutral
    agree = all(_apart(one, level) <= _RETURNED for one in rest)
    return agree and rest[0].on - first.on <= _GLITCH_DAYS and _apart(first, level) > _UNCONFIRMED


def _apart(point: Point, level: float) -> float:
    return abs(math.log(point.neutral / level))


def _hold(point: Point, known: Point) -> Point:
    why = Adjustment(
        "unexplained jump in the share count: last known count used",
        f"the vendor's count is x{point.neutral / known.neutral:.4g} that of {known.on}, with no split and no later "
        "answer that would confirm it",
        doubtful=True,
    )
    return replace(point, neutral=known.neutral, basis="last_known", adjustments=(*point.adjustments, why))
