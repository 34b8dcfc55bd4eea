"""What `mag7 export` writes: statements whose every row has its date, status, bounds, kind and simulated mark.

Rows stream from the engine to the file, a batch at a time, so that six years of all lines fit into little memory.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Literal

from mag7cli.analytics import groups
from mag7cli.analytics.period import RETURNS_KIND
from mag7cli.analytics.queries import BEGINNING, END
from mag7cli.analytics.summary import KIND
from mag7cli.core import workbooks
from mag7cli.core.whole_files import replacing
from mag7cli.market.groups import THE_SEVEN, CompanyGroup

if TYPE_CHECKING:
    import pyarrow as pa

    from mag7cli.warehouse.engines.duckdb import DuckDbEngine

Subject = Literal["series", "companies", "constituents", "returns", "rolling-returns", "fund-weights"]
FileFormat = Literal["csv", "jsonl", "parquet", "xlsx"]

FUND_KIND: Final = "float-adjusted weight by the holdings file of the fund"

_BATCH_ROWS: Final = 20_000

_MARKS: Final = (
    "s.status, s.partial_reason AS reason, {bounds}, '{kind}' AS kind, COALESCE(s.simulated, FALSE) AS simulated"
)
_WITHIN: Final = "x.trading_date >= CAST(:since AS DATE) AND x.trading_date <= CAST(:until AS DATE)"
_SERIES: Final = """\
SELECT
    s.trading_date, '{group}' AS company_group, x.group_market_cap, x.index_market_cap, x.share_pct,
    f.fund, f.fund_weight_pct, f.fund_as_of, f.fund_basis, {marks}
FROM market_data.daily_summary s
LEFT JOIN ({share}) x ON x.trading_date = s.trading_date
LEFT JOIN (
    SELECT trading_date, fund, SUM(weight_pct) AS fund_weight_pct, MAX(as_of) AS fund_as_of, MAX(basis) AS fund_basis
    FROM market_data.fund_weights WHERE fund = '{fund}' GROUP BY trading_date, fund
) f ON f.trading_date = s.trading_date
WHERE s.trading_date >= CAST(:since AS DATE) AND s.trading_date <= CAST(:until AS DATE)
ORDER BY s.trading_date"""
_SEVEN_SHARE: Final = """\
SELECT trading_date, total_mag7_market_cap AS group_market_cap, sp500_total_market_cap AS index_market_cap,
    mag7_pct_of_sp500 AS share_pct
FROM market_data.concentration_metrics"""
_GROUP_SHARE: Final = """\
SELECT trading_date, group_cap AS group_market_cap, index_cap AS index_market_cap, group_pct_of_index AS share_pct
FROM ({share}) g"""
_ROWS: Final = """\
SELECT x.*, {marks}
FROM ({rows}) x
JOIN market_data.daily_summary s ON s.trading_date = x.trading_date
WHERE {within}
ORDER BY {order}"""
_COMPANIES: Final = """\
SELECT trading_date, '{group}' AS company_group, ticker, market_cap, 100 * market_cap / index_cap AS share_pct
FROM ({members}) g"""
_CONSTITUENTS: Final = "SELECT * FROM market_data.sp500_constituents"
_SEVEN_RETURNS: Final = """\
SELECT trading_date, base_date, 'mag7' AS company_group, mag7_return_pct AS group_return_pct, rest_return_pct,
    sp500_return_pct AS index_return_pct, equal_weight_return_pct
FROM market_data.daily_returns"""
_GROUP_RETURNS: Final = """\
SELECT trading_date, base_date, '{group}' AS company_group, group_return_pct, rest_return_pct, index_return_pct
FROM ({returns}) g"""
_SEVEN_ROLLING: Final = """\
SELECT trading_date, sessions, base_date, 'mag7' AS company_group, mag7_return_pct AS group_return_pct,
    rest_return_pct, sp500_return_pct AS index_return_pct, equal_weight_return_pct
FROM market_data.rolling_returns"""
_GROUP_ROLLING: Final = """\
SELECT trading_date, sessions, base_date, '{group}' AS company_group, group_return_pct, rest_return_pct,
    index_return_pct
FROM ({returns}) g"""
_FUNDS: Final = """\
SELECT trading_date, fund, ticker, weight_pct, as_of, basis FROM market_data.fund_weights"""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What to export: dates from `since` to `until`, both included. `fund` is the index fund beside the series."""

    subject: Subject = "series"
    group: CompanyGroup = THE_SEVEN
    since: date = BEGINNING
    until: date = END
    fund: str = ""


def statement(request: ExportRequest) -> str:
    """The statement behind an export; it takes `since` and `until`."""
    marks, group = _marks(KIND, request.group), request.group.name.replace("'", "")
    if request.subject == "series":
        share = _SEVEN_SHARE
        if not request.group.is_the_seven:
            share = _GROUP_SHARE.format(share=groups.share_sql(request.group))
        fund = request.fund if request.group.is_the_seven else ""
        return _SERIES.format(group=group, share=share, fund=fund, marks=marks)
    if request.subject == "companies":
        members = groups.members_sql(request.group)
        rows = _COMPANIES.format(group=group, members=members)
        return _ROWS.format(rows=rows, marks=marks, within=_WITHIN, order="x.trading_date, x.market_cap DESC, x.ticker")
    if request.subject == "constituents":
        return _ROWS.format(rows=_CONSTITUENTS, marks=marks, within=_WITHIN, order="x.trading_date, x.ticker")
    if request.subject == "fund-weights":
        marks = _marks(FUND_KIND, request.group)
        return _ROWS.format(rows=_FUNDS, marks=marks, within=_WITHIN, order="x.fund, x.trading_date, x.ticker")
    if request.subject == "rolling-returns":
        rows = _SEVEN_ROLLING
        if not request.group.is_the_seven:
            rows = _GROUP_ROLLING.format(group=group, returns=groups.rolling_sql(request.group))
        marks = _marks(RETURNS_KIND, request.group)
        return _ROWS.format(rows=rows, marks=marks, within=_WITHIN, order="x.sessions, x.trading_date")
    rows = _SEVEN_RETURNS
    if not request.group.is_the_seven:
        rows = _GROUP_RETURNS.format(group=group, returns=groups.returns_sql(request.group))
    return _ROWS.format(rows=rows, marks=_marks(RETURNS_KIND, request.group), within=_WITHIN, order="x.trading_date")


def _marks(kind: str, group: CompanyGroup) -> str:
    """The columns that every row ends with; the bounds are those of the share of the Mag 7."""
    columns, nothing = ("mag7_pct_low", "mag7_pct_high"), "CAST(NULL AS DOUBLE PRECISION)"
    bounds = ", ".join(f"s.{name}" if group.is_the_seven else f"{nothing} AS {name}" for name in columns)
    return _MARKS.format(bounds=bounds, kind=kind)


def write(engine: "DuckDbEngine", request: ExportRequest, file_format: FileFormat, out: Path | IO[bytes]) -> int:
    """Write an export to a file, all or nothing, or to a stream.

    Args:
        engine: DuckDB, with the table `fund_weights` in it.
        request: What to export.
        file_format: How it is written.
        out: The file, whose folder is made; or a binary stream.

    Returns:
        How many rows were written.

    Raises:
        EngineError: The SQL could not be run.
        ExtraMissingError: A workbook is asked for, and XlsxWriter is not installed.
        StoreError: The file cannot be written.
        UsageError: There are more rows than a worksheet has.
    """
    bounds = {"since": request.since, "until": request.until}
    # Rows that nobody took would keep the connection from its next statement.
    with closing(engine.batches(statement(request), bounds, _BATCH_ROWS)) as batches:
        if not isinstance(out, Path):
            return int(_WRITERS[file_format](batches, out))
        with replacing(out, make_folder=True) as stream:
            return int(_WRITERS[file_format](batches, stream))


def _write_csv(batches: "pa.RecordBatchReader", stream: IO[bytes]) -> int:
    import pyarrow.csv as arrow_csv

    count = 0
    with arrow_csv.CSVWriter(stream, batches.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            count += batch.num_rows
    return count


def _write_json_lines(batches: "pa.RecordBatchReader", stream: IO[bytes]) -> int:
    import orjson

    count = 0
    for row in _rows(batches):
        stream.write(orjson.dumps(row, default=_json_value, option=orjson.OPT_APPEND_NEWLINE))
        count += 1
    return count


def _json_value(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) and Decimal(repr(float(value))) == value else str(value)


def _write_parquet(batches: "pa.RecordBatchReader", stream: IO[bytes]) -> int:
    import pyarrow.parquet as pq

    count = 0
    with pq.ParquetWriter(stream, batches.schema, compression="snappy") as writer:
        for batch in batches:
            writer.write_batch(batch)
            count += batch.num_rows
    return count


def _write_workbook(batches: "pa.RecordBatchReader", stream: IO[bytes]) -> int:
    rows = (list(row.values()) for row in _rows(batches))
    return workbooks.write(stream, {"mag7": (batches.schema.names, rows)})


def _rows(batches: "pa.RecordBatchReader") -> Iterator[dict[str, Any]]:
    for batch in batches:
        yield from batch.to_pylist()


_WRITERS: Final[dict[FileFormat, Any]] = {
    "csv": _write_csv,
    "jsonl": _write_json_lines,
    "parquet": _write_parquet,
    "xlsx": _write_workbook,
}
