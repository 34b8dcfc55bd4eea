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
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median_low
from typing import Final, Literal

from mag7cli.shares.split_adjustment import SplitUnits, read_epochs

Basis = Literal["weighted", "share_class", "last_known"]

HONOURED_FROM: Final = date(2021, 10, 1)
"""From about here on the vendor's whole-company counts honour the date asked for; before, they may stand still."""

_BACKED: Final = math.log(1.1)
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
    """A count that the vendor named, read: `neutral` shares (units before the first split), what had to be done to it.

    `unit` is how many neutral shares one share was as the count was told: a count is exact to half of it.
    """

    on: date
    neutral: float
    unit: float
    basis: Basis
    vendor: float | None
    share_class: float | None
    adjustments: tuple[Adjustment, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """An answer that tells no count to go by: it named none, or one that is `jump` times the one before."""

    on: date
    vendor: float | None
    share_class: float | None
    jump: float | None = None


def read(
    answers: Sequence[ShareObservation], units: SplitUnits, jumps: Collection[date] = ()
) -> tuple[list[Point], list[Gap]]:
    """The counts that the answers (sorted by date) tell, and the answers that tell none.

    `jumps` are dates on which the close moved as in a split that is not listed: a count that jumps there is no glitch.
    """
    points, gaps = _Reading(answers, units).points()
    points, glitches = _without_glitches(points, jumps)
    return points, [*gaps, *glitches]


class _Reading:
    """Makes points of answers: the right figure of each, in the right units."""

    def __init__(self, answers: Sequence[ShareObservation], units: SplitUnits) -> None:
        self._answers = answers
        self._units = units
        part = _class_part(answers)
        self._one_class = part is not None and abs(math.log(part)) <= _ONE_CLASS
        self._class_epochs = read_epochs([(one.on, one.share_class) for one in answers if one.share_class], units)
        given = [one for one in answers if one.weighted]
        run = given[: self._frozen_length(given)]
        self._frozen_class = next((self._class_neutral(one) for one in reversed(run) if one.share_class), None)
        self._stale = {one.on for one in run if self._is_stale(one, run[-1].on)}
        weighted = [(one.on, one.weighted) for one in given if one.weighted]
        self._weighted_epochs = read_epochs(weighted, units, len(run), _backed(given, units, part))

    def points(self) -> tuple[list[Point], list[Gap]]:
        """A point for each answer that tells how many shares the whole company has, and the answers that do not.

        If none does, the class counts stand in.
        """
        points = [point for one in self._answers if (point := self._point(one))]
        if not points:
            points = [self._class_point(one, one.share_class) for one in self._answers if one.share_class]
        told = {point.on for point in points}
        return points, [Gap(one.on, one.weighted, one.share_class) for one in self._answers if one.on not in told]

    def _point(self, one: ShareObservation) -> Point | None:
        if one.weighted and not (one.on in self._stale and self._one_class and one.share_class):
            return self._weighted_point(one, one.weighted)
        return self._class_point(one, one.share_class) if one.share_class and self._one_class else None

    def _frozen_length(self, given: Sequence[ShareObservation]) -> int:
        """How many of the first answers are one and the same frozen count: 0 if the history honours the date.

        A count is frozen if it stands still over a split, or while the class count moves, or is not what the company's
        only class has. But for a split, a quarter's delay is forgiven where the vendor's counts honour the date.
        """
        if not given:
            return 0
        length = next((index for index, one in enumerate(given) if one.weighted != given[0].weighted), len(given))
        run = given[:length]
        first, last = run[0].on, run[-1].on
        over_a_split = self._units.between(first, last) and not _within_split_window(run, self._units)
        classes = [self._class_neutral(one) for one in run if one.share_class]
        class_moves = bool(classes) and max(classes) > (1 + _SAME) * min(classes)
        stands_still = class_moves and (first < HONOURED_FROM or last - first > _FROZEN)
        denied = self._one_class and any(one.on < HONOURED_FROM and not _agree(one, self._units) for one in run)
        return length if over_a_split or stands_still or denied else 0

    def _is_stale(self, one: ShareObservation, last: date) -> bool:
        """True if a frozen count is not true of a date of its run, which ends on `last`.

        Where the company has one class, its count says so; else all is but the end, where the class count stands.
        """
        if self._one_class:
            return one.weighted != one.share_class
        return self._units.between(one.on, last) or not self._is_as_at_the_end(one)

    def _is_as_at_the_end(self, one: ShareObservation) -> bool:
        if not one.share_class or not self._frozen_class:
            return True
        return abs(self._class_neutral(one) / self._frozen_class - 1) <= _SAME

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
        unit = self._units.neutral(1, epoch)
        return Point(one.on, neutral, unit, "weighted", shares, one.share_class, tuple(adjustments))

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
        unit = self._units.neutral(1, epoch)
        return Point(one.on, neutral, unit, "share_class", one.weighted, one.share_class, tuple(adjustments))

    def _wrong_units(self, on: date, shares: float, neutral: float, epoch: int, *, is_frozen: bool) -> Adjustment:
        is_ahead = epoch > self._units.epoch(on)
        split = self._units.splits[epoch - 1 if is_ahead else epoch]
        return Adjustment(
            "frozen count un-split" if is_frozen else "share count in the units of another day",
            f"{shares:.0f} is {'already in the units after' if is_ahead else 'still in the units before'} the split "
            f"{split.split_to:g} for {split.split_from:g} of {split.execution_date}: only so does it continue its "
            f"neighbours ({self._units.on(neutral, on):.0f} in the units of {on})",
        )


def _class_part(answers: Sequence[ShareObservation]) -> float | None:
    """The part of the company's shares that is in the line's class, where both counts are given and honour the date."""
    parts = [(one.on, one.share_class / one.weighted) for one in answers if one.weighted and one.share_class]
    fresh = [part for on, part in parts if on >= HONOURED_FROM] or [part for _, part in parts[-1:]]
    return median_low(fresh) if fresh else None


def _agree(one: ShareObservation, units: SplitUnits) -> bool:
    """True if an answer's two counts are one, even if a split of some days around is in one of them only."""
    if not one.weighted or not one.share_class:
        return True
    own = units.epoch(one.on)
    near = [epoch for epoch in range(units.epochs) if epoch == own or units.is_near_split(one.on, epoch)]
    classes = [units.neutral(one.share_class, epoch) for epoch in near]
    return any(
        abs(math.log(units.neutral(one.weighted, epoch) / count)) <= _SAME for epoch in near for count in classes
    )


def _within_split_window(run: Sequence[ShareObservation], units: SplitUnits) -> bool:
    """True if the run reaches over a split only by the few days in which the vendor lags or leads."""
    first, last = units.epoch(run[0].on), units.epoch(run[-1].on)
    is_near = units.is_near_split(run[0].on, first + 1) or units.is_near_split(run[-1].on, last - 1)
    return last == first + 1 and is_near


def _backed(given: Sequence[ShareObservation], units: SplitUnits, part: float | None) -> set[tuple[date, int]]:
    """The readings of the whole-company counts that the class count confirms, as pairs of date and epoch."""
    return {
        (one.on, epoch)
        for one in given
        if one.weighted and one.share_class and part
        for epoch in range(units.epochs)
        if abs(math.log(units.neutral(one.weighted, epoch) * units.ratio(one.on) * part / one.share_class)) < _BACKED
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


# Counts that jump


def _without_glitches(points: Sequence[Point], jumps: Collection[date]) -> tuple[list[Point], list[Gap]]:
    """The points that stand; those that jump and return within days, or have just jumped, are gaps."""
    if not points:
        return [], []
    first, *rest = points
    if _first_is_glitch(points):
        stand, *rest = rest
        kept, gaps = [stand], [_gap(first, stand)]
    else:
        kept, gaps = [first], []
    for index, point in enumerate(rest):
        last = kept[-1]
        explained = any(last.on - _LATE < jump <= point.on + _EARLY for jump in jumps)
        if not explained and _is_glitch(point, rest[index + 1 :], last.neutral):
            gaps.append(_gap(point, last))
        else:
            kept.append(point)
    return kept, gaps


def _gap(point: Point, known: Point) -> Gap:
    return Gap(point.on, point.vendor, point.share_class, point.neutral / known.neutral)


def _is_glitch(point: Point, later: Sequence[Point], good: float) -> bool:
    """True if a count left the level `good` and no later answer confirms that it stays away."""
    jump = _apart(point, good)
    if jump <= _GLITCH:
        return False
    returned = next((one for one in later if _apart(one, good) <= _RETURNED), None)
    if returned is not None:
        stays = [one for one in later if one.on < returned.on]
        last = stays[-1].on if stays else point.on
        return last - point.on <= _GLITCH_DAYS and all(_apart(one, good) > _GLITCH for one in stays)
    confirmed = any(one.on - point.on >= _GLITCH_DAYS for one in later)
    return not confirmed and jump > _UNCONFIRMED


def _first_is_glitch(points: Sequence[Point]) -> bool:
    """The first answer has no past; it is one if it is off and all that follow agree with each other."""
    first, *rest = points[:4]
    if len(rest) < 2:
        return False
    level = rest[0].neutral
    agree = all(_apart(one, level) <= _RETURNED for one in rest)
    return agree and rest[0].on - first.on <= _GLITCH_DAYS and _apart(first, level) > _UNCONFIRMED


def _apart(point: Point, level: float) -> float:
    return abs(math.log(point.neutral / level))
