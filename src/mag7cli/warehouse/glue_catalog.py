"""The Glue catalog of a lake on S3: one database, one external table over each `processed/<table>/`, and the views.

Everything is created or brought up to date, so running it again changes nothing. Athena computes the partitions by
projection: a new trading date needs no entry in the catalog.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from mag7cli.core.errors import EngineError, UsageError
from mag7cli.lake import aws
from mag7cli.lake.layout import PROCESSED, Lake
from mag7cli.lake.store import Store
from mag7cli.tables.schema import (
    PARTITION,
    PROJECTION_START,
    SCHEMA,
    TABLES,
    VIEWS,
    Column,
    Table,
    athena_properties,
    create_sql,
    create_view_sql,
    sql_type,
)
from mag7cli.warehouse.engines import SqlEngine

_PARQUET: Final = "org.apache.hadoop.hive.ql.io.parquet"
_DESCRIPTION: Final = "S&P 500 concentration, written by mag7"

Action = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True, slots=True)
class CatalogChange:
    """What was done about one thing of the catalog: `kind` is database, table or view."""

    kind: str
    name: str
    action: Action


def table_input(table: Table, location: str, first: date = PROJECTION_START) -> dict[str, Any]:
    """The Glue `TableInput` of a table whose partitions lie below `location`; `first` is its earliest date."""
    return {
        "Name": table.name,
        "Description": table.description,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": dict(athena_properties(location, first)),
        "PartitionKeys": [_glue_column(column) for column in table.columns if column.name == PARTITION],
        "StorageDescriptor": {
            "Columns": [_glue_column(column) for column in table.stored_columns(partitioned=True)],
            "Location": location,
            "InputFormat": f"{_PARQUET}.MapredParquetInputFormat",
            "OutputFormat": f"{_PARQUET}.MapredParquetOutputFormat",
            "SerdeInfo": {
                "SerializationLibrary": f"{_PARQUET}.serde.ParquetHiveSerDe",
                "Parameters": {"serialization.format": "1"},
            },
        },
    }


def _glue_column(column: Column) -> dict[str, str]:
    return {"Name": column.name, "Type": sql_type(column, "athena"), "Comment": column.description}


def statements(lake: Lake, tables: Sequence[Table] = TABLES) -> list[str]:
    """What `sync` does, as the SQL that would do the same in the Athena console. Raises UsageError."""
    _check_is_s3(lake.store)
    external = [create_sql(table, "athena", _location(lake.store, table)) for table in tables]
    return [f"CREATE DATABASE IF NOT EXISTS {SCHEMA}", *external, *(create_view_sql(view) for view in VIEWS)]


def sync(lake: Lake, engine: SqlEngine) -> list[CatalogChange]:
    """Bring the catalog up to date with the lake and with this version of mag7; safe to repeat.

    `engine` is Athena: views can only be made by a statement. Raises UsageError for a lake that is not on S3,
    EngineError for whatever AWS refuses.
    """
    _check_is_s3(lake.store)
    client = aws.client("glue")
    with aws.errors_as(EngineError, f"Glue database {SCHEMA}"):
        changes = [_sync_database(client, SCHEMA)]
    for table in TABLES:
        with aws.errors_as(EngineError, f"Glue table {table.qualified_name}"):
            wanted = table_input(table, _location(lake.store, table), _first_date(lake.store, table))
            changes.append(_sync_table(client, SCHEMA, wanted))
    engine.execute([create_view_sql(view) for view in VIEWS])
    return [*changes, *(CatalogChange("view", view.name, "updated") for view in VIEWS)]


def _check_is_s3(store: Store) -> None:
    if store.local_root is not None:
        raise UsageError(
            f"--lake {store.local_root}: Athena reads from S3 only",
            hint="--lake s3://bucket, or --engine duckdb for a local lake",
        )


def _location(store: Store, table: Table) -> str:
    return store.uri(f"{PROCESSED}{table.name}/")


def _first_date(store: Store, table: Table) -> date:
    """The date of the table's first partition, so that Athena looks for none before it."""
    prefix = f"{PROCESSED}{table.name}/{PARTITION}="
    for found in store.list(prefix):
        try:
            return min(PROJECTION_START, date.fromisoformat(found.key.removeprefix(prefix).partition("/")[0]))
        except ValueError:
            continue
    return PROJECTION_START


def _sync_database(client: Any, database: str) -> CatalogChange:
    try:
        client.get_database(Name=database)
    except client.exceptions.EntityNotFoundException:
        client.create_database(DatabaseInput={"Name": database, "Description": _DESCRIPTION})
        return CatalogChange("database", database, "created")
    return CatalogChange("database", database, "unchanged")


def _sync_table(client: Any, database: str, wanted: Mapping[str, Any]) -> CatalogChange:
    name = wanted["Name"]
    try:
        found = client.get_table(DatabaseName=database, Name=name)["Table"]
    except client.exceptions.EntityNotFoundException:
        client.create_table(DatabaseName=database, TableInput=wanted)
        return CatalogChange("table", name, "created")
    if _holds(found, wanted):
        return CatalogChange("table", name, "unchanged")
    client.update_table(DatabaseName=database, TableInput=wanted)
    return CatalogChange("table", name, "updated")


def _holds(found: Any, wanted: Any) -> bool:
    """True if everything wanted is there already; Glue adds fields of its own."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(_holds(found.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        same_length = isinstance(found, list) and len(found) == len(wanted)
        return same_length and all(map(_holds, found, wanted))
    return bool(found == wanted)
