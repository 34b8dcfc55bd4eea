"""One declaration of the tables, and every rendering of it."""

from pathlib import Path
from typing import get_args

import duckdb
import pytest
import sqlglot

from mag7cli.tables import schema
from mag7cli.tables.schema import TABLE, TABLES, VIEWS, Column, Dialect, Table

_ROOT = Path(__file__).parents[3]
_GOLDEN = _ROOT / "tests" / "golden" / "ddl"
_LOCATION = "s3://bucket/lake/analytics/{}/"
_SQLGLOT = {"duckdb": "duckdb", "athena": "athena", "redshift": "redshift"}


def _ddl(dialect: Dialect) -> str:
    statements = [schema.create_schema_sql()]
    statements += [schema.create_sql(table, dialect, _LOCATION.format(table.name)) for table in TABLES]
    statements += [schema.create_view_sql(view) for view in VIEWS]
    return ";\n\n".join(statements) + ";\n"


@pytest.mark.parametrize("dialect", get_args(Dialect))
def test_the_ddl_is_the_golden_one(dialect: Dialect) -> None:
    assert _ddl(dialect) == (_GOLDEN / f"{dialect}.sql").read_text(encoding="utf-8")


@pytest.mark.parametrize("dialect", get_args(Dialect))
def test_the_ddl_parses_in_its_own_dialect(dialect: Dialect) -> None:
    statements = sqlglot.parse(_ddl(dialect), dialect=_SQLGLOT[dialect])

    assert all(isinstance(statement, sqlglot.exp.Create) for statement in statements if statement)


def test_duckdb_takes_the_ddl_twice_and_keeps_types_and_order() -> None:
    with duckdb.connect() as connection:
        for _ in range(2):
            connection.execute(_ddl("duckdb"))

        for table in TABLES:
            described = connection.execute(f"DESCRIBE {table.qualified_name}").fetchall()
            assert [(row[0], row[2] == "YES") for row in described] == [
                (column.name, column.nullable) for column in table.columns
            ]


def test_the_data_model_page_is_not_stale() -> None:
    page = (_ROOT / "docs" / "data-model.md").read_text(encoding="utf-8")

    assert page == schema.data_model_markdown(), "run scripts/write_data_model.py"


def test_the_partition_column_is_first_in_flat_files_and_absent_from_partitioned_ones() -> None:
    for table in TABLES:
        flat, partitioned = (schema.arrow_schema(table, partitioned=value).names for value in (False, True))
        assert flat == [column.name for column in table.columns], table.name
        assert partitioned == [column.name for column in table.columns[1:]], table.name
        assert table.columns[0].name == schema.PARTITION, table.name


def test_keys_are_made_of_columns_that_are_never_null() -> None:
    nullable = [
        f"{table.name}.{column.name}"
        for table in TABLES
        for column in table.columns
        if column.nullable and column.name in {*table.primary_key, *table.sort_key}
    ]
    unknown = [table.name for table in TABLES if not {*table.primary_key, *table.sort_key} <= _names(table)]

    assert (nullable, unknown) == ([], [])


def _names(table: Table) -> set[str]:
    return {column.name for column in table.columns}


def test_sizes_are_given_where_the_type_has_one_and_within_the_engines_limits() -> None:
    offenders = [
        f"{table.name}.{column.name}" for table in TABLES for column in table.columns if not _is_well_sized(column)
    ]

    assert offenders == []


def _is_well_sized(column: Column) -> bool:
    return (
        (column.max_bytes is not None) == (column.type == "varchar")
        and (column.precision > 0) == (column.type == "decimal")
        and (column.max_bytes or 0) <= 65_535
        and column.scale <= column.precision <= 38
    )


def test_every_column_is_described_in_a_sentence() -> None:
    columns = ((table, column) for table in TABLES for column in table.columns)

    assert [f"{t.name}.{c.name}" for t, c in columns if not c.description.endswith((".", "`"))] == []


def test_the_original_five_tables_keep_their_columns_in_their_order() -> None:
    original = {
        "company_details": "trading_date ticker company_name market_cap shares_outstanding currency description",
        "daily_trading": "trading_date ticker open_price high_price low_price close_price volume vwap",
        "magnificent7_metrics": "trading_date ticker market_cap pct_of_mag7 pct_of_sp500 ranking",
        "concentration_metrics": "trading_date total_mag7_market_cap sp500_total_market_cap mag7_pct_of_sp500 "
        "mag7_companies_count",
        "failed_collections": "trading_date ticker reason",
    }

    assert {name: " ".join(column.name for column in TABLE[name].columns) for name in original} == original
    assert {table.name for table in TABLES if table.origin == "original"} == set(original)


def test_an_athena_table_without_a_location_is_refused() -> None:
    with pytest.raises(ValueError, match="location"):
        schema.create_sql(TABLES[0], "athena")


@pytest.fixture
def traded() -> duckdb.DuckDBPyConnection:
    """NVDA on the session before its ten-for-one split and on the first one after it."""
    connection = duckdb.connect()
    connection.execute(_ddl("duckdb"))
    connection.execute(
        "INSERT INTO market_data.daily_trading VALUES "
        "('2024-06-07', 'NVDA', 1197.70, 1216.9151, 1180.22, 1208.88, 41238580, 1202.4321),"
        "('2024-06-10', 'NVDA', 120.37, 123.10, 117.01, 121.79, 314162664, 120.6181)"
    )
    connection.execute("INSERT INTO market_data.stock_splits VALUES ('2024-06-10', 'NVDA', 1, 10, 10)")
    return connection


_ADJUSTED = "SELECT close_price, volume, split_factor FROM market_data.daily_trading_adjusted ORDER BY trading_date"


def test_the_adjusted_view_divides_prices_and_multiplies_volume_by_later_splits(
    traded: duckdb.DuckDBPyConnection,
) -> None:
    before, after = traded.execute(_ADJUSTED).fetchall()

    assert [str(value) for value in before] == ["120.888000", "412385800", "10.0"]
    assert [str(value) for value in after] == ["121.790000", "314162664", "1.0"]


def test_the_adjusted_view_ignores_splits_that_have_not_happened_yet(traded: duckdb.DuckDBPyConnection) -> None:
    traded.execute("INSERT INTO market_data.stock_splits VALUES ('2030-01-02', 'NVDA', 1, 2, 2)")

    assert [row[2] for row in traded.execute(_ADJUSTED).fetchall()] == [10.0, 1.0]
