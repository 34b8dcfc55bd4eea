"""A small lake with something in every table, written from the declared schemas alone: no collector, no transform.

Each value is made from its column's type, the date and the row, so that two lakes of the same dates are equal.
"""

import functools
import io
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mag7cli.lake.layout import Lake
from mag7cli.lake.store import Store
from mag7cli.tables.schema import PARTITION, TABLES, Column, Table, arrow_schema

ROWS_A_DAY = 3
DAYS = (date(2023, 12, 29), date(2024, 1, 2), date(2024, 1, 3))


def fill(store: Store, days: Iterable[date] = DAYS, *, revision: int = 0) -> None:
    """Write both layouts of every table; another `revision` makes other values for the same dates."""
    for key, data in objects(tuple(sorted(days)), revision).items():
        store.write(key, data)


@functools.cache
def objects(days: tuple[date, ...] = DAYS, revision: int = 0) -> Mapping[str, bytes]:
    """Every object of both layouts, by key."""
    found: dict[str, bytes] = {}
    for table in TABLES:
        for day in days:
            found[Lake.partition_key(table.name, day)] = partition(table, rows_of(table, day, revision))
        for year in {day.year for day in days}:
            rows = [row for day in days if day.year == year for row in rows_of(table, day, revision)]
            found[Lake.flat_key(table.name, year)] = flat(table, rows)
    return found


def rows_of(table: Table, day: date, revision: int = 0) -> list[dict[str, Any]]:
    """The rows of a table on a date: three, or one where the date alone is the key."""
    count = 1 if table.primary_key == (PARTITION,) else ROWS_A_DAY
    return [{c.name: _value(c, day, row, revision) for c in table.columns} for row in range(count)]


def _value(column: Column, day: date, row: int, revision: int) -> Any:
    number = day.toordinal() % 1000 + row + revision / 4
    if column.name == PARTITION:
        return day
    # The last row of a day has a NULL wherever it may.
    if column.nullable and row == ROWS_A_DAY - 1:
        return None
    if column.type == "varchar":
        text = f"{column.name} {row}"[: column.max_bytes]
        return {"ticker": ("AAPL", "BRK.B", "TSLA")[row], "description": "é" * 900 if row else ""}.get(
            column.name, text
        )
    return {
        "date": day - timedelta(days=row),
        "decimal": Decimal(str(number)).quantize(Decimal(1).scaleb(-column.scale)),
        "double": number / 3,
        "bigint": int(number) * 10**9,
        "integer": row + 1,
        "boolean": row % 2 == 0,
    }[column.type]


def partition(table: Table, rows: list[dict[str, Any]]) -> bytes:
    """The rows as the file of one Hive partition."""
    part = [{name: value for name, value in row.items() if name != PARTITION} for row in rows]
    return _parquet(part, arrow_schema(table, partitioned=True))


def flat(table: Table, rows: list[dict[str, Any]]) -> bytes:
    """The rows as a file of the flat layout."""
    return _parquet(rows, arrow_schema(table, partitioned=False))


def _parquet(rows: list[dict[str, Any]], schema: pa.Schema) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), sink, compression="snappy")
    return sink.getvalue()
