"""What the vendor said of a line's shares, read: the right figure of each answer, in the right share units.

Pure: it is given the answers and the splits, and says what it had to do to each. The vendor's faults that it knows
(docs/methodology.md has the evidence for each):

- a count already in post-split shares before the execution date, or not yet in them on it and for days after;
- a history frozen at a later count, in later share units, for all dates before about autumn 2021;
- a missing count; a count that jumps for some days and returns.

In which share units a count was given is `split_units`' to find.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from mag7cli.shares.class_part import ONE_CLASS, SAME_PART, class_part, part_after
from mag7cli.shares.count_levels import Gap, Point, settle_levels
from mag7cli.shares.cover_pages import CoverPage, cover_of, covers_around
from mag7cli.shares.records import HONOURED_FROM, Adjustment, ShareObservation
from mag7cli.shares.split_adjustment import SplitUnits, read_epochs

_BACKED: Final = math.log(1.1)
# A count that stands still for longer than a quarter before it first moves does not honour the date asked for.
_FROZEN: Final = timedelta(days=100)
_SAME: Final = 1e-6
# A class that moved by more against a frozen count may have been converted, not issued or bought back: then it says
# nothing of the company, unless it has been the same part of it ever since.
_CLASS_DRIFT: Final = math.log(1.1)
_STEADY_DRIFT: Final = math.log(1.9)
# What a count that was converted may be off its neighbours, the more the further they are: beyond it the ratio by
# which it was converted is another.
_MISFIT: Final = math.log(1.05)
_MISFIT_A_DAY: Final = 0.0005


def read(
    answers: Sequence[ShareObservation], units: SplitUnits, covers: Sequence[CoverPage] = ()
) -> tuple[list[Point], list[Gap]]:
    """The counts that the answers (sorted by date) tell, and the answers that tell none.

    `covers` are the company's cover pages, oldest first, as far as they are known.
    """
    points, gaps = _Reading(answers, units, covers).points()
    points, glitches = settle_levels(points)
    return points, [*gaps, *glitches]


def read_class(answers: Sequence[ShareObservation], units: SplitUnits) -> list[Point]:
    """The counts of the line's own class that the answers (sorted by date) tell, without those that jump and return."""
    counts = [(answer.on, answer.share_class) for answer in answers if answer.share_class]
    epochs = read_epochs(counts, units)
    points = [
        Point(on, units.to_base(count, epochs[on]), units.to_base(1, epochs[on]), "share_class", None, count)
        for on, count in counts
    ]
    return settle_levels(points)[0]


class _Reading:
    """Makes points of answers: the right figure of each, in the right units."""

    def __init__(self, answers: Sequence[ShareObservation], units: SplitUnits, covers: Sequence[CoverPage]) -> None:
        self._answers = answers
        self._units = units
        self._covers = covers
        part = class_part(answers)
        self._one_class = part is not None and abs(math.log(part)) <= ONE_CLASS
        self._class_epochs = read_epochs(
            [(answer.on, answer.share_class) for answer in answers if answer.share_class], units
        )
        weighted_answers = [answer for answer in answers if answer.weighted]
        run = weighted_answers[: self._frozen_length(weighted_answers)]
        self._frozen_class = next((self._class_base(answer) for answer in reversed(run) if answer.share_class), None)
        self._standing_still = {answer.on for answer in run}
        self._stale = {answer.on for answer in run if self._is_stale(answer, run[-1].on)}
        weighted = [(answer.on, answer.weighted) for answer in weighted_answers if answer.weighted]
        is_early = bool(weighted_answers) and weighted_answers[0].on < HONOURED_FROM
        # Without a split there is one reading of each.
        backed = _backed(weighted_answers, units, part) if units.epochs > 1 else ()
        self._weighted_epochs = read_epochs(weighted, units, len(run), backed, may_be_frozen=is_early)
        self._part = part_after(weighted_answers, self._first_run(weighted_answers))
        self._off_part = dict(self._off_their_part(weighted_answers))
        self._stale |= self._off_part.keys()
        self._unlisted = self._unlisted_of(run)
        self._stale -= {answer.on for answer in weighted_answers if self._has_the_count_of_its_cover(answer)}

    def _first_run(self, answers: Sequence[ShareObservation]) -> int:
        """How many of the first answers may be frozen: those that stand still, else those that name one count."""
        return len(self._standing_still) or _leading(answers)

    def _off_their_part(self, answers: Sequence[ShareObservation]) -> Iterator[tuple[date, float]]:
        """Counts from before the vendor's honour the date of which the class is not the part that it is soon after.

        Each with how many times itself it would be in proportion to the class, which honours the date.
        """
        if self._one_class or self._part is None:
            return
        for index, answer in enumerate(answers):
            if answer.weighted and answer.share_class and self._may_be_frozen(answer.on, index, answers):
                whole = self._units.to_base(answer.weighted, self._weighted_epochs[answer.on])
                drift = self._class_base(answer) / self._part.part / whole
                if SAME_PART < abs(math.log(drift)) <= self._most_drift:
                    yield answer.on, drift

    def _may_be_frozen(self, day: date, index: int, answers: Sequence[ShareObservation]) -> bool:
        """True for what is early; where the class is a steady part later, also for what stands still or is first."""
        if day < HONOURED_FROM or not (self._part and self._part.is_steady):
            return day < HONOURED_FROM
        return day in self._standing_still or index < _leading(answers)

    @property
    def _most_drift(self) -> float:
        """Up to which log step the class tells how a frozen count moved."""
        return _STEADY_DRIFT if self._part and self._part.is_steady else _CLASS_DRIFT

    def points(self) -> tuple[list[Point], list[Gap]]:
        """A point for each answer that tells how many shares the whole company has, and the answers that do not.

        If none does, the class counts stand in.
        """
        points = _misfits_marked([point for answer in self._answers if (point := self._point(answer))])
        if not points:
            points = [self._class_point(answer, answer.share_class) for answer in self._answers if answer.share_class]
        days = {point.on for point in points}
        return points, [
            Gap(answer.on, answer.weighted, answer.share_class) for answer in self._answers if answer.on not in days
        ]

    def _point(self, answer: ShareObservation) -> Point | None:
        is_suspected = answer.on in self._stale or answer.on in self._standing_still
        if is_suspected and (cover := self._cover_point(answer)) and not self._is_count(answer, cover):
            return cover
        if answer.on in self._stale and (between := self._between_covers(answer)):
            return between
        if answer.weighted and not (answer.on in self._stale and self._one_class and answer.share_class):
            return self._weighted_point(answer, answer.weighted)
        return self._class_point(answer, answer.share_class) if answer.share_class and self._one_class else None

    def _frozen_length(self, answers: Sequence[ShareObservation]) -> int:
        """How many of the first answers are one and the same frozen count: 0 if the history honours the date.

        A count is frozen if it stands still over a split, or while the class count moves, or is not what the company's
        only class has. But for a split, a quarter's delay is forgiven where the vendor's counts honour the date.
        """
        if not answers:
            return 0
        length = _leading(answers)
        run = answers[:length]
        first, last = run[0].on, run[-1].on
        over_a_split = self._units.between(first, last) and not _within_split_window(run, self._units)
        classes = [self._class_base(answer) for answer in run if answer.share_class]
        class_moves = bool(classes) and max(classes) > (1 + _SAME) * min(classes)
        stands_still = class_moves and (first < HONOURED_FROM or last - first > _FROZEN)
        later = part_after(answers, length)
        denied = self._one_class and any(
            (answer.on < HONOURED_FROM or (later and later.is_steady)) and not _agree(answer, self._units)
            for answer in run
        )
        return length if over_a_split or stands_still or denied else 0

    def _is_stale(self, answer: ShareObservation, last: date) -> bool:
        """True if a frozen count is not true of a date of its run, which ends on `last`.

        Where the company has one class, its count says so; else all is but the end, where the class count stands.
        """
        if self._one_class:
            return answer.weighted != answer.share_class
        return self._units.between(answer.on, last) or not self._is_as_at_the_end(answer)

    def _is_as_at_the_end(self, answer: ShareObservation) -> bool:
        if not answer.share_class or not self._frozen_class:
            return True
        return abs(self._class_base(answer) / self._frozen_class - 1) <= _SAME

    def _class_base(self, answer: ShareObservation) -> float:
        return self._units.to_base(answer.share_class or 0.0, self._class_epochs[answer.on])

    def _cover_point(self, answer: ShareObservation) -> Point | None:
        """The count of the cover page of a date for which the vendor's stands still; None if it is not known."""
        cover = cover_of(self._covers, answer.on)
        epoch = self._units.epoch(cover.as_of) if cover else 0
        shares = cover.shares if cover else None
        if cover and shares is None and self._unlisted and all(count.shares for count in cover.classes if count.ticker):
            shares = math.fsum(cover.listed.values()) + self._units.in_units(self._unlisted, epoch)
        if cover is None or shares is None:
            return None
        evidence = f"the vendor's count does not honour the date; {cover} has {shares:.0f}"
        if cover.shares is None:
            evidence += ", with the unlisted class as the vendor's later count has it"
        why = Adjustment("share history frozen by the vendor: cover page used", evidence, is_frozen=True)
        base_shares, unit = self._units.to_base(shares, epoch), self._units.to_base(cover.precision, epoch)
        return Point(answer.on, base_shares, unit, "cover_page", answer.weighted, answer.share_class, (why,))

    def _between_covers(self, answer: ShareObservation) -> Point | None:
        """The count of the only class that trades, which honours the date, and what two covers leave of the other."""
        around = covers_around(self._covers, answer.on)
        if around is None or self._one_class or not answer.share_class:
            return None
        (before, was), (after, now) = [(cover, self._unlisted_base(cover)) for cover in around]
        passed = (answer.on - before.period_end) / (after.period_end - before.period_end)
        unlisted = was + (now - was) * passed
        base_shares = self._class_base(answer) + unlisted
        why = Adjustment(
            "share history frozen by the vendor: class count and cover pages used",
            "the vendor's count does not honour the date, that of the class does; the other class is between what "
            f"{before} and {after} have of it",
            is_frozen=True,
            open_part=max(abs(was - unlisted), abs(now - unlisted)) / base_shares,
        )
        unit = self._units.to_base(1, self._class_epochs[answer.on])
        return Point(answer.on, base_shares, unit, "cover_page", answer.weighted, answer.share_class, (why,))

    def _unlisted_base(self, cover: CoverPage) -> float:
        unlisted = (cover.shares or 0.0) - math.fsum(cover.listed.values())
        return self._units.to_base(unlisted, self._units.epoch(cover.as_of))

    def _has_the_count_of_its_cover(self, answer: ShareObservation) -> bool:
        cover = None if self._one_class else self._cover_point(answer)
        return cover is not None and self._is_count(answer, cover)

    def _is_count(self, answer: ShareObservation, cover: Point) -> bool:
        """True if a cover page has the very count that the vendor names, whatever else it names."""
        shares = answer.share_class if self._one_class else answer.weighted
        return bool(shares) and abs(self._units.on(cover.base_shares, answer.on) - (shares or 0.0)) <= cover.unit / 2

    def _unlisted_of(self, run: Sequence[ShareObservation]) -> float | None:
        """How many base shares no line trades, by the first count that honours its date and that quarter's cover."""
        last = run[-1] if run else None
        if last is None or last.on < HONOURED_FROM or not last.weighted:
            return None
        cover = cover_of(self._covers, last.on)
        if cover is None or not cover.listed or not all(count.shares for count in cover.classes if count.ticker):
            return None
        listed = self._units.to_base(math.fsum(cover.listed.values()), self._units.epoch(cover.as_of))
        rest = self._units.to_base(last.weighted, self._weighted_epochs[last.on]) - listed
        return rest if rest > 0 else None

    def _weighted_point(self, answer: ShareObservation, shares: float) -> Point:
        epoch, is_stale = self._weighted_epochs[answer.on], answer.on in self._stale
        base_shares = self._units.to_base(shares, epoch)
        adjustments: list[Adjustment] = []
        if epoch != self._units.epoch(answer.on):
            adjustments.append(self._wrong_units(answer.on, shares, base_shares, epoch, is_frozen=is_stale))
        if is_stale:
            drift, other = self._class_drift(answer)
            base_shares *= drift
            adjustments.append(_frozen(drift, other))
        unit = self._units.to_base(1, epoch)
        return Point(answer.on, base_shares, unit, "weighted", shares, answer.share_class, tuple(adjustments))

    def _class_drift(self, answer: ShareObservation) -> tuple[float, float]:
        """How many times a frozen count to take, as the class moved, which honours the date; and what else it may be.

        Buybacks and issues move a company's classes about alike. Where the class moved so far that it may have been
        converted, the count is taken as it is.
        """
        if answer.on in self._off_part:
            return self._off_part[answer.on], self._off_part[answer.on]
        if not answer.share_class or not self._frozen_class:
            return 1.0, 1.0
        drift = self._class_base(answer) / self._frozen_class
        return (drift if abs(math.log(drift)) <= _CLASS_DRIFT else 1.0), drift

    def _class_point(self, answer: ShareObservation, shares: float) -> Point:
        epoch = self._class_epochs[answer.on]
        base_shares = self._units.to_base(shares, epoch)
        adjustments = [_class_used(answer, is_stale=answer.on in self._stale, one_class=self._one_class)]
        if epoch != self._units.epoch(answer.on):
            adjustments.append(self._wrong_units(answer.on, shares, base_shares, epoch, is_frozen=False))
        unit = self._units.to_base(1, epoch)
        return Point(
            answer.on, base_shares, unit, "share_class", answer.weighted, answer.share_class, tuple(adjustments)
        )

    def _wrong_units(self, on: date, shares: float, base_shares: float, epoch: int, *, is_frozen: bool) -> Adjustment:
        is_ahead = epoch > self._units.epoch(on)
        split = self._units.splits[epoch - 1 if is_ahead else epoch]
        return Adjustment(
            "frozen count un-split" if is_frozen else "share count in the units of another day",
            f"{shares:.0f} is {'already in the units after' if is_ahead else 'still in the units before'} the split "
            f"{split.split_to:g} for {split.split_from:g} of {split.execution_date}: only so does it continue its "
            f"neighbours ({self._units.on(base_shares, on):.0f} in the units of {on})",
            is_converted=True,
        )


def _misfits_marked(points: Sequence[Point]) -> list[Point]:
    """The points, those in doubt that were converted and fit no neighbour even so: the ratio may be another one."""
    return [
        _misfit(point, _unconverted_around(points, index)) if point.adjustments else point
        for index, point in enumerate(points)
    ]


def _misfit(point: Point, around: Sequence[Point]) -> Point:
    if (
        not point.is_converted
        or point.is_frozen
        or not all(_is_misfit(point, neighbour) for neighbour in around)
        or not around
    ):
        return point
    other = around[0]
    why = Adjustment(
        "share count in the units of another day, but of another ratio",
        f"converted by the split that is listed it is x{point.base_shares / other.base_shares:.4g} that of {other.on}",
        doubtful=True,
        kind="ratio_misfit",
    )
    return replace(point, adjustments=(*point.adjustments, why))


def _unconverted_around(points: Sequence[Point], index: int) -> list[Point]:
    """The nearest points on both sides that were told in the units of their own days."""
    if not points[index].is_converted:
        return []
    sides = (reversed(points[:index]), points[index + 1 :])
    nearest = (next((point for point in side if not point.is_converted), None) for side in sides)
    return [point for point in nearest if point]


def _is_misfit(point: Point, other: Point) -> bool:
    apart = abs(math.log(point.base_shares / other.base_shares))
    return apart > _MISFIT + _MISFIT_A_DAY * abs((point.on - other.on).days)


def _agree(answer: ShareObservation, units: SplitUnits) -> bool:
    """True if an answer's two counts are one, even if a split of some days around is in one of them only."""
    if not answer.weighted or not answer.share_class:
        return True
    own = units.epoch(answer.on)
    near = [epoch for epoch in range(units.epochs) if epoch == own or units.is_near_split(answer.on, epoch)]
    classes = [units.to_base(answer.share_class, epoch) for epoch in near]
    return any(
        abs(math.log(units.to_base(answer.weighted, epoch) / count)) <= _SAME for epoch in near for count in classes
    )


def _leading(answers: Sequence[ShareObservation]) -> int:
    """How many of the first answers name one and the same count."""
    counts = (index for index, answer in enumerate(answers) if answer.weighted != answers[0].weighted)
    return next(counts, len(answers))


def _within_split_window(run: Sequence[ShareObservation], units: SplitUnits) -> bool:
    """True if the run reaches over a split only by the few days in which the vendor lags or leads."""
    first, last = units.epoch(run[0].on), units.epoch(run[-1].on)
    is_near = units.is_near_split(run[0].on, first + 1) or units.is_near_split(run[-1].on, last - 1)
    return last == first + 1 and is_near


def _backed(answers: Sequence[ShareObservation], units: SplitUnits, part: float | None) -> set[tuple[date, int]]:
    """The readings of the whole-company counts that the class count confirms, as pairs of date and epoch."""
    return {
        (answer.on, epoch)
        for answer in answers
        if answer.weighted and answer.share_class and part
        for epoch in range(units.epochs)
        if abs(math.log(units.to_base(answer.weighted, epoch) * units.ratio(answer.on) * part / answer.share_class))
        < _BACKED
    }


def _frozen(drift: float, other: float) -> Adjustment:
    """Why a frozen count was used, what was done to it, and what may be true as well."""
    if drift != 1:
        evidence = f"the count does not honour the date; it was moved by x{drift:.5g} as the class count, which does"
    elif other != 1:
        evidence = f"the count does not honour the date; the class moved by x{other:.5g}, by issue or by conversion"
    else:
        evidence = "the count does not honour the date, and no class count tells how far it moved"
    open_part = abs(other / drift - 1)
    return Adjustment("share history frozen by the vendor", evidence, is_frozen=True, open_part=open_part)


def _class_used(answer: ShareObservation, *, is_stale: bool, one_class: bool) -> Adjustment:
    if is_stale:
        return Adjustment(
            "share history frozen by the vendor: share class count used",
            f"the whole-company count {answer.weighted:.0f} does not honour the date; the company has one class, "
            "whose count does",
            is_frozen=True,
        )
    return Adjustment(
        "whole-company count missing: share class count used",
        "the vendor gave share_class_shares_outstanding only"
        + ("" if one_class else ", and whether the company has further classes is not known"),
        doubtful=not one_class,
    )
