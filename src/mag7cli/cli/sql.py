"""`mag7 sql`: questions to the tables that nobody has foreseen. Nothing can be written by it."""

import re
import sys
from calendar import monthrange
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mag7cli.cli.app import command
from mag7cli.cli.engines import LOCAL, EngineOptions, opened
from mag7cli.cli.options import SEVEN, GroupOption, WithoutOption, parse_date
from mag7cli.cli.output import Column, Grid, Output, Result, Stream
from mag7cli.cli.quality import SIMULATED
from mag7cli.core.errors import UsageError

if TYPE_CHECKING:
    from mag7cli.market.groups import CompanyGroup
    from mag7cli.warehouse.engines import Rows, RowStream, SqlEngine, Value
    from mag7cli.warehouse.sql_files import SqlFile

_STANDARD_INPUT: Final = "-"
_READING: Final = frozenset(
    {"select", "with", "from", "values", "table", "describe", "show", "summarize", "explain", "pivot", "unpivot"}
)
# The kind message; the promise is the engine's: DuckDB is closed off, Redshift's transaction may not write.
_WRITING: Final = frozenset(
    {"insert", "update", "delete", "merge", "create", "drop", "alter", "truncate", "copy", "unload", "grant", "revoke"}
)
# What may stand in SQL without being a word of it.
_ASIDE: Final = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", re.DOTALL)
# `SELECT*FROM` and `(SELECT` are written as well as `SELECT * FROM`.
_FIRST_WORD: Final = re.compile(r"\(*(\w+).*")
_LIVE: Final = re.compile(r"\blive\s*\.", re.IGNORECASE)
_FUND_WEIGHTS: Final = re.compile(r"\bfund_weights\b", re.IGNORECASE)
_GROUP: Final = re.compile(r"\bgroup_(members|share)\b", re.IGNORECASE)
_LONGEST_INTEGER: Final = 2**63 - 1
_TWO_DIGITS: Final = re.compile(r"decimal\(\d+,[0-2]\)")

_MANY_LISTINGS: Final = 100
_HISTORY: Final = "query_performance"
_LATEST: Final = "SELECT MAX(trading_date) AS latest FROM market_data.concentration_metrics"
_WINDOWS: Final = {"month_before": 1, "three_months_before": 3}


def _names() -> list[str]:
    """What a shell offers behind --name."""
    from mag7cli.warehouse import sql_files

    return [*sql_files.names("analysis"), _HISTORY]


@command(
    'mag7 sql "SELECT * FROM market_data.concentration_metrics ORDER BY trading_date DESC LIMIT 5"',
    "mag7 sql --list",
    "mag7 sql --name concentration_trend --format markdown",
    'mag7 sql --group top10 "SELECT * FROM market_data.group_share ORDER BY trading_date DESC LIMIT 5"',
    formats=("table", "text", "csv", "json", "markdown"),
)
def sql(
    output: Output,
    query: Annotated[
        str | None, typer.Argument(metavar="[SQL]", help="One statement that reads; - or none: stdin.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", autocompletion=_names, help="A query that comes with mag7."),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="List the tables, and the queries that come with mag7.")
    ] = False,
    as_of: Annotated[
        date | None,
        typer.Option(
            "--as-of", parser=parse_date, metavar="YYYY-MM-DD", help="The value of :as_of; by default the latest date."
        ),
    ] = None,
    group: GroupOption = SEVEN,
    without: WithoutOption = "",
    options: EngineOptions = LOCAL,
) -> None:
    """Ask the tables by SQL, read-only.

    The tables are in the schema market_data, which may be left out over a lake; --list names them. Over a lake DuckDB
    answers, without any set-up, row by row, and has the minutes that mag7 live has kept as live.points and
    live.companies, the weights of the Mag 7 in funds as market_data.fund_weights, and the companies of --group as
    market_data.group_members, its share of the index as market_data.group_share.
    """
    from mag7cli import library

    if query is None and name is None and not list_ and sys.stdin and not sys.stdin.isatty():
        query = _STANDARD_INPUT
    if [query is not None, name is not None, list_].count(True) != 1:
        raise UsageError(
            "one of a statement, --name or --list is needed", hint='mag7 sql "SELECT …", or mag7 sql --list'
        )
    if list_:
        output.show(_listing())
        return
    if name == _HISTORY:
        output.show(_result(_history(options)))
        return
    statement = _named(name) if name else _typed(query or "")
    with opened(options, read_only=True) as engine:
        _offer_live_points(engine, statement, options.lake)
        _offer_fund_weights(engine, statement, options.lake)
        _offer_group(engine, statement, library.group(group, without=without))
        _answer(output, engine, statement, as_of=as_of, lake=options.lake)


def _answer(output: Output, engine: "SqlEngine", statement: str, *, as_of: date | None, lake: str) -> None:
    """Run a statement and show its rows: as they come over a lake, all at once from an engine elsewhere."""
    from mag7cli.collection.source_marker import is_simulated
    from mag7cli.lake.layout import Lake
    from mag7cli.warehouse.engines.duckdb import DuckDbEngine

    _say_cost(output, engine, statement)
    parameters = _parameters(engine, statement, as_of)
    if engine.dialect == "duckdb" and is_simulated(Lake.at(lake)):
        output.warn(SIMULATED)
    if isinstance(engine, DuckDbEngine):
        output.stream(_streamed(engine.stream(statement, parameters)))
        return
    rows = engine.query(statement, parameters)
    output.show(_result(rows))
    for notice in (rows.note, _warning(engine, statement, rows)):
        if notice:
            output.notice(notice)


def _offer_group(engine: "SqlEngine", statement: str, group: "CompanyGroup") -> None:
    """Give DuckDB the companies of the group and its share if the statement asks for them. Raises UsageError."""
    if not _GROUP.search(statement):
        return
    if engine.dialect != "duckdb":
        raise UsageError(
            "group_members and group_share are DuckDB's",
            hint="market_data.company_rankings has the largest companies on every engine",
        )
    from mag7cli.analytics import groups

    views = {"group_members": groups.members_sql(group), "group_share": groups.share_sql(group)}
    engine.execute([f"CREATE OR REPLACE VIEW market_data.{name} AS {query}" for name, query in views.items()])


def _offer_fund_weights(engine: "SqlEngine", statement: str, lake: str) -> None:
    """Give DuckDB the funds' weights of the Mag 7 if the statement asks for them."""
    from mag7cli.warehouse.engines.duckdb import DuckDbEngine

    if _FUND_WEIGHTS.search(statement) and isinstance(engine, DuckDbEngine):
        from mag7cli.lake.layout import Lake
        from mag7cli.portfolio.fund_weights import add_table

        add_table(engine, Lake.at(lake))


def _offer_live_points(engine: "SqlEngine", statement: str, lake: str) -> None:
    """Give DuckDB the minutes of the live zone if the statement asks for them."""
    from mag7cli.warehouse.engines.duckdb import DuckDbEngine

    if _LIVE.search(statement) and isinstance(engine, DuckDbEngine):
        from mag7cli.lake.layout import Lake
        from mag7cli.live.points import add_live_tables

        add_live_tables(engine, Lake.at(lake))


def _say_cost(output: Output, engine: "SqlEngine", statement: str) -> None:
    """Say what a query lists before it is run, where that is much."""
    if engine.dialect != "athena":
        return
    from mag7cli.warehouse.glue_catalog import listing_cost

    cost = listing_cost(statement)
    if cost is not None and cost.requests >= _MANY_LISTINGS:
        output.warn(
            f"this lists {cost.requests:,} partitions, about ${cost.usd:.4f} of requests; a condition on trading_date "
            "leaves some, market_data has the same rows for one request a table"
        )


def _history(options: EngineOptions) -> "Rows":
    from mag7cli.warehouse.query_history import history

    with opened(options, read_only=True) as engine:
        return history(engine)


def _named(name: str) -> str:
    from mag7cli.warehouse import sql_files

    return sql_files.read("analysis", name).sql


def _typed(query: str) -> str:
    """The statement that was typed or piped. Raises UsageError unless it is one that reads."""
    statement = sys.stdin.read() if query == _STANDARD_INPUT else query
    bare = _ASIDE.sub(" ", statement).strip().rstrip("; \n\t")
    words = bare.lower().split()
    if ";" in bare:
        raise UsageError("one statement at a time: there is a ; inside")
    offence = _offence(words)
    if offence:
        raise UsageError(
            f"only a statement that reads can be run, not {offence}",
            hint="mag7 transform and mag7 load write the tables",
        )
    return statement


def _offence(words: Sequence[str]) -> str:
    """The word that makes a statement one that writes; empty if there is none."""
    if not words:
        return "an empty one"
    first = _FIRST_WORD.sub(r"\1", words[0])
    if first not in _READING:
        return first.upper()
    # WITH … DELETE and EXPLAIN ANALYZE INSERT write, and SELECT … INTO makes a table in Redshift.
    return next((word.upper() for word in words if word.strip("()") in _WRITING or word == "into"), "")


def _parameters(engine: "SqlEngine", statement: str, as_of: date | None) -> "dict[str, Value]":
    """The values of the placeholders in the statement: `:as_of`, and the bounds of windows that end there.

    They are computed here because the engines do not agree on the arithmetic of dates.
    """
    from mag7cli.warehouse.engines.sql_text import Statement

    names = set(Statement.parse(statement).names) & {"as_of", *_WINDOWS}
    if not names:
        return {}
    last = as_of or engine.query(_LATEST).values[0][0]
    bounds = {name: _months_before(last, months) for name, months in _WINDOWS.items()} if isinstance(last, date) else {}
    known: dict[str, Value] = {"as_of": last, **bounds}
    return {name: known.get(name) for name in names}


def _months_before(day: date, months: int) -> date:
    """The same day so many months earlier, or the last day of that month."""
    number = day.year * 12 + day.month - 1 - months
    year, month = divmod(number, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _listing() -> Result:
    """The tables with their grain, and the queries with their meaning."""
    from mag7cli.tables.schema import PUBLISHED, VIEWS
    from mag7cli.warehouse import query_history, sql_files

    files = [sql_files.read("analysis", name) for name in sql_files.names("analysis")]
    rows = [("table", "", table.qualified_name, table.description) for table in PUBLISHED]
    rows += [("view", "", view.qualified_name, view.description) for view in VIEWS]
    rows += [("query", file.fields["folder"], file.name, file.meaning) for file in sorted(files, key=_by_folder)]
    rows.append(("query", query_history.FOLDER, query_history.NAME, query_history.MEANING))
    columns = (Column("kind"), Column("folder"), Column("name"), Column("meaning", optional=True))
    grid = Grid(columns, rows)
    return Result({"names": grid.records()}, grid)


def _by_folder(file: "SqlFile") -> tuple[str, str]:
    return file.fields["folder"], file.name


def _streamed(rows: "RowStream") -> Stream:
    """The rows as they come; the first of them say which columns hold numbers."""
    first = next(rows.blocks, ())
    columns = _columns(rows.columns, first)
    blocks = ([[_cell(value) for value in row] for row in block] for block in chain([first], rows.blocks))
    return Stream(columns, blocks, head={"columns": _typed_columns(columns, rows.types)}, tail={"note": None})


def _result(rows: "Rows") -> Result:
    columns = _columns(rows.columns, rows.values)
    grid = Grid(columns, [[_cell(value) for value in row] for row in rows.values])
    return Result({"columns": _typed_columns(columns, rows.types), "rows": grid.records(), "note": rows.note}, grid)


def _columns(names: Sequence[str], rows: "Sequence[tuple[Value, ...]]") -> tuple[Column, ...]:
    return tuple(Column(name, right=_is_numeric(rows, place)) for place, name in enumerate(_distinct(names)))


def _typed_columns(columns: Sequence[Column], types: Sequence[str]) -> list[dict[str, str]]:
    return [{"name": column.name, "type": kind} for column, kind in zip(columns, types, strict=True)]


def _warning(engine: "SqlEngine", statement: str, rows: "Rows") -> str | None:
    """What to know of a quotient of decimals on Athena: DuckDB and Redshift give it digits enough.

    Source: Trino documentation, "Decimal functions and operators": the scale of x / y is the larger of theirs.
    """
    divides = engine.dialect == "athena" and "/" in _ASIDE.sub(" ", statement)
    if not divides or not any(_TWO_DIGITS.fullmatch(kind) for kind in rows.types):
        return None
    return "Athena divides two decimals to their own digits, 0.33 for 0.3287: CAST one of them AS DOUBLE"


def _is_numeric(rows: "Sequence[tuple[Value, ...]]", place: int) -> bool:
    values = [row[place] for row in rows if row[place] is not None]
    return bool(values) and all(isinstance(value, int | float | Decimal) for value in values)


def _distinct(names: Sequence[str]) -> list[str]:
    """The names of the columns, numbered where one comes twice: JSON would keep the last of them only."""
    seen: dict[str, int] = {}
    distinct = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        distinct.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return distinct


def _cell(value: Any) -> Any:
    """The value, as text if it is a number that JSON's readers would not keep."""
    return str(value) if isinstance(value, int) and abs(value) > _LONGEST_INTEGER else value
