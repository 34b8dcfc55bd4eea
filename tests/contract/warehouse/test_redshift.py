"""What only Redshift's Data API can get wrong: its transactions, states, parameters and results."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.simulators.cloud import Cloud, redshift_of
from tests.simulators.redshift_data import RedshiftSimulator

from mag7cli.core.errors import EngineError, UsageError
from mag7cli.warehouse.engines import Value
from mag7cli.warehouse.engines.redshift import RedshiftEngine, Warehouse

SERVERLESS = Warehouse(workgroup="market-analysis")


def no_sleep(_: float) -> None:
    """Wait for nothing."""


@pytest.fixture(scope="module")
def shared_redshift(shared_cloud: Cloud) -> Iterator[RedshiftSimulator]:
    with redshift_of(shared_cloud) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def shared_engine(shared_redshift: RedshiftSimulator) -> RedshiftEngine:
    return RedshiftEngine(SERVERLESS)


@pytest.fixture
def redshift(shared_redshift: RedshiftSimulator) -> RedshiftSimulator:
    shared_redshift.states = ("SUBMITTED",)
    shared_redshift.page_rows = 1_000
    shared_redshift.pause_before = None
    shared_redshift.log.clear()
    for event in (shared_redshift.paused, shared_redshift.resume):
        event.clear()
    return shared_redshift


@pytest.fixture
def engine(redshift: RedshiftSimulator, shared_engine: RedshiftEngine) -> RedshiftEngine:
    shared_engine.execute(["DROP TABLE IF EXISTS t", "CREATE TABLE t (a INTEGER, b VARCHAR(10))"])
    return shared_engine


def rows_of(engine: RedshiftEngine) -> tuple[tuple[Value, ...], ...]:
    return engine.query("SELECT a, b FROM t ORDER BY a").values


# Which warehouse, and as whom


@pytest.mark.parametrize(
    ("warehouse", "request_part"),
    [
        (SERVERLESS, {"WorkgroupName": "market-analysis", "Database": "dev"}),
        (
            Warehouse(cluster="c1", database="prod", db_user="loader"),
            {"ClusterIdentifier": "c1", "Database": "prod", "DbUser": "loader"},
        ),
        (
            Warehouse(workgroup="w", secret_arn="arn:aws:secretsmanager:us-east-1:123456789012:secret:x"),
            {
                "WorkgroupName": "w",
                "Database": "dev",
                "SecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:x",
            },
        ),
    ],
)
def test_a_warehouse_is_a_workgroup_or_a_cluster(warehouse: Warehouse, request_part: dict[str, str]) -> None:
    assert warehouse.request() == request_part


@pytest.mark.parametrize(
    "settings",
    [{}, {"workgroup": "w", "cluster": "c"}, {"workgroup": "w", "db_user": "u"}],
)
def test_a_warehouse_that_cannot_be_is_a_usage_error(settings: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        Warehouse(**settings)


# Transactions


def test_statements_run_as_one_transaction(redshift: RedshiftSimulator, engine: RedshiftEngine) -> None:
    redshift.log.clear()

    engine.execute(["INSERT INTO t VALUES (1, 'x')", "INSERT INTO t VALUES (2, NULL)"])

    assert rows_of(engine) == ((1, "x"), (2, None))
    assert redshift.log[0] == "BatchExecuteStatement"


def test_a_failure_names_the_statement_and_leaves_nothing_behind(engine: RedshiftEngine) -> None:
    with pytest.raises(EngineError) as caught:
        engine.execute(["INSERT INTO t VALUES (1, 'x')", "INSERT INTO nowhere VALUES (2)", "DELETE FROM t"])

    assert str(caught.value).startswith("INSERT INTO nowhere VALUES (2): failed on Redshift: ERROR:")
    assert "\n" not in str(caught.value)
    assert rows_of(engine) == ()


def test_one_statement_is_its_own_transaction(redshift: RedshiftSimulator, engine: RedshiftEngine) -> None:
    redshift.log.clear()

    engine.execute(["INSERT INTO t VALUES (1, 'x')"])

    assert redshift.log[0] == "ExecuteStatement"
    assert rows_of(engine) == ((1, "x"),)


def test_more_statements_than_one_transaction_holds_are_refused(engine: RedshiftEngine) -> None:
    with pytest.raises(EngineError, match="at most 40"):
        engine.execute(["INSERT INTO t VALUES (1, 'x')"] * 41)

    assert rows_of(engine) == ()


def test_no_statement_is_no_request(redshift: RedshiftSimulator, engine: RedshiftEngine) -> None:
    redshift.log.clear()

    engine.execute([])

    assert redshift.log == []


def test_a_reader_sees_the_old_rows_until_the_transaction_ends(
    redshift: RedshiftSimulator, engine: RedshiftEngine
) -> None:
    engine.execute(["INSERT INTO t VALUES (1, 'old')"])
    seen: list[tuple[tuple[Value, ...], ...]] = []

    def look_then_let_go(_: float) -> None:
        if redshift.paused.is_set() and not redshift.resume.is_set():
            seen.append(rows_of(engine))
            redshift.resume.set()

    redshift.pause_before = "'new'"
    RedshiftEngine(SERVERLESS, sleep=look_then_let_go).execute(["DELETE FROM t", "INSERT INTO t VALUES (1, 'new')"])

    assert seen == [((1, "old"),)]
    assert rows_of(engine) == ((1, "new"),)


def test_interrupting_rolls_the_transaction_back(redshift: RedshiftSimulator, engine: RedshiftEngine) -> None:
    engine.execute(["INSERT INTO t VALUES (1, 'old')"])

    def interrupt_inside(_: float) -> None:
        if redshift.paused.is_set():
            raise KeyboardInterrupt

    redshift.pause_before = "'new'"
    with pytest.raises(KeyboardInterrupt):
        RedshiftEngine(SERVERLESS, sleep=interrupt_inside).execute(["DELETE FROM t", "INSERT INTO t VALUES (1, 'new')"])

    assert rows_of(engine) == ((1, "old"),)


# Results


def test_every_type_comes_back_as_its_own(engine: RedshiftEngine) -> None:
    rows = engine.query(
        "SELECT CAST('2024-12-13' AS DATE) AS d, CAST(1.5 AS DECIMAL(20,2)) AS m, CAST(31.9 AS DOUBLE PRECISION) AS p, "
        "CAST(5000000000 AS BIGINT) AS v, CAST(7 AS INTEGER) AS n, TRUE AS yes, '' AS empty, NULL AS nothing"
    )

    assert rows.columns == ("d", "m", "p", "v", "n", "yes", "empty", "nothing")
    assert rows.values == ((date(2024, 12, 13), Decimal("1.50"), 31.9, 5_000_000_000, 7, True, "", None),)
    assert [type(value) for value in rows.values[0][:6]] == [date, Decimal, float, int, int, bool]


def test_results_longer_than_a_page_are_complete(redshift: RedshiftSimulator, engine: RedshiftEngine) -> None:
    engine.execute([f"INSERT INTO t VALUES ({number}, 'x')" for number in range(7)])
    redshift.page_rows = 3

    assert [row[0] for row in rows_of(engine)] == list(range(7))


# Parameters


@pytest.mark.parametrize(
    ("column_type", "value"),
    [
        ("DATE", date(2024, 12, 13)),
        ("VARCHAR(20)", "O'Reilly"),
        ("VARCHAR(20)", ""),
        ("VARCHAR(20)", "' OR 1=1 --"),
        ("BIGINT", 5_000_000_000),
        ("DECIMAL(20,2)", Decimal("12.50")),
        ("DOUBLE PRECISION", 31.9),
        ("BOOLEAN", True),
    ],
)
def test_values_travel_beside_the_text(engine: RedshiftEngine, column_type: str, value: Any) -> None:
    sql = f"SELECT CAST(:value AS {column_type}) AS back -- never :this"

    assert engine.query(sql, {"value": value, "not_used": 1}).values == ((value,),)


def test_null_is_a_value_too(engine: RedshiftEngine) -> None:
    sql = "SELECT COALESCE(:first, 'none') AS first, :second AS second, ':first' AS text"

    assert engine.query(sql, {"first": None, "second": "x"}).values == (("none", "x", ":first"),)


def test_a_missing_value_is_an_error_before_anything_is_sent(
    redshift: RedshiftSimulator, engine: RedshiftEngine
) -> None:
    redshift.log.clear()

    with pytest.raises(EngineError, match="no value for :day"):
        engine.query("SELECT a FROM t WHERE b = :day")
    with pytest.raises(EngineError, match="no value for :day"):
        engine.execute(["DELETE FROM t", "DELETE FROM t WHERE b = :day"])

    assert redshift.log == []


# States


def test_a_slow_statement_is_waited_for_with_growing_pauses(redshift: RedshiftSimulator) -> None:
    redshift.states = ("SUBMITTED", "PICKED") + ("STARTED",) * 20
    pauses: list[float] = []

    assert RedshiftEngine(SERVERLESS, sleep=pauses.append).query("SELECT 1 AS one").values == ((1,),)

    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.1, 2.0)


def test_throttling_is_waited_out(redshift: RedshiftSimulator, engine: RedshiftEngine) -> None:
    redshift.refuse("ThrottlingException", times=2)

    assert engine.query("SELECT 1 AS one").values == ((1,),)


@pytest.mark.parametrize(
    ("code", "help_with"),
    [("ExpiredTokenException", "sign in again"), ("AccessDeniedException", "doctor --aws")],
)
def test_a_refusal_is_one_line_and_what_helps(
    redshift: RedshiftSimulator, engine: RedshiftEngine, code: str, help_with: str
) -> None:
    redshift.refuse(code)

    with pytest.raises(EngineError) as caught:
        engine.query("SELECT 1 AS one")

    assert code in str(caught.value)
    assert help_with in (caught.value.hint or "")


def test_a_statement_aborted_by_somebody_else_is_an_error(redshift: RedshiftSimulator, engine: RedshiftEngine) -> None:
    redshift.pause_before = "'new'"

    def abort(_: float) -> None:
        if redshift.paused.is_set():
            list(redshift.submissions.values())[-1].cancelled.set()

    with pytest.raises(EngineError, match="aborted on Redshift"):
        RedshiftEngine(SERVERLESS, sleep=abort).execute(["INSERT INTO t VALUES (1, 'new')"])
