"""Writes many small Parquet files out of one Arrow table: one row group, one plain page a column, snappy.

pyarrow takes about 0.3 ms to open, fill and close a file of any size, which for thousands of partitions of seven rows
is most of a run; slices of columns that were laid out once take a fifth of that (docs/performance.md). Knows the types
of `tables` only. Sources: parquet.thrift and Encodings.md of the Parquet format; thrift's compact protocol.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_MAGIC: Final = b"PAR1"
_CREATED_BY: Final = b"mag7cli"
_SNAPPY: Final = pa.Codec("snappy")

_Bytes = npt.NDArray[np.uint8]
_Mask = npt.NDArray[np.bool_]
_Stored = tuple[bytes, ...]
_Item = TypeVar("_Item", bound=np.generic)


class SmallFiles:
    """Slices of a table as files, each of consecutive rows. The table's columns are in one chunk each."""

    def __init__(self, table: pa.Table) -> None:
        self._columns = [_Column(field, table.column(field.name).chunk(0)) for field in table.schema]
        root = _struct({4: (_BINARY, _binary(b"schema")), 5: (_I32, _integer(len(self._columns)))})
        # Version 1 is that of the pages; every reader takes it.
        schema = _list(_STRUCT, [root, *(column.schema for column in self._columns)])
        self._head = _struct({1: (_I32, _integer(1)), 2: (_LIST, schema)})[:-1]

    def file(self, start: int, count: int) -> bytes:
        """The bytes of a file with `count` rows, one at least, from `start` on."""
        parts, chunks, position, raw_size = [_MAGIC], [], len(_MAGIC), 0
        for column in self._columns:
            page, raw = column.page(start, count)
            parts.append(page)
            chunks.append(column.chunk(count, raw, len(page), position))
            position += len(page)
            raw_size += raw
        footer = self._footer(chunks, count, raw_size)
        return b"".join((*parts, footer, len(footer).to_bytes(4, "little"), _MAGIC))

    def _footer(self, chunks: Sequence[bytes], count: int, raw_size: int) -> bytes:
        rows = _integer(count)
        group = _struct({1: (_LIST, _list(_STRUCT, chunks)), 2: (_I64, _integer(raw_size)), 3: (_I64, rows)})
        tail = _struct(
            {3: (_I64, rows), 4: (_LIST, _list(_STRUCT, [group])), 6: (_BINARY, _binary(_CREATED_BY))}, after=2
        )
        return self._head + tail


class _Column:
    """One column, and the last page that was made of it: the names of an index are those of the day before."""

    def __init__(self, field: pa.Field, values: pa.Array) -> None:
        physical, width = _physical(field.type)
        self._nullable: bool = field.nullable
        self._present = _present(values)
        # The row's place among the values that are there.
        self._place = None if self._present is None else np.append(0, np.cumsum(self._present))
        self._values = _laid_out(values, width, self._present)
        self._last: tuple[int, bytes, _Stored] = (0, b"", ())
        self._last_page = (b"", 0)
        self.schema = _schema_element(field, physical, width)
        name = _list(_BINARY, [_binary(field.name.encode())])
        encodings = _list(_I32, [_integer(_PLAIN), _integer(_RLE)])
        about = {
            1: (_I32, _integer(physical)),
            2: (_LIST, encodings),
            3: (_LIST, name),
            4: (_I32, _integer(_SNAPPY_ID)),
        }
        self._about = _struct(about)[:-1]

    def page(self, start: int, count: int) -> tuple[bytes, int]:
        """The rows as a page with its header, and how large it is before compression."""
        end = start + count
        levels = self._levels(start, end) if self._nullable else b""
        if self._place is not None:
            start, end = self._place[start], self._place[end]
        of = (count, levels, self._values.stored(start, end))
        if of != self._last:
            self._last, self._last_page = of, _page(count, levels + self._values.plain(of[2]))
        return self._last_page

    def _levels(self, start: int, end: int) -> bytes:
        """Which rows have a value: a run of ones, or a bit each."""
        if self._present is None or self._place is None or self._place[end] - self._place[start] == end - start:
            return _ones(end - start)
        bits = np.packbits(self._present[start:end], bitorder="little").tobytes()
        run = _varint(len(bits) << 1 | 1) + bits
        return len(run).to_bytes(4, "little") + run

    def chunk(self, count: int, raw_size: int, size: int, position: int) -> bytes:
        """What the footer says of a page: a ColumnChunk with its ColumnMetaData."""
        sizes = (b"\x16", _integer(count), b"\x16", _integer(raw_size), b"\x16", _integer(size))
        return b"".join((b"\x26\x00\x1c", self._about, *sizes, b"\x26", _integer(position), b"\0\0"))


# Values as plain pages hold them, nulls left out


class _Fixed:
    """Values of so many bytes each."""

    def __init__(self, values: _Bytes, width: int) -> None:
        self._data = values.tobytes()
        self._width = width

    def stored(self, start: int, end: int) -> _Stored:
        """What these rows hold, to be compared with what others do."""
        return (self._data[start * self._width : end * self._width],)

    def plain(self, stored: _Stored) -> bytes:
        """What was stored, as a page holds it."""
        return stored[0]


class _Bits:
    """Values of a bit each."""

    def __init__(self, values: _Mask) -> None:
        self._values = values

    def stored(self, start: int, end: int) -> _Stored:
        """What these rows hold, to be compared with what others do."""
        return (np.packbits(self._values[start:end], bitorder="little").tobytes(),)

    def plain(self, stored: _Stored) -> bytes:
        """What was stored, as a page holds it."""
        return stored[0]


class _Strings:
    """Values of any number of bytes. `sizes` are of those that are there, and nulls have no bytes in `data`."""

    def __init__(self, data: bytes, sizes: npt.NDArray[np.uint32]) -> None:
        self._data = data
        self._sizes = sizes
        self._starts = np.zeros(len(sizes) + 1, np.int64)
        np.cumsum(sizes, out=self._starts[1:])

    def stored(self, start: int, end: int) -> _Stored:
        """What these rows hold, to be compared with what others do: the sizes and the bytes."""
        return self._sizes[start:end].tobytes(), self._data[self._starts[start] : self._starts[end]]

    def plain(self, stored: _Stored) -> bytes:
        """What was stored, as a page holds it: every string after its size, which takes four bytes."""
        sizes, data = (np.frombuffer(part, np.uint8) for part in stored)
        turns = np.full(len(sizes) // 2, 4, np.int64)
        turns[1::2] = sizes.view("<u4")
        is_text = np.repeat(np.tile([False, True], len(sizes) // 4), turns)
        plain = np.empty(len(is_text), np.uint8)
        plain[is_text] = data
        plain[~is_text] = sizes
        return plain.tobytes()


def _laid_out(values: pa.Array, width: int, present: _Mask | None) -> _Fixed | _Bits | _Strings:
    if pa.types.is_boolean(values.type):
        return _Bits(_kept(_bits(values.buffers()[1], len(values)), present))
    if pa.types.is_string(values.type):
        _, offsets, data = values.buffers()
        return _Strings(data.to_pybytes(), _kept(np.diff(np.frombuffer(offsets, np.int32)), present).astype("<u4"))
    return _Fixed(_kept(_fixed(values, width), present), width)


def _present(values: pa.Array) -> _Mask | None:
    """Which rows have a value; None if all have."""
    validity = values.buffers()[0]
    if validity is None:
        return None
    present = _bits(validity, len(values))
    return None if present.all() else present


def _bits(buffer: pa.Buffer, count: int) -> _Mask:
    return np.unpackbits(np.frombuffer(buffer, np.uint8), count=count, bitorder="little").astype(bool)


def _kept(values: npt.NDArray[_Item], present: _Mask | None) -> npt.NDArray[_Item]:
    return values if present is None else values[present]


def _fixed(values: pa.Array, width: int) -> _Bytes:
    """One row of bytes for each value; decimals are big-endian and as short as their precision allows."""
    stored = np.frombuffer(values.buffers()[1], np.uint8).reshape(-1, values.type.bit_width // 8)
    return stored[:, width - 1 :: -1] if pa.types.is_decimal(values.type) else stored


# What the format calls types

_PLAIN: Final = 0
_RLE: Final = 3
_SNAPPY_ID: Final = 1
_BYTE_ARRAY: Final = 6
_FIXED_LEN_BYTE_ARRAY: Final = 7
_UTF8: Final = 0
_DECIMAL: Final = 5
_DATE: Final = 6


def _physical(kind: pa.DataType) -> tuple[int, int]:
    """Parquet's number of the physical type, and the bytes that a value takes; 0 if that varies."""
    if pa.types.is_decimal(kind):
        # The fewest bytes that hold every number of so many digits and its sign.
        return _FIXED_LEN_BYTE_ARRAY, (10**kind.precision).bit_length() // 8 + 1
    known = {
        pa.bool_(): (0, 0),
        pa.int32(): (1, 4),
        pa.date32(): (1, 4),
        pa.int64(): (2, 8),
        pa.float64(): (5, 8),
        pa.string(): (_BYTE_ARRAY, 0),
    }
    return known[kind]


def _schema_element(field: pa.Field, physical: int, width: int) -> bytes:
    """The column's type, old and new style: readers differ in which of the two they look at."""
    fields = {
        1: (_I32, _integer(physical)),
        3: (_I32, _integer(int(field.nullable))),
        4: (_BINARY, _binary(field.name.encode())),
    }
    if pa.types.is_decimal(field.type):
        scale, precision = _integer(field.type.scale), _integer(field.type.precision)
        logical = _struct({_DECIMAL: (_STRUCT, _struct({1: (_I32, scale), 2: (_I32, precision)}))})
        fields |= {2: (_I32, _integer(width)), 6: (_I32, _integer(_DECIMAL)), 7: (_I32, scale), 8: (_I32, precision)}
        fields[10] = (_STRUCT, logical)
    elif pa.types.is_string(field.type):
        fields |= {6: (_I32, _integer(_UTF8)), 10: (_STRUCT, _struct({1: (_STRUCT, _struct({}))}))}
    elif pa.types.is_date32(field.type):
        fields |= {6: (_I32, _integer(_DATE)), 10: (_STRUCT, _struct({6: (_STRUCT, _struct({}))}))}
    return _struct(dict(sorted(fields.items())))


# Thrift's compact protocol

_I32: Final = 5
_I64: Final = 6
_BINARY: Final = 8
_LIST: Final = 9
_STRUCT: Final = 12


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


@lru_cache(maxsize=1 << 16)
def _integer(value: int) -> bytes:
    """A number of any width; none in these files is negative."""
    return _varint(value << 1)


def _binary(value: bytes) -> bytes:
    return _varint(len(value)) + value


def _struct(fields: Mapping[int, tuple[int, bytes]], after: int = 0) -> bytes:
    """Fields by ascending number, each a type and an encoded value; `after` is the number before the first."""
    parts: list[bytes] = []
    for number, (kind, value) in fields.items():
        parts += (bytes(((number - after) << 4 | kind,)), value)
        after = number
    return b"".join((*parts, b"\0"))


def _list(kind: int, values: Sequence[bytes]) -> bytes:
    size = bytes((len(values) << 4 | kind,)) if len(values) < 15 else bytes((0xF0 | kind,)) + _varint(len(values))
    return size + b"".join(values)


# Parts that every column of a file shares


def _page(count: int, raw: bytes) -> tuple[bytes, int]:
    """A page of so many rows with its header, and how large it is before compression."""
    packed = _SNAPPY.compress(raw, asbytes=True)
    sizes = (b"\x15\x00\x15", _integer(len(raw)), b"\x15", _integer(len(packed)))
    header = b"".join((*sizes, _page_header(count)))
    return header + packed, len(header) + len(raw)


@lru_cache(maxsize=1 << 12)
def _page_header(count: int) -> bytes:
    """The rest of a PageHeader, from its DataPageHeader on: so many rows, plain, with run-length encoded levels."""
    rle = (_I32, _integer(_RLE))
    return b"\x2c" + _struct({1: (_I32, _integer(count)), 2: (_I32, _integer(_PLAIN)), 3: rle, 4: rle}) + b"\0"


@lru_cache(maxsize=1 << 12)
def _ones(count: int) -> bytes:
    run = _varint(count << 1) + b"\x01"
    return len(run).to_bytes(4, "little") + run
