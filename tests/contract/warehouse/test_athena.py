"""What only Athena can get wrong: its parameters, its states and its results."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.simulators.athena import AthenaSimulator, QueryFailedError
from tests.simulators.cloud import Cloud, athena_of
from tests.simulators.filled_lake import DAYS, flat, rows_of
from tests.simulators.proxy import Fault, proxy_to

from mag7cli.core.errors import EngineError
from mag7cli.lake.layout import Lake
from mag7cli.tables.schema import TABLE, TABLES
from mag7cli.warehouse import glue_catalog
from mag7cli.warehouse.engines.athena import AthenaEngine


def no_sleep(_: float) -> None:
    """Wait for nothing."""


@pytest.fixture(scope="module")
def shared_athena(shared_cloud: Cloud, aws_glue: Any) -> Iterator[AthenaSimulator]:
    with athena_of(shared_cloud, aws_glue) as simulator:
        shared_cloud.fill(DAYS)
        yield simulator


@pytest.fixture(scope="module")
def engine(shared_athena: AthenaSimulator, shared_cloud: Cloud) -> AthenaEngine:
    engine = AthenaEngine(output_location="s3://results/", sleep=no_sleep)
    glue_catalog.sync(Lake.at(shared_cloud.lake), engine)
    return engine


@pytest.fixture
def athena(shared_athena: AthenaSimulator) -> AthenaSimulator:
    shared_athena.states = ("RUNNING",)
    shared_athena.page_rows = 1_000
    shared_athena.log.clear()
    return shared_athena


# Results


def test_every_column_of_every_table_comes_back_as_it_was_written(engine: AthenaEngine) -> None:
    for table in TABLES:
        names = ", ".join(column.name for column in table.columns)
        order = ", ".join((*table.primary_key, names) if table.primary_key else (names,))

        found = engine.query(f"SELECT {names} FROM {table.qualified_name} ORDER BY {order} NULLS LAST").records()

        wanted = [row for day in DAYS for row in rows_of(table, day)]
        assert sorted(found, key=repr) == sorted(wanted, key=repr), table.name


def test_null_and_an_empty_string_stay_apart(engine: AthenaEngine) -> None:
    rows = engine.query(
        "SELECT ticker, description FROM market_data.company_details WHERE trading_date = :day ORDER BY ticker",
        {"day": DAYS[0]},
    )

    assert [row[1] if not row[1] else "text" for row in rows.values] == ["", "text", None]


def test_results_longer_than_a_page_are_complete(athena: AthenaSimulator, engine: AthenaEngine) -> None:
    athena.page_rows = 2

    rows = engine.query("SELECT trading_date, ticker FROM market_data.daily_trading ORDER BY 1, 2")

    assert len(rows.values) == len(set(rows.values)) == 9


def test_a_result_without_rows_still_has_columns(engine: AthenaEngine) -> None:
    rows = engine.query("SELECT ticker, close_price FROM market_data.daily_trading WHERE ticker = 'NONE'")

    assert (rows.columns, rows.values) == (("ticker", "close_price"), ())


def test_the_note_says_how_many_bytes_were_scanned(shared_cloud: Cloud, engine: AthenaEngine) -> None:
    listed = shared_cloud.s3.list_objects_v2(Bucket=shared_cloud.bucket, Prefix="lake/analytics/stock_splits/")
    size = sum(found["Size"] for found in listed["Contents"])

    rows = engine.query("SELECT ticker FROM market_data.stock_splits")

    assert rows.note == f"Athena scanned {size / 1000:.1f} kB"


def test_the_adjusted_view_can_be_queried(engine: AthenaEngine) -> None:
    rows = engine.query("SELECT COUNT(*) AS n FROM market_data.daily_trading_adjusted")

    assert rows.values == ((9,),)


def test_a_description_in_one_cell_becomes_its_columns(engine: AthenaEngine) -> None:
    rows = engine.query("DESCRIBE market_data.stock_splits")

    assert rows.columns == ("col_name", "data_type", "comment")
    assert rows.values[:2] == (("trading_date", "date", ""), ("ticker", "string", ""))


def test_the_page_of_a_proxy_is_one_line(
    shared_cloud: Cloud, athena: AthenaSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxy_to(athena.url) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ATHENA", proxy.url)
        proxy.faults.append(Fault("POST", "html"))
        with pytest.raises(EngineError, match=r"the answer is not AWS's") as raised:
            AthenaEngine(output_location="s3://results/", sleep=no_sleep).query("SELECT 1")

    assert "HTTPS_PROXY" in str(raised.value.hint)


# Parameters


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("trading_date", DAYS[1]),
        ("ticker", "BRK.B"),
        ("close_price", Decimal("888.000000")),
        ("volume", 888_000_000_000),
    ],
)
def test_values_travel_as_parameters_of_their_type(
    athena: AthenaSimulator, engine: AthenaEngine, column: str, value: Any
) -> None:
    sql = f"SELECT COUNT(*) AS n FROM market_data.daily_trading WHERE {column} = :value"
    expected = sum(row[column] == value for day in DAYS for row in rows_of(TABLE["daily_trading"], day))

    rows = engine.query(sql, {"value": value, "not_used": "x"})

    assert rows.values == ((expected,),)
    assert expected > 0
    assert list(athena.executions.values())[-1].sql.endswith("= ?")


def test_a_quote_in_a_value_stays_in_the_value(engine: AthenaEngine) -> None:
    sql = "SELECT COUNT(*) AS n FROM market_data.daily_trading WHERE ticker = :ticker"

    assert engine.query(sql, {"ticker": "' OR 1=1 --"}).values == ((0,),)


def test_a_date_that_is_cast_may_be_used_twice(engine: AthenaEngine) -> None:
    sql = (
        "SELECT COUNT(*) AS n FROM market_data.daily_trading -- not :this\n"
        "WHERE trading_date >= CAST(:day AS DATE) AND trading_date < CAST(:day AS DATE) + INTERVAL '1' DAY "
        "AND ticker <> ':day'"
    )

    assert engine.query(sql, {"day": DAYS[0]}).values == ((3,),)


def test_a_missing_value_is_an_error_before_anything_is_sent(athena: AthenaSimulator, engine: AthenaEngine) -> None:
    with pytest.raises(EngineError, match="no value for :day"):
        engine.query("SELECT 1 FROM market_data.daily_trading WHERE trading_date = :day")

    assert athena.log == []


# States


def test_a_slow_query_is_waited_for_with_growing_pauses(athena: AthenaSimulator) -> None:
    pauses: list[float] = []
    engine = AthenaEngine(output_location="s3://results/", sleep=pauses.append)
    athena.states = ("QUEUED",) * 5 + ("RUNNING",) * 20

    engine.query("SELECT 1 AS one")

    assert len(pauses) == 25
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.1, 2.0)


def test_a_failed_query_names_the_statement_and_the_reason(engine: AthenaEngine) -> None:
    with pytest.raises(EngineError) as caught:
        engine.query("-- a comment\nSELECT nothing\nFROM market_data.none")

    assert str(caught.value).startswith("SELECT nothing FROM market_data.none: failed on Athena: TABLE_NOT_FOUND")
    assert "\n" not in str(caught.value)


def test_a_failure_that_athena_calls_passing_is_tried_again(athena: AthenaSimulator, engine: AthenaEngine) -> None:
    athena.fail_next.extend([QueryFailedError("exhausted resources", retryable=True)] * 2)

    assert engine.query("SELECT 1 AS one").values == ((1,),)


def test_a_failure_that_does_not_pass_is_reported(athena: AthenaSimulator, engine: AthenaEngine) -> None:
    athena.fail_next.extend([QueryFailedError("exhausted resources", retryable=True)] * 3)

    with pytest.raises(EngineError, match="exhausted resources"):
        engine.query("SELECT 1 AS one")


def test_interrupting_cancels_the_query(athena: AthenaSimulator, engine: AthenaEngine) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    engine = AthenaEngine(output_location="s3://results/", sleep=interrupted)

    with pytest.raises(KeyboardInterrupt):
        engine.query("SELECT 1 AS one")

    assert list(athena.executions.values())[-1].outcome == "CANCELLED"


def test_a_query_cancelled_by_somebody_else_is_an_error(athena: AthenaSimulator, engine: AthenaEngine) -> None:
    def cancel_all(_: float) -> None:
        for execution in athena.executions.values():
            execution.outcome = execution.outcome or "CANCELLED"

    engine = AthenaEngine(output_location="s3://results/", sleep=cancel_all)

    with pytest.raises(EngineError, match="cancelled on Athena"):
        engine.query("SELECT 1 AS one")


def test_throttling_is_waited_out(athena: AthenaSimulator, engine: AthenaEngine) -> None:
    athena.refuse("ThrottlingException", times=2)

    assert engine.query("SELECT 1 AS one").values == ((1,),)


def test_expired_credentials_are_one_line_and_what_helps(athena: AthenaSimulator, engine: AthenaEngine) -> None:
    athena.refuse("ExpiredTokenException")

    with pytest.raises(EngineError) as caught:
        engine.query("SELECT 1 AS one")

    assert "SELECT 1 AS one: " in str(caught.value)
    assert "sign in again" in (caught.value.hint or "")


def test_a_workgroup_with_its_own_output_location_needs_no_other(athena: AthenaSimulator) -> None:
    engine = AthenaEngine(workgroup="mag7", sleep=no_sleep)

    assert engine.query("SELECT 1 AS one").values == ((1,),)


def test_a_missing_output_location_names_the_option(athena: AthenaSimulator) -> None:
    with pytest.raises(EngineError) as caught:
        AthenaEngine(sleep=no_sleep).query("SELECT 1 AS one")

    assert "--output-location" in (caught.value.hint or "")


def test_an_unknown_workgroup_says_how_to_list_them(athena: AthenaSimulator) -> None:
    with pytest.raises(EngineError) as caught:
        AthenaEngine(workgroup="nobody", sleep=no_sleep).query("SELECT 1 AS one")

    assert "list-work-groups" in (caught.value.hint or "")


def test_files_of_another_type_than_the_catalog_says_are_refused(shared_cloud: Cloud, engine: AthenaEngine) -> None:
    table = TABLE["daily_trading"]
    prices_as_doubles = replace(
        table, columns=tuple(replace(c, type="double") if c.name == "close_price" else c for c in table.columns)
    )
    rows = [{**row, "close_price": float(row["close_price"])} for row in rows_of(table, DAYS[0])]
    key = Lake.flat_key("daily_trading", DAYS[0].year)
    shared_cloud.put_quickly({f"lake/{key}": flat(prices_as_doubles, rows)})

    with pytest.raises(EngineError, match="HIVE_BAD_DATA: Field close_price"):
        engine.query("SELECT close_price FROM market_data.daily_trading")
    shared_cloud.fill(DAYS)
