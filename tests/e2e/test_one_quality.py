"""Whether a date can be trusted is one answer wherever it is asked for, and what failed a check stays marked."""

import os
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.simulators.answering import AnsweringSource, StandingClock
from tests.simulators.command_line import mag7 as command
from tests.simulators.every_answer import disagreements
from tests.simulators.small_index import market, new_lake

import mag7cli as mag7
from mag7cli.analytics.date_statuses import date_statuses
from mag7cli.core.errors import EXIT_INVALID, EXIT_UNWELL
from mag7cli.lake import failed_checks
from mag7cli.lake.layout import Lake

START, END = date(2024, 6, 20), date(2024, 6, 28)
DAY, NEXT = date(2024, 6, 24), date(2024, 6, 25)
FAILED = ["pct_matches_parts", "share_within_bound"]
REQUEST = mag7.CollectRequest(start=START, end=END, plan="advanced", rate="unlimited")


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = new_lake(tmp_path_factory.mktemp("one") / "lake")
    mag7.collect(lake, request=REQUEST, vendor=AnsweringSource(market()), clock=StandingClock())
    mag7.transform(lake)
    return lake


@pytest.fixture
def lake(collected: Lake, tmp_path: Path) -> Lake:
    """A copy to damage."""
    shutil.copytree(str(collected.store.local_root), tmp_path / "lake")
    return Lake.at(str(tmp_path / "lake"))


def rewrite(lake: Lake, day: date, change: Callable[[Any], object]) -> None:
    document = lake.read_document(day)
    change(document)
    lake.write_document(day, document)


def without(ticker: str, cap: float | None) -> Callable[[Any], object]:
    """A document in which a line failed, of which this is what is known of its market cap."""

    def change(document: Any) -> None:
        details = document["sp500_details"]
        lost = next(row for row in details["constituents"] if row["ticker"] == ticker)
        details["constituents"].remove(lost)
        failure = {"ticker": ticker, "reason": "no price"}
        details["failed_tickers"] = [failure if cap is None else {**failure, "last_known_market_cap": cap}]
        details["failed_count"] = 1
        details["processed_count"] -= 1
        details["companies_count"] -= 1
        details["gross_market_cap"] = round(details["gross_market_cap"] - lost["market_cap"], 2)
        metrics = document["concentration_metrics"]
        total = round(metrics["sp500_total_market_cap"] - lost["market_cap"], 2)
        metrics["sp500_total_market_cap"] = details["total_market_cap"] = total
        metrics["mag7_pct_of_sp500"] = 100 * metrics["total_mag7_market_cap"] / total

    return change


def doubting(ticker: str, kind: str, times: float | None) -> Callable[[Any], object]:
    def change(document: Any) -> None:
        rows = document["sp500_details"]["constituents"]
        used = next(row["shares_outstanding"] for row in rows if row["ticker"] == ticker)
        doubt = {"ticker": ticker, "kind": kind, "field": "shares_outstanding", "used": used,
                 "other": used * times if times else None, "reason": "nothing known explains it"}  # fmt: skip
        document["doubts"] = [doubt]

    return change


def more_shares(document: Any) -> None:
    for row in document["sp500_details"]["constituents"]:
        if row["ticker"] == "XOM":
            row["shares_outstanding"] *= 3


DAMAGES: dict[str, tuple[Callable[[Any], object], str]] = {
    "small failure": (without("CMG", 1e9), "suspect"),
    "large failure": (without("JPM", 6e11), "partial"),
    "failure of unknown size": (without("CMG", None), "partial"),
    "one of the Mag 7 missing": (
        lambda document: document.update(concentration_metrics=None, partial="TSLA"),
        "partial",
    ),
    "a step that nothing explains": (doubting("NVDA", "shares_step", 1.1), "suspect"),
    "a split that may have been missed": (doubting("CMG", "split_undecided", 50.0), "suspect"),
    "a new registrant": (doubting("XOM", "new_registrant", None), "suspect"),
    "a document of 0.1.0": (lambda document: document.pop("uncertainty"), "complete"),
    "a count that triples": (more_shares, "suspect"),
}


def test_every_surface_says_the_same_of_each_date(collected: Lake) -> None:
    # Chipotle's split of 26 June is in no list; close and counts make it out.
    assert set(date_statuses(collected).values()) == {"complete"}
    assert disagreements(collected) == []


@pytest.mark.parametrize("name", DAMAGES)
def test_every_surface_says_the_same_of_a_damaged_lake(lake: Lake, name: str) -> None:
    damage, status = DAMAGES[name]
    rewrite(lake, DAY, damage)

    before = date_statuses(lake)
    mag7.transform(lake)

    assert before == date_statuses(lake)
    assert before[DAY] == status
    assert disagreements(lake) == []


def test_every_surface_says_the_same_where_a_date_is_gone_or_cannot_be_read(lake: Lake) -> None:
    rewrite(lake, date(2024, 6, 21), more_shares)
    lake.store.delete(lake.document_key(DAY))
    lake.store.write(lake.document_key(date(2024, 6, 27)), b"{")
    mag7.transform(lake)

    assert disagreements(lake) == []
    statuses = date_statuses(lake)
    assert statuses[date(2024, 6, 21)] == statuses[NEXT] == "suspect"
    assert statuses[date(2024, 6, 27)] == "partial"


@pytest.mark.parametrize("last", [END, date(2024, 6, 26)], ids=["to the end", "until a later answer"])
def test_a_doubt_of_the_guard_reaches_every_date_that_inherits_the_count(lake: Lake, last: date) -> None:
    days = [day for day in lake.documents() if day >= DAY]
    for day in days:
        if day <= last:
            rewrite(lake, day, more_shares)
    inheriting = [day for day in days if day <= last]
    back = [day for day in days if day > last][:1]

    before = date_statuses(lake)
    mag7.transform(lake)

    assert before == date_statuses(lake)
    assert [day for day, status in before.items() if status == "suspect"] == [*inheriting, *back]
    assert disagreements(lake) == []
    assert mag7.transform(lake).written == ()
    (why,) = [event.reason for event in mag7.explain(lake, on=last, ticker="XOM").events]
    assert why.startswith(f"since {DAY} the share count moved by x3")


def test_a_doubt_that_is_taken_back_leaves_the_dates_that_inherited_it(lake: Lake) -> None:
    good = {day: lake.read_document(day) for day in lake.documents()}
    for day in [day for day in good if day >= DAY]:
        rewrite(lake, day, more_shares)
    mag7.transform(lake)
    for day, document in good.items():
        lake.write_document(day, document)
    mag7.transform(lake)

    assert set(date_statuses(lake).values()) == {"complete"}
    assert disagreements(lake) == []


@pytest.mark.skipif("MAG7_DEMO_LAKE" not in os.environ, reason="MAG7_DEMO_LAKE names no lake of many dates")
def test_every_surface_says_the_same_of_each_date_of_the_demo_lake() -> None:
    lake = Lake.at(os.environ["MAG7_DEMO_LAKE"])
    assert disagreements(lake, list(lake.documents())[::20]) == []


# Red stays red


def off_by_a_little(document: Any) -> None:
    document["concentration_metrics"]["mag7_pct_of_sp500"] += 0.01


def run(lake: Lake) -> Any:
    return mag7.run(lake, request=REQUEST, vendor=AnsweringSource(market()), clock=StandingClock())


def test_a_failed_check_is_marked_everywhere_until_its_cause_is_gone(lake: Lake, tmp_path: Path) -> None:
    good = lake.read_document(END)
    assert run(lake).exit_code == 0
    warehouse = (tmp_path / "lake" / "warehouse.duckdb").read_bytes()
    rewrite(lake, END, off_by_a_little)

    first, again = run(lake), run(lake)

    assert (first.exit_code, again.exit_code) == (EXIT_INVALID, EXIT_INVALID)
    assert (first.loaded, again.loaded, again.is_nothing_new) == (None, None, False)
    assert (tmp_path / "lake" / "warehouse.duckdb").read_bytes() == warehouse
    assert "FAILED CHECK: pct_matches_parts" in (tmp_path / "lake" / "report.html").read_text(encoding="utf-8")
    marked = [check.check for check in mag7.summary(lake, on=END).quality.failed_checks]
    assert marked == FAILED
    assert mag7.summary(lake, on=DAY).quality.failed_checks == ()
    assert [check.check for check in mag7.explain(lake, on=END).failed_checks] == marked
    assert [check.dates for check in mag7.status(lake).failed_checks] == [(END,), (END,)]
    for words in (["show"], ["explain", str(END)], ["status"]):
        ended = command(*words, cwd=tmp_path)
        assert "FAILED CHECK: pct_matches_parts: " in ended.stdout, ended
        assert f"(1 date, {END} to {END})" in ended.stdout

    assert "FAILED CHECK: pct_matches_parts: " in command("load", cwd=tmp_path).stderr

    lake.write_document(END, good)
    cured = run(lake)

    assert cured.exit_code == 0
    assert cured.loaded
    assert failed_checks.read(lake) == ()
    assert "FAILED CHECK" not in (tmp_path / "lake" / "report.html").read_text(encoding="utf-8")


def test_validate_marks_what_it_finds_and_takes_the_mark_back(lake: Lake) -> None:
    good = lake.read_document(END)
    for document, names in ((None, FAILED), (good, [])):
        if document:
            lake.write_document(END, document)
        else:
            rewrite(lake, END, off_by_a_little)
        mag7.transform(lake)
        mag7.validate(lake)

        assert [check.check for check in failed_checks.read(lake)] == names


@pytest.mark.parametrize("data", [b"", b"[]", b'{"failed": 1}', b'{"failed": [{}]}'])
def test_a_damaged_record_of_checks_is_told_and_red(lake: Lake, data: bytes) -> None:
    lake.store.write(failed_checks.KEY, data)

    assert failed_checks.read(lake) == (failed_checks.DAMAGED,)


def test_a_damaged_record_of_checks_marks_every_date_until_they_are_run_again(lake: Lake, tmp_path: Path) -> None:
    assert run(lake).exit_code == 0
    lake.store.write(failed_checks.KEY, b'{"failed": [')

    for words in (["show"], ["show", str(DAY)], ["explain", str(END)], ["status"]):
        assert "FAILED CHECK: validation_record: " in command(*words, cwd=tmp_path).stdout, words
    verified = command("verify", cwd=tmp_path)
    assert (verified.code, failed_checks.KEY in verified.stdout) == (EXIT_INVALID, True)
    assert "mag7 validate runs the checks and writes it anew" in verified.stderr
    checked = command("status", "--check", "--max-behind", "9999", cwd=tmp_path)
    assert (checked.code, failed_checks.KEY in checked.stdout) == (EXIT_UNWELL, True)

    again = run(lake)

    assert (again.exit_code, again.is_nothing_new) == (0, False)
    assert failed_checks.read(lake) == ()
    assert command("verify", cwd=tmp_path).code == 0
