"""Python values to Parquet and back: nothing is lost, whoever reads it."""

import io
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import accumulate
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mag7cli.market.money import total_usd
from mag7cli.tables import parquet
from mag7cli.tables.schema import TABLE, TABLES, Column, Table, arrow_schema

WIDE = Context(prec=64, rounding=ROUND_HALF_UP)
DAYS = st.dates(min_value=date(2003, 1, 1))


def exactly(value: float | Decimal, scale: int) -> Decimal:
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-scale), context=WIDE)


def decimals(words: Any, scale: int) -> list[Decimal]:
    return [Decimal((high << 64) + (low & 2**64 - 1)).scaleb(-scale, WIDE) for low, high in words.tolist()]


cents = st.integers(-(10**15), 10**15).map(lambda number: number / 100)
# To a thousand trillion dollars, where no float has a place for every cent.
exact_cents = st.integers(-(10**17), 10**17).map(lambda number: Decimal(number).scaleb(-2))
amounts = st.floats(-1e17, 1e17, allow_nan=False) | cents | st.integers(-(10**17), 10**17)


@given(st.lists(amounts | exact_cents, min_size=1), st.sampled_from([2, 6]))
def test_a_number_becomes_the_decimal_that_its_digits_say(values: list[float | Decimal], scale: int) -> None:
    assert decimals(parquet.decimal_words(values, scale), scale) == [exactly(value, scale) for value in values]


@given(st.lists(st.floats(-1e15, 1e15, allow_nan=False) | cents, min_size=1))
def test_an_array_becomes_the_same_decimals_as_a_list(values: list[float]) -> None:
    assert (parquet.decimal_words(np.array(values), 2) == parquet.decimal_words([float(v) for v in values], 2)).all()


@given(st.lists(cents | exact_cents, min_size=1))
def test_decimals_among_floats_keep_their_digits(values: list[float | Decimal]) -> None:
    words = parquet.decimal_words(np.array(values, object), 2)
    assert decimals(words, 2) == [exactly(value, 2) for value in values]


@settings(deadline=None, max_examples=25)
@given(st.lists(exact_cents, min_size=1, max_size=600))
def test_duckdb_and_arrow_add_up_what_python_does(caps: list[Decimal]) -> None:
    table = TABLE["sp500_constituents"]
    ones: list[Any] = [1] * len(caps)
    names = [f"L{place}" for place in range(len(caps))]
    columns = [names, names, names, ones, ones, np.array(caps, object), [True] * len(caps), ones, [None, *caps[1:]]]
    rows = parquet.arrow_table(table, [date(2026, 8, 10)], [len(caps)], columns)

    with duckdb.connect() as connection:
        connection.register("rows", pq.read_table(io.BytesIO(parquet.flat_bytes(table, rows))))
        (summed,) = connection.execute("SELECT SUM(market_cap), SUM(market_cap_by_class) FROM rows").fetchall()

    assert summed == (total_usd(caps), total_usd(caps[1:]) if caps[1:] else None)
    assert pc.sum(rows.column("market_cap")).as_py() == total_usd(caps)


@pytest.mark.parametrize(
    ("value", "scale", "text"),
    [
        (3325399124681.52, 2, "3325399124681.52"),
        (56560392349612.24, 2, "56560392349612.24"),
        (39_999_999_999_999.99, 2, "39999999999999.99"),
        (249.2902, 6, "249.290200"),
        (0.1 + 0.2, 2, "0.30"),
        (1.005, 2, "1.01"),
        (-1.005, 2, "-1.01"),
        (2**53 + 1, 2, "9007199254740993.00"),
        (Decimal("70368744177664.01"), 2, "70368744177664.01"),
        (Decimal("987654321098765.43"), 2, "987654321098765.43"),
    ],
)
def test_cents_survive(value: float | Decimal, scale: int, text: str) -> None:
    assert decimals(parquet.decimal_words([value], scale), scale) == [Decimal(text)]


def values_of(column: Column) -> st.SearchStrategy[Any]:
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "date": DAYS,
        "varchar": st.text(max_size=20),
        "decimal": cents | exact_cents if column.scale == 2 else cents,
        "double": st.floats(allow_nan=False),
        "bigint": st.integers(-(2**63), 2**63 - 1),
        "integer": st.integers(-(2**31), 2**31 - 1),
        "boolean": st.booleans(),
    }
    return kinds[column.type] | st.none() if column.nullable else kinds[column.type]


@st.composite
def filled_tables(draw: st.DrawFn) -> tuple[Table, list[Any], list[int], list[list[Any]]]:
    """Rows of some dates: the table, the dates, how many rows each has, and the columns."""
    table = draw(st.sampled_from(TABLES))
    days = sorted(draw(st.sets(DAYS, min_size=1, max_size=4)))
    counts = [draw(st.integers(1, 20)) for _ in days]
    size = sum(counts)
    columns = [draw(st.lists(values_of(column), min_size=size, max_size=size)) for column in table.columns[1:]]
    return table, days, counts, columns


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(filled_tables())
def test_both_layouts_hold_the_rows_that_were_given(drawn: tuple[Table, list[Any], list[int], list[list[Any]]]) -> None:
    table, days, counts, columns = drawn
    rows = parquet.arrow_table(table, days, counts, columns)
    rows.validate(full=True)

    flat = pq.read_table(io.BytesIO(parquet.flat_bytes(table, rows)))
    assert flat.schema.equals(arrow_schema(table, partitioned=False))
    assert flat.equals(rows)
    assert flat.column(0).to_pylist() == [day for day, count in zip(days, counts, strict=True) for _ in range(count)]
    for column, values in zip(table.columns[1:], columns, strict=True):
        expected = [_stored(column, value) for value in values]
        assert flat.column(column.name).to_pylist() == expected

    start = 0
    for count in counts:
        partition = pq.read_table(io.BytesIO(parquet.partition_bytes(rows.slice(start, count))))
        assert partition.schema.equals(arrow_schema(table, partitioned=True))
        assert partition.equals(rows.slice(start, count).remove_column(0))
        start += count


def _stored(column: Column, value: Any) -> Any:
    return exactly(value, column.scale) if column.type == "decimal" and value is not None else value


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(filled_tables())
def test_the_bytes_of_a_date_are_those_it_has_alone(drawn: tuple[Table, list[Any], list[int], list[list[Any]]]) -> None:
    table, days, counts, columns = drawn
    together, start = parquet.arrow_table(table, days, counts, columns), 0

    for day, count in zip(days, counts, strict=True):
        alone = parquet.arrow_table(table, [day], [count], [column[start : start + count] for column in columns])
        assert parquet.partition_bytes(together.slice(start, count)) == parquet.partition_bytes(alone)
        start += count


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(filled_tables())
def test_a_date_with_the_rows_of_the_last_has_its_bytes(
    drawn: tuple[Table, list[Any], list[int], list[list[Any]]],
) -> None:
    table, days, counts, columns = drawn
    rows, partitions = parquet.arrow_table(table, days, counts, columns), parquet.Partitions(table)

    for end in accumulate(counts):
        for part in (rows.slice(0, end), rows.slice(0, end), rows.slice(end - 1, 1)):
            assert partitions.encoded(part) == parquet.partition_bytes(part)


def test_what_repeats_is_encoded_once_unless_it_has_floats() -> None:
    failed, days = TABLE["failed_collections"], [date(2024, 6, 7), date(2024, 6, 10)]
    failures, partitions = (
        parquet.arrow_table(failed, days, [1, 1], [[None, None], ["-", "-"]]),
        parquet.Partitions(failed),
    )
    assert partitions.encoded(failures.slice(0, 1)) is partitions.encoded(failures.slice(1, 1))

    of_floats = replace(failed, columns=(failed.columns[0], Column("share", "double", "Zero, of either sign.")))
    shares, partitions = parquet.arrow_table(of_floats, days, [1, 1], [[0.0, -0.0]]), parquet.Partitions(of_floats)
    assert partitions.encoded(shares.slice(0, 1)) != partitions.encoded(shares.slice(1, 1))


def test_duckdb_reads_a_partition_like_a_flat_file(tmp_path: Path) -> None:
    table = next(table for table in TABLES if table.name == "data_quality")
    columns = [
        ["NVDA", None, "é"],
        ["doubt", "partial", "correction"],
        ["suspect", "error", "info"],
        [None, None, "shares"],
        [40.25, None, -1],
        [10, None, 0.000001],
        ["why", "", "x" * 1000],
        [None, None, None],
    ]
    rows = parquet.arrow_table(table, [date(2024, 6, 7)], [3], columns)
    (tmp_path / "partition.parquet").write_bytes(parquet.partition_bytes(rows))
    (tmp_path / "flat.parquet").write_bytes(parquet.flat_bytes(table, rows))

    names = ", ".join(column.name for column in table.columns[1:])
    with duckdb.connect() as connection:
        partition, flat = (
            connection.execute(f"SELECT {names} FROM '{tmp_path / name}'").fetchall()
            for name in ("partition.parquet", "flat.parquet")
        )

    assert partition == flat
    assert partition[0][4] == Decimal("40.250000")
