"""The files of one calendar year, in both layouts, as keys and bytes: its documents to rows, its rows to Parquet.

The same documents and splits give the same bytes, whichever dates are asked for. Writes nothing.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from mag7cli.core.errors import DocumentError
from mag7cli.lake import document
from mag7cli.lake.document import Document
from mag7cli.lake.layout import Lake
from mag7cli.lake.store import Store
from mag7cli.market.date_quality import DateStatus
from mag7cli.market.records import Split
from mag7cli.shares import anomalies
from mag7cli.shares.anomalies import Event, Suspicion
from mag7cli.tables import column_check, constituent_arrays, rows
from mag7cli.tables.changes import DateInputs, YearInputs
from mag7cli.tables.constituent_arrays import ConstituentArrays, LineNames
from mag7cli.tables.guard_memory import GuardMemory, inheritable, shares_of, suspicions
from mag7cli.tables.schema import TABLE, Column, Table

if TYPE_CHECKING:
    import pyarrow as pa

_SPLITS: Final = "stock_splits"
_SUMMARY: Final = "daily_summary"
# A request to S3 is mostly waiting; its client takes threads.
_REQUESTS_IN_FLIGHT: Final = 16


@dataclass(frozen=True, slots=True)
class YearRows:
    """The rows of a year by table, and why some of its documents made none.

    `batches` were made of documents now, `unchanged` are those of other dates, as a flat file holds them. `suspicions`
    are what the guard raised on dates that were made now.
    """

    year: int
    batches: Mapping[str, "Batch"]
    unchanged: Mapping[str, "Mapping[date, pa.Table]"]
    problems: Mapping[date, str]
    suspicions: "Mapping[date, tuple[Suspicion, ...]]"

    @property
    def tables(self) -> frozenset[str]:
        """The tables that have rows."""
        return frozenset(self.batches) | frozenset(self.unchanged)

    def statuses(self) -> dict[date, DateStatus]:
        """What the summaries that were made now say of their dates."""
        batch = self.batches.get(_SUMMARY)
        if batch is None:
            return {}
        place = [column.name for column in TABLE[_SUMMARY].columns[1:]].index("status")
        return {
            day: cast(DateStatus, str(status)) for day, status in zip(batch.counts, batch.columns()[place], strict=True)
        }

    def tables_on(self, day: date) -> frozenset[str]:
        """The tables that have rows on that date, if it was made now."""
        return frozenset(name for name, batch in self.batches.items() if day in batch.counts)


@dataclass(slots=True)
class Batch:
    """Rows of one table, by column, in the order of their dates; `counts` is how many each date has."""

    table: Table
    counts: dict[date, int] = field(default_factory=dict)
    _chunks: list[list[Any]] = field(default_factory=list)
    _columns: list[Any] | None = None

    def add(self, day: date, columns: rows.Columns) -> None:
        """Append the rows of a date later than all that are here."""
        self.counts[day] = len(columns[0])
        self._chunks = self._chunks or [[] for _ in columns]
        for chunks, values in zip(self._chunks, columns, strict=True):
            # A date's names are mostly those of the date before: kept once, they are encoded once.
            is_known = chunks and isinstance(values, tuple) and values == chunks[-1]
            chunks.append(chunks[-1] if is_known else values)

    def columns(self) -> list[Any]:
        """The columns whole, after the last date was added: arrays of numbers or texts, or lists of what is neither."""
        if self._columns is None:
            after_the_date = self.table.columns[1:]
            self._columns = [
                _whole(column, chunks) for column, chunks in zip(after_the_date, self._chunks, strict=True)
            ]
            self._chunks = []
        return self._columns


def _whole(column: Column, chunks: list[Any]) -> Any:
    if isinstance(chunks[0], np.ndarray):
        return np.concatenate(chunks)
    if column.type == "varchar":
        from mag7cli.tables import parquet

        with suppress(TypeError):  # the check tells what is no text
            return parquet.text_array(chunks)
    return list(chain.from_iterable(chunks))


def read(reader: "DocumentReader", inputs: YearInputs) -> YearRows:
    """The rows of a year, later than those that the reader has read.

    A document that cannot be understood makes none; its reason is among the problems.
    """
    # A value of a wrong type is rare, and to look for it in whole columns is cheap: only a year that has one is read
    # again, date by date, to find the document.
    year_rows = _read(reader, inputs, check=False)
    sound = all(column_check.problem(batch.table, batch.columns()) is None for batch in year_rows.batches.values())
    return year_rows if sound else _read(reader, inputs, check=True)


def _read(reader: "DocumentReader", inputs: YearInputs, *, check: bool) -> YearRows:
    lake = reader.lake
    batches: dict[str, Batch] = {}
    problems: dict[date, str] = {}
    with transfers(lake.store) as run:
        keys = [lake.document_key(day.trading_date) for day in inputs.dates if day.has_document]
        documents = iter(run(lake.store.read, keys))
        for day in inputs.dates:
            try:
                columns = reader.columns(day, next(documents) if day.has_document else None)
                if check:
                    rows.check(columns, day.trading_date.isoformat())
            except DocumentError as error:
                problems[day.trading_date] = error.reason
                continue
            for name, values in columns.items():
                batches.setdefault(name, Batch(TABLE[name])).add(day.trading_date, values)
    raised = {day.trading_date: reader.raised_on(day.trading_date) for day in inputs.dates}
    return YearRows(inputs.year, batches, _kept(lake, inputs), problems, raised)


def _kept(lake: Lake, inputs: YearInputs) -> "dict[str, dict[date, pa.Table]]":
    """The rows of dates that have not changed: to read them back costs less than to make them again."""
    names = sorted(inputs.unchanged_in) if inputs.unchanged else []
    with transfers(lake.store) as run:
        data = run(lake.store.read, [lake.flat_key(name, inputs.year) for name in names])
        by_table = {name: _of(inputs.unchanged, of_year) for name, of_year in zip(names, data, strict=True)}
    return {name: of_dates for name, of_dates in by_table.items() if of_dates}


def _of(dates: Collection[date], flat_file: bytes) -> "dict[date, pa.Table]":
    from mag7cli.tables import parquet

    return {day: rows_ for day, rows_ in parquet.by_date(flat_file).items() if day in dates}


class DocumentReader:
    """Turns documents into columns, the oldest first, and remembers for the guard the last one, and what it raised."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._last: tuple[date, ConstituentArrays | None] | None = None
        self._names = LineNames(())
        self._memory = GuardMemory(self.raised_by_document)

    def columns(self, inputs: DateInputs, data: bytes | None) -> dict[str, rows.Columns]:
        """The columns of every table that has rows on that date. Raises DocumentError."""
        splits = _split_columns(inputs)
        if data is None:
            return splits
        past = self._memory.before(inputs)
        previous = self._lines_of(inputs.previous)
        self._memory.raised[inputs.trading_date] = ()
        # A document that cannot be understood is followed by one that the guard compares with nothing.
        self._last = (inputs.trading_date, None)
        day = self._day(inputs.trading_date, data)
        arrays = self._arrays_of(day)
        own = self._raise(inputs, previous, arrays, day.document)
        return rows.columns(day, [*own, *_standing(past, own, arrays, inputs.splits)]) | splits

    def raised_on(self, day: date) -> tuple[Suspicion, ...]:
        """What the guard raised on a date that was read."""
        return tuple(self._memory.raised.get(day, ()))

    def raised_by_document(self, inputs: DateInputs) -> Sequence[Suspicion]:
        """What the guard raises by the document of a date, of which no rows are made."""
        previous = self._lines_of(inputs.previous)
        self._last = (inputs.trading_date, None)
        try:
            day = self._day_of(inputs.trading_date)
        except DocumentError:
            return ()
        self._raise(inputs, previous, self._arrays_of(day), day.document)
        return self._memory.raised[inputs.trading_date]

    def _raise(
        self, inputs: DateInputs, previous: ConstituentArrays | None, now: ConstituentArrays, document: Document
    ) -> list[Event]:
        """What the guard makes of the step to a date, kept for those after it."""
        events = _events(previous, now, inputs.splits)
        self._memory.raised[inputs.trading_date] = _suspicions(document, now, events)
        self._last = (inputs.trading_date, now)
        return events

    def _lines_of(self, previous: date | None) -> ConstituentArrays | None:
        if previous is None:
            return None
        if self._last is not None and self._last[0] == previous:
            return self._last[1]
        try:
            return self._arrays_of(self._day_of(previous))
        except DocumentError:
            return None

    def _arrays_of(self, day: rows.Day) -> ConstituentArrays:
        arrays = constituent_arrays.arrays_of(day.document, day.constituents)
        self._names = arrays.names
        return arrays

    def _day_of(self, trading_date: date) -> rows.Day:
        return self._day(trading_date, self.lake.store.read(self.lake.document_key(trading_date)))

    def _day(self, trading_date: date, data: bytes) -> rows.Day:
        where = self.lake.store.uri(self.lake.document_key(trading_date))
        day = rows.read(document.parse(data, where), where, self._names)
        if day.trading_date != trading_date:
            raise DocumentError(where, f"its trading_date is {day.trading_date}")
        return day


def _events(
    before: ConstituentArrays | None, now: ConstituentArrays, splits: Mapping[str, Sequence[Split]]
) -> list[Event]:
    """What the guard finds, asked about the few lines that it might find something in."""
    if before is None:
        return []
    worth_a_look = {*now.stepped_since(before), *splits}
    return anomalies.check(before.view(worth_a_look), now.view(worth_a_look), splits) if worth_a_look else []


def _suspicions(document: Document, now: ConstituentArrays, events: Sequence[Event]) -> tuple[Suspicion, ...]:
    if not events:
        return ()
    return suspicions(document, shares_of(now.view({str(event.ticker) for event in events})), events)


def _standing(
    past: Sequence[Suspicion], own: Sequence[Event], now: ConstituentArrays, splits: Mapping[str, Sequence[Split]]
) -> list[Event]:
    """What a date inherits, asked about the lines that it may inherit something of."""
    inherited = inheritable(past, own)
    tickers = {str(suspicion.event.ticker) for suspicion in inherited}
    return anomalies.standing(inherited, now.view(tickers), splits) if inherited else []


def _split_columns(inputs: DateInputs) -> dict[str, rows.Columns]:
    executed = [
        (ticker, split.split_from, split.split_to, split.ratio)
        for ticker, splits in sorted(inputs.splits.items())
        for split in splits
        if split.execution_date == inputs.trading_date
    ]
    return {_SPLITS: tuple(zip(*executed, strict=True))} if executed else {}


def files(year_rows: YearRows, dates: Collection[date]) -> Iterator[tuple[str, bytes]]:
    """Keys and bytes: the partitions of those of these dates that were made now, and every flat file of the year."""
    # The import of Arrow takes longer than to find that nothing has changed.
    from mag7cli.tables import daily_figures, parquet

    shown: dict[str, pa.Table] = {}
    for name in sorted(year_rows.tables):
        by_date = dict(year_rows.unchanged.get(name, {}))
        batch = year_rows.batches.get(name, Batch(TABLE[name]))
        if batch.counts:
            counts = list(batch.counts.values())
            table = parquet.arrow_table(TABLE[name], list(batch.counts), counts, batch.columns())
            partitions = parquet.Partitions(TABLE[name])
            for day, start, count in zip(batch.counts, accumulate(counts, initial=0), counts, strict=False):
                by_date[day] = table.slice(start, count)
                if day in dates:
                    yield Lake.partition_key(name, day), partitions.encoded(by_date[day])
        whole = parquet.joined(by_date[day] for day in sorted(by_date)) if year_rows.unchanged.get(name) else table
        yield Lake.flat_key(name, year_rows.year), parquet.flat_bytes(TABLE[name], whole)
        if name in daily_figures.COLUMNS:
            shown[name] = whole
    if has_figures(year_rows):
        yield Lake.figures_key(year_rows.year), daily_figures.encode(shown)


def has_figures(year_rows: YearRows) -> bool:
    """Whether a year has a date whose figures are kept beside its files."""
    return _SUMMARY in year_rows.tables


Run = Callable[[Callable[..., Any], Iterable[Any]], Iterator[Any]]


@contextmanager
def transfers(store: Store) -> Iterator[Run]:
    """How to run many reads or writes: like `map` in order, but side by side where each is a request."""
    if store.local_root is not None:
        yield map
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_REQUESTS_IN_FLIGHT) as pool:
        yield pool.map
