"""Columns of Python values to Arrow, exactly, and Arrow to the bytes of a Parquet file; no other module encodes tables.

Equal rows give equal bytes, whenever and in whatever company they are written. Arrays are built on buffers, because
`pyarrow.array` of a list imports pandas, which takes longer than the rest of a run over one date.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from mag7cli.tables import schema
from mag7cli.tables.schema import Column, Table

# Wide enough for every digit of DECIMAL(38,6).
_WIDE: Final = Context(prec=64, rounding=ROUND_HALF_UP)
_EPOCH: Final = date(1970, 1, 1).toordinal()


def arrow_table(table: Table, dates: Sequence[date], counts: Sequence[int], values: Sequence[Any]) -> pa.Table:
    """The rows of `dates`, so many of each, as an Arrow table with every column of `table`.

    `values` are the columns after the trading date, already checked against their types.
    """
    days = np.repeat(np.array([day.toordinal() - _EPOCH for day in dates], np.int32), counts)
    arrays = [pa.Array.from_buffers(pa.date32(), len(days), [None, pa.py_buffer(days)])]
    arrays += [_array(column, list_) for column, list_ in zip(table.columns[1:], values, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema.arrow_schema(table, partitioned=False))


def flat_bytes(table: Table, rows: pa.Table) -> bytes:
    """A file of the flat layout: only text repeats itself enough for a dictionary."""
    texts = [column.name for column in table.columns if column.type == "varchar"]
    return _encoded(rows, use_dictionary=texts, write_statistics=[schema.PARTITION])


def partition_bytes(rows: pa.Table) -> bytes:
    """A file of the partitioned layout: one date's rows, without the trading date, which stands in the key."""
    return _encoded(rows.remove_column(0), use_dictionary=False, write_statistics=False)


class Partitions:
    """Files of the partitioned layout of one table, date by date: one with the rows of the last is not encoded again.

    Most dates have no failures, and the corrections of the day before.
    """

    def __init__(self, table: Table) -> None:
        # Of floats, zeros of both signs are equal and have other bytes; and a date has its own prices anyway.
        self._may_repeat = all(column.type != "double" for column in table.columns)
        self._last: tuple[pa.Table, bytes] | None = None

    def encoded(self, rows: pa.Table) -> bytes:
        """What `partition_bytes` makes of these rows."""
        if not self._may_repeat:
            return partition_bytes(rows)
        if self._last is None or not self._last[0].equals(rows.remove_column(0)):
            self._last = (rows.remove_column(0), partition_bytes(rows))
        return self._last[1]


def _encoded(rows: pa.Table, **options: Any) -> bytes:
    """One row group, compressed with snappy, which every engine reads."""
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, compression="snappy", row_group_size=len(rows), store_schema=False, **options)
    encoded: bytes = sink.getvalue().to_pybytes()
    return encoded


def by_date(data: bytes) -> dict[date, pa.Table]:
    """The rows of a file of the flat layout by date, oldest first."""
    rows = pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False).combine_chunks()
    days = np.frombuffer(rows.column(0).chunk(0).buffers()[1], np.int32)
    distinct, starts, counts = np.unique(days, return_index=True, return_counts=True)
    return {
        date.fromordinal(day + _EPOCH): rows.slice(start, count)
        for day, start, count in zip(distinct.tolist(), starts.tolist(), counts.tolist(), strict=True)
    }


def joined(rows: Iterable[pa.Table]) -> pa.Table:
    """These rows one after the other."""
    return pa.concat_tables(rows).combine_chunks()


@contextmanager
def system_memory() -> Iterator[None]:
    """Let Arrow take its memory from the C library meanwhile, and give it back to the system at the end.

    Its own allocator returns pages as soon as a column is done, and gets them again, cleared, for the next: over a
    year of rows that takes longer than the work.
    """
    before, pool = pa.default_memory_pool(), pa.system_memory_pool()
    pa.set_memory_pool(pool)
    try:
        yield
    finally:
        pa.set_memory_pool(before)
        pool.release_unused()


def _array(column: Column, values: Any) -> pa.Array:
    """One column; absent values are told apart first, so that every builder sees a value in each place."""
    if column.type == "varchar":
        return values if isinstance(values, pa.Array) else text_array([values])
    missing = _missing(values) if column.nullable else None
    present = values if missing is None else _filled(values, missing, _FILLERS[column.type])
    buffers = [_validity(missing), pa.py_buffer(_words(column, present))]
    return pa.Array.from_buffers(schema.arrow_type(column), len(values), buffers)


def text_array(chunks: Sequence[Sequence[str | None]]) -> pa.StringArray:
    """These texts one after the other; a chunk that comes more than once is encoded once.

    Raises TypeError if one is no text.
    """
    distinct = {id(chunk): chunk for chunk in chunks}
    encoded = {name: _encoded_texts(chunk) for name, chunk in distinct.items()}
    return pa.concat_arrays([encoded[id(chunk)] for chunk in chunks])


def _encoded_texts(values: Sequence[str | None]) -> pa.StringArray:
    missing = _missing(values)
    texts: Sequence[Any] = values if missing is None else ["" if text is None else text for text in values]
    joined_text = "".join(texts)
    # Text outside ASCII is longer in bytes than in characters, and rare.
    lengths = map(len, texts) if joined_text.isascii() else map(len, map(str.encode, texts))
    ends = np.cumsum([0, *lengths], dtype=np.int32)
    buffers = [_validity(missing), pa.py_buffer(ends), pa.py_buffer(joined_text.encode())]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


def _validity(missing: npt.NDArray[np.bool_] | None) -> pa.Buffer | None:
    return None if missing is None else pa.py_buffer(np.packbits(~missing, bitorder="little"))


def _missing(values: Any) -> npt.NDArray[np.bool_] | None:
    """Which values are absent; None if all are there."""
    if isinstance(values, np.ndarray):
        missing = values != values  # NaN, in arrays of decimals too
        return missing if missing.any() else None
    return np.fromiter((value is None for value in values), bool, len(values)) if None in values else None


def _filled(values: Any, missing: npt.NDArray[np.bool_], filler: Any) -> Any:
    if isinstance(values, np.ndarray):
        return np.where(missing, filler, values)
    return [filler if value is None else value for value in values]


_FILLERS: Final[dict[schema.ColumnType, Any]] = {
    "date": date(1970, 1, 1),
    "decimal": 0,
    "double": 0.0,
    "bigint": 0,
    "integer": 0,
    "boolean": False,
}


def _words(column: Column, values: Sequence[Any]) -> npt.NDArray[Any]:
    """The memory of a column of fixed width."""
    if column.type == "decimal":
        return decimal_words(values, column.scale)
    if column.type == "boolean":
        return np.packbits(np.array(values, bool), bitorder="little")
    if column.type == "date":
        return np.array([day.toordinal() - _EPOCH for day in values], np.int32)
    return np.array(values, {"double": np.float64, "bigint": np.int64, "integer": np.int32}[column.type])


def decimal_words(values: Sequence[float | Decimal], scale: int) -> npt.NDArray[np.int64]:
    """The values as 128-bit integers of 10^-scale, low word first; rounded half up where they have more digits.

    A float stands for the shortest decimal that reads back as it: 3325399124681.52, not ...52001953125; a decimal for
    itself, whatever its size.
    """
    unit = 10**scale
    floats = np.array(values, np.float64)
    scaled = np.rint(floats * unit)
    words = np.empty((len(floats), 2), np.int64)
    # Below 2^52 floats lie closer together than units, so that the only integer that divides back to the float is
    # the one meant. What does not divide back has more digits; it takes the slow and exact way.
    exact = (np.abs(scaled) < 2**52) & (scaled / unit == floats)
    words[:, 0] = np.where(exact, scaled, 0).astype(np.int64)
    words[:, 1] = words[:, 0] >> 63
    for index in np.flatnonzero(~exact).tolist():
        value = values[index]
        exact_value = value if isinstance(value, Decimal) else Decimal(str(value))
        whole = int(_WIDE.to_integral_value(_WIDE.multiply(exact_value, Decimal(unit))))
        words[index] = np.frombuffer(whole.to_bytes(16, "little", signed=True), np.int64)
    return words
