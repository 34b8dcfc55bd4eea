"""One suite over the three sides of the SqlEngine seam: the same SQL gives the same typed rows."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp
from tests.simulators.cloud import Cloud, athena_of, redshift_of
from tests.simulators.filled_lake import DAYS

from mag7cli.core.errors import EngineError
from mag7cli.lake.layout import Lake
from mag7cli.tables.schema import TABLES, VIEWS, create_schema_sql, create_sql, create_view_sql
from mag7cli.warehouse import glue_catalog, redshift_load, sql_files
from mag7cli.warehouse.engines import Rows, SqlEngine
from mag7cli.warehouse.engines.athena import AthenaEngine
from mag7cli.warehouse.engines.duckdb import DuckDbEngine
from mag7cli.warehouse.engines.redshift import RedshiftEngine, Warehouse
from mag7cli.warehouse.engines.sql_text import Statement, plain, quoted
from mag7cli.warehouse.validate import checks, run_checks

FOLDERS = ("validate", "analysis")
PARAMETERS = {
    "as_of": DAYS[-1],
    "month_before": date(2023, 12, 3),
    "three_months_before": date(2023, 10, 3),
}


@pytest.fixture(scope="module")
def engines(shared_cloud: Cloud, aws_glue: Any) -> Iterator[dict[str, SqlEngine]]:
    shared_cloud.fill(DAYS)
    lake = Lake.at(shared_cloud.lake)
    with athena_of(shared_cloud, aws_glue) as athena_simulator, redshift_of(shared_cloud) as redshift_simulator:
        athena_simulator.states, redshift_simulator.states = (), ()
        athena = AthenaEngine(output_location="s3://results/")
        redshift = RedshiftEngine(Warehouse(workgroup="market-analysis"))
        glue_catalog.sync(lake, athena)
        redshift_load.load(lake, redshift)
        found: dict[str, SqlEngine] = {
            "duckdb": DuckDbEngine.over_lake(lake),
            "athena": athena,
            "redshift": redshift,
        }
        yield found
        for engine in found.values():
            engine.close()


@pytest.fixture(params=["duckdb", "athena", "redshift"])
def engine(request: pytest.FixtureRequest, engines: dict[str, SqlEngine]) -> SqlEngine:
    return engines[request.param]


def typed(rows: Rows) -> list[list[tuple[str, object]]]:
    return [[(type(value).__name__, value) for value in row] for row in rows.values]


# The seam


def test_values_come_back_in_their_types(engine: SqlEngine) -> None:
    rows = engine.query(
        "SELECT trading_date, ticker, close_price, volume FROM market_data.daily_trading "
        "WHERE trading_date = CAST(:day AS DATE) ORDER BY ticker",
        {"day": DAYS[0]},
    )

    assert rows.columns == ("trading_date", "ticker", "close_price", "volume")
    assert rows.values == (
        (DAYS[0], "AAPL", Decimal("883.000000"), 883_000_000_000),
        (DAYS[0], "BRK.B", Decimal("884.000000"), 884_000_000_000),
        (DAYS[0], "TSLA", Decimal("885.000000"), None),
    )
    assert rows.records()[2]["volume"] is None
    types = dict(zip(rows.columns, (kind.lower() for kind in rows.types), strict=True))
    assert types["trading_date"] == "date"
    assert types["volume"] in ("bigint", "int8")
    assert types["close_price"].endswith("(20,6)")


def test_doubles_and_booleans_are_exact(engine: SqlEngine) -> None:
    rows = engine.query(
        "SELECT counted, pct_of_sp500 FROM market_data.sp500_constituents WHERE ticker = :ticker ORDER BY trading_date",
        {"ticker": "AAPL"},
    )

    assert rows.values == ((True, 883 / 3), (True, 887 / 3), (True, 888 / 3))


def test_null_is_not_an_empty_string(engine: SqlEngine) -> None:
    rows = engine.query(
        "SELECT description FROM market_data.company_details WHERE trading_date = CAST(:day AS DATE) ORDER BY ticker",
        {"day": DAYS[0]},
    )

    assert rows.values == (("",), ("é" * 900,), (None,))


def test_a_result_without_rows_has_columns(engine: SqlEngine) -> None:
    rows = engine.query("SELECT ticker FROM market_data.daily_trading WHERE ticker = 'NONE'")

    assert (rows.columns, rows.values, rows.records()) == (("ticker",), (), [])


def test_a_placeholder_in_a_comment_or_a_literal_is_none(engine: SqlEngine) -> None:
    rows = engine.query(
        "-- for :nobody\nSELECT ':nobody' AS a /* :nobody */ FROM market_data.concentration_metrics "
        "WHERE trading_date = CAST(:day AS DATE)",
        {"day": DAYS[1]},
    )

    assert rows.values == ((":nobody",),)


def test_a_value_cannot_change_the_statement(engine: SqlEngine) -> None:
    sql = "SELECT ticker FROM market_data.daily_trading WHERE ticker = :ticker"

    assert engine.query(sql, {"ticker": "' OR '1'='1"}).values == ()


def test_a_missing_value_is_an_error(engine: SqlEngine) -> None:
    with pytest.raises(EngineError, match=r"no value for :day"):
        engine.query("SELECT 1 FROM market_data.daily_trading WHERE trading_date = :day")


def test_an_error_names_the_statement_on_one_line(engine: SqlEngine) -> None:
    with pytest.raises(EngineError) as caught:
        engine.query("SELECT ticker\nFROM market_data.nowhere")

    assert str(caught.value).startswith("SELECT ticker FROM market_data.nowhere: ")
    assert "\n" not in str(caught.value)


# The SQL that ships


@pytest.mark.parametrize(("folder", "name"), [(folder, name) for folder in FOLDERS for name in sql_files.names(folder)])
def test_a_shipped_statement_gives_the_same_rows_everywhere(
    engines: dict[str, SqlEngine], folder: str, name: str
) -> None:
    file = sql_files.read(folder, name)
    if file.fields.get("engines") == "duckdb":
        pytest.skip("only for DuckDB")

    found = {dialect: engine.query(file.sql, PARAMETERS) for dialect, engine in engines.items()}

    assert typed(found["athena"]) == typed(found["duckdb"])
    assert found["redshift"].values == found["duckdb"].values
    assert found["athena"].columns == found["redshift"].columns == found["duckdb"].columns


def test_validation_finds_the_same_on_the_three_engines(engines: dict[str, SqlEngine]) -> None:
    common = checks(engines["athena"])

    found = {
        dialect: {result.check.name: (result.passed, result.rows.values) for result in run_checks(engine, common)}
        for dialect, engine in engines.items()
    }

    assert found["athena"] == found["redshift"] == found["duckdb"]
    assert not all(passed for passed, _ in found["duckdb"].values())


def statement_of(path: Path) -> str:
    """A file's statement; one of them is written once for every table."""
    return path.read_text().replace("{table}", "daily_trading")


SQL_FILES = sorted(Path(str(sql_files.resources.files("mag7cli"))).glob("warehouse/sql/*/*.sql"))


@pytest.mark.parametrize("path", SQL_FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
@pytest.mark.parametrize("dialect", ["duckdb", "athena", "redshift"])
def test_every_sql_file_parses_in_every_dialect(path: Path, dialect: str) -> None:
    statements = sqlglot.parse(statement_of(path), read=dialect)

    assert [type(statement) for statement in statements if statement] != [exp.Command]
    assert len(statements) == 1


@pytest.mark.parametrize("path", SQL_FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_placeholders_stand_where_athena_allows_them(path: Path) -> None:
    placeholders = list(sqlglot.parse_one(statement_of(path), read="athena").find_all(exp.Placeholder))

    assert [mark for mark in placeholders if mark.find_ancestor(exp.Where) is None] == []


def test_all_ddl_parses_in_its_own_dialect() -> None:
    for table in TABLES:
        for dialect in ("duckdb", "redshift", "athena"):
            sql = create_sql(table, dialect, "s3://bucket/processed/" if dialect == "athena" else None)
            assert isinstance(sqlglot.parse_one(sql, read=dialect), exp.Create)
    for sql in (create_schema_sql(), *map(create_view_sql, VIEWS)):
        assert all(isinstance(sqlglot.parse_one(sql, read=dialect), exp.Create) for dialect in ("athena", "redshift"))
    for table in TABLES:
        copy = redshift_load.copy_sql(table, f"s3://bucket/analytics/{table.name}/", "default")
        assert isinstance(sqlglot.parse_one(copy, read="redshift"), exp.Copy)


# SQL as text


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT :a, :b_2, :a", ("a", "b_2", "a")),
        ("SELECT CAST(x AS DATE), y::date, ':no', \":no\", 'it''s :no' -- :no\n/* :no\n:no */ , :yes", ("yes",)),
        ("SELECT 1", ()),
    ],
)
def test_placeholders_are_found_outside_of_quotes_and_comments(sql: str, names: tuple[str, ...]) -> None:
    assert Statement.parse(sql).names == names


def test_a_long_statement_has_a_short_title() -> None:
    title = Statement.parse("-- why\nSELECT " + ", ".join(f"column_{number}" for number in range(50))).title

    assert re.fullmatch(r"SELECT column_0, .*…", title)
    assert len(title) <= 72


def test_a_semicolon_at_the_end_is_dropped() -> None:
    assert Statement.parse("SELECT 1 ;\n-- done\n").render(iter(())) == "SELECT 1"


def test_characters_on_which_dialects_disagree_are_refused() -> None:
    for text in ("a\\b", "a\0b"):
        with pytest.raises(EngineError, match="cannot be written into SQL"):
            quoted(text)
    assert quoted("it's") == "'it''s'"


def test_values_have_one_plain_spelling() -> None:
    assert [plain(value) for value in (True, False, date(2024, 12, 13), Decimal("1.50"), 31.9, 7)] == [
        "true",
        "false",
        "2024-12-13",
        "1.50",
        "31.9",
        "7",
    ]
