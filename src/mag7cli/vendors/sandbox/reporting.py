"""What the simulated vendor reports instead of the truth: the faults that were seen at the real one, each on record.

Every fault can be switched off. Where one was put is listed, so that a test can ask whether it was found; the choice
of splits and names beyond the known ones follows from the seed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from mag7cli.market.records import Split
from mag7cli.vendors.sandbox.blueprint import Blueprint, ListFault
from mag7cli.vendors.sandbox.counts import Counts, CountTable
from mag7cli.vendors.sandbox.eras import Block
from mag7cli.vendors.sandbox.timeline import Timeline, ratio

FaultKind = Literal[
    "split_early",
    "split_late",
    "frozen_history",
    "duplicate_split_row",
    "wrong_split_row",
    "missing_split",
    "misreported_split",
    "garbage_price",
    "missing_market_cap",
    "missing_cik",
    "reused_symbol",
    "glitch",
]

MISSING: Final = -1
"""A count that the vendor leaves out."""

# Faults of which a market has a few, put among the lines of the index alone.
_OF_SOME_LINES: Final = ("duplicate_splits", "missing_split", "missing_cik", "reused_symbols", "glitch")

_SMALL_NAMES_FROM: Final = 0.4
_SURROUNDINGS: Final = 10
_LONGEST_LATENESS: Final = 3
_GLITCH_FACTOR: Final = 10


@dataclass(frozen=True, slots=True)
class Faults:
    """Which kinds of vendor fault a market has."""

    splits_early: bool = True
    splits_late: bool = True
    frozen_history: bool = True
    duplicate_splits: bool = True
    missing_split: bool = True
    missing_market_cap: bool = True
    missing_cik: bool = True
    reused_symbols: bool = True
    glitch: bool = True

    @classmethod
    def all(cls) -> "Faults":
        """Every fault known."""
        return cls()

    @classmethod
    def none(cls) -> "Faults":
        """A vendor that tells the truth."""
        return cls(**{field.name: False for field in fields(cls)})


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """A fault that was put into a market; `factor` is reported / true where that means something, else 1."""

    kind: FaultKind
    ticker: str
    first_date: date
    last_date: date
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Report:
    """What details and the splits list say. Counts have one row per session; `MISSING` is a count left out."""

    weighted: Counts
    share_class: Counts
    no_cik: NDArray[np.bool_]
    splits: tuple[Split, ...]
    faults: tuple[InjectedFault, ...]


def report(blocks: Sequence[Sequence[Block]], faults: Faults, seed: int) -> Report:
    """What the vendor says of a whole market, each block with its own faults; guests have only those of all lines."""
    reports = [[_report_of(block, faults, seed) for block in era] for era in blocks]
    every = [part for era in reports for part in era]
    return Report(
        weighted=_stacked(blocks, [[part.weighted for part in era] for era in reports]),
        share_class=_stacked(blocks, [[part.share_class for part in era] for era in reports]),
        no_cik=_stacked(blocks, [[part.no_cik for part in era] for era in reports]),
        splits=tuple(split for part in reversed(every) for split in part.splits),
        faults=tuple(fault for part in every for fault in part.faults),
    )


def _report_of(block: Block, faults: Faults, seed: int) -> Report:
    reporter = Reporter(block.blueprint, block.timeline, block.counts, (seed, block.streams[1]))
    guests = any(security.guest for security in block.blueprint.securities)
    return reporter.report(replace(faults, **dict.fromkeys(_OF_SOME_LINES, False)) if guests else faults)


def _stacked(blocks: Sequence[Sequence[Block]], tables: Sequence[Sequence[Any]]) -> Any:
    return np.vstack(
        [np.hstack([table[era[0].continues :] for table in row]) for era, row in zip(blocks, tables, strict=True)]
    )


class Reporter:
    """Starts from the truth and puts one fault after the other into it; `report` is what came of it."""

    def __init__(self, blueprint: Blueprint, timeline: Timeline, truth: CountTable, seed: Sequence[int]) -> None:
        self._blueprint = blueprint
        self._timeline = timeline
        self._columns = {security.ticker: column for column, security in enumerate(blueprint.securities)}
        self._truth = truth
        self._rng = np.random.default_rng(list(seed))
        self._weighted = truth.company.copy()
        self._share_class = truth.share_class.copy()
        self._no_cik = np.zeros(truth.company.shape, np.bool_)
        self._splits = list(blueprint.splits)
        self._injected: list[InjectedFault] = []
        self._frozen_rows = 0

    def report(self, faults: Faults) -> Report:
        """The reported market with these faults in it."""
        steps: tuple[tuple[bool, Callable[[], None]], ...] = (
            (faults.frozen_history, self._freeze_history),
            (faults.splits_early or faults.splits_late, lambda: self._misplace_splits(faults)),
            (faults.glitch, self._glitch),
            (faults.missing_market_cap, self._drop_market_caps),
            (faults.missing_cik, self._drop_ciks),
            (faults.missing_split, self._drop_split),
            (faults.duplicate_splits, self._duplicate_splits),
            (True, self._misreport_splits),
            (True, self._note_garbage_prices),
            (faults.reused_symbols, self._note_reused_symbols),
        )
        for is_injected, step in steps:
            if is_injected:
                step()
        newest_first = sorted(self._splits, key=lambda split: split.execution_date, reverse=True)
        return Report(self._weighted, self._share_class, self._no_cik, tuple(newest_first), tuple(self._injected))

    # Share counts

    def _freeze_history(self) -> None:
        """Before a day in autumn 2021 the weighted count is that day's, in that day's share units."""
        until = self._blueprint.known_faults.frozen_until
        if until is None:
            return
        self._frozen_rows = rows = min(self._timeline.row_from(until), len(self._timeline) - 1)
        for ticker, column in self._columns.items():
            first, frozen = self._listed_row(ticker), self._truth.company[self._last_row(column, rows), column]
            wrong = np.flatnonzero(self._weighted[first:rows, column] != frozen)
            if wrong.size:
                factor = float(frozen / self._truth.company[first, column])
                self._note("frozen_history", ticker, first, first + int(wrong[-1]), factor)
                self._weighted[first:rows, column] = frozen

    def _misplace_splits(self, faults: Faults) -> None:
        """Use post-split shares a session too early, or pre-split shares for up to three sessions too long."""
        for split in self._one_per_company():
            row = self._timeline.row_from(split.execution_date)
            early, late, share_class = self._misplacement(split)
            if not self._frozen_rows < row < len(self._timeline):
                continue
            if early and faults.splits_early:
                self._scale("split_early", split, row - 1, row, float(ratio(split)), share_class)
            elif late and faults.splits_late:
                stop = min(row + late, len(self._timeline))
                self._scale("split_late", split, row, stop, 1 / float(ratio(split)), share_class)

    def _misplacement(self, split: Split) -> tuple[bool, int, bool]:
        """(early, sessions late, whether the class count has the fault too) of a split: known, else drawn."""
        draw, lateness, share_class = self._rng.random(), int(self._rng.integers(1, 4)), self._rng.random() < 0.5
        known = self._blueprint.known_faults
        key = (split.symbol, split.execution_date)
        if key in known.early:
            return True, 0, share_class
        for ticker, day, sessions in known.late:
            if (ticker, day) == key:
                return False, min(sessions, _LONGEST_LATENESS), share_class
        if draw < 0.4:
            return True, 0, share_class
        return False, lateness if draw < 0.65 else 0, share_class

    def _one_per_company(self) -> Iterable[Split]:
        seen: set[tuple[str, date]] = set()
        for split in self._blueprint.splits:
            key = (self._cik(split.symbol), split.execution_date)
            if key not in seen:
                seen.add(key)
                yield split

    def _scale(self, kind: FaultKind, split: Split, first: int, stop: int, factor: float, share_class: bool) -> None:
        """Multiply the counts of all lines of the split's company on some rows."""
        company = self._cik(split.symbol)
        for security in self._blueprint.securities:
            if security.cik != company:
                continue
            column = self._columns[security.ticker]
            self._multiply(self._weighted, column, first, stop, factor)
            if share_class:
                self._multiply(self._share_class, column, first, stop, factor)
            self._note(kind, security.ticker, first, stop - 1, factor)

    @staticmethod
    def _multiply(counts: Counts, column: int, first: int, stop: int, factor: float) -> None:
        counts[first:stop, column] = np.round(counts[first:stop, column] * factor).astype(np.int64)

    def _glitch(self) -> None:
        """Ten times the shares for one session, of a small name, far from any split."""
        column = self._small_name()
        ticker = self._blueprint.securities[column].ticker
        rows = [row for row in self._quiet_rows(ticker) if row > self._frozen_rows]
        if not rows:
            return
        row = int(self._rng.choice(rows))
        for counts in (self._weighted, self._share_class):
            self._multiply(counts, column, row, row + 1, _GLITCH_FACTOR)
        self._note("glitch", ticker, row, row, _GLITCH_FACTOR)

    def _quiet_rows(self, ticker: str) -> list[int]:
        """Rows of a listed line, away from its splits and from both ends."""
        listed = self._listed_row(ticker)
        splits = [self._timeline.row_from(s.execution_date) for s in self._blueprint.splits if s.symbol == ticker]
        within = range(listed + _SURROUNDINGS, len(self._timeline) - _SURROUNDINGS)
        return [row for row in within if all(abs(row - split) > _SURROUNDINGS for split in splits)]

    def _small_name(self) -> int:
        """The column of a line from the lower end of the index without a split and with one class."""
        split = {s.symbol for s in self._blueprint.splits}
        securities = self._blueprint.securities
        small = range(int(len(securities) * _SMALL_NAMES_FROM), len(securities))
        plain = [
            c for c in small if securities[c].ticker not in split and securities[c].shares == securities[c].class_shares
        ]
        return int(self._rng.choice(plain or list(small)))

    # Fields left out

    def _drop_market_caps(self) -> None:
        """No market cap and no weighted count for weeks: only the class count is left."""
        for ticker, start, end in self._blueprint.known_faults.no_market_cap:
            first, last = self._timeline.row_from(start), self._timeline.row_until(end)
            if ticker in self._columns and first <= last:
                self._weighted[first : last + 1, self._columns[ticker]] = MISSING
                self._note("missing_market_cap", ticker, first, last)

    def _drop_ciks(self) -> None:
        """No CIK on a few dates within a month, for one of the largest and some other lines."""
        within = self._blueprint.known_faults.no_cik_within
        if within is None:
            return
        start, end = self._timeline.row_from(within[0]), self._timeline.row_until(within[1])
        if start > end:
            return
        others = self._rng.choice(
            len(self._blueprint.securities), min(6, len(self._blueprint.securities)), replace=False
        )
        for column in sorted({0, *map(int, others)}):
            first = int(self._rng.integers(start, end + 1))
            last = min(first + int(self._rng.integers(0, 4)), end)
            self._no_cik[first : last + 1, column] = True
            self._note("missing_cik", self._blueprint.securities[column].ticker, first, last)

    # The splits list

    def _drop_split(self) -> None:
        """One real split of a small name is not in the list."""
        middle = len(self._blueprint.securities) * _SMALL_NAMES_FROM
        candidates = [
            split
            for split in self._splits
            if self._columns[split.symbol] >= middle and self._is_alone(split) and self._is_inside(split)
        ]
        if candidates:
            lost = candidates[int(self._rng.integers(len(candidates)))]
            self._splits.remove(lost)
            self._note_dates("missing_split", lost.symbol, lost.execution_date, float(ratio(lost)))

    def _is_inside(self, split: Split) -> bool:
        row = self._timeline.row_from(split.execution_date)
        return self._frozen_rows < row < len(self._timeline) - 1

    def _is_alone(self, split: Split) -> bool:
        """True if nothing else is wrong with the split: a fault on top of a missing row could not be told from it."""
        return not any(
            fault.ticker == split.symbol and fault.kind in ("split_early", "split_late") for fault in self._injected
        )

    def _duplicate_splits(self) -> None:
        """Some rows twice, and some a second time with another ratio on the same day."""
        real = list(self._splits)
        chosen = self._rng.permutation(len(real))[: max(2, len(real) // 4)]
        for position, index in enumerate(map(int, chosen)):
            split = real[index]
            if position % 2 == 0:
                self._splits.append(split)
                self._note_dates("duplicate_split_row", split.symbol, split.execution_date)
            else:
                wrong = Split(split.symbol, split.execution_date, split.split_from, 2 * split.split_to)
                # The wrong row may come first in the list: which one is wrong only the tape can say.
                self._splits.insert(self._splits.index(split) + position % 4 // 2, wrong)
                self._note_dates("wrong_split_row", split.symbol, split.execution_date, wrong.ratio / split.ratio)

    def _misreport_splits(self) -> None:
        """The rows of the splits that the blueprint says are listed wrongly."""
        for ticker, day, fault in self._blueprint.known_faults.listed:
            rows = [split for split in self._splits if (split.symbol, split.execution_date) == (ticker, day)]
            self._splits = [split for split in self._splits if split not in rows]
            for split in dict.fromkeys(rows):
                self._splits += _misreported(split, fault, self._timeline)
                self._note_dates("misreported_split", ticker, day, split.ratio)

    def _note_garbage_prices(self) -> None:
        for ticker, day, _ in self._blueprint.known_faults.prices:
            self._note_dates("garbage_price", ticker, day)

    def _note_reused_symbols(self) -> None:
        """A symbol of the index that was another security's at another time."""
        last = self._timeline.sessions[-1]
        for other in self._blueprint.others:
            first = max(other.first_day, self._timeline.sessions[0])
            if other.reused and first <= last:
                self._note_dates("reused_symbol", other.symbol, first, last=other.last_day or last)

    # The record

    def _listed_row(self, ticker: str) -> int:
        """The row of the line's first session."""
        listed_from = self._blueprint.securities[self._columns[ticker]].listed_from
        return self._timeline.row_from(listed_from) if listed_from else 0

    def _last_row(self, column: int, row: int) -> int:
        """A row, or that of the line's last session before it: nothing is filed for a company that is gone."""
        last = self._blueprint.securities[column].last_trading_day
        return min(row, self._timeline.row_until(last)) if last else row

    def _cik(self, ticker: str) -> str:
        return self._blueprint.securities[self._columns[ticker]].cik

    def _note(self, kind: FaultKind, ticker: str, first: int, last: int, factor: float = 1.0) -> None:
        days: Sequence[date] = self._timeline.sessions
        self._note_dates(kind, ticker, days[first], factor, last=days[last])

    def _note_dates(
        self, kind: FaultKind, ticker: str, first: date, factor: float = 1.0, last: date | None = None
    ) -> None:
        self._injected.append(InjectedFault(kind, ticker, first, last or first, factor))


def _misreported(split: Split, fault: ListFault, timeline: Timeline) -> list[Split]:
    """What the list has instead of a row."""
    row = timeline.row_from(split.execution_date)
    match fault:
        case "missing":
            return []
        case "a_day_early":
            return [replace(split, execution_date=timeline.sessions[row - 1])]
        case "a_day_late":
            return [replace(split, execution_date=timeline.sessions[row + 1])]
        case "wrong_ratio":
            return [replace(split, split_to=2 * split.split_to)]
        case "inverted":
            return [replace(split, split_from=split.split_to, split_to=split.split_from)]
        case "twice":
            return [split, replace(split, execution_date=timeline.sessions[row + 1])]
