"""The sessions of a simulated market as rows: which row a date is, and what splits and spin-offs do between rows.

Share units are kept exact, as fractions: a count times its ratio must be a whole number on both sides of a split.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from mag7cli.market.records import Split
from mag7cli.vendors.sandbox.blueprint import CompanyEvent


@dataclass(frozen=True, slots=True)
class Timeline:
    """Sessions, oldest first, and the row of the anchor session, in whose share units everything is first made."""

    sessions: Sequence[date]
    anchor: int

    @classmethod
    def of(cls, sessions: Sequence[date], anchor: date) -> "Timeline":
        """The anchor is the last session on or before `anchor`."""
        return cls(sessions, max(bisect_right(sessions, anchor) - 1, 0))

    def row_from(self, on: date) -> int:
        """The row of the first session on or after a date; the number of rows if there is none."""
        return bisect_left(self.sessions, on)

    def row_until(self, on: date) -> int:
        """The row of the last session on or before a date; -1 if there is none."""
        return bisect_right(self.sessions, on) - 1

    def __len__(self) -> int:
        return len(self.sessions)


@dataclass(frozen=True, slots=True)
class Epoch:
    """Rows from `first` to before `stop`; one share of the anchor date was `per_share` of the share of these rows.

    Multiply an anchor-unit price by `per_share` for the raw price; divide an anchor-unit count by it for the raw count.
    """

    first: int
    stop: int
    per_share: Fraction


def ratio(split: Split) -> Fraction:
    """New shares for one old share, exactly."""
    return Fraction(split.split_to).limit_denominator(1000) / Fraction(split.split_from).limit_denominator(1000)


def epochs(timeline: Timeline, splits: Iterable[Split]) -> list[Epoch]:
    """The share units of one company over time: one epoch before, between and after its splits."""
    by_row = sorted((timeline.row_from(split.execution_date), ratio(split)) for split in splits)
    per_share = Fraction(1)
    for row, step in by_row:
        if row <= timeline.anchor:
            per_share *= step
    first, spans = 0, []
    for row, step in by_row:
        spans.append(Epoch(first, row, per_share))
        first, per_share = row, per_share / step
    return [*(epoch for epoch in spans if epoch.first < epoch.stop), Epoch(first, len(timeline), per_share)]


def price_levels(timeline: Timeline, spin_offs: Iterable[CompanyEvent]) -> list[tuple[int, int, float]]:
    """Rows and the factor by which later spin-offs make the anchor's price too low for them: (first, stop, factor)."""
    levels: list[tuple[int, int, float]] = []
    for event in spin_offs:
        row = timeline.row_from(event.on)
        if row <= timeline.anchor:
            levels.append((0, row, 1 / event.factor))
        else:
            levels.append((row, len(timeline), event.factor))
    return levels
