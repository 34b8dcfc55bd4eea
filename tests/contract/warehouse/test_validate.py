"""The checks over a lake that `transform` made: silent where all is well, and each one finds what it is for."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from tests.simulators import raw_documents
from tests.simulators.raw_documents import document, partial_document

from mag7cli.lake.layout import Lake
from mag7cli.tables.schema import TABLES
from mag7cli.tables.transform import transform
from mag7cli.warehouse import duckdb_load, sql_files
from mag7cli.warehouse.engines.duckdb import DuckDbEngine
from mag7cli.warehouse.validate import checks, run_checks

DAYS = raw_documents.days(4, date(2024, 6, 5))
NEEDS_BOTH_LAYOUTS = "layouts_agree"
# Facts for the reader, and what only other documents show.
NEVER_EMPTY = {"coverage", "concentration_bounds"}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    place = Lake.at(str(tmp_path_factory.mktemp("lake")))
    raw_documents.fill(place, DAYS)
    transform(place)
    return place


@pytest.fixture
def tables(lake: Lake) -> Iterator[DuckDbEngine]:
    """The tables of the lake in a warehouse of their own, where a test can spoil them."""
    duckdb_load.load(lake)
    root = lake.store.local_root
    assert root is not None
    engine = DuckDbEngine.over_warehouse(root / "warehouse.duckdb", read_only=False)
    yield engine
    engine.close()
    (root / "warehouse.duckdb").unlink()


def found_by(engine: DuckDbEngine, name: str) -> list[dict[str, object]]:
    """The rows that a check finds."""
    (check,) = (one for one in checks(engine) if one.name == name)
    (result,) = run_checks(engine, [check])
    return list(result.rows.records())


def test_a_lake_in_order_passes_every_check(lake: Lake) -> None:
    engine = DuckDbEngine.over_lake(lake, with_partitions=True)
    results = run_checks(engine)
    engine.close()

    assert {one.check.name for one in results} == set(sql_files.names("validate"))
    assert {one.check.name for one in results if one.rows.values} - {"market_cap_extremes"} == NEVER_EMPTY
    assert not [one.check.name for one in results if one.is_failure]


SPOILT = {
    "all_seven_each_date": "DELETE FROM market_data.company_details WHERE ticker = 'TSLA'",
    "classes_match_lines": "UPDATE market_data.sp500_constituents SET market_cap_by_class = market_cap_by_class + 0.01",
    "closed_dates": "UPDATE market_data.daily_summary SET trading_date = DATE '2024-06-08' WHERE trading_date = :last",
    "companies_counted_once": "UPDATE market_data.sp500_constituents SET counted = TRUE WHERE ticker = 'GOOG'",
    "concentration_in_range": "UPDATE market_data.concentration_metrics SET mag7_companies_count = 6",
    "duplicates": "INSERT INTO market_data.daily_trading SELECT * FROM market_data.daily_trading",
    "failed_lines": "UPDATE market_data.failed_collections SET ticker = 'XOM', reason = 'no bar'",
    "failures_are_listed": "UPDATE market_data.daily_summary SET failed_count = 1",
    "share_within_bound": "UPDATE market_data.daily_summary SET mag7_pct_low = 99, mag7_pct_high = 100",
    "gross_matches_lines": "UPDATE market_data.daily_summary SET gross_market_cap = gross_market_cap + 0.01",
    "lines_are_close_times_shares": "UPDATE market_data.sp500_constituents SET market_cap = market_cap + 0.01",
    "lines_sum_to_100": "DELETE FROM market_data.sp500_constituents WHERE ticker = 'XOM'",
    "mag7_total_matches_companies": "UPDATE market_data.company_details SET market_cap = market_cap + 0.01",
    "market_cap_extremes": "UPDATE market_data.company_details SET market_cap = 11e12 WHERE ticker = 'NVDA'",
    "market_cap_is_close_times_shares": "UPDATE market_data.company_details SET shares_outstanding = 1",
    "missing_dates": "DELETE FROM market_data.daily_summary WHERE trading_date = DATE '2024-06-06'",
    "nulls": "UPDATE market_data.company_details SET market_cap = NULL WHERE ticker = 'AAPL'",
    "partial_dates": "UPDATE market_data.daily_summary SET status = 'partial'",
    "pct_matches_parts": "UPDATE market_data.concentration_metrics SET mag7_pct_of_sp500 = mag7_pct_of_sp500 + 0.01",
    "prices_in_order": "UPDATE market_data.daily_trading SET low_price = high_price + 1",
    "ranking_matches_market_cap": "UPDATE market_data.magnificent7_metrics SET ranking = 8 - ranking",
    "shares_sum_to_100": "DELETE FROM market_data.magnificent7_metrics WHERE ticker = 'META'",
    "simulated_and_real": "UPDATE market_data.daily_summary SET simulated = FALSE WHERE trading_date = :last",
    "tables_agree_on_market_caps": "UPDATE market_data.magnificent7_metrics SET market_cap = market_cap + 0.01",
    "total_matches_constituents": "DELETE FROM market_data.sp500_constituents WHERE ticker = 'XOM'",
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_check_finds_what_it_is_for(tables: DuckDbEngine, name: str) -> None:
    before = found_by(tables, name)

    tables.execute([SPOILT[name].replace(":last", f"DATE '{DAYS[-1]}'")])

    assert found_by(tables, name) != before


def test_the_seven_by_class_are_checked_as_the_index_is(tables: DuckDbEngine) -> None:
    tables.execute(["UPDATE market_data.daily_summary SET total_mag7_market_cap_by_class = 1"])

    assert [row["trading_date"] for row in found_by(tables, "classes_match_lines")] == DAYS


def test_every_check_has_a_case_that_it_finds() -> None:
    elsewhere = {NEEDS_BOTH_LAYOUTS, "suspect_dates"} | NEVER_EMPTY

    assert set(SPOILT) | elsewhere == set(sql_files.names("validate"))


def test_doubtful_and_partial_dates_are_warnings_with_their_reason(tmp_path: Path) -> None:
    lake = Lake.at(str(tmp_path))
    raw_documents.fill(lake, DAYS)
    lake.write_document(DAYS[1], partial_document(DAYS[1]))
    lake.write_document(DAYS[3], document(DAYS[3], shares={"XOM": 10**10}))
    transform(lake)

    engine = DuckDbEngine.over_lake(lake, with_partitions=True)
    results = {one.check.name: one for one in run_checks(engine)}
    engine.close()

    assert results["partial_dates"].rows.values == ((DAYS[1], "NVDA: no bar"),)
    assert [row["ticker"] for row in results["suspect_dates"].rows.records()] == ["XOM"]
    assert not [name for name, one in results.items() if one.is_failure]


@pytest.mark.parametrize(
    "table", [table.name for table in TABLES if table.name not in ("stock_splits", "data_quality")]
)
def test_layouts_that_differ_are_found_in_every_table(tmp_path: Path, table: str) -> None:
    lake = Lake.at(str(tmp_path))
    raw_documents.fill(lake, DAYS)
    transform(lake)
    lake.store.delete(lake.partition_key(table, DAYS[2]))

    engine = DuckDbEngine.over_lake(lake, with_partitions=True)
    found = found_by(engine, NEEDS_BOTH_LAYOUTS)
    engine.close()

    assert [(row["table_name"], row["found_in"]) for row in found] == [(table, "analytics only")]


BANNED = ("dateadd", "datediff", "getdate", "qualify", "filter", "ilike", "current_date", "interval", "::")


@pytest.mark.parametrize("folder", ["validate", "analysis", "report"])
def test_statements_use_only_words_that_every_engine_knows(folder: str) -> None:
    for name in sql_files.names(folder):
        file = sql_files.read(folder, name)
        lines = [line for line in file.sql.lower().splitlines() if not line.startswith("--")]
        words = " ".join(lines).replace("(", " ").replace(",", " ").split()
        assert not [word for word in BANNED if word in words or (word == "::" and word in " ".join(lines))], name


def test_every_check_says_what_it_means_its_grain_and_its_severity() -> None:
    for name in sql_files.names("validate"):
        file = sql_files.read("validate", name)
        assert file.meaning.endswith("."), name
        assert file.fields["grain"].startswith("one row"), name
        assert file.fields["severity"] in ("error", "warning", "info"), name
