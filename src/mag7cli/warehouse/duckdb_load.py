"""Loads the local warehouse, `warehouse.duckdb`: every table as the lake has it, however often it is loaded."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mag7cli.core.errors import UsageError
from mag7cli.lake.layout import WAREHOUSE, Lake
from mag7cli.lake.store import ObjectInfo
from mag7cli.tables.schema import SCHEMA, TABLES, VIEWS, Table, create_schema_sql, create_sql, create_view_sql
from mag7cli.tables.table_files import TableFiles
from mag7cli.warehouse.engines import Value
from mag7cli.warehouse.engines.duckdb import DuckDbEngine, literal

# What each table was loaded from: a load that finds the same files there leaves the table alone.
_LOADS: Final = "mag7_internal.loads"


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What a load did: the tables that it replaced, those that were up to date, and the rows of each table now."""

    where: str
    replaced: tuple[str, ...]
    unchanged: tuple[str, ...]
    rows: Mapping[str, int]


def load(lake: Lake) -> LoadResult:
    """Bring the warehouse up to date in one transaction: all tables are the lake's, or all are what they were.

    Raises UsageError for a lake that is no local folder, EngineError if another process has the warehouse open.
    """
    path = _path(lake)
    engine = DuckDbEngine.over_warehouse(path, read_only=False)
    try:
        engine.execute(_preparations())
        known = _known(engine)
        files = _files(lake)
        stale = [table for table in TABLES if known.get(table.name) != _fingerprint(table, files[table.name])]
        engine.execute([sql for table in stale for sql in _replace(lake, table, files[table.name])])
        rows = {table.name: _count(engine, table) for table in TABLES}
    finally:
        engine.close()
    replaced = tuple(table.name for table in stale)
    return LoadResult(str(path), replaced, tuple(name for name in files if name not in replaced), rows)


def statements(lake: Lake) -> list[str]:
    """The SQL of a load that replaces every table, one statement each."""
    _path(lake)
    files = _files(lake)
    replaced = [sql for table in TABLES for sql in _replace(lake, table, files[table.name])]
    return [*_preparations(), "BEGIN TRANSACTION", *replaced, "COMMIT"]


def is_current(lake: Lake) -> bool:
    """True if there is a warehouse and a load would change nothing in it."""
    path = _path(lake)
    if not path.is_file():
        return False
    engine = DuckDbEngine.over_warehouse(path)
    try:
        known = _known(engine)
    finally:
        engine.close()
    files = _files(lake)
    return all(known.get(table.name) == _fingerprint(table, files[table.name]) for table in TABLES)


def _path(lake: Lake) -> Path:
    root = lake.store.local_root
    if root is None:
        raise UsageError(
            f"{lake.store.uri('')} is no local folder, where a DuckDB warehouse could lie",
            hint="mag7 load --engine athena, or --engine redshift",
        )
    return root / WAREHOUSE


def _preparations() -> list[str]:
    return [
        create_schema_sql(),
        "CREATE SCHEMA IF NOT EXISTS mag7_internal",
        f"CREATE TABLE IF NOT EXISTS {_LOADS} (table_name VARCHAR, fingerprint VARCHAR)",
    ]


def _replace(lake: Lake, table: Table, files: Sequence[ObjectInfo]) -> list[str]:
    """One table: made anew, filled from the flat files, remembered; the views with it, for they name its columns."""
    columns = ", ".join(column.name for column in table.columns)
    statements = [f"DROP TABLE IF EXISTS {table.qualified_name} CASCADE", create_sql(table, "duckdb")]
    if files:
        addresses = ", ".join(literal(lake.store.uri(file.key)) for file in files)
        statements.append(
            f"INSERT INTO {table.qualified_name} SELECT {columns} FROM read_parquet([{addresses}])"  # noqa: S608
        )
    return [
        *statements,
        f"DELETE FROM {_LOADS} WHERE table_name = {literal(table.name)}",  # noqa: S608
        f"INSERT INTO {_LOADS} VALUES ({literal(table.name)}, {literal(_fingerprint(table, files))})",  # noqa: S608
        *(create_view_sql(view) for view in VIEWS if table is TABLES[-1]),
    ]


def _known(engine: DuckDbEngine) -> dict[Value, Value]:
    """The fingerprint of what each table was loaded from."""
    return dict(engine.query(f"SELECT table_name, fingerprint FROM {_LOADS}").values)  # type: ignore[arg-type]  # noqa: S608


def _files(lake: Lake) -> dict[str, list[ObjectInfo]]:
    """The flat files of each table."""
    own = TableFiles.of(lake)
    return {table.name: own.flat(table.name) for table in TABLES}


def _fingerprint(table: Table, files: Sequence[ObjectInfo]) -> str:
    """Of the files and of the table's own shape, so that a new version of mag7 loads anew."""
    content = create_sql(table, "duckdb") + "".join(f"{file.key} {file.version}\n" for file in files)
    return hashlib.sha256(content.encode()).hexdigest()


def _count(engine: DuckDbEngine, table: Table) -> int:
    ((count,),) = engine.query(f"SELECT COUNT(*) FROM {SCHEMA}.{table.name}").values  # noqa: S608
    assert isinstance(count, int)
    return count
