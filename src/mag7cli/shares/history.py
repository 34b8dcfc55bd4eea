"""The arithmetic of share counts: a company's shares outstanding on every date, in that day's own share units.

Pure: it is given what the vendor said and the list of splits. What is wrong with the vendor's answers is
`share_readings`' to know; here they are sound, and the count between them is told.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise

from mag7cli.market.calendar import next_session, session_on_or_before
from mag7cli.market.records import SPLIT_NOT_AS_LISTED, STEP_CONFIRMED, Split
from mag7cli.shares.anomalies import LARGE_STEP
from mag7cli.shares.close_moves import CloseHistory
from mag7cli.shares.count_levels import CONFIRMED_AFTER, Gap, Point
from mag7cli.shares.cover_pages import CoverPage
from mag7cli.shares.observations import read, read_class
from mag7cli.shares.records import HONOURED_FROM, Adjustment, Basis, ShareObservation
from mag7cli.shares.second_witness import explain_steps, hold_against_covers
from mag7cli.shares.split_adjustment import SplitUnits
from mag7cli.shares.split_evidence import SplitQuestion, find_splits
from mag7cli.shares.stock_awards import AwardEvent


@dataclass(frozen=True, slots=True)
class SecurityFacts:
    """What is known of a line besides the vendor's share counts.

    `splits` are the rows of the vendor's list, right or wrong; `closes` the unadjusted ones. `covers` (oldest first)
    and `awards` are the company's. Large steps of a company that `is_watched` have to be explained.
    """

    splits: Sequence[Split] = ()
    closes: CloseHistory = field(default_factory=CloseHistory)
    covers: Sequence[CoverPage] = ()
    awards: Sequence[AwardEvent] = ()
    is_watched: bool = False


@dataclass(frozen=True, slots=True)
class ShareCount:
    """Shares outstanding of the whole company in the units of the day asked for.

    `observed_on` is the date of the vendor's answer behind it, `vendor` that answer's own figure.
    """

    shares: float
    basis: Basis
    observed_on: date
    vendor: float | None
    share_class: float | None
    adjustments: tuple[Adjustment, ...] = ()

    @property
    def is_plain(self) -> bool:
        """True if it is the vendor's own word for about that day."""
        return not self.adjustments and self.basis != "last_known"


class ShareHistory:
    """Shares outstanding of one line's company, read from what the vendor said. Immutable once made."""

    def __init__(
        self,
        observations: Iterable[ShareObservation],
        facts: SecurityFacts | None = None,
        *,
        steps: Sequence[date] = (),
    ) -> None:
        """`steps` (sorted) are the dates on which the count is expected to step, as far as they are known."""
        facts = facts or SecurityFacts()
        answers = sorted(observations, key=lambda answer: answer.on)
        findings = find_splits(facts.splits, facts.closes, answers, HONOURED_FROM)
        self.units = SplitUnits(findings.splits)
        self.questions: Sequence[SplitQuestion] = findings.questions
        self._notes = {split.execution_date: note for split, note in findings.notes.items()}
        self._answers = answers
        self._steps = steps
        points, gaps = read(answers, self.units, facts.covers)
        points = hold_against_covers(points, self.units, facts.covers)
        if facts.is_watched:
            points = explain_steps(points, self.units, facts.covers, facts.awards)
        self._points = points
        self._gaps = {gap.on: gap for gap in gaps}

    def stepping_on(self, steps: Sequence[date]) -> "ShareHistory":
        """The same history with other expected steps."""
        other = copy(self)
        other._steps = steps
        for name in ("_all_runs", "_path", "_counts", "_class_path", "_confirmed_steps", "_is_undisputed", "_turns"):
            other.__dict__.pop(name, None)
        return other

    def on(self, day: date) -> ShareCount | None:
        """The count on a date; None if the vendor never gave one.

        Between two answers that differ the count is taken to step on the expected day that lies between them, in
        equal parts if there are several, and midway if there is none.
        """
        if not self._points:
            return None
        count = self._count_after(bisect_right(self._path[0], day) - 1)
        if self._is_undisputed:
            return count
        if day in self._gaps:
            count = _carried_over(count, self._gaps[day])
        elif self._open_gap and self._points[-1].on < day:
            count = _adjusted(count, [_jump(count, self._open_gap)])
        why = [_undecided(question, count.shares) for question in self.questions if day >= question.on]
        if day in self._notes:
            why.append(Adjustment(SPLIT_NOT_AS_LISTED, self._notes[day]))
        if day in self._confirmed_steps:
            why.append(Adjustment(STEP_CONFIRMED, self._confirmed_steps[day]))
        return _adjusted(count, why) if why else count

    def stands_until(self, day: date) -> date:
        """The first date on which the count may be another one than on this date, as `on` tells them."""
        if not self._points:
            return day + timedelta(days=1)
        index = bisect_right(self._turns, day)
        return self._turns[index] if index < len(self._turns) else date.max

    def class_on(self, day: date) -> float | None:
        """The shares of the line's own class on a date, in that day's units; None if the vendor never named them."""
        if not self._class_path:
            return None
        index = max(0, bisect_right(self._class_path, day, key=lambda run: run[0]) - 1)
        return self.units.on(self._class_path[index][1], day)

    def class_stands_until(self, day: date) -> date:
        """The first date on which the shares of the line's own class may be others than on this date."""
        starts = (start for start, _ in self._class_path[1:])
        splits = (split.execution_date for split in self.units.splits)
        return min((change for change in (*starts, *splits) if change > day), default=date.max)

    @cached_property
    def observed(self) -> Sequence[date]:
        """The dates for which the vendor named a count, oldest first."""
        return [point.on for point in self._points]

    def base_shares(self, day: date) -> float:
        """The count of the last answer on or before a date, in the units before the first split; of the first, else."""
        return self._points[max(0, bisect_right(self._points, day, key=lambda point: point.on) - 1)].base_shares

    def changes(self) -> list[tuple[date, date, float]]:
        """The pairs of neighbouring answers that differ: earlier, later, neutral shares that the later has more."""
        return [
            (earlier.on, later.on, later.base_shares - earlier.base_shares)
            for earlier, later in pairwise(self._points)
            if _differ(earlier, later)
        ]

    def runs(self) -> Iterator[tuple[date, float]]:
        """From which date on the count is taken to be how many base shares, oldest first; the first holds before."""
        return ((day, base_shares) for day, _, base_shares in self._all_runs)

    @cached_property
    def _all_runs(self) -> list[tuple[date, Point, float]]:
        return list(_runs(self._points, self._steps, self.units))

    @cached_property
    def _turns(self) -> list[date]:
        """The dates on which `on` may begin to tell something else, sorted."""
        alone = {*self._gaps, *self._notes}
        after = {day + timedelta(days=1) for day in (*alone, self._points[-1].on)}
        return sorted({*self._path[0], *alone, *after, *(question.on for question in self.questions)})

    @cached_property
    def _is_undisputed(self) -> bool:
        return not (self._gaps or self.questions or self._notes or self._confirmed_steps)

    @cached_property
    def _confirmed_steps(self) -> dict[date, str]:
        """The sessions on which the count more than doubles, or the reverse, and no answer after it leaves a doubt."""
        return {
            next_session(day - timedelta(days=1)): f"x{now / was:.4g}, as the answers of the quarters around it have it"
            for (_, before, was), (day, point, now) in pairwise(self._all_runs)
            if abs(math.log(now / was)) >= LARGE_STEP and not (before.is_doubtful or point.is_doubtful)
        }

    @cached_property
    def _open_gap(self) -> Gap | None:
        """The first of the last answers, if they jump and no later one says whether they are right."""
        return min((gap for gap in self._gaps.values() if gap.is_open), key=lambda gap: gap.on, default=None)

    @property
    def confirming_session(self) -> date | None:
        """The session whose count tells whether the last answers, if they jump, stand; None if that is known."""
        last = max((gap.on for gap in self._gaps.values() if gap.is_open), default=None)
        session = session_on_or_before(last - CONFIRMED_AFTER) if last else date.min
        return session if self._points and session > self._points[-1].on else None

    @cached_property
    def _class_path(self) -> list[tuple[date, float]]:
        """From which date on the class has how many base shares; the first holds before."""
        points = read_class(self._answers, self.units)
        return [(day, base_shares) for day, _, base_shares in _runs(points, self._steps, self.units)]

    @cached_property
    def _path(self) -> tuple[list[date], list[tuple[Point, float]]]:
        """From which date on which answer speaks, and for how many base shares: the first before all dates."""
        runs = self._all_runs
        starts = [day for day, _, _ in runs]
        days = sorted({date.min, *starts[1:], *(split.execution_date for split in self.units.splits)})
        return days, [runs[max(0, bisect_right(starts, day) - 1)][1:] for day in days]

    @cached_property
    def _counts(self) -> dict[int, ShareCount]:
        """The counts of the path that somebody asked for: an evening asks for one of each line's."""
        return {}

    def _count_after(self, index: int) -> ShareCount:
        """The count from one of the dates of the path on."""
        count = self._counts.get(index)
        if count is None:
            days, in_force = self._path
            point, base_shares = in_force[index]
            count = self._counts[index] = ShareCount(
                self.units.on(base_shares, days[index]),
                point.basis,
                point.on,
                point.vendor,
                point.share_class,
                point.adjustments,
            )
        return count


def _carried_over(count: ShareCount, gap: Gap) -> ShareCount:
    """The count on a date for which the vendor's answer is no use: the last known one, or the next before the first."""
    which = "last" if count.observed_on < gap.on else "next"
    if gap.jump is None:
        why = Adjustment(
            f"share count missing: {which} known count used", f"the {which} known count is of {count.observed_on}"
        )
    else:
        why = _jump(count, gap)
    return replace(
        count,
        basis="last_known",
        observed_on=gap.on,
        vendor=gap.vendor,
        share_class=gap.share_class,
        adjustments=(*count.adjustments, why),
    )


def _jump(count: ShareCount, gap: Gap) -> Adjustment:
    which = "last" if count.observed_on < gap.on else "next"
    return Adjustment(
        f"unexplained jump in the share count: {which} known count used",
        f"the vendor's count of {gap.on} is x{gap.jump:.4g} that of {count.observed_on}, with no split and no later "
        "answer that would confirm it",
        doubtful=True,
    )


def _undecided(question: SplitQuestion, shares: float) -> Adjustment:
    return Adjustment(
        "a split may have been missed",
        question.evidence,
        doubtful=True,
        kind="split_undecided",
        other=shares * question.ratio,
    )


def _adjusted(count: ShareCount, why: Iterable[Adjustment]) -> ShareCount:
    return replace(count, adjustments=(*count.adjustments, *why))


def _differ(earlier: Point, later: Point) -> bool:
    """True if two counts are not the same; told in different units they are within a share of each other."""
    rounding = 0.0 if earlier.unit == later.unit else max(earlier.unit, later.unit)
    return abs(earlier.base_shares - later.base_shares) > rounding + 1e-9 * earlier.base_shares


def _runs(points: Sequence[Point], steps: Sequence[date], units: SplitUnits) -> Iterator[tuple[date, Point, float]]:
    """From which date on which answer speaks, and the base shares that it then stands for."""
    for before, upcoming in pairwise(points):
        yield before.on, before, before.base_shares
        if _differ(before, upcoming):
            yield from _stepping(before, upcoming, steps)
        elif units.between(before.on, upcoming.on):
            # A split may leave fractions, which the first answer in the new units has settled.
            yield units.splits[units.epoch(before.on)].execution_date, upcoming, upcoming.base_shares
    if points:
        yield points[-1].on, points[-1], points[-1].base_shares


def _stepping(before: Point, upcoming: Point, steps: Sequence[date]) -> Iterator[tuple[date, Point, float]]:
    """In equal parts on the expected steps between two answers, or midway if there is none."""
    between = steps[bisect_right(steps, before.on) : bisect_right(steps, upcoming.on)]
    if not between:
        yield before.on + (upcoming.on - before.on) // 2 + timedelta(days=1), upcoming, upcoming.base_shares
    for done, step in enumerate(between, start=1):
        if done == len(between):
            yield step, upcoming, upcoming.base_shares
        else:
            yield step, before, before.base_shares + (upcoming.base_shares - before.base_shares) * done / len(between)
