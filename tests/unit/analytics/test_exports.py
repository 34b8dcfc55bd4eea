"""What `mag7 export` writes, read back by other libraries: every row stands for itself."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import get_args

import pyarrow.parquet as pq
import pytest
from tests.simulators import true_tables

from mag7cli.analytics.exports import ExportRequest, Subject, write
from mag7cli.core.errors import StoreError
from mag7cli.lake.layout import Lake
from mag7cli.market.groups import parse
from mag7cli.portfolio import fund_weights
from mag7cli.warehouse.engines.duckdb import DuckDbEngine

SINCE, UNTIL = date(2024, 6, 3), date(2024, 6, 14)
DATES = 10
MARKS = {"trading_date", "status", "mag7_pct_low", "mag7_pct_high", "kind", "simulated"}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDbEngine]:
    tables = true_tables.engine()
    fund_weights.add_table(tables, Lake.at(str(tmp_path_factory.mktemp("empty"))))
    yield tables
    tables.close()


def request(subject: Subject, **options: object) -> ExportRequest:
    return ExportRequest(subject=subject, since=SINCE, until=UNTIL, **options)  # type: ignore[arg-type]


def rows_of(engine: DuckDbEngine, asked: ExportRequest) -> list[dict[str, str]]:
    stream = io.BytesIO()
    write(engine, asked, "csv", stream)
    return list(csv.DictReader(io.StringIO(stream.getvalue().decode())))


@pytest.mark.parametrize("subject", get_args(Subject))
@pytest.mark.parametrize("group", ["mag7", "top10", "sector:Energy"])
def test_every_row_has_its_marks(engine: DuckDbEngine, subject: Subject, group: str) -> None:
    stream = io.BytesIO()
    count = write(engine, request(subject, group=parse(group)), "csv", stream)
    rows = list(csv.DictReader(io.StringIO(stream.getvalue().decode())))

    assert len(rows) == count
    assert count > 0 or subject == "fund-weights"
    assert all(row.keys() >= MARKS for row in rows)
    assert {row["simulated"] for row in rows} <= {"true"}
    assert {row["status"] for row in rows} <= {"complete"}
    assert {row["trading_date"] for row in rows} <= {str(day) for day in true_tables.market().sessions}


def test_the_series_is_the_tables(engine: DuckDbEngine) -> None:
    rows = rows_of(engine, request("series"))
    table = engine.query(
        "SELECT trading_date, mag7_pct_of_sp500, total_mag7_market_cap FROM market_data.concentration_metrics "
        f"WHERE trading_date BETWEEN '{SINCE}' AND '{UNTIL}' ORDER BY 1"
    ).values

    assert len(rows) == DATES
    shown = [(row["trading_date"], float(row["share_pct"]), row["group_market_cap"]) for row in rows]
    assert shown == [(str(day), share, str(cap)) for day, share, cap in table]


def test_the_four_formats_hold_the_same_rows(engine: DuckDbEngine, tmp_path: Path) -> None:
    python_calamine = pytest.importorskip("python_calamine", reason="Excel is an optional part of mag7")
    pytest.importorskip("xlsxwriter", reason="Excel is an optional part of mag7")
    asked = request("companies", group=parse("top10"))
    for name in ("csv", "jsonl", "parquet", "xlsx"):
        assert write(engine, asked, name, tmp_path / f"mag7.{name}") == 10 * DATES

    by_csv = list(csv.DictReader(io.StringIO((tmp_path / "mag7.csv").read_text(encoding="utf-8"))))
    by_json = [json.loads(row) for row in (tmp_path / "mag7.jsonl").read_text(encoding="utf-8").splitlines()]
    by_parquet = pq.read_table(tmp_path / "mag7.parquet").to_pylist()
    heading, *cells = python_calamine.load_workbook(tmp_path / "mag7.xlsx").get_sheet_by_index(0).to_python()
    by_excel = [dict(zip(heading, row, strict=True)) for row in cells]

    shares = [row["share_pct"] for row in by_parquet]
    assert [float(row["share_pct"]) for row in by_csv] == shares == [row["share_pct"] for row in by_json]
    assert [row["share_pct"] for row in by_excel] == pytest.approx(shares, rel=1e-14)
    assert [row["trading_date"] for row in by_excel] == [row["trading_date"] for row in by_parquet]
    assert by_parquet[0]["trading_date"] == SINCE
    assert not list(tmp_path.glob(".*"))


def test_a_file_that_cannot_be_written_is_told_and_leaves_nothing(engine: DuckDbEngine, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")

    with pytest.raises(StoreError, match="cannot be written"):
        write(engine, request("constituents"), "csv", tmp_path / "taken" / "mag7.csv")
    assert rows_of(engine, request("series")), "the connection is free for the next statement"
