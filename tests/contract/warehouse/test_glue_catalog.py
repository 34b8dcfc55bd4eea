"""The Glue catalog that mag7 makes, as Athena sees it."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.simulators.athena import AthenaSimulator
from tests.simulators.cloud import Cloud
from tests.simulators.filled_lake import DAYS

from mag7cli.core.errors import UsageError
from mag7cli.lake.layout import Lake
from mag7cli.market.calendar import sessions
from mag7cli.tables.schema import PUBLISHED, TABLE, TABLES, VIEWS, create_sql
from mag7cli.warehouse import glue_catalog
from mag7cli.warehouse.engines.athena import AthenaEngine
from mag7cli.warehouse.glue_catalog import CatalogChange
from mag7cli.warehouse.validate import run_checks


@pytest.fixture
def engine(athena: AthenaSimulator) -> AthenaEngine:
    return AthenaEngine(output_location="s3://results/", sleep=lambda _: None)


@pytest.fixture
def lake(cloud: Cloud) -> Lake:
    cloud.fill(DAYS)
    return Lake.at(cloud.lake)


def actions(changes: Iterable[CatalogChange]) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for change in changes:
        found.setdefault((change.kind, change.name), set()).add(change.action)
    return found


def registered(glue: Any, table: str) -> list[str]:
    partitions = glue.get_partitions(DatabaseName="market_data_by_date", TableName=table)["Partitions"]
    return sorted(partition["Values"][0] for partition in partitions)


def test_sync_creates_two_databases_their_tables_and_the_views(lake: Lake, engine: AthenaEngine) -> None:
    changes = glue_catalog.sync(lake, engine)

    created = [change.name for change in changes if change.action == "created"]
    assert created == [
        "market_data",
        "market_data_by_date",
        *(table.name for table in PUBLISHED),
        *(table.name for table in TABLES),
    ]
    assert [change.name for change in changes if change.kind == "view"] == [view.name for view in VIEWS]
    assert {change.count for change in changes if change.action == "registered"} == {len(DAYS)}


def test_sync_again_changes_nothing(lake: Lake, engine: AthenaEngine, aws_glue: Any) -> None:
    glue_catalog.sync(lake, engine)

    changes = glue_catalog.sync(lake, engine)

    assert {change.action for change in changes if change.kind != "view"} == {"unchanged"}
    assert len(aws_glue.get_table_versions(DatabaseName="market_data", TableName="daily_trading")["TableVersions"]) == 1


def test_sync_brings_an_older_table_up_to_date(lake: Lake, engine: AthenaEngine, aws_glue: Any) -> None:
    glue_catalog.sync(lake, engine)
    older = glue_catalog.table_input(TABLE["daily_trading"], "s3://elsewhere/daily_trading/")
    older["StorageDescriptor"]["Columns"].pop()
    aws_glue.update_table(DatabaseName="market_data", TableInput=older)

    changes = actions(glue_catalog.sync(lake, engine))

    assert "updated" in changes["table", "daily_trading"]
    assert changes["table", "company_details"] == {"unchanged"}


def test_partitions_get_the_columns_of_today_where_a_table_gains_one(
    lake: Lake, engine: AthenaEngine, aws_glue: Any
) -> None:
    glue_catalog.sync(lake, engine)
    present = aws_glue.get_table(DatabaseName="market_data_by_date", Name="daily_trading")["Table"]
    older = glue_catalog.partitioned_input(TABLE["daily_trading"], present["StorageDescriptor"]["Location"])
    older["StorageDescriptor"]["Columns"].pop(0)
    aws_glue.update_table(DatabaseName="market_data_by_date", TableInput=older)

    changes = actions(glue_catalog.sync(lake, engine))

    assert "replaced" in changes["table", "daily_trading"]
    assert registered(aws_glue, "daily_trading") == [day.isoformat() for day in DAYS]


def test_tables_with_projected_partitions_of_an_older_version_are_replaced(
    lake: Lake, engine: AthenaEngine, aws_glue: Any
) -> None:
    aws_glue.create_database(DatabaseInput={"Name": "market_data"})
    projected = glue_catalog.partitioned_input(TABLE["daily_trading"], "s3://somewhere/processed/daily_trading/")
    projected["Parameters"] |= {"projection.enabled": "true"}
    aws_glue.create_table(DatabaseName="market_data", TableInput=projected)

    changes = actions(glue_catalog.sync(lake, engine))

    assert "replaced" in changes["table", "daily_trading"]
    table = aws_glue.get_table(DatabaseName="market_data", Name="daily_trading")["Table"]
    assert "projection.enabled" not in table["Parameters"]
    assert engine.query("SELECT COUNT(*) AS n FROM market_data.daily_trading").values == ((9,),)


def test_the_catalog_and_the_ddl_say_the_same() -> None:
    for table in TABLES:
        made = glue_catalog.table_input(table, f"s3://bucket/analytics/{table.name}/")

        columns = {column["Name"]: column["Type"] for column in made["StorageDescriptor"]["Columns"]}
        ddl = create_sql(table, "athena", f"s3://bucket/analytics/{table.name}/")
        assert all(f"`{name}` {kind}" in ddl for name, kind in columns.items())
        assert list(columns) == [column.name for column in table.columns]
        by_date = glue_catalog.partitioned_input(table, f"s3://bucket/processed/{table.name}/")
        assert [column["Name"] for column in by_date["PartitionKeys"]] == ["trading_date"]


def test_a_query_lists_once_a_table_however_many_dates_there_are(
    lake: Lake, engine: AthenaEngine, athena: AthenaSimulator
) -> None:
    glue_catalog.sync(lake, engine)

    athena.lists = 0
    engine.query("SELECT COUNT(*) AS n FROM market_data.daily_trading")
    flat, athena.lists = athena.lists, 0
    engine.query("SELECT COUNT(*) AS n FROM market_data_by_date.daily_trading")

    assert (flat, athena.lists) == (1, len(DAYS))


def test_the_checks_list_no_more_than_the_tables_they_name(
    lake: Lake, engine: AthenaEngine, athena: AthenaSimulator
) -> None:
    glue_catalog.sync(lake, engine)
    athena.states, athena.lists = (), 0

    run_checks(engine)

    assert 0 < athena.lists <= 60


def test_both_databases_hold_the_same_rows(lake: Lake, engine: AthenaEngine) -> None:
    glue_catalog.sync(lake, engine)

    for table in TABLES:
        names = ", ".join(column.name for column in table.columns)
        flat, by_date = (
            engine.query(f"SELECT {names} FROM {database}.{table.name}").values
            for database in ("market_data", "market_data_by_date")
        )
        assert sorted(flat, key=repr) == sorted(by_date, key=repr)


def test_a_new_date_is_seen_in_the_flat_files_at_once_and_by_date_after_the_next_sync(
    cloud: Cloud, lake: Lake, engine: AthenaEngine
) -> None:
    glue_catalog.sync(lake, engine)
    cloud.fill((date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4)))
    latest = "SELECT MAX(trading_date) AS latest FROM {}.concentration_metrics"

    assert engine.query(latest.format("market_data")).values == ((date(2024, 1, 4),),)
    assert engine.query(latest.format("market_data_by_date")).values == ((date(2024, 1, 3),),)
    glue_catalog.sync(lake, engine)
    assert engine.query(latest.format("market_data_by_date")).values == ((date(2024, 1, 4),),)


def test_partitions_of_folders_that_are_gone_are_removed(lake: Lake, engine: AthenaEngine, aws_glue: Any) -> None:
    glue_catalog.sync(lake, engine)
    lake.store.delete(lake.partition_key("daily_trading", DAYS[1]))

    changes = actions(glue_catalog.sync(lake, engine))

    assert changes["partitions", "daily_trading"] == {"removed"}
    assert registered(aws_glue, "daily_trading") == [DAYS[0].isoformat(), DAYS[2].isoformat()]


def test_what_a_query_lists_is_known_before_it_runs(lake: Lake, engine: AthenaEngine) -> None:
    glue_catalog.sync(lake, engine)
    everything = "SELECT COUNT(*) AS n FROM market_data_by_date.daily_trading"

    cost = glue_catalog.listing_cost(everything)

    assert cost is not None
    assert (cost.requests, cost.usd) == (len(DAYS), pytest.approx(len(DAYS) * 0.000005))
    assert glue_catalog.listing_cost(f"{everything} WHERE trading_date = DATE '2024-01-02'") is None
    assert glue_catalog.listing_cost("SELECT COUNT(*) AS n FROM market_data.daily_trading") is None


def test_more_partitions_than_a_call_takes_are_registered_in_several(
    cloud: Cloud, engine: AthenaEngine, aws_glue: Any
) -> None:
    days = sessions(date(2022, 1, 3), date(2022, 12, 30))
    cloud.put_quickly({f"lake/{Lake.partition_key('daily_trading', day)}": b"" for day in days})

    glue_catalog.sync(Lake.at(cloud.lake), engine)

    assert registered(aws_glue, "daily_trading") == [day.isoformat() for day in days]


def test_a_local_lake_has_no_catalog(tmp_path: Path, engine: AthenaEngine) -> None:
    with pytest.raises(UsageError, match="S3 only"):
        glue_catalog.sync(Lake.at(str(tmp_path)), engine)


def test_a_dry_run_shows_ddl_for_every_table_and_view(cloud: Cloud) -> None:
    statements = glue_catalog.statements(Lake.at(cloud.lake))

    assert len(statements) == 1 + len(PUBLISHED) + len(VIEWS)
    assert f"LOCATION 's3://{cloud.bucket}/lake/analytics/daily_trading/'" in "\n".join(statements)
