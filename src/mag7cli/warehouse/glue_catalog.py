"""The Glue catalog of a lake on S3: the tables of `market_data` over the flat files, and the views.

One folder holds a table, so that a query of Athena's lists once a table, and a new trading date is there at once.
The database `market_data_by_date` has the other layout, a registered partition for each date, for engines that prune
by folder. (Partitions that are projected instead cost Athena a request for every day since the first one, whether or
not it has a folder, and are invisible to Spectrum, EMR and Glue. Source: Athena user guide, "Partition projection".)
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from mag7cli.core.errors import EngineError, StoreError, UsageError
from mag7cli.lake import aws
from mag7cli.lake.layout import ANALYTICS, PROCESSED, Lake
from mag7cli.lake.store import Store
from mag7cli.tables.schema import (
    EXTERNAL_PROPERTIES,
    PARTITION,
    PUBLISHED,
    SCHEMA,
    TABLE,
    TABLES,
    VIEWS,
    Column,
    Table,
    create_sql,
    create_view_sql,
    sql_type,
)
from mag7cli.tables.table_files import TableFiles, foreign_objects, visible_to_engines
from mag7cli.warehouse.engines import SqlEngine

BY_DATE: Final = "market_data_by_date"
"""The database of the layout that has a folder for each date."""

DESCRIPTIONS: Final[Mapping[str, str]] = {
    SCHEMA: "S&P 500 concentration, written by mag7: one folder a table",
    BY_DATE: "S&P 500 concentration, written by mag7: one registered partition a date",
}

_PARQUET: Final = "org.apache.hadoop.hive.ql.io.parquet"
# Source: Glue API reference, BatchCreatePartition and BatchDeletePartition.
_CREATED_AT_ONCE: Final = 100
_DELETED_AT_ONCE: Final = 25

Action = Literal["created", "updated", "replaced", "registered", "removed", "unchanged"]


@dataclass(frozen=True, slots=True)
class CatalogChange:
    """What was done about one thing of the catalog: `kind` is database, table, partitions or view.

    `count` is how many partitions were registered or removed.
    """

    kind: str
    name: str
    action: Action
    count: int = 1


def table_input(table: Table, location: str) -> dict[str, Any]:
    """The Glue `TableInput` of a table over the flat files in the folder `location`."""
    return _input(table, table.columns, (), location)


def partitioned_input(table: Table, location: str) -> dict[str, Any]:
    """The Glue `TableInput` of a table whose registered partitions lie below `location`."""
    keys = [column for column in table.columns if column.name == PARTITION]
    return _input(table, table.stored_columns(partitioned=True), keys, location)


def _input(table: Table, columns: Iterable[Column], keys: Iterable[Column], location: str) -> dict[str, Any]:
    return {
        "Name": table.name,
        "Description": table.description,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": dict(EXTERNAL_PROPERTIES),
        "PartitionKeys": [_glue_column(column) for column in keys],
        "StorageDescriptor": _storage([_glue_column(column) for column in columns], location),
    }


def _storage(columns: Sequence[Mapping[str, str]], location: str) -> dict[str, Any]:
    return {
        "Columns": list(columns),
        "Location": location,
        "InputFormat": f"{_PARQUET}.MapredParquetInputFormat",
        "OutputFormat": f"{_PARQUET}.MapredParquetOutputFormat",
        "SerdeInfo": {
            "SerializationLibrary": f"{_PARQUET}.serde.ParquetHiveSerDe",
            "Parameters": {"serialization.format": "1"},
        },
    }


def _glue_column(column: Column) -> dict[str, str]:
    return {"Name": column.name, "Type": sql_type(column, "athena"), "Comment": column.description}


def statements(lake: Lake, tables: Sequence[Table] = PUBLISHED) -> list[str]:
    """What `sync` does for `market_data`, as SQL for the Athena console. Raises UsageError."""
    _check_is_s3(lake.store)
    external = [create_sql(table, "athena", _flat_folder(lake.store, table)) for table in tables]
    return [f"CREATE DATABASE IF NOT EXISTS {SCHEMA}", *external, *(create_view_sql(view) for view in VIEWS)]


def sync(lake: Lake, engine: SqlEngine) -> list[CatalogChange]:
    """Bring the catalog up to date with the lake and with this version of mag7; safe to repeat.

    Args:
        lake: A lake on S3.
        engine: Athena: views can only be made by a statement.

    Returns:
        One change for each database, table and view, and one for the partitions of each table.

    Raises:
        UsageError: The lake is not on S3.
        StoreError: Foreign objects lie where Athena would read them as rows.
        EngineError: AWS refuses something.
    """
    _check_is_s3(lake.store)
    _refuse_foreign(lake)
    files = TableFiles.of(lake)
    client = aws.client("glue")
    changes = [_sync_database(client, name) for name in DESCRIPTIONS]
    for table in PUBLISHED:
        with aws.errors_as(EngineError, f"Glue table {table.qualified_name}"):
            changes.append(_sync_table(client, SCHEMA, table_input(table, _flat_folder(lake.store, table))))
    for table in TABLES:
        with aws.errors_as(EngineError, f"Glue table {BY_DATE}.{table.name}"):
            changes.extend(_sync_by_date(client, files, table))
    return [*changes, *_sync_views(client, engine)]


def _check_is_s3(store: Store) -> None:
    if store.local_root is not None:
        raise UsageError(
            f"--lake {store.local_root}: Athena reads from S3 only",
            hint="--lake s3://bucket, or --engine duckdb for a local lake",
        )


def _refuse_foreign(lake: Lake) -> None:
    """A table over a prefix has every object below it but those whose names are hidden: none may be foreign."""
    foreign = visible_to_engines(foreign_objects(lake, [ANALYTICS, PROCESSED]))
    if foreign:
        raise StoreError(
            f"{lake.store.uri(foreign[0].key)} is not of mag7, and Athena would read it as rows"
            + (f" ({len(foreign)} such objects)" if len(foreign) > 1 else ""),
            hint="move it out of analytics/ and processed/; mag7 verify names all of them",
        )


def _flat_folder(store: Store, table: Table) -> str:
    return store.uri(f"{ANALYTICS}{table.name}/")


def _partition_folder(store: Store, table: Table, day: date) -> str:
    return store.uri(f"{PROCESSED}{table.name}/{PARTITION}={day.isoformat()}/")


# What a query costs before it scans anything

# Source: https://aws.amazon.com/s3/pricing/, us-east-1: a LIST request.
_LISTING_USD: Final = 0.000005
_BY_DATE_TABLE: Final = re.compile(rf"\b{BY_DATE}\.\W?(\w+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ListingCost:
    """The requests that a query makes before it reads: one for each partition that no condition excludes."""

    requests: int
    usd: float


def listing_cost(sql: str) -> ListingCost | None:
    """What a query of the partitioned layout lists if it names no date; None for others. Raises EngineError."""
    names = {name.lower() for name in _BY_DATE_TABLE.findall(sql)} & TABLE.keys()
    if not names or PARTITION in sql.lower().rpartition("where")[2]:
        return None
    client = aws.client("glue")
    with aws.errors_as(EngineError, f"Glue database {BY_DATE}"):
        requests = sum(len(_registered(client, TABLE[name])) for name in names)
    return ListingCost(requests, requests * _LISTING_USD)


# Databases and tables


def _sync_database(client: Any, name: str) -> CatalogChange:
    with aws.errors_as(EngineError, f"Glue database {name}"):
        try:
            client.get_database(Name=name)
        except client.exceptions.EntityNotFoundException:
            client.create_database(DatabaseInput={"Name": name, "Description": DESCRIPTIONS[name]})
            return CatalogChange("database", name, "created")
    return CatalogChange("database", name, "unchanged")


def _sync_table(client: Any, database: str, table: Mapping[str, Any]) -> CatalogChange:
    name = table["Name"]
    try:
        present = client.get_table(DatabaseName=database, Name=name)["Table"]
    except client.exceptions.EntityNotFoundException:
        client.create_table(DatabaseName=database, TableInput=table)
        return CatalogChange("table", name, "created")
    if _holds(present, table):
        return CatalogChange("table", name, "unchanged")
    if not table["PartitionKeys"] and not present.get("PartitionKeys"):
        client.update_table(DatabaseName=database, TableInput=table)
        return CatalogChange("table", name, "updated")
    # An external table owns no data. Its partitions, registered or projected, go with it: each has a list of columns of
    # its own, which Athena holds against the table's.
    client.delete_table(DatabaseName=database, Name=name)
    client.create_table(DatabaseName=database, TableInput=table)
    return CatalogChange("table", name, "replaced")


def _holds(present: Any, declared: Any) -> bool:
    """True if everything declared is there already; Glue adds fields of its own."""
    if isinstance(declared, Mapping):
        return isinstance(present, Mapping) and all(_holds(present.get(key), value) for key, value in declared.items())
    if isinstance(declared, list):
        same_length = isinstance(present, list) and len(present) == len(declared)
        return same_length and all(map(_holds, present, declared))
    return bool(present == declared)


def _sync_views(client: Any, engine: SqlEngine) -> Iterator[CatalogChange]:
    """Views cannot be compared: Athena keeps its own reading of them."""
    engine.execute([create_view_sql(view) for view in VIEWS])
    yield from (CatalogChange("view", view.name, "updated") for view in VIEWS)


# Partitions


def _sync_by_date(client: Any, files: TableFiles, table: Table) -> Iterator[CatalogChange]:
    """The table with a partition for each folder, and none for a folder that is gone."""
    store = files.lake.store
    declared = partitioned_input(table, store.uri(f"{PROCESSED}{table.name}/"))
    yield _sync_table(client, BY_DATE, declared)
    registered, present = _registered(client, table), set(files.partitions(table.name))
    missing, removed = sorted(present - registered), sorted(registered - present)
    for days in _groups(missing, _CREATED_AT_ONCE):
        _register(client, store, table, declared["StorageDescriptor"]["Columns"], days)
    for days in _groups(removed, _DELETED_AT_ONCE):
        client.batch_delete_partition(
            DatabaseName=BY_DATE,
            TableName=table.name,
            PartitionsToDelete=[{"Values": [day.isoformat()]} for day in days],
        )
    if missing:
        yield CatalogChange("partitions", table.name, "registered", len(missing))
    if removed:
        yield CatalogChange("partitions", table.name, "removed", len(removed))


def _groups(days: Sequence[date], size: int) -> Iterator[Sequence[date]]:
    return (days[start : start + size] for start in range(0, len(days), size))


def _registered(client: Any, table: Table) -> set[date]:
    # Without the schema of its columns an answer holds a thousand partitions.
    pages = client.get_paginator("get_partitions").paginate(
        DatabaseName=BY_DATE, TableName=table.name, ExcludeColumnSchema=True
    )
    return {date.fromisoformat(partition["Values"][0]) for page in pages for partition in page["Partitions"]}


def _register(
    client: Any, store: Store, table: Table, columns: Sequence[Mapping[str, str]], days: Sequence[date]
) -> None:
    """Register partitions; one that somebody else registered meanwhile is as good. Raises EngineError."""
    answer = client.batch_create_partition(
        DatabaseName=BY_DATE,
        TableName=table.name,
        PartitionInputList=[
            {
                "Values": [day.isoformat()],
                "StorageDescriptor": _storage(columns, _partition_folder(store, table, day)),
            }
            for day in days
        ],
    )
    for error in answer.get("Errors", ()):
        detail = error.get("ErrorDetail", {})
        if detail.get("ErrorCode") != "AlreadyExistsException":
            raise EngineError(
                f"partition {error.get('PartitionValues')} of {BY_DATE}.{table.name}: {detail.get('ErrorMessage')}"
            )
