"""Which splits a company had if the list may be wrong: closes, both share counts and the list decide together.

Pure. The list may lack a split, have it a day early or late, with a wrong or an inverted ratio, or twice; the vendor's
counts may be early, late, or in one field only. The unadjusted close says on which day a split can have been, and in
about what ratio; the counts on both sides, out of the reach of their delays, say whether it was one and in which ratio
exactly. A split needs two witnesses that agree, and none that denies it; where they do not agree there is a question,
and every count from that day on is in doubt until an answer decides it.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Final, Literal

from mag7cli.market.records import Split
from mag7cli.shares.close_moves import MARKET_MOVES_AT_MOST, ROUND_STEPS, SMALLEST_MOVE, CloseHistory, CloseMove
from mag7cli.shares.records import ShareObservation

Witness = Literal["weighted", "share_class"]
WITNESSES: Final[tuple[Witness, ...]] = ("weighted", "share_class")

EARLY: Final = timedelta(days=7)
LATE: Final = timedelta(days=14)
"""The windows in which the vendor was seen to be ahead of, or behind, a split: docs/methodology.md."""

SPLIT_SIZED: Final = math.log(1.4)
"""From this log step of a close on, near a round ratio, it may have been a split unless the counts say otherwise."""
# How far the counts on both sides may be from a ratio besides, and how much nearer to it than to any other. A ratio
# that a merger could have as well must be met more closely, and within a few months.
_NO_MERGER: Final = math.log(1.9)
_COUNTS_MOVE: Final = 0.12
_COUNTS_MOVE_SMALL: Final = 0.03
_SMALL_WITHIN: Final = timedelta(days=120)
_SAME_RATIO: Final = 0.02
# A row of the list is about a move of the close some days away.
_ROW_OFF: Final = timedelta(days=10)


NEIGHBOURHOOD: Final = timedelta(days=21)
"""How far an answer must be from a range to be out of reach of all delays around the splits near it."""


def neighbours(first: date, last: date) -> tuple[date, date]:
    """The days before and after a range whose answers no delay of the vendor around a split in it can reach."""
    return first - NEIGHBOURHOOD, last + NEIGHBOURHOOD


@dataclass(frozen=True, slots=True)
class SplitQuestion:
    """A move of the close from `before` to `on` that may be a split, or may not: counts from `on` on are in doubt.

    `ratio` is about how many new shares there would be for an old one.
    """

    before: date
    on: date
    evidence: str
    ratio: float = 1.0

    @property
    def deciding_dates(self) -> tuple[date, date]:
        """From when on back, and from when on, an answer is out of reach of the vendor's delays."""
        return self.before - EARLY - timedelta(days=1), self.on + LATE


@dataclass(frozen=True, slots=True)
class SplitFindings:
    """The splits to go by, oldest first. `notes` say of those that are not as listed why they stand all the same."""

    splits: tuple[Split, ...]
    notes: Mapping[Split, str] = field(default_factory=dict)
    questions: tuple[SplitQuestion, ...] = ()


def find_splits(
    rows: Iterable[Split], closes: CloseHistory, answers: Sequence[ShareObservation], honoured_from: date
) -> SplitFindings:
    """The splits that the list, the closes (unadjusted, USD) and the counts (oldest first) make out together.

    Before `honoured_from` a whole-company count that stands still says nothing.
    """
    return _Judge(rows, closes, answers, honoured_from).findings()


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What came of one move: the step of the count, if it was a split; `is_open` if that is not decided."""

    step: float
    is_open: bool = False
    note: str | None = None


class _Judge:
    def __init__(
        self,
        rows: Iterable[Split],
        closes: CloseHistory,
        answers: Sequence[ShareObservation],
        honoured_from: date,
    ) -> None:
        self._rows = sorted(set(rows), key=lambda row: (row.execution_date, row.ratio))
        self._answers = answers
        self._honoured_from = honoured_from
        self._closes = closes.and_of(answers)
        self._splits: list[Split] = []
        self._notes: dict[Split, str] = {}
        self._questions: list[SplitQuestion] = []

    def findings(self) -> SplitFindings:
        self._splits = list(self._unwitnessed())
        for move in self._interesting():
            self._judge(move)
        splits = tuple(sorted(self._splits, key=lambda split: split.execution_date))
        return SplitFindings(splits, self._notes, tuple(self._questions))

    # What is looked at

    def _unwitnessed(self) -> Iterator[Split]:
        """The rows of days over which no close is known: they stand, one a day, and of the same ratio one in ten."""
        stand: list[Split] = []
        for row in self._rows:
            is_known = any(
                row.execution_date == standing.execution_date
                or (row.execution_date - standing.execution_date <= _ROW_OFF and _is_same(_step(row), _step(standing)))
                for standing in stand
            )
            if self._closes.move_over(row.execution_date) is None and not is_known:
                stand.append(row)
                yield row

    def _interesting(self) -> list[CloseMove]:
        """Moves as large as a split, and those over a listed one; first those listed that the close confirms."""
        listed = {move for row in self._rows if (move := self._closes.move_over(row.execution_date))}
        return sorted(listed.union(self._closes.large), key=lambda move: (not self._is_confirmed(move), move.on))

    def _is_confirmed(self, move: CloseMove) -> bool:
        return any(move.leaves(_step(row)) <= move.slack for row in self._rows_over(move))

    def _rows_over(self, move: CloseMove) -> list[Split]:
        return [row for row in self._rows if move.before < row.execution_date <= move.on]

    def _rows_near(self, move: CloseMove) -> list[Split]:
        """The rows that can be about this move: of its days, or of days near on which the close denies them."""
        first, last = move.before - _ROW_OFF, move.on + _ROW_OFF
        return [row for row in self._rows if first < row.execution_date <= last and not self._has_its_own(row, move)]

    def _has_its_own(self, row: Split, move: CloseMove) -> bool:
        """True if a row is of another move, which it explains."""
        own = self._closes.move_over(row.execution_date)
        return own is not None and own != move and own.leaves(_step(row)) <= max(own.slack, MARKET_MOVES_AT_MOST)

    # Judging a move

    def _judge(self, move: CloseMove) -> None:
        verdict = self._verdict(move)
        if verdict.is_open:
            self._questions.append(SplitQuestion(move.before, move.on, verdict.note or "", math.exp(move.step)))
        elif verdict.step:
            split = self._as_split(move, verdict)
            self._splits.append(split)
            if verdict.note:
                self._notes[split] = verdict.note

    def _verdict(self, move: CloseMove) -> _Verdict:
        rows = self._rows_over(move)
        candidates = _distinct([*map(_step, rows), *_sums(rows), *self._from_near_rows(move), *_near(move)])
        possible = [step for step in candidates if self._is_possible(move, step)]
        votes = self._votes(move, possible)
        listed = self._listed(move, rows, possible)
        if len(set(votes.values())) > 1:
            return self._divided(move, votes, listed)
        if votes:
            return self._unanimous(move, next(iter(votes.values())), listed)
        return self._without_votes(move, possible, listed)

    def _is_possible(self, move: CloseMove, step: float) -> bool:
        is_listed = any(_is_same(step, _step(row)) for row in self._rows_over(move))
        return move.leaves(step) <= (max(move.slack, MARKET_MOVES_AT_MOST) if is_listed else move.slack)

    def _from_near_rows(self, move: CloseMove) -> Iterator[float]:
        for row in self._rows_near(move):
            yield _step(row)
            yield -_step(row)

    def _listed(self, move: CloseMove, rows: Sequence[Split], possible: Sequence[float]) -> float | None:
        """The step of the row that the close allows best; None if it allows none."""
        steps = [
            step
            for step in (*map(_step, rows), *_sums(rows))
            if any(_is_same(step, ratio_step) for ratio_step in possible)
        ]
        return min(steps, key=move.leaves, default=None)

    def _unanimous(self, move: CloseMove, step: float, listed: float | None) -> _Verdict:
        if not step:
            return self._denied(move, listed)
        if listed is not None and _is_same(step, listed):
            return _Verdict(listed)
        return _Verdict(step, note=self._note(move, step, "the close and the share counts"))

    def _denied(self, move: CloseMove, listed: float | None) -> _Verdict:
        """Counts that are the same on both sides: no split, unless the list and the close know one exactly."""
        if listed is None or move.leaves(listed) > move.slack:
            return _Verdict(0.0)
        if abs(listed) < SMALLEST_MOVE:
            return _Verdict(listed)
        return self._open(move, "the list has a split that the share counts deny")

    def _divided(self, move: CloseMove, votes: Mapping[Witness, float], listed: float | None) -> _Verdict:
        """The two counts say different things: the one that list and close agree with stands."""
        if listed is not None and any(_is_same(step, listed) for step in votes.values()):
            return _Verdict(listed)
        return self._open(move, "the vendor's two share counts contradict each other")

    def _without_votes(self, move: CloseMove, possible: Sequence[float], listed: float | None) -> _Verdict:
        """No count lies out of reach of the delays on both sides: the close and one more witness must agree."""
        close = [step for step in possible if move.leaves(step) <= move.slack]
        counted = [step for step in close if self._steps_nearby(move, step)]
        if counted:
            return self._counted(move, counted, listed)
        if listed is not None:
            is_denied = move.leaves(listed) > move.slack and bool(close)
            return self._open(move, "the list has another ratio than the close") if is_denied else _Verdict(listed)
        if len(close) == 1 and self._rows_near(move) and move.is_consecutive:
            return _Verdict(close[0], note=self._note(move, close[0], "the close, and a row of another day or ratio,"))
        is_large = abs(move.step) >= SPLIT_SIZED or bool(self._rows_near(move))
        return self._open(move, "no share count decides whether it was one") if close and is_large else _Verdict(0.0)

    def _counted(self, move: CloseMove, counted: Sequence[float], listed: float | None) -> _Verdict:
        if listed is not None and any(_is_same(step, listed) for step in counted):
            return _Verdict(listed)
        if len(counted) == 1:
            return _Verdict(counted[0], note=self._note(move, counted[0], "the close and a share count"))
        return self._open(move, "a share count fits several ratios")

    @staticmethod
    def _open(move: CloseMove, why: str) -> _Verdict:
        how_far = f"the close moved by x{math.exp(move.step):.4g} from {move.before} to {move.on}"
        return _Verdict(0.0, is_open=True, note=f"{how_far}, the size of a split, and {why}")

    # The counts as witnesses

    def _votes(self, move: CloseMove, possible: Sequence[float]) -> dict[Witness, float]:
        """What each of the two counts says from both sides: the step among those possible, or none (0.0)."""
        votes: dict[Witness, float] = {}
        for witness in WITNESSES:
            across = self._across(move, witness)
            vote = None if across is None else _nearest(*across, [0.0, *possible])
            if vote is not None:
                votes[witness] = vote
        return votes

    def _across(self, move: CloseMove, witness: Witness) -> tuple[float, timedelta] | None:
        """The log step of a count over the move, from an answer well before to one well after, and the time between."""
        earliest = (move.on if move.is_consecutive else move.before + timedelta(days=1)) - EARLY
        counts = self._counts(witness)
        before = [entry for entry in counts if entry[0] < earliest and entry[0] <= move.before]
        after = [entry for entry in counts if entry[0] >= move.on + LATE]
        if not before or not after:
            return None
        (day, was), (later, now) = before[-1], after[0]
        step = self._step_between(day, was, later, now)
        may_stand_still = witness == "weighted" and day < self._honoured_from and abs(step) <= _COUNTS_MOVE
        return None if may_stand_still else (step, later - day)

    def _step_between(self, day: date, was: float, later: date, now: float) -> float:
        """The log step of a count between two answers, without that of the splits known between them."""
        known = math.fsum(_step(split) for split in self._splits if day < split.execution_date <= later)
        return math.log(now / was) - known

    def _counts(self, witness: Witness) -> list[tuple[date, float]]:
        values = (
            (answer.on, answer.weighted if witness == "weighted" else answer.share_class) for answer in self._answers
        )
        return [(day, count) for day, count in values if count]

    def _steps_nearby(self, move: CloseMove, step: float) -> bool:
        """True if a count steps so from one answer around the move to the next."""
        return any(
            abs(self._step_between(day, was, later, now) - step) <= _COUNTS_MOVE_SMALL
            for witness in WITNESSES
            for (day, was), (later, now) in pairwise(self._around(move, witness))
        )

    def _around(self, move: CloseMove, witness: Witness) -> list[tuple[date, float]]:
        """The answers in reach of the delays, and one more on each side."""
        counts = self._counts(witness)
        days = [day for day, _ in counts]
        first = bisect_left(days, move.before - EARLY)
        last = bisect_right(days, move.on + LATE)
        return counts[max(0, first - 1) : last + 1]

    # Putting it into words and records

    def _as_split(self, move: CloseMove, verdict: _Verdict) -> Split:
        for row in self._rows_over(move):
            if _is_same(_step(row), verdict.step) and not verdict.note:
                return row
        ratio = math.exp(verdict.step)
        old, new = (1.0, ratio) if ratio >= 1 else (1 / ratio, 1.0)
        symbol = self._rows[0].symbol if self._rows else ""
        return Split(symbol, self._day(move, verdict.step), _tidy(old), _tidy(new))

    def _day(self, move: CloseMove, step: float) -> date:
        """The day of the move; over a gap in the closes the end of it at which the counts have stepped."""
        if move.is_consecutive or not any(self._has_stepped_by(move, step, witness) for witness in WITNESSES):
            return move.on
        return move.before + timedelta(days=1)

    def _has_stepped_by(self, move: CloseMove, step: float, witness: Witness) -> bool:
        """True if a count had stepped on the last day before a gap: by the answer before, or because it never does."""
        counts = self._counts(witness)
        steps = [
            (later, abs(self._step_between(day, was, later, now) - step) <= _COUNTS_MOVE)
            for (day, was), (later, now) in pairwise(counts)
        ]
        if any(is_step for _, is_step in steps):
            return any(is_step and later <= move.before for later, is_step in steps)
        return bool(counts) and counts[-1][0] >= move.on + LATE

    def _note(self, move: CloseMove, step: float, witnesses: str) -> str:
        rows = [f"{row.split_to:g} for {row.split_from:g} of {row.execution_date}" for row in self._rows_near(move)]
        listed = f"the list has {', '.join(rows)}" if rows else "none is listed"
        return f"{witnesses} moved by x{math.exp(step):.4g} as in a split on {move.on}; {listed}"


def _step(split: Split) -> float:
    return math.log(split.ratio)


def _sums(rows: Sequence[Split]) -> Iterator[float]:
    """Two splits of different days within one move."""
    for index, earlier in enumerate(rows):
        for other in rows[index + 1 :]:
            if other.execution_date != earlier.execution_date:
                yield _step(earlier) + _step(other)


def _near(move: CloseMove) -> Iterator[float]:
    """The round ratios that explain the move."""
    if abs(move.step) >= SMALLEST_MOVE:
        yield from (step for step in ROUND_STEPS if move.leaves(step) <= move.slack)


def _distinct(steps: Iterable[float]) -> list[float]:
    """The steps without those that are another but for its last digits."""
    return list({round(step, 9): step for step in steps}.values())


def _nearest(step: float, within: timedelta, possible: Sequence[float]) -> float | None:
    """The one of the possible steps that a step of a count comes near to; None if none is, or two are."""
    distances = sorted((abs(step - ratio_step), ratio_step) for ratio_step in possible)
    best, chosen = distances[0]
    if best > _COUNTS_MOVE or any(other - best < _SAME_RATIO for other, _ in distances[1:]):
        return None
    is_small = 0 < abs(chosen) < _NO_MERGER
    return None if is_small and (best > _COUNTS_MOVE_SMALL or within > _SMALL_WITHIN) else chosen


def _is_same(step: float, other: float) -> bool:
    return abs(step - other) < 1e-6


def _tidy(value: float) -> float:
    """A side of a ratio without the noise of its logarithm."""
    return round(value) * 1.0 if abs(value - round(value)) < 1e-6 else value
