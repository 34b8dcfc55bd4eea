"""DuckDB: the engine where there is no cloud, over the flat files of a lake or over the local warehouse."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mag7cli.core.errors import EngineError
from mag7cli.lake.layout import ANALYTICS, PROCESSED, Lake
from mag7cli.tables.schema import SCHEMA, TABLES, VIEWS, Table, create_schema_sql, create_sql, create_view_sql, sql_type
from mag7cli.tables.table_files import TableFiles, year_of
from mag7cli.warehouse.engines import Dialect, Rows, RowStream, Value
from mag7cli.warehouse.engines.sql_text import Statement

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

PARTITIONED: Final = "partitioned"
_MEMORY: Final = ":memory:"
# Small files are opened, not read: more threads, or an order to keep among them, only double the work.
_SPARING: Final[dict[str, str | bool | int | float | list[str]]] = {"threads": 1, "preserve_insertion_order": "false"}
# What is written goes to the file as it comes, however many years there are; another thread takes as much again.
_BOUNDED: Final[dict[str, str | bool | int | float | list[str]]] = {"threads": 1, "memory_limit": "90MB"}
_BLOCK_ROWS: Final = 1000
_DAY: Final = "COALESCE(trading_date, DATE '0001-01-01')"
# The checks, a load and the kept returns ask for the same of each file that has changed: those of two years.
_KNOWN_FILES: Final = 20
STORAGE_VERSION: Final = "v1.0.0"
"""The format of the warehouse's file, which every DuckDB since 1.0 opens; DuckDB 2 has one of its own by default."""
_DAMAGED_HINT: Final = "a file of the tables is damaged: mag7 transform --force makes them again, mag7 verify names it"
_TRANSFORM_HINT: Final = "another version of mag7 made these tables: mag7 transform makes them again"
# How every version words that a file is of a later format.
_WRITTEN_BY_A_NEWER: Final = "read a database file with version number"


@dataclass(frozen=True, slots=True)
class DateRows:
    """The rows of a date: how many, and the sum of their hashes, which another version of DuckDB may make otherwise."""

    count: int
    hash_sum: int


_ROWS_OF_FILES: Final[dict[tuple[str, str], dict[date, DateRows]]] = {}


class DuckDbEngine:
    """A DuckDB connection whose schema `market_data` has the tables; made by `over_lake` or `over_warehouse`."""

    dialect: Dialect = "duckdb"

    def __init__(self, connection: "DuckDBPyConnection") -> None:
        self._connection = connection
        self.is_of_lake = False
        """Whether the tables are those of a lake, whole."""

    @classmethod
    def over_lake(
        cls,
        lake: Lake,
        *,
        with_partitions: bool = False,
        since: date = date.min,
        until: date = date.max,
        names: Collection[str] | None = None,
    ) -> "DuckDbEngine":
        """The tables as they lie in the flat layout; nothing else of the machine can be read, nothing written.

        `with_partitions` adds the other layout of a local lake as the schema `partitioned`.
        Of a lake that is no local folder the files are read through its store, for DuckDB has no way of its own there.
        From `since` on, or `until` another day, the tables have no other rows, but all splits. `names` are the tables
        and views that are to be there, by default all: each takes milliseconds to declare.
        """
        import duckdb

        is_whole = (since, until) == (date.min, date.max)
        engine = cls(duckdb.connect(_MEMORY, config={} if is_whole else _SPARING))
        engine.is_of_lake = is_whole
        engine._run(create_schema_sql())
        files = TableFiles.of(lake) if with_partitions else TableFiles.of_years(lake)
        for table in (table for table in TABLES if names is None or table.name in names):
            engine._add_table(files, table, since, until)
        if with_partitions and lake.store.local_root:
            engine._run(f"CREATE SCHEMA {PARTITIONED}")
            for table in TABLES:
                engine._add_partitions(files, table)
        for view in (view for view in VIEWS if names is None or view.name in names):
            engine._run(create_view_sql(view))
        engine._close_off(
            [lake.store.local_root / ANALYTICS, lake.store.local_root / PROCESSED] if lake.store.local_root else []
        )
        return engine

    @classmethod
    def over_dates(cls, files: TableFiles, dates: Collection[date], years: Collection[int]) -> "DuckDbEngine":
        """The rows of some dates in memory, from the flat files of these years, and from the partitions if local.

        Rows that lack a date are those of `date.min`.
        """
        import duckdb

        engine = cls(duckdb.connect(_MEMORY, config=_SPARING))
        engine._run(create_schema_sql())
        for table in TABLES:
            keys = [info.key for info in files.flat(table.name) if year_of(info.key) in years]
            engine._take(files.lake, table, keys, dates)
        if files.lake.store.local_root:
            engine._run(f"CREATE SCHEMA {PARTITIONED}")
            for table in TABLES:
                engine._take_partitions(files, table, dates)
        engine._close_off([])
        return engine

    @classmethod
    def over_warehouse(cls, path: Path, *, read_only: bool = True) -> "DuckDbEngine":
        """The local warehouse. Raises EngineError if there is none, it is too new, or another process writes to it."""
        import duckdb

        if read_only and not path.is_file():
            raise EngineError(f"{path}: no warehouse there", hint="mag7 load makes it")
        if "?" in str(path.absolute()):  # of DuckDB 2.0: what stands behind it ends up outside of the log's name
            raise EngineError(
                f"{path}: DuckDB keeps no database below a folder with a ? in its name",
                hint="name the folder otherwise; show, sql and report read the lake without a warehouse",
            )
        try:
            engine = cls(_connection(path, read_only=read_only))
        except duckdb.Error as error:
            hint = f"remove {path}; mag7 load makes it anew from the lake" if _is_too_new(error) else None
            raise EngineError(f"{path} cannot be opened: {_first_line(error)}", hint=hint) from error
        if read_only:
            engine._close_off([])
        return engine

    def add_arrow_table(self, schema: str, name: str, rows: "pa.Table") -> None:
        """Offer rows in memory as a table of a schema of its own. Raises EngineError."""
        self._run(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        self._connection.register(f"{schema}_{name}_rows", rows)
        self._run(f"CREATE TABLE {schema}.{name} AS SELECT * FROM {schema}_{name}_rows")  # noqa: S608
        self._connection.unregister(f"{schema}_{name}_rows")

    def query(self, sql: str, parameters: Mapping[str, Value] | None = None) -> Rows:
        """Run one statement that reads."""
        rows = self.stream(sql, parameters)
        return Rows(rows.columns, tuple(chain.from_iterable(rows.blocks)), types=rows.types)

    def stream(self, sql: str, parameters: Mapping[str, Value] | None = None) -> RowStream:
        """Run one statement that reads, and give its rows as they are taken; another statement ends them."""
        statement = Statement.parse(sql)
        result = self._run(
            statement.render(f"${name}" for name in statement.names), statement.values(parameters), statement.title
        )
        columns = tuple(str(column[0]) for column in result.description or ())
        types = tuple(str(column[1]) for column in result.description or ())
        return RowStream(columns, types, _blocks(result, statement.title))

    def compute_once(self, view: str) -> None:
        """Keep the rows of a view for all statements to come; only a connection in memory, made by `over_lake`, can."""
        if self.is_of_lake:
            self._run(f"CREATE TABLE IF NOT EXISTS {view}_rows AS SELECT * FROM {view}")  # noqa: S608
            self._run(f"CREATE OR REPLACE VIEW {view} AS SELECT * FROM {view}_rows")  # noqa: S608

    def batches(self, sql: str, parameters: Mapping[str, Value] | None = None, size: int = 20_000) -> Any:
        """The rows of one statement that reads as Arrow batches, made as they are taken. Raises EngineError."""
        import duckdb

        statement = Statement.parse(sql)
        text = statement.render(f"${name}" for name in statement.names)
        try:
            relation = self._connection.sql(text, params=statement.values(parameters) or None)
            return relation.to_arrow_reader(size)
        except duckdb.Error as error:
            raise _failed(statement.title, error) from error

    def relation(self, name: str) -> "DuckDBPyRelation":
        """A table or view as a relation, which keeps the connection open. Raises EngineError if there is none."""
        import duckdb

        try:
            return self._connection.table(name)
        except duckdb.Error as error:
            raise _failed(name, error) from error

    def execute(self, statements: Sequence[str]) -> None:
        """Run statements in one transaction."""
        self._run("BEGIN TRANSACTION")
        try:
            for statement in statements:
                self._run(statement)
        except EngineError:
            self._run("ROLLBACK")
            raise
        self._run("COMMIT")

    def rows_of_file(self, lake: Lake, table: Table, key: str, version: str) -> dict[date, DateRows]:
        """What a flat file has on each date; rows that lack one are those of `date.min`. Raises EngineError.

        `version` is the file's from before this: of a version that was read already, it is known.
        """
        of = (lake.store.uri(key), version)
        known = _ROWS_OF_FILES.pop(of, None)
        if known is None:
            source = self._source(lake, table, [key])
            known = self._date_rows(table, lambda columns: f"(SELECT {columns} FROM {source})", source)  # noqa: S608
        _ROWS_OF_FILES[of] = known
        if len(_ROWS_OF_FILES) > _KNOWN_FILES:
            del _ROWS_OF_FILES[next(iter(_ROWS_OF_FILES))]
        return known

    def rows_of_year(self, table: Table, year: int) -> dict[date, DateRows]:
        """What a table has on each date of a year. Raises EngineError."""
        rows = f"{table.qualified_name} WHERE trading_date BETWEEN '{year:04d}-01-01' AND '{year:04d}-12-31'"
        return self._date_rows(table, lambda _: rows, table.qualified_name)

    def count_rows(self, lake: Lake, keys: Sequence[str]) -> int:
        """How many rows flat files of a local lake have together. Raises EngineError."""
        if not keys:
            return 0
        source = f"read_parquet({literals(map(lake.store.uri, keys))})"
        (count,) = self._run(f"SELECT COUNT(*) FROM {source}").fetchone()  # noqa: S608
        assert isinstance(count, int)
        return count

    def _date_rows(self, table: Table, rows_with: Callable[[str], str], source: str) -> dict[date, DateRows]:
        values = ", ".join(column.name for column in table.columns)
        counted = f"SELECT {_DAY}, COUNT(*), SUM(CAST(hash({values}) AS HUGEINT)) FROM"
        rows = self._run_over(
            lambda columns: f"{counted} {rows_with(columns)} GROUP BY 1",
            table,
            source,
            title=f"SELECT ... FROM {table.qualified_name}",  # noqa: S608
        ).fetchall()
        return {day: DateRows(count, digest) for day, count, digest in rows}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _take(self, lake: Lake, table: Table, keys: Sequence[str], dates: Collection[date]) -> None:
        if not keys or not dates:
            self._run(create_sql(table, "duckdb"))
            return
        source = self._source(lake, table, keys)
        rows = f"{source} WHERE {_DAY} IN {date_literals(dates)}"
        self._create(f"TABLE {table.qualified_name}", table, source, rows)

    def _take_partitions(self, files: TableFiles, table: Table, dates: Collection[date]) -> None:
        keys = files.partitions_on(table.name, dates)
        source = _hive(map(files.lake.store.uri, keys)) if keys else _nothing_of(table)
        self._create(f"TABLE {PARTITIONED}.{table.name}", table, source)

    def _source(self, lake: Lake, table: Table, keys: Sequence[str]) -> str:
        """What to select from for these flat files: themselves, or what was read of them where they are objects."""
        if lake.store.local_root is not None:
            return f"read_parquet({literals(map(lake.store.uri, keys))})"
        name = f"{table.name}_read"
        self._connection.register(name, _arrow_rows(lake, table, keys))
        return name

    def _add_table(self, files: TableFiles, table: Table, since: date, until: date) -> None:
        lake, keys, rows = files.lake, [info.key for info in files.flat(table.name)], ""
        if (since, until) != (date.min, date.max) and table.name != "stock_splits":
            keys = [key for key in keys if since.year <= year_of(key) <= until.year]
            rows = f" WHERE trading_date BETWEEN '{since.isoformat()}' AND '{until.isoformat()}'"
        if not keys:
            self._run(create_sql(table, "duckdb"))
            return
        source = self._source(lake, table, keys)
        if lake.store.local_root is not None:
            self._create(f"VIEW {table.qualified_name}", table, source, f"{source}{rows}")
            return
        columns = _columns(table, {column.name for column in table.columns})
        self._run(f"CREATE TABLE {table.qualified_name} AS SELECT {columns} FROM {source}{rows}")  # noqa: S608
        self._connection.unregister(source)

    def _add_partitions(self, files: TableFiles, table: Table) -> None:
        addresses = [files.lake.store.uri(info.key) for info in files.partitions(table.name).values()]
        source = _hive(addresses) if addresses else _nothing_of(table)
        self._create(f"VIEW {PARTITIONED}.{table.name}", table, source)

    def _create(self, what: str, table: Table, source: str, rows: str | None = None) -> None:
        """A view or table in the columns of today's table, of all rows of a source or of those that are given."""
        self._run_over(
            lambda columns: f"CREATE {what} AS SELECT {columns} FROM {rows or source}",  # noqa: S608
            table,
            source,
            title=f"CREATE {what} AS SELECT ...",
        )

    def _run_over(self, statement: Callable[[str], str], table: Table, source: str, title: str) -> Any:
        """Run a statement that is given the columns of today's table in a source.

        Tables of an older version lack some, which are then NULL. Only a statement that fails is a reason to ask which:
        to describe a source takes as long as to read a small one.
        """
        import duckdb

        try:
            return self._connection.execute(statement(", ".join(column.name for column in table.columns)))
        except duckdb.BinderException:
            described = self._run(f"DESCRIBE SELECT * FROM {source}", title=title)  # noqa: S608
            columns = _columns(table, {row[0] for row in described.fetchall()})
        except duckdb.Error as error:
            raise _failed(title, error, source) from error
        return self._run(statement(columns), title=title)

    def _close_off(self, folders: Sequence[Path]) -> None:
        """Let SQL from outside read what it is here for, and nothing else."""
        if folders:
            allowed = ", ".join(literal(f"{folder}/") for folder in folders)
            self._run(f"SET allowed_directories = [{allowed}]")
        self._run(f"SET search_path = {literal(SCHEMA)}")
        self._run("SET enable_external_access = false")
        self._run("SET lock_configuration = true")

    def _run(self, sql: str, parameters: Mapping[str, Value] | None = None, title: str | None = None) -> Any:
        import duckdb

        try:
            return self._connection.execute(sql, dict(parameters) if parameters else None)
        except duckdb.Error as error:
            raise _failed(title or Statement.parse(sql).title, error, sql) from error


def version() -> str:
    """The version of DuckDB."""
    import duckdb

    return str(duckdb.__version__)


def _failed(title: str, error: Exception, sql: str = "") -> EngineError:
    """A statement that failed, and what helps if a file of the tables is to blame."""
    text = str(error)
    hint = _TRANSFORM_HINT if _is_of_other_columns(sql, text) else None
    if ".parquet" in text and text.startswith("Invalid Input Error"):
        hint = _DAMAGED_HINT
    return EngineError(f"{title}: {_first_line(error)}", hint=hint)


def _is_of_other_columns(sql: str, error: str) -> bool:
    """Whether a statement of ours failed for files that lack a column: another version of mag7 wrote them."""
    return ("read_parquet(" in sql and "not found in FROM clause" in error) or "schema mismatch in glob" in error


def _blocks(result: Any, title: str) -> Iterator[Sequence[tuple[Any, ...]]]:
    """The rows of a result, some at a time; some types can only be refused when they are fetched."""
    import duckdb

    try:
        while block := result.fetchmany(_BLOCK_ROWS):
            yield block
    except duckdb.Error as error:
        if ".parquet" in str(error):
            raise _failed(title, error) from error
        hint = "cast it: column::TIMESTAMP" if "pytz" in str(error) else None
        raise EngineError(f"{title}: a column cannot be given to Python: {_first_line(error)}", hint=hint) from error


def _columns(table: Table, present: Collection[str]) -> str:
    """The columns of today's table; those that are not there are NULL."""
    return ", ".join(
        column.name if column.name in present else f"CAST(NULL AS {sql_type(column, 'duckdb')}) AS {column.name}"
        for column in table.columns
    )


def _arrow_rows(lake: Lake, table: Table, keys: Iterable[str]) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        parts = [pq.read_table(pa.BufferReader(lake.store.read(key))) for key in keys]
    except (pa.ArrowException, OSError) as error:
        raise EngineError(f"{table.qualified_name}: {_first_line(error)}", hint=_DAMAGED_HINT) from error
    if any(part.column_names != [column.name for column in table.columns] for part in parts):
        raise EngineError(f"{table.qualified_name}: its files have other columns", hint=_TRANSFORM_HINT)
    return pa.concat_tables(parts)


def _hive(addresses: Iterable[str]) -> str:
    """Files of the partitioned layout, with the date that stands in their keys."""
    return f"read_parquet({literals(addresses)}, hive_partitioning = true, hive_types = {{'trading_date': DATE}})"


def _nothing_of(table: Table) -> str:
    return f"{table.qualified_name} WHERE FALSE"


def literal(text: str) -> str:
    """A text as a SQL literal."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def literals(texts: Iterable[str]) -> str:
    """Texts as a SQL list."""
    return f"[{', '.join(map(literal, texts))}]"


def date_literals(dates: Iterable[date]) -> str:
    """Dates as what SQL's `IN` takes."""
    return f"({', '.join(f'DATE {literal(day.isoformat())}' for day in sorted(dates))})"


def _connection(path: Path, *, read_only: bool) -> "DuckDBPyConnection":
    import duckdb

    if read_only:
        return duckdb.connect(path, read_only=True)
    return duckdb.connect(path, config={"storage_compatibility_version": STORAGE_VERSION, **_BOUNDED})


def _is_too_new(error: Exception) -> bool:
    return _WRITTEN_BY_A_NEWER in str(error)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
