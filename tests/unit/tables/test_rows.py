"""One raw document to the rows of every table."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.simulators.raw_documents import document, partial_document

from mag7cli.core.errors import DocumentError
from mag7cli.lake import document as market_data
from mag7cli.shares.anomalies import Event
from mag7cli.tables import rows
from mag7cli.tables.schema import TABLE, TABLES

DAY = date(2024, 6, 7)
CONSOLE_PIPELINE = Path(__file__).parents[2] / "data" / "console_pipeline" / "market_data_2023-03-06.json"


def made(content: Any, *events: Event) -> dict[str, list[dict[str, Any]]]:
    """The rows of a document as dictionaries, checked."""
    day = rows.read(market_data.decode(market_data.encode(content), "here"), "here")
    columns = rows.columns(day, events)
    rows.check(columns, "here")
    return {name: _records(name, values) for name, values in columns.items()}


def _records(name: str, values: rows.Columns) -> list[dict[str, Any]]:
    names = [column.name for column in TABLE[name].columns[1:]]
    lists = [_listed(column) for column in values]
    return [dict(zip(names, row, strict=True)) for row in zip(*lists, strict=True)]


def _listed(column: Any) -> list[Any]:
    return column.tolist() if isinstance(column, np.ndarray) else list(column)


def test_a_complete_date_has_rows_in_every_table_but_the_events() -> None:
    found = made(document(DAY))

    assert {name: len(of) for name, of in found.items()} == {
        "concentration_metrics": 1,
        "company_details": 7,
        "daily_trading": 7,
        "magnificent7_metrics": 7,
        "failed_collections": 1,
        "sp500_constituents": 9,
        "daily_summary": 1,
    }
    assert found["failed_collections"] == [{"ticker": None, "reason": "No collection failures"}]


def test_a_document_of_the_console_pipeline_keeps_every_value() -> None:
    content = market_data.decode(CONSOLE_PIPELINE.read_bytes(), "old")
    found = made(content)

    metrics = content["concentration_metrics"]
    assert metrics is not None
    assert found["concentration_metrics"] == [{k: v for k, v in metrics.items() if k != "collection_date"}]
    ranked = [{**one, "ranking": place} for place, one in enumerate(content["rankings"]["by_market_cap"], start=1)]
    assert found["magnificent7_metrics"] == [{k: v for k, v in one.items() if k != "name"} for one in ranked]
    for details, bar in zip(found["company_details"], found["daily_trading"], strict=True):
        company = content["companies"][details["ticker"]]
        assert details["company_name"] == company["name"]
        assert {k: details[k] for k in ("market_cap", "shares_outstanding", "currency", "description")} == {
            k: company[k] for k in ("market_cap", "shares_outstanding", "currency", "description")
        }
        assert bar == {"ticker": details["ticker"], **{k: company["trading_data"][k] for k in list(bar)[1:]}}
    assert found["daily_summary"][0]["gross_market_cap"] == content["sp500_details"]["total_market_cap"]
    assert found["daily_summary"][0]["status"] == "complete"
    assert "sp500_constituents" not in found


def test_a_date_without_one_of_the_seven_is_partial_and_has_no_percentages() -> None:
    found = made(partial_document(DAY))

    assert "concentration_metrics" not in found
    assert "magnificent7_metrics" not in found
    assert (
        found["daily_summary"][0] | {"status": "partial", "partial_reason": "NVDA: no bar"} == found["daily_summary"][0]
    )
    assert found["failed_collections"] == [{"ticker": "NVDA", "reason": "no bar"}]
    assert all(np.isnan(line["pct_of_sp500"]) for line in found["sp500_constituents"])
    assert [(one["kind"], one["severity"], one["reason"]) for one in found["data_quality"]] == [
        ("partial", "error", "NVDA: no bar")
    ]


def test_metrics_of_six_companies_as_the_original_wrote_them_are_no_figure() -> None:
    content = document(DAY)
    content["concentration_metrics"]["mag7_companies_count"] = 6

    found = made(content)

    assert "concentration_metrics" not in found
    assert found["daily_summary"][0]["partial_reason"] == "6 of the 7 companies have a market cap"


def test_a_partial_date_without_failed_tickers_does_not_say_that_nothing_failed() -> None:
    found = made({**partial_document(DAY), "sp500_details": {**document(DAY)["sp500_details"]}})

    assert found["failed_collections"] == [{"ticker": None, "reason": "NVDA: no bar"}]


def test_percentages_of_counted_lines_add_up_and_the_second_class_has_none() -> None:
    lines = {line["ticker"]: line for line in made(document(DAY))["sp500_constituents"]}

    assert np.isnan(lines["GOOG"]["pct_of_sp500"])
    assert sum(line["pct_of_sp500"] for name, line in lines.items() if name != "GOOG") == pytest.approx(100)


def test_the_largest_companies_are_those_that_are_counted() -> None:
    found = made(document(DAY))
    shares = sorted((line["pct_of_sp500"] for line in found["sp500_constituents"] if line["counted"]), reverse=True)

    summary = found["daily_summary"][0]
    assert summary["top1_pct"] == pytest.approx(shares[0])
    assert summary["top5_pct"] == pytest.approx(sum(shares[:5]))
    assert (summary["lines_count"], summary["companies_count"], summary["not_listed_count"]) == (9, 8, 1)
    assert (summary["membership_kind"], summary["membership_as_of"]) == ("bundled", date(2024, 12, 6))
    assert (summary["method"], summary["simulated"]) == ("grouped", True)


def test_corrections_doubts_and_what_the_guard_saw_are_events_of_the_date() -> None:
    content = document(DAY)
    correction = {"field": "shares_outstanding", "from": 40.0, "to": 10, "reason": "split", "evidence": "4 for 1"}
    content["companies"]["NVDA"]["corrections"] = [correction]
    content["sp500_details"]["corrections"] = [{"ticker": "XOM", **correction}]
    content["doubts"] = [{"ticker": "XOM", "kind": "jump", "field": "f", "used": 1, "other": None, "reason": "odd"}]
    event = Event("AAPL", "shares_step", "suspect", "shares_outstanding", 1.0, 2.0, "twice as many", "evidence")

    found = made(content, event)

    assert [(one["ticker"], one["kind"], one["severity"]) for one in found["data_quality"]] == [
        ("NVDA", "correction", "info"),
        ("XOM", "correction", "info"),
        ("XOM", "doubt", "suspect"),
        ("AAPL", "shares_step", "suspect"),
    ]
    summary = found["daily_summary"][0]
    assert (summary["status"], summary["corrections_count"], summary["doubts_count"]) == ("suspect", 2, 2)


def test_volume_is_rounded_half_up() -> None:
    assert {bar["volume"] for bar in made(document(DAY))["daily_trading"]} == {31_526_664}


def test_a_reason_that_does_not_fit_is_cut_visibly_and_at_a_character() -> None:
    content = document(DAY)
    content["sp500_details"]["failed_tickers"] = [{"ticker": "XOM", "reason": "é" * 1000}]

    reason = made(content)["failed_collections"][0]["reason"]

    assert len(reason.encode()) <= 1024
    assert reason.endswith("é […]")


def _without(content: Any, *path: Any) -> Any:
    *parents, last = path
    target = content
    for key in parents:
        target = target[key]
    del target[last]
    return content


def _with(content: Any, value: Any, *path: Any) -> Any:
    *parents, last = path
    target = content
    for key in parents:
        target = target[key]
    target[last] = value
    return content


LINES = ("sp500_details", "constituents")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (_without(document(DAY), *LINES, 3, "cik"), "has no 'cik'"),
        (_with(document(DAY), None, *LINES, 3, "close_price"), "close_price"),
        (_with(document(DAY), "1", *LINES, 3, "market_cap"), "market_cap"),
        (_with(document(DAY), 1, *LINES, 3, "counted"), "counted"),
        (_with(document(DAY), 7, *LINES, 3, "ticker"), "ticker of sp500_details.constituents"),
        (_with(document(DAY), None, *LINES, 3, "ticker"), "ticker of sp500_details.constituents"),
        (_with(document(DAY), [], *LINES, 3, "cik"), "cik is list where varchar belongs"),
        (_with(document(DAY), 7, *LINES), "not a list of objects"),
        (_with(document(DAY), [7], *LINES), "not a list of objects"),
        (_with(document(DAY), "TOO-LONG-A-TICKER", *LINES, 3, "ticker"), "17 bytes"),
        (_with(document(DAY), 1e18, *LINES, 3, "market_cap"), "is not below"),
        (_without(document(DAY), "rankings", "by_market_cap", 0, "pct_of_mag7"), "pct_of_mag7"),
        (_with(document(DAY), "x", "rankings", "by_market_cap", 0, "pct_of_mag7"), "str where double belongs"),
        (_with(document(DAY), [], "companies", "AAPL", "trading_data"), "not an object"),
        (_with(document(DAY), "2024-06-06", "companies", "AAPL", "trading_data", "date"), "is of 2024-06-06"),
        (_with(document(DAY), None, "companies", "AAPL", "trading_data", "close_price"), "has no value"),
        (_with(document(DAY), "x" * 65_536, "companies", "AAPL", "description"), "65536 bytes"),
        (_with(document(DAY), ["XOM"], "sp500_details", "failed_tickers"), "failed_tickers"),
        (_with(document(DAY), "bundled", "sp500_details", "membership"), "not an object"),
        (_with(document(DAY), "soon", "sp500_details", "membership", "as_of"), "not a date"),
        (_with(document(DAY), "none", "sp500_details", "failed_count"), "failed_count is str"),
        (_with(document(DAY), 3, "doubts"), "not a list"),
        (_with(document(DAY), 2**31, "sp500_details", "companies_count"), "is not below"),
    ],
)
def test_a_malformed_document_is_told_with_its_address_and_reason(content: Any, reason: str) -> None:
    with pytest.raises(DocumentError, match=r"^here: ") as caught:
        made(content)

    assert reason in caught.value.reason


def test_every_table_but_the_splits_is_made_of_documents() -> None:
    content = document(DAY, doubts=[{"ticker": "A", "kind": "k", "field": "f", "used": 1, "other": 2, "reason": "r"}])

    assert {table.name for table in TABLES} - made(content).keys() == {"stock_splits"}
