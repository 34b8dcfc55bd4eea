"""`mag7 sql` through a real process, over a lake with two dates."""

import csv
import io
import json
import subprocess
from datetime import date
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.simulators.command_line import MAG7, environment, mag7, mag7_in_terminal

from mag7cli.cli.output import Output
from mag7cli.cli.sql import _result, _streamed
from mag7cli.lake.layout import Lake
from mag7cli.tables.schema import PUBLISHED, TABLE, VIEWS, arrow_schema
from mag7cli.warehouse import sql_files
from mag7cli.warehouse.engines.duckdb import DuckDbEngine

SHARES = (
    "SELECT trading_date, total_mag7_market_cap, mag7_pct_of_sp500 FROM market_data.concentration_metrics ORDER BY 1"
)


@pytest.fixture
def here(tmp_path):
    """A folder with a lake of two dates."""
    rows = [
        (date(2024, 12, 12), Decimal("17500000000000.25"), Decimal("52500000000000.00"), 33.25, 7),
        (date(2024, 12, 13), Decimal("17600000000000.01"), Decimal("52600000000000.00"), 33.28, 7),
    ]
    schema = arrow_schema(TABLE["concentration_metrics"], partitioned=False)
    columns = [pa.array(values, field.type) for values, field in zip(zip(*rows, strict=True), schema, strict=True)]
    path = tmp_path / "lake" / Lake.flat_key("concentration_metrics", 2024)
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), path)
    return tmp_path


def test_a_table_is_aligned_and_complete(here):
    ended = mag7("sql", SHARES, cwd=here)
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout == (
        "trading_date  total_mag7_market_cap  mag7_pct_of_sp500\n"
        "2024-12-12        17500000000000.25              33.25\n"
        "2024-12-13        17600000000000.01              33.28\n"
    )


def test_every_format_has_the_same_values(here):
    rows = list(csv.DictReader(io.StringIO(mag7("sql", SHARES, "--format", "csv", cwd=here).stdout)))
    assert rows[1] == {
        "trading_date": "2024-12-13",
        "total_mag7_market_cap": "17600000000000.01",
        "mag7_pct_of_sp500": "33.28",
    }
    document = json.loads(mag7("sql", SHARES, "--format", "json", cwd=here).stdout)
    assert document["schema_version"] == 1
    assert document["rows"][1]["total_mag7_market_cap"] == 17600000000000.01
    assert document["columns"] == [
        {"name": "trading_date", "type": "DATE"},
        {"name": "total_mag7_market_cap", "type": "DECIMAL(20,2)"},
        {"name": "mag7_pct_of_sp500", "type": "DOUBLE"},
    ]
    markdown = mag7("sql", SHARES, "--format", "markdown", cwd=here).stdout.splitlines()
    assert markdown[1:] == [
        "| --- | ---: | ---: |",
        "| 2024-12-12 | 17500000000000.25 | 33.25 |",
        "| 2024-12-13 | 17600000000000.01 | 33.28 |",
    ]


def test_a_statement_may_come_through_stdin(here):
    assert mag7("sql", "-", cwd=here, stdin=f"-- a comment; with a sign\n{SHARES};\n").stdout.count("\n") == 3


def test_a_terminal_shows_the_same_rows(here):
    assert "17600000000000.01" in mag7_in_terminal("sql", SHARES, cwd=here).stderr


def test_the_latest_date_is_the_value_of_as_of_unless_another_is_given(here):
    question = "SELECT CAST(:as_of AS DATE) AS day"
    assert mag7("sql", question, "--format", "csv", cwd=here).stdout == "day\n2024-12-13\n"
    assert mag7("sql", question, "--as-of", "2024-12-12", "--format", "csv", cwd=here).stdout == "day\n2024-12-12\n"


def test_windows_end_at_as_of(here):
    question = "SELECT CAST(:month_before AS DATE) AS a, CAST(:three_months_before AS DATE) AS b"
    words = ["sql", question, "--format", "csv", "--as-of"]
    assert mag7(*words, "2024-05-31", cwd=here).stdout == "a,b\n2024-04-30,2024-02-29\n"
    assert mag7(*words, "2024-01-15", cwd=here).stdout == "a,b\n2023-12-15,2023-10-15\n"


def test_the_list_has_every_table_view_and_query(here):
    listed = {
        entry["name"] for entry in json.loads(mag7("sql", "--list", "--format", "json", cwd=here).stdout)["names"]
    }
    assert {table.qualified_name for table in (*PUBLISHED, *VIEWS)} | set(sql_files.names("analysis")) | {
        "query_performance"
    } == listed


def test_the_queries_are_in_the_folders_of_the_walk_through(here):
    listed = json.loads(mag7("sql", "--list", "--format", "json", cwd=here).stdout)["names"]
    folders = [entry["folder"] for entry in listed if entry["kind"] == "query"]
    assert folders == sorted(folders, key=FOLDERS.index)
    assert set(folders) == set(FOLDERS)


FOLDERS = ["Concentration Metrics", "Data Validation", "Time Series Analysis", "Performance Monitoring"]


@pytest.mark.parametrize("name", sql_files.names("analysis"))
def test_every_query_that_comes_with_it_runs(here, name):
    ended = mag7("sql", "--name", name, "--format", "json", cwd=here)
    assert (ended.code, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    "statement",
    [
        "DROP VIEW market_data.concentration_metrics",
        "INSERT INTO market_data.concentration_metrics VALUES (1)",
        "COPY (SELECT 1) TO 'stolen.csv'",
        "SELECT 1 INTO stolen",
        "SELECT 1; DROP TABLE x",
        "ATTACH 'other.duckdb'",
        "SET enable_external_access = true",
        "",
        "-- nothing but a comment",
    ],
)
def test_what_does_not_read_is_refused(here, statement):
    ended = mag7("sql", statement, cwd=here)
    assert (ended.code, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Error: ")
    assert sorted(path.name for path in here.iterdir()) == ["lake"]


@pytest.mark.parametrize("words", [[], ["-"]])
def test_a_pipe_may_bring_the_statement(here, words):
    ended = mag7("sql", *words, cwd=here, stdin="SELECT 7 AS seven")
    assert (ended.code, ended.stdout) == (0, "seven\n    7\n")


def test_a_statement_may_begin_with_a_comment_and_leave_the_schema_out(here):
    ended = mag7("sql", "-- how many\nSELECT*FROM (SELECT COUNT(*) AS days FROM concentration_metrics)", cwd=here)
    assert (ended.code, ended.stdout) == (0, "days\n   2\n")


def test_a_configured_format_for_all_commands_is_one_of_sql_too(here):
    (here / "mag7.toml").write_text('format = "text"\n')
    assert mag7("sql", SHARES, cwd=here).code == 0


LONG = "SELECT range AS number, 'row ' || range AS name FROM range({})"


@pytest.mark.parametrize("rows", [0, 1, 1000, 2500])
@pytest.mark.parametrize("form", ["json", "csv", "markdown", "table"])
def test_rows_that_come_in_blocks_are_the_whole_result(rows, form, capsys):
    engine = DuckDbEngine(duckdb.connect())
    streamed = _streamed(engine.stream(LONG.format(rows)))
    Output(form).stream(streamed)
    at_once = capsys.readouterr().out
    Output(form).show(_result(engine.query(LONG.format(rows))))
    assert sorted(at_once.split()) == sorted(capsys.readouterr().out.split())
    if form == "json":
        assert len(json.loads(at_once)["rows"]) == rows


def test_a_long_result_is_not_fetched_when_its_reader_has_had_enough(here):
    script = f"'{MAG7}' sql 'SELECT * FROM range(100000000000)' | head -2"
    ended = subprocess.run(["bash", "-c", script], cwd=here, env=environment(here), capture_output=True, timeout=30)
    assert (ended.stdout, ended.stderr) == (b"range\n    0\n", b"")


def test_a_word_in_a_literal_is_no_word_of_the_statement(here):
    ended = mag7(
        "sql", "SELECT 'drop; into' AS text, \"mag7_pct_of_sp500\" FROM market_data.concentration_metrics", cwd=here
    )
    assert ended.code == 0


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('mag7.toml')",
        "SELECT * FROM market_data.no_such_table",
        "SELECT * FROM market_data.concentration_metrics WHERE mag7_pct > 1",
        "SELECT 1 +",
    ],
)
def test_a_statement_that_fails_is_one_line(here, statement):
    (here / "mag7.toml").write_text("")
    ended = mag7("sql", statement, cwd=here)
    assert (ended.code, ended.stdout) == (1, "")
    assert ended.stderr.startswith("Error: ")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("words", [[], ["SELECT 1", "--list"], ["--name", "x", "--list"], ["--name", "no_such_query"]])
def test_what_cannot_be_is_a_usage_error(here, words):
    assert mag7("sql", *words, cwd=here).code == 2


def test_values_of_any_type_have_a_form(here):
    long = "170141183460469231731687303715884105727"
    odd = f"SELECT {long} AS long, [1, 2] AS list, 'a'::BLOB AS bytes, 1 AS twice, 2 AS twice"
    (row,) = json.loads(mag7("sql", odd, "--format", "json", cwd=here).stdout)["rows"]
    assert row == {
        "long": long,
        "list": [1, 2],
        "bytes": "61",
        "twice": 1,
        "twice_2": 2,
    }
    assert mag7("sql", odd, cwd=here).code == 0


def test_text_from_a_table_cannot_steer_the_terminal(here):
    ended = mag7("sql", "SELECT 'a' || chr(27) || '[2J' || chr(10) || 'b' AS text", cwd=here)
    assert ended.stdout == "text\na\\x1b[2J b\n"


def test_a_type_that_python_cannot_be_given_is_one_error_with_a_way_out(tmp_path):
    (tmp_path / "lake" / "raw").mkdir(parents=True)
    ended = mag7("sql", "SELECT TIMESTAMPTZ '2024-12-13 16:00:00+00' AS moment", cwd=tmp_path)

    assert ended.code in (0, 1)  # 0 where pytz is installed
    assert "Traceback" not in ended.stderr
    assert ended.code == 0 or "Hint: cast it: column::TIMESTAMP" in ended.stderr
