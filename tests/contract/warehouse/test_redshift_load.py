"""Loading a lake on S3 into Redshift: exactly once, all or nothing, and by jobs."""

import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.simulators.cloud import Cloud, redshift_of
from tests.simulators.filled_lake import DAYS, flat, rows_of
from tests.simulators.redshift_data import RedshiftSimulator

from mag7cli.core.errors import EngineError, StoppedEarlyError, UsageError
from mag7cli.lake.layout import Lake
from mag7cli.tables.schema import TABLE, TABLES, VIEWS
from mag7cli.warehouse import copy_jobs, redshift_load
from mag7cli.warehouse.engines.duckdb import DuckDbEngine
from mag7cli.warehouse.engines.redshift import RedshiftEngine, Warehouse
from mag7cli.warehouse.redshift_status import load_status

ROLE = "arn:aws:iam::123456789012:role/mag7-redshift-copy"
WORKGROUP = Warehouse(workgroup="market-analysis")
NEXT_DAY = date(2024, 1, 4)


def no_sleep(_: float) -> None:
    """Wait for next to nothing: the simulator runs in threads of its own."""
    time.sleep(0.02)


@pytest.fixture
def engine(redshift: RedshiftSimulator) -> RedshiftEngine:
    redshift.states = ()
    return RedshiftEngine(WORKGROUP, sleep=no_sleep)


@pytest.fixture
def lake(cloud: Cloud) -> Lake:
    cloud.fill(DAYS)
    return Lake.at(cloud.lake)


def assert_equal_to_the_lake(redshift: RedshiftSimulator, days: tuple[date, ...], revisions: dict[date, int]) -> None:
    """Every row of every table, and no other."""
    connection = redshift.duckdb.cursor()
    for table in TABLES:
        names = [column.name for column in table.columns]
        found = [
            dict(zip(names, row, strict=True)) for row in connection.sql(f"FROM {table.qualified_name}").fetchall()
        ]
        wanted = [row for day in days for row in rows_of(table, day, revisions.get(day, 0))]
        assert sorted(found, key=repr) == sorted(wanted, key=repr), table.name


# The plain load


def test_three_loads_in_a_row_leave_each_table_equal_to_the_lake(
    redshift: RedshiftSimulator, engine: RedshiftEngine, lake: Lake
) -> None:
    for _ in range(3):
        result = redshift_load.load(lake, engine)

    assert_equal_to_the_lake(redshift, DAYS, {})
    assert {table.name: table.warehouse_rows for table in result.tables}["daily_trading"] == 9


def test_a_collected_again_date_replaces_its_rows(
    cloud: Cloud, redshift: RedshiftSimulator, engine: RedshiftEngine, lake: Lake
) -> None:
    redshift_load.load(lake, engine)
    cloud.fill(DAYS, revision=1)

    redshift_load.load(lake, engine)

    assert_equal_to_the_lake(redshift, DAYS, dict.fromkeys(DAYS, 1))


def test_a_table_without_files_is_emptied(cloud: Cloud, engine: RedshiftEngine, lake: Lake) -> None:
    redshift_load.load(lake, engine)
    for found in list(lake.store.list("analytics/stock_splits/")):
        lake.store.delete(found.key)

    result = redshift_load.load(lake, engine)

    assert {table.name: table.warehouse_rows for table in result.tables}["stock_splits"] == 0


def test_all_tables_are_one_transaction_and_what_is_computed_another(
    redshift: RedshiftSimulator, engine: RedshiftEngine, lake: Lake
) -> None:
    redshift_load.load(lake, engine)

    first, second = (sent.sqls for sent in redshift.submissions.values() if sent.is_batch)
    assert redshift.log.count("BatchExecuteStatement") == 2
    assert not any("fund_weights" in statement for statement in first)
    assert all("market_data.fund_weights" in statement for statement in second)


def test_the_dry_run_shows_what_the_load_sends(redshift: RedshiftSimulator, engine: RedshiftEngine, lake: Lake) -> None:
    shown = redshift_load.dry_run(lake, ROLE)
    redshift_load.load(lake, engine, ROLE)

    assert [sql for sent in redshift.submissions.values() if sent.is_batch for sql in sent.sqls] == shown


def test_the_statements_fit_into_one_transaction_even_when_every_table_is_made_again() -> None:
    every = [table.name for table in TABLES]
    store = Lake.at("s3://bucket").store

    statements = [*redshift_load.schema_statements(every), *redshift_load.view_statements()]
    statements += [*redshift_load.replace_statements(store, every, "default", recreate=every)]

    assert len(statements) <= 40
    assert not any("TRUNCATE" in statement for statement in statements)


def test_an_adjusted_view_comes_with_the_tables(engine: RedshiftEngine, lake: Lake) -> None:
    redshift_load.load(lake, engine)

    assert engine.query("SELECT COUNT(*) AS n FROM market_data.daily_trading_adjusted").values == ((9,),)


# What is quoted and what is refused


@pytest.mark.parametrize(
    "role",
    ["", "role", "arn:aws:iam::123:role/x", "arn:aws:iam::123456789012:role/x' CREDENTIALS 'aws_access_key_id=x"],
)
def test_a_role_that_is_none_never_reaches_the_sql(lake: Lake, role: str) -> None:
    with pytest.raises(UsageError, match="--iam-role"):
        redshift_load.dry_run(lake, role)


def test_a_quote_in_the_prefix_stays_inside_the_literal(cloud: Cloud) -> None:
    store = Lake.at(f"s3://{cloud.bucket}/o'neil").store

    sql = redshift_load.copy_sql(TABLE["stock_splits"], store.uri("analytics/stock_splits/"), "default")

    assert f"FROM 's3://{cloud.bucket}/o''neil/analytics/stock_splits/'\nIAM_ROLE default\n" in sql


def test_a_local_lake_cannot_be_loaded(tmp_path: Path, engine: RedshiftEngine) -> None:
    with pytest.raises(UsageError, match="S3 only"):
        redshift_load.load(Lake.at(str(tmp_path)), engine)


# Failures


def test_a_failed_copy_leaves_the_old_rows_and_is_explained(
    cloud: Cloud, redshift: RedshiftSimulator, engine: RedshiftEngine, lake: Lake
) -> None:
    redshift_load.load(lake, engine)
    cloud.fill(DAYS, revision=1)
    table = TABLE["magnificent7_metrics"]
    wide = replace(table, columns=tuple(replace(c, type="bigint") if c.name == "ranking" else c for c in table.columns))
    rows = [row for day in DAYS for row in rows_of(table, day)]
    cloud.put_quickly({f"lake/{Lake.flat_key(table.name, 2024)}": flat(wide, rows)})

    with pytest.raises(EngineError) as caught:
        redshift_load.load(lake, engine)

    assert str(caught.value).startswith("COPY market_data.magnificent7_metrics FROM 's3://")
    assert "ranking" in str(caught.value)
    assert "transform --force" in (caught.value.hint or "")
    assert_equal_to_the_lake(redshift, DAYS, {})
    problem = load_status(engine).problems[0]
    assert problem.what.endswith("2024.parquet, column ranking")
    assert problem.advice


@pytest.mark.parametrize(
    ("column", "change", "said"),
    [
        ("close_price", {"type": "double"}, "incompatible Parquet schema"),
        ("volume", {"type": "integer"}, "incompatible Parquet schema"),
        ("ticker", {"type": "varchar"}, "longer than the length defined"),
    ],
)
def test_the_simulator_refuses_what_redshift_refuses(
    cloud: Cloud, engine: RedshiftEngine, lake: Lake, column: str, change: dict[str, Any], said: str
) -> None:
    table = TABLE["daily_trading"]
    other = replace(table, columns=tuple(replace(c, **change) if c.name == column else c for c in table.columns))
    values = {"close_price": 1.5, "volume": 7, "ticker": "ÄÖÜÄÖÜ"}
    rows = [{**row, column: values[column]} for row in rows_of(table, DAYS[-1])]
    cloud.put_quickly({f"lake/{Lake.flat_key(table.name, 2024)}": flat(other, rows)})

    with pytest.raises(EngineError, match=said):
        redshift_load.load(lake, engine)


def test_a_load_whose_process_is_killed_leaves_old_or_new_rows(
    cloud: Cloud, redshift: RedshiftSimulator, engine: RedshiftEngine, lake: Lake
) -> None:
    redshift_load.load(lake, engine)
    cloud.fill(DAYS, revision=1)
    redshift.pause_before = "COPY market_data.daily_trading\n"
    loader = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from mag7cli.warehouse import redshift_load; from mag7cli.lake.layout import Lake; "
            "from mag7cli.warehouse.engines.redshift import RedshiftEngine, Warehouse; "
            "redshift_load.load(Lake.at(sys.argv[1]), RedshiftEngine(Warehouse(workgroup='market-analysis')))",
            cloud.lake,
        ]
    )
    assert redshift.paused.wait(30)
    assert_equal_to_the_lake(redshift, DAYS, {})

    loader.kill()
    loader.wait()
    assert_equal_to_the_lake(redshift, DAYS, {})

    redshift.resume.set()
    deadline = time.monotonic() + 10
    while not list(redshift.submissions.values())[-1].outcome and time.monotonic() < deadline:
        time.sleep(0.01)
    assert_equal_to_the_lake(redshift, DAYS, dict.fromkeys(DAYS, 1))


def test_rows_that_somebody_else_adds_during_the_load_are_noticed(
    redshift: RedshiftSimulator, engine: RedshiftEngine, lake: Lake
) -> None:
    class Meddler(RedshiftEngine):
        def execute(self, statements: Any) -> None:
            super().execute(statements)
            if any("COPY" in statement for statement in statements):
                super().execute(["INSERT INTO market_data.stock_splits SELECT * FROM market_data.stock_splits"])

    with pytest.raises(EngineError, match=r"stock_splits has 18 rows, the lake 9"):
        redshift_load.load(lake, Meddler(WORKGROUP, sleep=no_sleep))


# Tables made elsewhere

ORIGINAL = """\
CREATE TABLE market_data.concentration_metrics (
    trading_date DATE, total_mag7_market_cap NUMERIC(20,2), sp500_total_market_cap NUMERIC(20,2),
    mag7_pct_of_sp500 NUMERIC(5,2), mag7_companies_count INTEGER
) DISTKEY(trading_date) SORTKEY(trading_date)"""


def test_a_table_of_the_original_project_is_refused_with_the_difference(engine: RedshiftEngine, lake: Lake) -> None:
    engine.execute(["CREATE SCHEMA market_data", ORIGINAL])

    with pytest.raises(EngineError) as caught:
        redshift_load.load(lake, engine)

    assert "concentration_metrics has mag7_pct_of_sp500 decimal(5,2)" in str(caught.value)
    assert "--recreate" in (caught.value.hint or "")


def test_recreate_makes_such_a_table_again(redshift: RedshiftSimulator, engine: RedshiftEngine, lake: Lake) -> None:
    engine.execute(["CREATE SCHEMA market_data", ORIGINAL])

    redshift_load.load(lake, engine, recreate=True)

    assert_equal_to_the_lake(redshift, DAYS, {})
    assert redshift_load.differences(engine) == {}


# COPY JOBs


@pytest.fixture
def with_jobs(redshift: RedshiftSimulator, engine: RedshiftEngine, lake: Lake) -> RedshiftSimulator:
    redshift.integrate()
    redshift_load.load(lake, engine)
    assert len(copy_jobs.create_missing(lake.store, engine, ROLE)) == len(TABLES)
    return redshift


def test_jobs_are_created_once(with_jobs: RedshiftSimulator, engine: RedshiftEngine, lake: Lake) -> None:
    assert copy_jobs.create_missing(lake.store, engine, ROLE) == []
    assert {"concentration_metrics_load", "daily_trading_load"} <= set(with_jobs.jobs)


def test_auto_copy_loads_everything_once_and_then_only_hands_over(
    cloud: Cloud, redshift: RedshiftSimulator, engine: RedshiftEngine, lake: Lake
) -> None:
    redshift.integrate()
    first = redshift_load.auto_copy(lake, engine, ROLE)
    cloud.fill((*DAYS, NEXT_DAY))
    then = redshift_load.auto_copy(lake, engine, ROLE)
    redshift.deliver()

    assert (first.load is not None, len(first.created), first.export.written) == (True, len(TABLES), ())
    assert (then.load, then.created, len(then.export.written)) == (None, (), len(TABLES))
    assert_equal_to_the_lake(redshift, (*DAYS, NEXT_DAY), {})


def test_auto_copy_without_a_named_role_changes_nothing(
    redshift: RedshiftSimulator, engine: RedshiftEngine, lake: Lake
) -> None:
    with pytest.raises(UsageError, match="needs the ARN"):
        redshift_load.auto_copy(lake, engine, "default")

    assert redshift.submissions == {}


def test_a_job_wants_a_named_role(engine: RedshiftEngine, lake: Lake) -> None:
    with pytest.raises(UsageError, match="needs the ARN"):
        copy_jobs.create_missing(lake.store, engine, "default")


def test_a_new_date_is_handed_over_once_and_loaded_once(
    cloud: Cloud, with_jobs: RedshiftSimulator, engine: RedshiftEngine, lake: Lake
) -> None:
    cloud.fill((*DAYS, NEXT_DAY))

    first = copy_jobs.export(lake, engine)
    again = copy_jobs.export(lake, engine)
    with_jobs.deliver()
    with_jobs.deliver()
    after = copy_jobs.export(lake, engine)

    assert {found.trading_date for found in first.written} == {NEXT_DAY}
    assert (len(first.written), first.waiting) == (len(TABLES), ())
    assert (again.written, len(again.waiting)) == ((), len(TABLES))
    assert (after.written, after.waiting, after.changed) == ((), (), ())
    assert_equal_to_the_lake(with_jobs, (*DAYS, NEXT_DAY), {})


def test_a_load_waits_until_the_jobs_are_done(
    cloud: Cloud, with_jobs: RedshiftSimulator, engine: RedshiftEngine, lake: Lake
) -> None:
    cloud.fill((*DAYS, NEXT_DAY))
    copy_jobs.export(lake, engine)

    with pytest.raises(StoppedEarlyError, match=rf"{len(TABLES)} files to load"):
        redshift_load.load(lake, engine)

    with_jobs.deliver()
    redshift_load.load(lake, engine)
    with_jobs.deliver()
    assert_equal_to_the_lake(with_jobs, (*DAYS, NEXT_DAY), {})


def test_a_date_that_changed_after_it_was_handed_over_is_told_and_loaded_by_a_load(
    cloud: Cloud, with_jobs: RedshiftSimulator, engine: RedshiftEngine, lake: Lake
) -> None:
    days = (*DAYS, NEXT_DAY)
    cloud.fill(days)
    copy_jobs.export(lake, engine)
    with_jobs.deliver()
    cloud.fill(days, revision=1)

    told = copy_jobs.export(lake, engine)
    with_jobs.deliver()
    assert {found.trading_date for found in told.changed} == {NEXT_DAY}
    assert told.written == ()
    assert_equal_to_the_lake(with_jobs, days, {})

    redshift_load.load(lake, engine)
    with_jobs.deliver()
    assert copy_jobs.export(lake, engine).changed == ()
    assert_equal_to_the_lake(with_jobs, days, dict.fromkeys(days, 1))


def test_a_file_that_a_job_failed_on_does_not_hold_up_a_load(
    cloud: Cloud, with_jobs: RedshiftSimulator, engine: RedshiftEngine, lake: Lake
) -> None:
    cloud.put_quickly({"lake/copyjobs/stock_splits/2024-01-04-abc.parquet": flat(TABLE["company_details"], [])})
    with pytest.raises(StoppedEarlyError):
        redshift_load.load(lake, engine)

    with_jobs.deliver()

    status = {job.name: job.files for job in load_status(engine).jobs}
    assert status["stock_splits_load"] == {"failed": 1}
    redshift_load.load(lake, engine)


def test_files_left_by_another_warehouse_are_handed_over_afresh(
    cloud: Cloud, with_jobs: RedshiftSimulator, engine: RedshiftEngine, lake: Lake
) -> None:
    cloud.fill((*DAYS, NEXT_DAY))
    copy_jobs.export(lake, engine)

    with redshift_of(cloud) as other:
        other_engine = RedshiftEngine(WORKGROUP, sleep=no_sleep)
        other.integrate()
        other_engine.execute(redshift_load.schema_statements())
        copy_jobs.create_missing(lake.store, other_engine, ROLE)
        copy_jobs.export(lake, other_engine)
        other.deliver()

        assert_equal_to_the_lake(other, (*DAYS, NEXT_DAY), {})


def test_without_an_integration_a_load_says_why_it_waits_and_ending_the_jobs_is_the_way_out(
    cloud: Cloud, redshift: RedshiftSimulator, engine: RedshiftEngine, lake: Lake
) -> None:
    result = redshift_load.auto_copy(lake, engine, ROLE)
    cloud.fill((*DAYS, NEXT_DAY))
    copy_jobs.export(lake, engine)
    redshift.deliver()

    assert not result.is_integrated
    with pytest.raises(StoppedEarlyError, match="no established S3 event integration") as caught:
        redshift_load.load(lake, engine)
    assert "--end-auto-copy" in str(caught.value.hint)

    assert len(copy_jobs.end(lake.store, engine)) == len(TABLES)
    redshift_load.load(lake, engine)
    assert redshift.jobs == {}
    assert_equal_to_the_lake(redshift, (*DAYS, NEXT_DAY), {})


def test_the_jobs_of_another_user_are_known_by_their_files(
    cloud: Cloud, with_jobs: RedshiftSimulator, engine: RedshiftEngine, lake: Lake
) -> None:
    cloud.fill((*DAYS, NEXT_DAY))
    copy_jobs.export(lake, engine)
    with_jobs.caller = "IAM:somebody-else"

    with pytest.raises(StoppedEarlyError, match="another user's"):
        redshift_load.load(lake, engine)
    with_jobs.deliver()
    redshift_load.load(lake, engine)
    with_jobs.deliver()

    assert_equal_to_the_lake(with_jobs, (*DAYS, NEXT_DAY), {})


def test_tables_with_jobs_are_not_made_again_under_them(
    with_jobs: RedshiftSimulator, engine: RedshiftEngine, lake: Lake
) -> None:
    with pytest.raises(UsageError, match="under their COPY JOBs"):
        redshift_load.auto_copy(lake, engine, ROLE, recreate=True)


# Views


def test_a_view_is_replaced_only_when_its_text_changed_and_before_the_load(
    redshift: RedshiftSimulator, engine: RedshiftEngine, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    redshift_load.load(lake, engine)
    again = redshift_load.load(lake, engine)
    changed = tuple(replace(view, query=f"SELECT * FROM (\n{view.query}\n) AS v") for view in VIEWS)
    monkeypatch.setattr(redshift_load, "VIEWS", changed)
    monkeypatch.setattr(redshift_load.view_statements, "__defaults__", (changed,))

    after_change = redshift_load.load(lake, engine)

    assert not any("VIEW" in statement for statement in again.statements)
    assert after_change.statements[0].startswith("CREATE OR REPLACE VIEW")
    assert not any("VIEW" in sql for sql in list(redshift.submissions.values())[-2].sqls)


def test_adjusted_prices_are_the_same_where_casts_cut(engine: RedshiftEngine, lake: Lake) -> None:
    redshift_load.load(lake, engine)
    sql = "SELECT trading_date, ticker, close_price, vwap FROM market_data.daily_trading_adjusted ORDER BY 1, 2"

    cut = engine.query(sql).values
    with closing(DuckDbEngine.over_lake(lake)) as local:
        assert [tuple(map(str, row)) for row in cut] == [tuple(map(str, row)) for row in local.query(sql).values]


# Reading only


def test_a_statement_of_others_may_not_write_whatever_its_words(
    redshift: RedshiftSimulator, engine: RedshiftEngine, lake: Lake
) -> None:
    redshift_load.load(lake, engine)
    reader = RedshiftEngine(WORKGROUP, read_only=True, sleep=no_sleep)

    assert reader.query("SELECT COUNT(*) AS n FROM market_data.stock_splits").values == ((9,),)
    with pytest.raises(EngineError, match="read-only"):
        reader.query("WITH a AS (SELECT 1) DELETE FROM market_data.stock_splits")
    assert redshift.read_only == set()


# Status


def test_the_status_of_a_fresh_load_names_rows_and_dates(engine: RedshiftEngine, lake: Lake) -> None:
    redshift_load.load(lake, engine)

    status = load_status(engine)

    found = {table.name: table for table in status.tables}["daily_trading"]
    assert (found.rows, found.first_date, found.last_date) == (9, "2023-12-29", "2024-01-03")
    assert (status.jobs, status.problems) == ((), ())
