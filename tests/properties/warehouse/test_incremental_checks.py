"""Whatever happened to a lake since its dates passed, the checks of what changed find all that a full pass finds."""

import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.simulators import raw_documents
from tests.simulators.linked_lake import linked
from tests.simulators.raw_documents import document, partial_document

from mag7cli.core.errors import KeyNotFoundError
from mag7cli.lake.layout import Lake
from mag7cli.tables import manifest
from mag7cli.tables.transform import transform
from mag7cli.warehouse import lake_checks, passed_dates
from mag7cli.warehouse.engines.duckdb import DuckDbEngine
from mag7cli.warehouse.lake_checks import check_lake
from mag7cli.warehouse.validate import CheckResult, run_checks

DAYS = [date(2023, 12, 28), date(2023, 12, 29), *raw_documents.days(2, date(2024, 1, 2))]

Findings = dict[str, list[tuple[Any, ...]]]
Event = Callable[[Lake, date], None]


# What may happen


def collect_again(lake: Lake, day: date) -> None:
    lake.write_document(day, document(day, scale=1.5))
    transform(lake)


def collect_partly(lake: Lake, day: date) -> None:
    lake.write_document(day, partial_document(day))
    transform(lake)


def collect_another_date(lake: Lake, day: date) -> None:
    later = day.replace(month=1, day=5, year=2024)
    lake.write_document(later, document(later))
    transform(lake)


def lose_a_document(lake: Lake, day: date) -> None:
    lake.store.delete(lake.document_key(day))
    transform(lake)


def lose_a_partition(lake: Lake, day: date) -> None:
    lake.store.delete(lake.partition_key("company_details", day))


def lose_a_year(lake: Lake, day: date) -> None:
    lake.store.delete(lake.flat_key("concentration_metrics", day.year))


def lose_the_manifest(lake: Lake, day: date) -> None:
    lake.store.delete(manifest.KEY)


def take_the_partition_of_another_date(lake: Lake, day: date) -> None:
    other = lake.partition_key("magnificent7_metrics", DAYS[0])
    if lake.store.exists(other):
        lake.store.write(lake.partition_key("magnificent7_metrics", day), lake.store.read(other))


def spoil(table: str, change: str) -> Event:
    """Rows of a date in the flat file are not what they were; `change` is SQL for the rows as they become."""

    def event(lake: Lake, day: date) -> None:
        path = Path(lake.store.uri(lake.flat_key(table, day.year)))
        if not path.exists():
            return
        rows = f"SELECT * FROM read_parquet('{path}')"
        spoilt = change.format(rows=f"({rows} WHERE trading_date = DATE '{day}')")
        others = f"{rows} WHERE trading_date <> DATE '{day}' OR trading_date IS NULL"
        with closing(duckdb.connect()) as engine:
            engine.execute(f"COPY ({others} UNION ALL {spoilt}) TO '{path}.new' (FORMAT parquet)")
        Path(f"{path}.new").replace(path)

    event.__name__ = f"spoil {table}"
    return event


EVENTS: tuple[Event, ...] = (
    *(collect_again, collect_partly, collect_another_date, lose_a_document, lose_a_partition, lose_a_year),
    *(lose_the_manifest, take_the_partition_of_another_date),
    spoil("sp500_constituents", "SELECT * REPLACE (CAST(market_cap * 2 AS DECIMAL(20,2)) AS market_cap) FROM {rows}"),
    spoil("sp500_constituents", "SELECT * FROM {rows} WHERE ticker <> 'XOM'"),
    spoil("daily_trading", "SELECT * FROM {rows} UNION ALL SELECT * FROM {rows}"),
    spoil("company_details", "SELECT * REPLACE (CAST(NULL AS DATE) AS trading_date) FROM {rows}"),
    spoil("daily_summary", "SELECT * REPLACE (DATE '2023-12-30' AS trading_date) FROM {rows}"),
)


# What is found of it


def findings(results: list[CheckResult]) -> Findings:
    return {result.check.name: sorted(result.rows.values, key=repr) for result in results}


def of_the_whole(lake: Lake) -> Findings:
    """What the checks find over all dates at once, without anything that a lake remembers."""
    with closing(DuckDbEngine.over_lake(lake, with_partitions=True)) as engine:
        return findings(run_checks(engine))


def of_a_full_pass(lake: Lake) -> Findings:
    """What a full pass finds; the lake remembers nothing of it."""
    try:
        record = lake.store.read(passed_dates.KEY)
    except KeyNotFoundError:
        record = b""
    results = findings(check_lake(lake, full=True))
    lake.store.write(passed_dates.KEY, record)
    return results


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake whose dates all passed."""
    root = tmp_path_factory.mktemp("passed") / "lake"
    lake = Lake.at(str(root))
    raw_documents.fill(lake, DAYS)
    transform(lake)
    check_lake(lake)
    return root


@pytest.fixture(scope="module")
def of_no_damage(passed: Path, tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """What the checks find where nothing has happened."""
    return findings(check_lake(linked(passed, tmp_path_factory.mktemp("undamaged") / "lake")))


@pytest.fixture
def lake(passed: Path, tmp_path: Path) -> Lake:
    """A lake in which the dates passed; its files keep their versions."""
    return linked(passed, tmp_path / "lake")


def dates_read(lake: Lake) -> int | None:
    return next((result.dates for result in check_lake(lake) if result.check.of_single_dates), None)


HISTORIES = st.lists(st.tuples(st.sampled_from(EVENTS), st.sampled_from(DAYS), st.booleans()), min_size=1, max_size=4)


@settings(deadline=None, max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=HISTORIES)
def test_what_changed_is_all_that_a_full_pass_finds(passed: Path, history: list[tuple[Event, date, bool]]) -> None:
    with tempfile.TemporaryDirectory(dir=passed.parent) as folder:
        lake = linked(passed, Path(folder) / "lake")
        for event, day, is_checked in history:
            event(lake, day)
            if is_checked:
                check_lake(lake)

        full = of_a_full_pass(lake)

        assert full == of_the_whole(lake)
        assert findings(check_lake(lake)) == full


@pytest.mark.parametrize("event", EVENTS[4:], ids=lambda event: event.__name__)
def test_each_kind_of_damage_is_found_though_all_dates_passed(lake: Lake, of_no_damage: Findings, event: Event) -> None:
    event(lake, DAYS[-1])

    full = of_a_full_pass(lake)
    assert findings(check_lake(lake)) == full
    assert (full == of_no_damage) == (event is lose_the_manifest)


def test_only_dates_that_changed_are_read_again(lake: Lake) -> None:
    assert dates_read(lake) == 0

    collect_another_date(lake, DAYS[0])

    # The year's flat files are new, the rows of its other dates are not.
    assert dates_read(lake) == 1
    assert dates_read(lake) == 0
    lake.store.write(lake.document_key(DAYS[1]), lake.store.read(lake.document_key(DAYS[1])))
    transform(lake)
    assert dates_read(lake) == 2  # made again, with the one that is compared with it


def test_a_date_that_did_not_pass_is_read_until_it_does(lake: Lake) -> None:
    lose_a_partition(lake, DAYS[1])

    assert [dates_read(lake), dates_read(lake)] == [1, 1]
    transform(lake, DAYS[1], DAYS[1], force=True)
    assert [dates_read(lake), dates_read(lake)] == [1, 0]


@pytest.mark.parametrize("code", ["__version__", "checks", "duckdb"])
def test_after_an_upgrade_every_date_is_checked(lake: Lake, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if code == "__version__":
        monkeypatch.setattr(passed_dates, "__version__", "99.0")
    elif code == "duckdb":
        monkeypatch.setattr(passed_dates, "version", lambda: "99.0")
    else:
        fewer = lake_checks.all_checks()[1:]
        monkeypatch.setattr(lake_checks, "all_checks", lambda: fewer)
        monkeypatch.setattr(lake_checks, "checks", lambda engine: fewer)

    assert dates_read(lake) is None
    assert dates_read(lake) == 0


@pytest.mark.parametrize("record", [b"", b"[]", b'{"made_by": 3}', b"\xff\x00"])
def test_a_record_that_is_damaged_costs_a_full_pass_and_nothing_else(lake: Lake, record: bytes) -> None:
    lake.store.write(passed_dates.KEY, record)

    assert dates_read(lake) is None
    assert dates_read(lake) == 0
