"""Whether values fit their columns: type, null, size. Knows nothing of where they come from or go to."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from mag7cli.tables.schema import Column, ColumnType, Table

if TYPE_CHECKING:
    import pyarrow as pa

_TYPES: Final[dict[ColumnType, frozenset[type]]] = {
    "date": frozenset({date}),
    "varchar": frozenset({str}),
    "decimal": frozenset({int, float, Decimal}),
    "double": frozenset({int, float}),
    "bigint": frozenset({int}),
    "integer": frozenset({int}),
    "boolean": frozenset({bool}),
}
_INTEGER_BITS: Final[dict[ColumnType, int]] = {"integer": 31, "bigint": 63}


def problem(table: Table, columns: Sequence[Any]) -> str | None:
    """The first value that its column cannot hold; None if all can be held. The trading date is not among them."""
    for column, values in zip(table.columns[1:], columns, strict=True):
        complaint = _values_problem(column, values)
        if complaint:
            return f"{table.name}.{column.name} {complaint}"
    return None


def _values_problem(column: Column, values: Any) -> str | None:
    if isinstance(values, np.ndarray):
        return _array_problem(column, values)
    if hasattr(values, "null_count"):  # Arrow's, whose import takes longer than this check
        return _texts_problem(column, values)
    kinds = set(map(type, values))
    if type(None) in kinds:
        if not column.nullable:
            return "has no value"
        kinds.discard(type(None))
        values = [value for value in values if value is not None]
    if not kinds:
        return None
    if not kinds <= _TYPES[column.type]:
        kind_names = ", ".join(sorted(kind.__name__ for kind in kinds - _TYPES[column.type]))
        return f"is {kind_names} where {column.type} belongs"
    if column.type == "varchar":
        return _size_problem(column, max(len(text.encode()) for text in values))
    return _range_problem(column, min(values), max(values)) if column.type != "date" else None


def _array_problem(column: Column, values: npt.NDArray[Any]) -> str | None:
    """Arrays of floats hold NaN for an absent value; what they were made of was checked for its type."""
    if values.dtype not in (np.float64, np.object_):
        return None
    present = values[values == values]  # NaN is not; decimals are in arrays of objects, for which isnan is not defined
    if len(present) < len(values) and not column.nullable:
        return "has no value"
    return _range_problem(column, present.min(), present.max()) if len(present) else None


def _texts_problem(column: Column, texts: "pa.StringArray") -> str | None:
    if texts.null_count and not column.nullable:
        return "has no value"
    ends = np.frombuffer(texts.buffers()[1], np.int32)
    return _size_problem(column, int(np.diff(ends).max()))


def _size_problem(column: Column, size: int) -> str | None:
    return f"has {size} bytes, more than {column.max_bytes}" if size > (column.max_bytes or 0) else None


def _range_problem(column: Column, lowest: float, highest: float) -> str | None:
    if column.type == "decimal":
        limit = 10 ** (column.precision - column.scale)
    elif column.type in _INTEGER_BITS:
        limit = 2 ** _INTEGER_BITS[column.type]
    else:
        return None
    return None if -limit < lowest and highest < limit else f"is not below {limit:.0e}"
