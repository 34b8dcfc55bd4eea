"""What of the tables is to be made again: raw documents and splits against the manifest, by year. Writes nothing."""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from hashlib import blake2b
from operator import itemgetter
from typing import Final

from mag7cli.lake.layout import Lake
from mag7cli.lake.store import ObjectInfo
from mag7cli.market.records import Split
from mag7cli.shares.anomalies import INHERITED, REMEMBERED, Suspicion
from mag7cli.tables.manifest import Made, Manifest

# The guard looks for splits at most two weeks away, from two dates at most one apart, and back as far as doubts go.
_SPLITS_AFTER: Final = timedelta(days=21)
_SPLITS_BEFORE: Final = INHERITED


@dataclass(frozen=True, slots=True)
class DateInputs:
    """What one date is made of: its document if it has one, the one before it, and the splits around it by ticker.

    `remembered` is what the guard raised in the weeks before, of the dates that are as they were when it did; of the
    `unread` ones it is to be looked up in their documents.
    """

    trading_date: date
    has_document: bool
    previous: date | None
    splits: Mapping[str, Sequence[Split]]
    remembered: tuple[Suspicion, ...] = ()
    unread: tuple["DateInputs", ...] = ()


@dataclass(frozen=True, slots=True)
class YearInputs:
    """One calendar year: the dates to be made of their documents, oldest first, and what stays as it is.

    `unchanged` dates have their rows in the flat files of the tables `unchanged_in`.
    """

    year: int
    dates: tuple[DateInputs, ...]
    unchanged: frozenset[date] = frozenset()
    unchanged_in: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Range:
    start: date
    end: date

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end

    def touches(self, year: int) -> bool:
        return self.start.year <= year <= self.end.year


@dataclass(frozen=True, slots=True)
class _Raised:
    """A doubt of the weeks before a date, as text too; whether the record that has it is of what is there."""

    suspicion: Suspicion
    text: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class _Weeks:
    """The weeks before a date: its dates whose record is not of what is there, and what the guard raised."""

    unread: deque[DateInputs] = field(default_factory=deque)
    raised: deque[_Raised] = field(default_factory=deque)

    def forget_before(self, day: date) -> None:
        while self.unread and self.unread[0].trading_date < day:
            self.unread.popleft()
        while self.raised and self.raised[0].suspicion.on < day:
            self.raised.popleft()

    def add(self, of: DateInputs, suspicions: Iterable[Suspicion], *, is_current: bool) -> None:
        if not is_current:
            self.unread.append(of)
        self.raised.extend(_Raised(one, repr(one), is_current) for one in suspicions)

    def remembered(self) -> tuple[Suspicion, ...]:
        return tuple(raised.suspicion for raised in self.raised if raised.is_current)

    def texts(self) -> list[str]:
        return [raised.text for raised in self.raised]


@dataclass(frozen=True, slots=True)
class _Splits:
    """The splits around a date by ticker, and the same as text."""

    by_ticker: Mapping[str, Sequence[Split]]
    text: str


@dataclass(frozen=True, slots=True)
class Sources:
    """All that tables are made of: documents by date, and splits by execution date."""

    documents: Mapping[date, ObjectInfo]
    splits: Sequence[tuple[date, str, Split]]

    @classmethod
    def of(cls, lake: Lake) -> "Sources":
        # A process that makes a share of the years has its splits in its plans.
        from mag7cli.collection.split_cache import read_splits

        by_ticker = read_splits(lake).by_ticker
        splits = sorted(
            ((split.execution_date, ticker, split) for ticker, splits in by_ticker.items() for split in splits),
            key=lambda entry: entry[:2],
        )
        return cls(lake.documents(), splits)

    def inputs(self, records: Mapping[date, Made]) -> Iterator[tuple[DateInputs, str]]:
        """What every date is made of, oldest first, with a fingerprint that changes whenever that may have.

        `records` are of the dates that were made: by them it is known what the guard raised.
        """
        previous: date | None = None
        weeks, splits_of = _Weeks(), cache(self._splits)
        for day in sorted({*self.documents, *(day for day, _, _ in self.splits)}):
            weeks.forget_before(day - REMEMBERED)
            splits = splits_of(*self._places_around(day))
            own = DateInputs(day, day in self.documents, previous, splits.by_ticker)
            inputs = replace(own, remembered=weeks.remembered(), unread=tuple(weeks.unread))
            fingerprint = self._fingerprint(own, splits.text, weeks.texts())
            yield inputs, fingerprint
            if own.has_document:
                record = records.get(day)
                is_current = record is not None and record.fingerprint == fingerprint
                weeks.add(own, record.suspicions if record else (), is_current=is_current)
                previous = day

    def _places_around(self, day: date) -> tuple[int, int]:
        """Which of the splits are around a date: mostly those around the date before."""
        first = bisect_left(self.splits, day - _SPLITS_BEFORE, key=itemgetter(0))
        return first, bisect_right(self.splits, day + _SPLITS_AFTER, key=itemgetter(0))

    def _splits(self, first: int, last: int) -> _Splits:
        around: dict[str, list[Split]] = {}
        for _, ticker, split in self.splits[first:last]:
            around.setdefault(ticker, []).append(split)
        return _Splits(around, repr(sorted(around.items())))

    def _fingerprint(self, inputs: DateInputs, splits: str, raised: Sequence[str]) -> str:
        documents = (inputs.trading_date if inputs.has_document else None, inputs.previous)
        versions = [self.documents[day].version if day else "" for day in documents]
        return _digest([*versions, splits, *raised])


def _digest(parts: Iterable[str]) -> str:
    return blake2b("\n".join(parts).encode(), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class YearPlan:
    """One year to be made: `changed` dates get new partitions, `removed` ones lose theirs, flat files are all new."""

    inputs: YearInputs
    fingerprints: Mapping[date, str]
    changed: frozenset[date]
    removed: frozenset[date]

    @property
    def year(self) -> int:
        return self.inputs.year

    @property
    def fingerprint(self) -> str:
        return _of_year(self.fingerprints)


def _of_year(fingerprints: Mapping[date, str]) -> str:
    return _digest(f"{day} {fingerprint}" for day, fingerprint in fingerprints.items())


def plans(sources: Sources, manifest: Manifest, period: Range, *, force: bool) -> Iterator[YearPlan]:
    """The years that are not as they should be, as far as they are wanted.

    A year whose files are of another version, or of a run that died, is made again all the same: a table is never of
    two shapes.
    """
    by_year: dict[int, list[tuple[DateInputs, str]]] = {day.year: [] for day in manifest.dates}
    for inputs, fingerprint in sources.inputs(manifest.dates):
        if inputs.trading_date in period or inputs.trading_date in manifest.dates:
            by_year.setdefault(inputs.trading_date.year, []).append((inputs, fingerprint))
    unknown = {day.year for day, record in manifest.dates.items() if not record.fingerprint}
    unknown |= {year for year, record in manifest.years.items() if not record.fingerprint}
    for year in sorted({*by_year, *manifest.years}):
        record = manifest.years.get(year)
        if period.touches(year) or year in unknown:
            plan = _plan(year, by_year.get(year, []), manifest, period if force else None)
            if plan.changed or plan.removed or record is None or record.fingerprint != plan.fingerprint:
                yield plan


def _plan(year: int, dates: Sequence[tuple[DateInputs, str]], manifest: Manifest, forced: Range | None) -> YearPlan:
    fingerprints = {inputs.trading_date: fingerprint for inputs, fingerprint in dates}
    known = {day: record.fingerprint for day, record in manifest.dates.items() if day.year == year}
    changed = {
        day
        for day, fingerprint in fingerprints.items()
        if known.get(day) != fingerprint or (forced is not None and day in forced)
    }
    removed = frozenset(known.keys() - fingerprints.keys())
    record = manifest.years.get(year)
    if record is None or not record.fingerprint:
        everything = YearInputs(year, tuple(inputs for inputs, _ in dates))
        return YearPlan(everything, fingerprints, frozenset(changed), removed)
    anew = tuple(inputs for inputs, _ in dates if inputs.trading_date in changed)
    unchanged = frozenset(fingerprints.keys() - changed)
    return YearPlan(
        YearInputs(year, anew, unchanged, frozenset(record.versions)), fingerprints, frozenset(changed), removed
    )


def settled(sources: Sources, manifest: Manifest, made: Sequence[YearPlan]) -> Manifest:
    """The manifest with the dates of these plans, just made, known by what the guard raised on those made with them.

    Their plans could not tell it. They inherited it all the same, looked up in the documents: see `DateInputs.unread`.
    """
    fingerprints = {inputs.trading_date: fingerprint for inputs, fingerprint in sources.inputs(manifest.dates)}
    dates, years = dict(manifest.dates), dict(manifest.years)
    for plan in made:
        dates |= {day: replace(dates[day], fingerprint=fingerprints[day]) for day in plan.changed}
        of_year = _of_year({day: fingerprints[day] for day in plan.fingerprints})
        years[plan.year] = replace(years[plan.year], fingerprint=of_year)
    return Manifest(dates, years)
