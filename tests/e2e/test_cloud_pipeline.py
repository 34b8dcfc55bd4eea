"""From raw documents to three engines on a lake in S3, and back to the numbers of a local lake."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.simulators import raw_documents
from tests.simulators.athena import AthenaSimulator
from tests.simulators.cloud import Cloud
from tests.simulators.raw_documents import document, partial_document
from tests.simulators.redshift_data import RedshiftSimulator
from tests.simulators.small_index import holdings_file

from mag7cli import library
from mag7cli.lake.layout import Lake
from mag7cli.portfolio import fund_weights
from mag7cli.portfolio.fund_table import publish
from mag7cli.tables.schema import TABLES, Table
from mag7cli.tables.table_files import foreign_objects
from mag7cli.tables.transform import transform
from mag7cli.warehouse import glue_catalog, redshift_load
from mag7cli.warehouse.engines import Rows, SqlEngine
from mag7cli.warehouse.engines.athena import AthenaEngine
from mag7cli.warehouse.engines.duckdb import DuckDbEngine
from mag7cli.warehouse.engines.redshift import RedshiftEngine, Warehouse
from mag7cli.warehouse.validate import checks, run_checks

DAYS = [date(2023, 12, 28), date(2023, 12, 29), *raw_documents.days(3, date(2024, 6, 5))]
AGAIN = DAYS[2]
SPLITS = b"""{"schema_version": 1, "covers": ["2023-01-01", "2024-12-31"], "asked_on": "2024-06-30", "refused": [],
    "lines": ["NVDA"], "rows": [
    {"ticker": "NVDA", "symbol": "NVDA", "execution_date": "2024-06-10", "split_from": 1, "split_to": 10}]}"""


@pytest.fixture
def local(tmp_path: Path) -> Lake:
    return filled(Lake.at(str(tmp_path / "lake")))


@pytest.fixture
def remote(cloud: Cloud) -> Lake:
    return filled(Lake.at(cloud.lake))


@pytest.fixture
def engines(remote: Lake, athena: AthenaSimulator, redshift: RedshiftSimulator) -> Iterator[dict[str, SqlEngine]]:
    athena.states, redshift.states = (), ()
    found: dict[str, SqlEngine] = {
        "athena": AthenaEngine(workgroup="mag7"),
        "redshift": RedshiftEngine(Warehouse(workgroup="market-analysis")),
    }
    yield found
    for engine in found.values():
        engine.close()


def filled(lake: Lake) -> Lake:
    raw_documents.fill(lake, DAYS[:-1])
    lake.write_document(DAYS[-1], partial_document(DAYS[-1]))
    lake.write_reference("splits.json", SPLITS)
    transform(lake)
    return lake


def load(lake: Lake, engines: dict[str, SqlEngine]) -> None:
    glue_catalog.sync(lake, engines["athena"])
    redshift_load.load(lake, engines["redshift"])


def everything(engine: SqlEngine, table: Table) -> Rows:
    names = ", ".join(column.name for column in table.columns)
    order = ", ".join(str(position) for position in range(1, len(table.columns) + 1))
    return engine.query(f"SELECT {names} FROM {table.qualified_name} ORDER BY {order}")


def rows_by_table(engine: SqlEngine) -> dict[str, list[tuple[Any, ...]]]:
    return {table.name: sorted(everything(engine, table).values, key=repr) for table in TABLES}


def test_every_engine_has_the_rows_of_a_local_lake(local: Lake, remote: Lake, engines: dict[str, SqlEngine]) -> None:
    load(remote, engines)

    wanted = rows_by_table(DuckDbEngine.over_lake(local))

    assert rows_by_table(DuckDbEngine.over_lake(remote)) == wanted
    assert rows_by_table(engines["athena"]) == wanted
    assert rows_by_table(engines["redshift"]) == wanted
    assert all(wanted[table.name] for table in TABLES)


def test_a_date_collected_again_is_replaced_everywhere(
    local: Lake, remote: Lake, engines: dict[str, SqlEngine]
) -> None:
    load(remote, engines)
    for lake in (local, remote):
        lake.write_document(AGAIN, document(AGAIN, scale=1.5))
        transform(lake)

    load(remote, engines)
    load(remote, engines)

    wanted = rows_by_table(DuckDbEngine.over_lake(local))
    assert rows_by_table(engines["athena"]) == wanted
    assert rows_by_table(engines["redshift"]) == wanted


def test_validation_says_the_same_of_a_local_lake_and_of_the_three_engines(
    local: Lake, remote: Lake, engines: dict[str, SqlEngine]
) -> None:
    load(remote, engines)
    common = checks(engines["athena"])

    found = {
        name: [(result.check.name, result.passed, result.rows.values) for result in run_checks(engine, common)]
        for name, engine in {**engines, "local": DuckDbEngine.over_lake(local)}.items()
    }

    assert found["athena"] == found["redshift"] == found["local"]
    assert [name for name, passed, _ in found["local"] if not passed] != []


def test_every_check_runs_with_duckdb_over_a_lake_on_s3(remote: Lake) -> None:
    engine = DuckDbEngine.over_lake(remote, with_partitions=True)

    assert "partial_dates" in {result.check.name for result in run_checks(engine) if not result.passed}


def test_the_weights_in_funds_are_the_same_on_every_engine(remote: Lake, engines: dict[str, SqlEngine]) -> None:
    remote.write_holdings(AGAIN, holdings_file(AGAIN))

    def load() -> None:
        library.load_athena(remote, engine=engines["athena"])
        library.load_redshift(remote, engine=engines["redshift"])

    load()

    with closing(DuckDbEngine.over_lake(remote)) as local:
        fund_weights.add_table(local, remote)
        expected = local.query(WEIGHTS).values
    assert len(expected) == 8 * len([day for day in DAYS[:-1] if day >= AGAIN]), "both lines of Alphabet, each date"
    for name, engine in engines.items():
        assert engine.query(WEIGHTS).values == expected, name
    assert publish(remote) == [], "what has not changed is not written"
    assert foreign_objects(remote) == []
    remote.store.write("analytics/fund_weights/.DS_Store", b"a desktop was here")
    load()
    assert engines["redshift"].query(WEIGHTS).values == expected, "what is foreign is not copied"
    remote.store.delete("analytics/fund_weights/.DS_Store")

    remote.store.delete(remote.holdings_key(AGAIN))
    load()
    for name, engine in engines.items():
        assert not engine.query(WEIGHTS).values, name


WEIGHTS = "SELECT * FROM market_data.fund_weights ORDER BY trading_date, fund, ticker"
