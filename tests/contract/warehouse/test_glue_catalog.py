"""The Glue catalog that mag7 makes, as Athena sees it."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.simulators.athena import AthenaSimulator
from tests.simulators.cloud import Cloud
from tests.simulators.filled_lake import DAYS

from mag7cli.core.errors import UsageError
from mag7cli.lake.layout import Lake
from mag7cli.tables.schema import TABLE, TABLES, create_sql
from mag7cli.warehouse import glue_catalog
from mag7cli.warehouse.engines.athena import AthenaEngine


@pytest.fixture
def engine(athena: AthenaSimulator) -> AthenaEngine:
    return AthenaEngine(output_location="s3://results/", sleep=lambda _: None)


@pytest.fixture
def lake(cloud: Cloud) -> Lake:
    cloud.fill(DAYS)
    return Lake.at(cloud.lake)


def test_sync_creates_a_database_a_table_for_each_and_the_views(lake: Lake, engine: AthenaEngine) -> None:
    changes = glue_catalog.sync(lake, engine)

    assert [change.name for change in changes if change.action == "created"] == [
        "market_data",
        *(table.name for table in TABLES),
    ]
    assert [change.name for change in changes if change.kind == "view"] == ["daily_trading_adjusted"]


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

    changes = {change.name: change.action for change in glue_catalog.sync(lake, engine)}

    assert changes["daily_trading"] == "updated"
    assert changes["company_details"] == "unchanged"


def test_the_catalog_and_the_ddl_say_the_same() -> None:
    for table in TABLES:
        made = glue_catalog.table_input(table, f"s3://bucket/processed/{table.name}/")

        columns = {column["Name"]: column["Type"] for column in made["StorageDescriptor"]["Columns"]}
        ddl = create_sql(table, "athena", f"s3://bucket/processed/{table.name}/")
        assert all(f"`{name}` {kind}" in ddl for name, kind in columns.items())
        assert [column["Name"] for column in made["PartitionKeys"]] == ["trading_date"]
        assert list(columns) == [column.name for column in table.columns if column.name != "trading_date"]


def test_partitions_before_the_usual_start_are_projected_too(cloud: Cloud, engine: AthenaEngine) -> None:
    cloud.fill((date(2019, 3, 4),))

    glue_catalog.sync(Lake.at(cloud.lake), engine)

    rows = engine.query("SELECT COUNT(*) AS n FROM market_data.daily_trading")
    assert rows.values == ((3,),)


def test_a_new_date_is_seen_without_another_sync(cloud: Cloud, lake: Lake, engine: AthenaEngine) -> None:
    glue_catalog.sync(lake, engine)
    cloud.fill((date(2024, 1, 4),))

    rows = engine.query("SELECT MAX(trading_date) AS latest FROM market_data.concentration_metrics")

    assert rows.values == ((date(2024, 1, 4),),)


def test_a_local_lake_has_no_catalog(tmp_path: Path, engine: AthenaEngine) -> None:
    with pytest.raises(UsageError, match="S3 only"):
        glue_catalog.sync(Lake.at(str(tmp_path)), engine)


def test_a_dry_run_shows_ddl_for_every_table_and_view(cloud: Cloud) -> None:
    statements = glue_catalog.statements(Lake.at(cloud.lake))

    assert len(statements) == 1 + len(TABLES) + 1
    assert f"LOCATION 's3://{cloud.bucket}/lake/processed/daily_trading/'" in "\n".join(statements)
