"""The figures handed on: files, the page, tables in memory."""

from contextlib import closing
from datetime import date
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, overload

from mag7cli.core.clock import Clock, SystemClock
from mag7cli.core.errors import UsageError
from mag7cli.lake.layout import Lake
from mag7cli.library.engines import duckdb_over, engine_over, saying_what_is_unmade

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa

    from mag7cli.analytics.exports import FileFormat, Subject
    from mag7cli.market.groups import CompanyGroup
    from mag7cli.reporting.write import ReportResult
    from mag7cli.warehouse.engines import SqlEngine


def export(
    lake: Lake,
    *,
    out: "Path | IO[bytes]",
    subject: "Subject" = "series",
    file_format: "FileFormat" = "csv",
    since: date | None = None,
    until: date | None = None,
    group: "CompanyGroup | None" = None,
) -> int:
    """Write the daily series, or what is behind it, to a file or a stream; rows stream, whatever their number.

    Args:
        lake: The lake whose tables are read.
        out: The file, or a binary stream.
        subject: `series`, `companies` (of the group), `constituents`, `returns` or `fund-weights`.
        file_format: `csv`, `jsonl`, `parquet` or `xlsx`.
        since: The first date, included.
        until: The last date, included.
        group: Of `group`; by default the Mag 7.

    Returns:
        How many rows were written, each with its date, status, bounds, kind and simulated mark.

    Raises:
        ExtraMissingError: A workbook is asked for, and the optional part `excel` is not installed.
        StoreError: The file cannot be written.
        UsageError: There is no lake.
    """
    from mag7cli.analytics.exports import ExportRequest, write
    from mag7cli.analytics.queries import BEGINNING, END
    from mag7cli.market.groups import THE_SEVEN
    from mag7cli.portfolio import fund_weights

    request = ExportRequest(
        subject=subject,
        group=group or THE_SEVEN,
        since=since or BEGINNING,
        until=until or END,
        fund=fund_weights.index_fund(lake.require()) or "",
    )
    with closing(duckdb_over(lake)) as engine:
        if subject in ("series", "fund-weights"):
            fund_weights.add_table(engine, lake)
        return write(engine, request, file_format, out)


def report(
    lake: Lake,
    *,
    out: Path | None = None,
    png_dir: Path | None = None,
    group: "CompanyGroup | None" = None,
    engine: "SqlEngine | None" = None,
    clock: Clock | None = None,
) -> "ReportResult":
    """Draw the report: one HTML file that needs no network.

    Args:
        lake: The lake whose tables are drawn.
        out: Where the page goes; by default `report.html` in a local lake.
        png_dir: Where each chart goes as a PNG, too.
        group: Of `group`; by default the Mag 7. The page of another group has no default place.
        engine: Where the SQL runs; by default DuckDB over the lake.
        clock: The time; by default this machine's.

    Returns:
        The page's path and size in bytes, the pictures, the summary that it begins with.

    Raises:
        ExtraMissingError: The optional part `report` is not installed.
        UsageError: A lake on S3, or another group, has no place for the page, and `out` is not given.
    """
    from mag7cli import pipeline
    from mag7cli.market.groups import THE_SEVEN
    from mag7cli.portfolio.kept_weights import NO_FUND
    from mag7cli.reporting.write import write_report

    whose = group or THE_SEVEN
    if out is None and not whose.is_the_seven:
        raise UsageError(
            "report.html in the lake is of the Mag 7: name the file of another group",
            hint="mag7 report --group top10 --out top10.html",
        )
    page = out or pipeline.report_path(lake)
    if page is None:
        raise UsageError("a lake on S3 has no place for the report", hint="mag7 report --out report.html")
    now = clock or SystemClock()
    with engine_over(lake, engine) as own, saying_what_is_unmade(lake, None):
        fund = pipeline.fund_weights(lake, own) if whose.is_the_seven else NO_FUND
        return write_report(own, page, png_dir, now, fund, lake=lake, group=whose)


@overload
def table(lake: Lake, name: str, *, kind: Literal["arrow"] = "arrow") -> "pa.Table": ...
@overload
def table(lake: Lake, name: str, *, kind: Literal["pandas"]) -> "pd.DataFrame": ...
@overload
def table(lake: Lake, name: str, *, kind: Literal["duckdb"]) -> "duckdb.DuckDBPyRelation": ...
def table(lake: Lake, name: str, *, kind: Literal["arrow", "pandas", "duckdb"] = "arrow") -> Any:
    """A table or view of the lake, whole.

    Args:
        lake: The lake whose flat Parquet files are read.
        name: A table or view of `docs/data-model.md`, such as `concentration_metrics`.
        kind: `arrow` for a `pyarrow.Table`, `pandas` for a DataFrame, `duckdb` for a relation to query on.

    Returns:
        The rows in the types of the data model: dates as dates, money as decimals.

    Raises:
        UsageError: There is no such table.
        EngineError: It cannot be read.
    """
    from mag7cli.portfolio import fund_weights
    from mag7cli.tables.schema import COMPUTED, SCHEMA, TABLES, VIEWS

    names = [*(table.name for table in (*TABLES, *COMPUTED)), *(view.name for view in VIEWS)]
    if name not in names:
        raise UsageError(f"there is no table {name!r}", hint=f"use one of {', '.join(names)}")
    engine = duckdb_over(lake.require())
    if name == fund_weights.TABLE:
        fund_weights.add_table(engine, lake)
    relation = engine.relation(f"{SCHEMA}.{name}")
    if kind == "duckdb":
        return relation  # it keeps the connection for as long as it lives
    with closing(engine):
        rows = relation.to_arrow_table()
    return rows.to_pandas(date_as_object=True) if kind == "pandas" else rows
