"""What is read from the tables, and what is made of it for the charts."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from tests.simulators import market_tables

from mag7cli.analytics import groups, queries, report_data
from mag7cli.analytics.report_data import ReportData
from mag7cli.reporting import datasets
from mag7cli.reporting.catalogue import event_key
from mag7cli.warehouse.engines.duckdb import DuckDbEngine


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDbEngine]:
    tables = market_tables.engine(410, partial=(310,), suspect=(140,))
    yield tables
    tables.close()


@pytest.fixture(scope="module")
def read(engine: DuckDbEngine) -> ReportData:
    return report_data.read(engine)


def test_every_collected_date_is_there_partial_ones_without_a_figure(read: ReportData) -> None:
    days = read.concentration.days

    assert len(days) == 410
    assert [day.on for day in days] == sorted(day.on for day in days)
    partial = [day for day in days if day.figure is None]
    assert [(day.on, day.status, day.reason) for day in partial] == [
        (market_tables.weekday(310), "partial", "MSFT has no market cap")
    ]


def test_amounts_are_the_tables_to_the_cent(engine: DuckDbEngine, read: ReportData) -> None:
    table = engine.query("SELECT trading_date, ticker, market_cap FROM market_data.magnificent7_metrics").values

    shown = {(cap.on, cap.ticker): cap.market_cap_usd for cap in read.concentration.caps}
    assert shown == {(on, ticker): cap for on, ticker, cap in table}


def test_splits_and_new_symbols_are_events(read: ReportData) -> None:
    assert [(event.on, event.kind, event.label) for event in read.events] == [
        (date(2021, 7, 20), "split", "NVDA 4:1"),
        (date(2022, 6, 6), "split", "AMZN 20:1"),
        (date(2022, 6, 9), "rename", "FB → META"),
        (date(2022, 7, 18), "split", "GOOGL 20:1"),
    ]


def test_events_of_the_same_weeks_share_a_letter(read: ReportData) -> None:
    events = datasets.build(read)["event"]

    assert [row[1] for row in events.rows] == ["a", "b", "c"]
    assert "b AMZN 20:1 on 2022-06-06, FB → META on 2022-06-09" in event_key(events)


def test_failures_are_counted_by_reason(engine: DuckDbEngine, read: ReportData) -> None:
    failed = engine.query("SELECT COUNT(*) FROM market_data.failed_collections WHERE ticker IS NOT NULL").values[0][0]

    assert sum(failure.failures for failure in read.failures) == failed
    assert "No collection failures" not in {failure.reason for failure in read.failures}


def test_no_statistic_is_built_on_a_suspect_date(read: ReportData) -> None:
    days = {row[0] for row in datasets.build(read)["movement"].rows}

    assert market_tables.weekday(139).isoformat() in days
    assert market_tables.weekday(140).isoformat() not in days


def test_a_gain_is_from_open_to_close_of_the_same_session(read: ReportData) -> None:
    session = next(s for s in read.sessions if (s.on, s.ticker) == (date(2021, 7, 20), "NVDA"))

    assert session.gain_pct == pytest.approx(100 * (session.close_usd - session.open_usd) / session.open_usd)
    assert abs(session.gain_pct) < 10, "the split of that morning is no loss"


def test_a_short_history_has_neither_movement_nor_projection() -> None:
    short = datasets.build(report_data.read(market_tables.engine(20, partial=(), suspect=())))

    assert short["movement"].rows == ()
    assert short["projection"].rows == ()


def test_rows_and_records_are_the_same_figures(read: ReportData) -> None:
    daily = datasets.build(read)["daily"]

    drawn = [tuple(float(cell) if isinstance(cell, Decimal) else cell for cell in row) for row in daily.rows]
    assert [tuple(record.values()) for record in daily.records()] == drawn


def test_sectors_are_the_same_read_in_spans_of_years_and_at_once(
    engine: DuckDbEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = groups.read_sectors(engine)
    first, last = at_once[0].on.year, at_once[-1].on.year

    assert queries.spans(engine) == [(queries.BEGINNING, queries.END)]
    by_year = queries.spans(engine, years=1)
    assert by_year == [(date(year, 1, 1), date(year, 12, 31)) for year in range(first, last + 1)]
    assert len(by_year) > 1
    monkeypatch.setattr(queries, "spans", lambda engine: by_year)
    assert groups.read_sectors(engine) == at_once
