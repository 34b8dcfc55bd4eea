"""Load a lake on S3 into Redshift: schema, tables, and every row replaced in one transaction.

COPY reads `analytics/<table>/`, whose columns lie in table order. Whoever loads twice has the same rows; whoever is
killed leaves the old rows or the new ones. Files that arrive by themselves are `copy_jobs`' business.
"""

import hashlib
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from mag7cli.core.errors import EngineError, UsageError
from mag7cli.lake import aws
from mag7cli.lake.layout import ANALYTICS, COPY_JOBS, Lake
from mag7cli.lake.store import ObjectInfo, Store
from mag7cli.tables.schema import (
    COMPUTED,
    PUBLISHED,
    SCHEMA,
    TABLE,
    TABLES,
    VIEWS,
    Column,
    Table,
    View,
    create_schema_sql,
    create_sql,
    create_view_sql,
    sql_type,
)
from mag7cli.tables.table_files import TableFiles, foreign_objects
from mag7cli.warehouse import copy_jobs
from mag7cli.warehouse.engines import SqlEngine
from mag7cli.warehouse.engines.sql_text import quoted

DEFAULT_ROLE: Final = "default"
"""The role that the warehouse itself has as its default."""

_PUBLISHED: Final = frozenset(table.name for table in PUBLISHED)

_COLUMNS_SQL: Final = """\
SELECT table_name, column_name, data_type, character_maximum_length, numeric_precision, numeric_scale
FROM svv_columns
WHERE table_schema = :schema
ORDER BY table_name, ordinal_position"""


_VIEWS_SQL: Final = """\
SELECT c.relname AS view_name, d.description AS description
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_description d ON d.objoid = c.oid AND d.objsubid = 0
WHERE n.nspname = :schema AND c.relkind = 'v'"""


@dataclass(frozen=True, slots=True)
class TableLoad:
    """One table after a load, counted on both sides."""

    name: str
    lake_rows: int
    warehouse_rows: int


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What a load did: the statements of its transaction and the tables it filled."""

    statements: tuple[str, ...]
    tables: tuple[TableLoad, ...]


@dataclass(frozen=True, slots=True)
class AutoCopyResult:
    """What was done for the COPY JOBs: the first load (None if there were jobs), jobs created, dates handed over."""

    load: LoadResult | None
    created: tuple[str, ...]
    export: copy_jobs.Export
    is_integrated: bool


def copy_sql(table: Table, location: str, role: str) -> str:
    """COPY of every Parquet file below `location`. `role` is an ARN or `default`. Raises UsageError."""
    if role != DEFAULT_ROLE and not aws.is_role_arn(role):
        raise UsageError(
            f"--iam-role {role}: neither `default` nor the ARN of a role",
            hint="it looks like arn:aws:iam::123456789012:role/mag7-redshift-copy",
        )
    who = DEFAULT_ROLE if role == DEFAULT_ROLE else quoted(role)
    return f"COPY {table.qualified_name}\nFROM {quoted(location)}\nIAM_ROLE {who}\nFORMAT AS PARQUET"


def schema_statements(recreate: Collection[str] = ()) -> list[str]:
    """The schema and the tables, if they are not there; those in `recreate` are dropped first, and their views."""
    drops = [f"DROP TABLE IF EXISTS {table.qualified_name} CASCADE" for table in TABLES if table.name in recreate]
    return [create_schema_sql(), *drops, *(create_sql(table, "redshift") for table in TABLES)]


def view_statements(views: Collection[View] = VIEWS) -> list[str]:
    """The views, each with a comment by which its text is known again."""
    return [
        sql
        for view in views
        for sql in (
            create_view_sql(view),
            f"COMMENT ON VIEW {view.qualified_name} IS {quoted(_fingerprint(view))}",
        )
    ]


def _fingerprint(view: View) -> str:
    """Redshift keeps its own wording of a view, which cannot be compared."""
    return f"mag7 {hashlib.sha256(view.query.encode()).hexdigest()[:16]}"


def _stale_views(engine: SqlEngine) -> list[View]:
    present = {str(name): str(comment) for name, comment in engine.query(_VIEWS_SQL, {"schema": SCHEMA}).values}
    return [view for view in VIEWS if present.get(view.name) != _fingerprint(view)]


def replace_statements(
    store: Store, filled: Collection[str], role: str, *, listed: Collection[str] = (), recreate: Collection[str] = ()
) -> list[str]:
    """Delete every row of every table and copy the lake's; COPY would fail for a table without files.

    Tables in `listed` are copied by a manifest of their files, the others by their prefix. Those in `recreate` are
    empty: a transaction has few statements to spare.
    """
    statements: list[str] = []
    for table in TABLES:
        if table.name not in recreate:
            # TRUNCATE would commit, and readers would see an empty table for as long as COPY runs.
            statements.append(f"DELETE FROM {table.qualified_name}")  # noqa: S608 -- names of our own
        if table.name in filled:
            statements.append(_copy_of(table, store, role, is_listed=table.name in listed))
    return statements


def _copy_of(table: Table, store: Store, role: str, *, is_listed: bool) -> str:
    """COPY of a table's files: by the manifest of them, or by their prefix."""
    if is_listed:
        return copy_sql(table, store.uri(_manifest_key(table.name)), role) + "\nMANIFEST"
    return copy_sql(table, store.uri(f"{ANALYTICS}{table.name}/"), role)


def computed_statements(
    store: Store, filled: Collection[str], role: str, *, listed: Collection[str] = (), recreate: Collection[str] = ()
) -> list[str]:
    """The tables that are computed, made where they are not there and filled anew: a transaction of their own.

    With them the other tables' would have more statements than Redshift takes. COPY JOBs only ever add rows, so they
    have no part in it.
    """
    statements: list[str] = []
    for table in COMPUTED:
        if table.name in recreate:
            statements.append(f"DROP TABLE IF EXISTS {table.qualified_name} CASCADE")
        statements.append(create_sql(table, "redshift"))
        statements.append(f"DELETE FROM {table.qualified_name}")  # noqa: S608 -- names of our own
        if table.name in filled:
            statements.append(_copy_of(table, store, role, is_listed=table.name in listed))
    return statements


def _load_computed(lake: Lake, engine: SqlEngine, role: str, columns: Mapping[str, list[tuple[str, str]]]) -> list[str]:
    """Fill the computed tables; one of another shape is made again, since nothing is lost by it."""
    stale = [table.name for table in COMPUTED if table.name in columns and _difference(table, columns[table.name])]
    files, intruded = _files(lake, COMPUTED), _intruded(lake)
    _write_manifests(lake.store, files, intruded)
    statements = computed_statements(lake.store, _filled(files), role, listed=intruded, recreate=stale)
    engine.execute(statements)
    return statements


def dry_run(lake: Lake, role: str = DEFAULT_ROLE, *, recreate: bool = False) -> list[str]:
    """The exact statements of a first load, or of one that makes every table again. Raises UsageError."""
    check_is_s3(lake.store)
    dropped = [table.name for table in TABLES] if recreate else []
    return [
        *schema_statements(dropped),
        *view_statements(),
        *replace_statements(lake.store, _filled(_files(lake)), role, listed=_intruded(lake), recreate=dropped),
        *computed_statements(lake.store, _filled(_files(lake, COMPUTED)), role, listed=_intruded(lake)),
    ]


def load(lake: Lake, engine: SqlEngine, role: str = DEFAULT_ROLE, *, recreate: bool = False) -> LoadResult:
    """Make every table equal to the lake, all of them in one transaction.

    Args:
        lake: A lake on S3.
        engine: Redshift.
        role: The role that COPY reads the bucket with, an ARN or `default`.
        recreate: Drop tables that another program made otherwise, and make them again, in the same transaction.

    Raises:
        UsageError: The lake is not on S3, or the role is none.
        EngineError: Redshift refuses something, or tables are of another shape.
        StoppedEarlyError: COPY JOBs still have files to load.
    """
    check_is_s3(lake.store)
    columns = _present_columns(engine)
    different = _differences(columns)
    if different and not recreate:
        raise EngineError(
            f"{SCHEMA} was made by another program: {'; '.join(different.values())}",
            hint="`mag7 load --engine redshift --recreate` drops these tables and makes them again",
        )
    if columns:
        copy_jobs.refuse_while_waiting(lake.store, engine)
    files, intruded = _files(lake), _intruded(lake)
    _write_manifests(lake.store, files, intruded)
    before, views = _views_around(engine, is_complete=not different and columns.keys() >= TABLE.keys())
    if before:
        engine.execute(before)
    replaced = replace_statements(lake.store, _filled(files), role, listed=intruded, recreate=different)
    statements = [*schema_statements(different), *views, *replaced]
    engine.execute(statements)
    copy_jobs.forget_loaded_files(lake.store)
    computed = _load_computed(lake, engine, role, columns)
    return LoadResult((*before, *statements, *computed), _counted(lake, engine))


def _views_around(engine: SqlEngine, *, is_complete: bool) -> tuple[list[str], list[str]]:
    """The statements of the views: before the load, or in it where the tables are not there yet.

    A view that is replaced inside the load would lock its readers out until COPY is done.
    """
    if not is_complete:
        return [], view_statements()
    stale = _stale_views(engine)
    return view_statements(stale), []


def auto_copy(lake: Lake, engine: SqlEngine, role: str, *, recreate: bool = False) -> AutoCopyResult:
    """Let COPY JOBs load new dates: load everything once, create the jobs, then only hand over what is new.

    Args:
        lake: A lake on S3.
        engine: Redshift.
        role: The ARN of the role that the jobs read the bucket with: they refuse the default role.
        recreate: As of `load`, which is the first step where there are no jobs yet.

    Raises:
        UsageError: The role is no ARN, or tables with jobs are to be made again.
        EngineError: Redshift refuses something.
    """
    check_is_s3(lake.store)
    copy_jobs.statements(lake.store, role)
    loaded = None
    jobs = copy_jobs.existing(engine)
    if jobs and recreate:
        raise UsageError("--recreate would drop tables under their COPY JOBs", hint="--end-auto-copy --recreate first")
    if jobs:
        engine.execute([*schema_statements(), *view_statements(_stale_views(engine))])
        _load_computed(lake, engine, role, _present_columns(engine))
    else:
        loaded = load(lake, engine, role, recreate=recreate)
    created = copy_jobs.create_missing(lake.store, engine, role)
    export = copy_jobs.export(lake, engine)
    return AutoCopyResult(
        load=loaded, created=tuple(created), export=export, is_integrated=copy_jobs.is_integrated(engine)
    )


def check_is_s3(store: Store) -> None:
    """Raise UsageError for a lake that Redshift cannot read."""
    if store.local_root is not None:
        raise UsageError(
            f"--lake {store.local_root}: Redshift loads from S3 only",
            hint="--lake s3://bucket, or --engine duckdb for a local lake",
        )


def _files(lake: Lake, tables: Iterable[Table] = TABLES) -> dict[str, list[ObjectInfo]]:
    """Each table's flat files."""
    files = TableFiles.of(lake).flat_of_all()
    return {table.name: files[table.name] for table in tables}


def _filled(files: Mapping[str, Sequence[ObjectInfo]]) -> set[str]:
    return {name for name, infos in files.items() if infos}


def _intruded(lake: Lake) -> set[str]:
    """The tables among whose files something foreign lies, so that a prefix would load too much."""
    return {info.key.split("/")[1] for info in foreign_objects(lake, [ANALYTICS])}


def _manifest_key(table: str) -> str:
    return f"{COPY_JOBS}manifests/{table}.json"


def _write_manifests(store: Store, files: Mapping[str, Sequence[ObjectInfo]], tables: Collection[str]) -> None:
    """List the files of these tables for COPY, which wants the size of each where they are Parquet."""
    for name in sorted(_filled(files).intersection(tables)):
        entries = [
            {"url": store.uri(info.key), "mandatory": True, "meta": {"content_length": info.size}}
            for info in files[name]
        ]
        store.write(_manifest_key(name), orjson.dumps({"entries": entries}))


# What is there already


def differences(engine: SqlEngine) -> dict[str, str]:
    """Tables of the schema that COPY could not fill, by name, with the first difference in words."""
    return _differences(_present_columns(engine))


def _differences(columns: Mapping[str, list[tuple[str, str]]]) -> dict[str, str]:
    compared = {table.name: _difference(table, columns[table.name]) for table in TABLES if table.name in columns}
    return {name: difference for name, difference in compared.items() if difference}


def _present_columns(engine: SqlEngine) -> dict[str, list[tuple[str, str]]]:
    """Name and type of every column of our tables that are there, by table."""
    columns: dict[str, list[tuple[str, str]]] = {}
    for row in engine.query(_COLUMNS_SQL, {"schema": SCHEMA}).records():
        if row["table_name"] in _PUBLISHED:
            columns.setdefault(str(row["table_name"]), []).append((str(row["column_name"]), _type_of(row)))
    return columns


def _difference(table: Table, columns: list[tuple[str, str]]) -> str:
    declared = [(column.name, _wanted_type(column)) for column in table.columns]
    for (name, kind), (found_name, found_kind) in zip(declared, columns, strict=False):
        if (name, kind) != (found_name, found_kind):
            return f"{table.name} has {found_name} {found_kind} where {name} {kind} belongs"
    if len(columns) != len(declared):
        return f"{table.name} has {len(columns)} columns, not {len(declared)}"
    return ""


def _wanted_type(column: Column) -> str:
    return sql_type(column, "redshift").lower()


def _type_of(row: Mapping[str, object]) -> str:
    """The type of a row of SVV_COLUMNS, spelt as in our DDL."""
    kind = str(row["data_type"])
    if kind == "numeric":
        return f"decimal({row['numeric_precision']},{row['numeric_scale']})"
    if kind == "character varying":
        return f"varchar({row['character_maximum_length']})"
    return kind


# What is there afterwards


def _counted(lake: Lake, engine: SqlEngine) -> tuple[TableLoad, ...]:
    """Both sides' rows. Raises EngineError if somebody else wrote into a table meanwhile."""
    present = _warehouse_rows(engine)
    files = _files(lake, PUBLISHED)
    loads = tuple(TableLoad(name, _rows(lake.store, infos), present[name]) for name, infos in files.items())
    for table in loads:
        if table.lake_rows != table.warehouse_rows:
            raise EngineError(
                f"{SCHEMA}.{table.name} has {table.warehouse_rows} rows, the lake {table.lake_rows}: "
                "something else wrote to one of them during the load",
                hint="run `mag7 load --engine redshift` again when nothing else writes",
            )
    return loads


def _warehouse_rows(engine: SqlEngine) -> dict[str, int]:
    counts = "\nUNION ALL\n".join(
        f"SELECT '{table.name}' AS name, COUNT(*) AS row_count FROM {table.qualified_name}"  # noqa: S608
        for table in PUBLISHED
    )
    return {str(name): int(str(count)) for name, count in engine.query(counts).values}


def _rows(store: Store, files: Iterable[ObjectInfo]) -> int:
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(io.BytesIO(store.read(info.key))).num_rows for info in files)
