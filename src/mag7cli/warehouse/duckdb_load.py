"""Loads the local warehouse, `warehouse.duckdb`: every table as the lake has it, however often it is loaded."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from mag7cli.core.errors import StoreError, UsageError
from mag7cli.lake.layout import ANALYTICS, WAREHOUSE, Lake
from mag7cli.lake.store import ObjectInfo
from mag7cli.tables.schema import SCHEMA, TABLES, VIEWS, Table, create_schema_sql, create_sql, create_view_sql
from mag7cli.tables.table_files import TableFiles, year_of
from mag7cli.warehouse import loaded_files
from mag7cli.warehouse.engines.duckdb import DateRows, DuckDbEngine, date_literals, literal, literals

# The shape of each table, by its name, and the version of each file that it was loaded from, by its key.
_LOADS: Final = "mag7_internal.loads"


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What a load did: the tables in which it replaced rows, the others, and the rows of each table now."""

    where: str
    replaced: tuple[str, ...]
    unchanged: tuple[str, ...]
    rows: Mapping[str, int]


def load(lake: Lake) -> LoadResult:
    """Bring the warehouse up to date in one transaction: all tables are the lake's, or all are what they were.

    Of a file that has changed only the dates are loaded whose rows differ.

    Raises UsageError for a lake that is no local folder, EngineError if another process has the warehouse open.
    """
    path, files = _path(lake), _files(lake)
    loads, record = _all_loads(files), loaded_files.read(lake)
    if record and record.loads == loads:
        return LoadResult(str(path), (), tuple(record.rows), record.rows)
    replaced, rows = _brought_up(lake, path, files)
    with suppress(StoreError):  # it saves work alone
        loaded_files.write(lake, loads, rows)
    return LoadResult(str(path), tuple(replaced), tuple(name for name in rows if name not in replaced), rows)


def _brought_up(
    lake: Lake, path: Path, files: Sequence[tuple[Table, Sequence[ObjectInfo]]]
) -> tuple[list[str], dict[str, int]]:
    """The tables in which rows were replaced, and the rows of every table now."""
    engine = DuckDbEngine.over_warehouse(path, read_only=False)
    try:
        engine.execute(_preparations())
        known = _known(engine)
        changes = [
            _change(engine, lake, table, files=of_table, known=known)
            for table, of_table in files
            if _loads(table, of_table) != _of(table, known)
        ]
        engine.execute([sql for change in changes for sql in change.statements])
        rows = {table.name: _count(engine, table) for table in TABLES}
    finally:
        engine.close()
    return [change.table.name for change in changes if change.has_rows], rows


def statements(lake: Lake) -> list[str]:
    """The SQL of a load that replaces every table, one statement each."""
    _path(lake)
    replaced = [sql for table, files in _files(lake) for sql in _replace(lake, table, files)]
    return [*_preparations(), "BEGIN TRANSACTION", *replaced, "COMMIT"]


def is_current(lake: Lake) -> bool:
    """True if there is a warehouse and a load would change nothing in it."""
    path, files = _path(lake), _files(lake)
    if not path.is_file():
        return False
    record = loaded_files.read(lake)
    if record:
        return record.loads == _all_loads(files)
    engine = DuckDbEngine.over_warehouse(path)
    try:
        known = _known(engine)
    finally:
        engine.close()
    return all(_loads(table, of_table) == _of(table, known) for table, of_table in files)


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


@dataclass(frozen=True, slots=True)
class _Change:
    """What brings a table up to date, and whether it changes any row of it."""

    table: Table
    statements: Sequence[str]
    has_rows: bool = True


@dataclass(frozen=True, slots=True)
class _Year:
    """What a flat file has on each date, and what the table has in that year: how many rows, and which."""

    key: str
    in_file: Mapping[date, DateRows]
    in_table: Mapping[date, DateRows]

    @property
    def dates(self) -> list[date]:
        """The dates on which they differ."""
        days = sorted(self.in_file.keys() | self.in_table.keys())
        return [day for day in days if self.in_file.get(day) != self.in_table.get(day)]

    @property
    def gain(self) -> int:
        """How many rows the table has too few."""
        return sum(rows.count for rows in self.in_file.values()) - sum(rows.count for rows in self.in_table.values())


def _change(
    engine: DuckDbEngine, lake: Lake, table: Table, *, files: Sequence[ObjectInfo], known: Mapping[str, str]
) -> _Change:
    """The dates that differ in the years whose files changed; the whole table where it is not known how it came."""
    loads, loaded = _loads(table, files), _of(table, known)
    if loaded.get(table.name) != loads[table.name]:
        return _Change(table, _replace(lake, table, files))
    keys = sorted(key for key in loads.keys() | loaded.keys() if loads.get(key) != loaded.get(key))
    years = [_year(engine, lake, table, key, loads.get(key)) for key in keys]
    # Rows in the file of another year are for nobody to look for: with them the sum is wrong.
    if _count(engine, table) + sum(year.gain for year in years) != engine.count_rows(lake, [f.key for f in files]):
        return _Change(table, _replace(lake, table, files))
    rows = [sql for year in years for sql in _replace_dates(lake, table, year)]
    return _Change(table, [*rows, *_remember(table, loads)], bool(rows))


def _year(engine: DuckDbEngine, lake: Lake, table: Table, key: str, version: str | None) -> _Year:
    """The year of a file; `version` is None of one that is gone."""
    year = year_of(key)
    in_file = engine.rows_of_file(lake, table, key, version) if version else {}
    return _Year(
        key, {day: rows for day, rows in in_file.items() if day.year == year}, engine.rows_of_year(table, year)
    )


def _replace_dates(lake: Lake, table: Table, year: _Year) -> Iterator[str]:
    if not year.dates:
        return
    days = f"trading_date IN {date_literals(year.dates)}"
    yield f"DELETE FROM {table.qualified_name} WHERE {days}"  # noqa: S608
    if year.in_file:
        yield _insert(lake, table, [year.key], f" WHERE {days}")


def _replace(lake: Lake, table: Table, files: Sequence[ObjectInfo]) -> list[str]:
    """One table: made anew, filled from the flat files, remembered; the views with it, for they name its columns."""
    return [
        f"DROP TABLE IF EXISTS {table.qualified_name} CASCADE",
        create_sql(table, "duckdb"),
        *([_insert(lake, table, [file.key for file in files])] if files else []),
        *_remember(table, _loads(table, files)),
        *(create_view_sql(view) for view in VIEWS if table is TABLES[-1]),
    ]


def _insert(lake: Lake, table: Table, keys: Sequence[str], condition: str = "") -> str:
    columns = ", ".join(column.name for column in table.columns)
    source = f"read_parquet({literals(map(lake.store.uri, keys))})"
    return f"INSERT INTO {table.qualified_name} SELECT {columns} FROM {source}{condition}"  # noqa: S608


def _remember(table: Table, loads: Mapping[str, str]) -> list[str]:
    rows = ", ".join(f"({literal(name)}, {literal(version)})" for name, version in sorted(loads.items()))
    own = f"table_name = {literal(table.name)} OR starts_with(table_name, {literal(f'{ANALYTICS}{table.name}/')})"
    return [f"DELETE FROM {_LOADS} WHERE {own}", f"INSERT INTO {_LOADS} VALUES {rows}"]  # noqa: S608


def _known(engine: DuckDbEngine) -> dict[str, str]:
    """What the tables were loaded from."""
    rows = engine.query(f"SELECT table_name, fingerprint FROM {_LOADS}").values  # noqa: S608
    return {str(name): str(fingerprint) for name, fingerprint in rows}


def _of(table: Table, known: Mapping[str, str]) -> dict[str, str]:
    """What a table was loaded from: its shape, and its files."""
    folder = f"{ANALYTICS}{table.name}/"
    return {name: version for name, version in known.items() if name == table.name or name.startswith(folder)}


def _files(lake: Lake) -> list[tuple[Table, list[ObjectInfo]]]:
    """The flat files of each table."""
    own = TableFiles.of(lake)
    return [(table, own.flat(table.name)) for table in TABLES]


def _loads(table: Table, files: Sequence[ObjectInfo]) -> dict[str, str]:
    """What a table is to be loaded from: its shape, so that a new version of mag7 loads anew, and its files."""
    shape = create_sql(table, "duckdb") + "".join(create_view_sql(view) for view in VIEWS if table is TABLES[-1])
    return {table.name: hashlib.sha256(shape.encode()).hexdigest(), **{file.key: file.version for file in files}}


def _all_loads(files: Sequence[tuple[Table, Sequence[ObjectInfo]]]) -> dict[str, str]:
    """The same of all tables."""
    return {name: version for table, of_table in files for name, version in _loads(table, of_table).items()}


def _count(engine: DuckDbEngine, table: Table) -> int:
    ((count,),) = engine.query(f"SELECT COUNT(*) FROM {SCHEMA}.{table.name}").values  # noqa: S608
    assert isinstance(count, int)
    return count
