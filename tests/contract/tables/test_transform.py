"""Raw documents to tables over a lake: on disk, and the same on S3."""

import io
from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.simulators import raw_documents
from tests.simulators.cloud import Cloud
from tests.simulators.raw_documents import document, partial_document

from mag7cli.analytics.date_statuses import date_statuses
from mag7cli.core import processes
from mag7cli.core.errors import EngineError
from mag7cli.lake.layout import ANALYTICS, PROCESSED, Lake
from mag7cli.tables import manifest, year_files
from mag7cli.tables import transform as transform_module
from mag7cli.tables.changes import YearInputs
from mag7cli.tables.schema import TABLES
from mag7cli.tables.transform import FailedDocument, differences, transform
from mag7cli.tables.year_files import DocumentReader
from mag7cli.warehouse.engines.duckdb import DuckDbEngine

DAYS = [date(2023, 12, 28), date(2023, 12, 29), *raw_documents.days(4, date(2024, 6, 5))]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    place = Lake.at(str(tmp_path / "lake"))
    raw_documents.fill(place, DAYS)
    return place


def tables(lake: Lake) -> dict[str, bytes]:
    """Every file of both layouts."""
    keys = [found.key for zone in (PROCESSED, ANALYTICS) for found in lake.store.list(zone)]
    return {key: lake.store.read(key) for key in keys if key != manifest.KEY}


def versions(lake: Lake) -> Mapping[str, str]:
    """A version of every file, which changes when it is written again."""
    return {found.key: found.version for zone in (PROCESSED, ANALYTICS) for found in lake.store.list(zone)}


def rows_in(lake: Lake, table: str) -> list[tuple[object, ...]]:
    years = sorted({day.year for day in DAYS})
    keys = [key for key in (lake.flat_key(table, year) for year in years) if lake.store.exists(key)]
    found = [pq.read_table(io.BytesIO(lake.store.read(key))) for key in keys]
    return [tuple(row.values()) for one in found for row in one.to_pylist()]


def dates_in(lake: Lake, table: str = "daily_summary") -> list[object]:
    return [row[0] for row in rows_in(lake, table)]


def test_every_date_is_in_both_layouts_once(lake: Lake) -> None:
    result = transform(lake)

    assert result.written == tuple(DAYS)
    assert dates_in(lake) == DAYS
    for table in TABLES:
        flat = [lake.flat_key(table.name, year) in tables(lake) for year in (2023, 2024)]
        assert flat == [table.name not in ("stock_splits", "data_quality")] * 2
    assert all(lake.store.exists(lake.partition_key("sp500_constituents", day)) for day in DAYS)


def test_a_second_run_writes_nothing(lake: Lake) -> None:
    transform(lake)
    before = versions(lake)

    result = transform(lake)

    assert (result.written, result.unchanged, result.removed, result.failed) == ((), tuple(DAYS), (), ())
    assert versions(lake) == before


def test_a_new_date_writes_its_partitions_and_its_year_only(lake: Lake) -> None:
    last = DAYS[-1]
    content = lake.read_document(last)
    lake.store.delete(lake.document_key(last))
    transform(lake)
    before = versions(lake)

    lake.write_document(last, content)
    result = transform(lake)

    changed = {key for key, version in versions(lake).items() if before.get(key) != version}
    assert result.written == (last,)
    assert {key for key in changed if key.startswith(ANALYTICS)} == {
        key for key in changed if key.endswith("/2024.parquet")
    }
    assert {key for key in changed if key.startswith(PROCESSED)} - {manifest.KEY, Lake.figures_key(2024)} == {
        key for key in versions(lake) if f"trading_date={last}" in key
    }


def keys_read(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys that are read from now on, each time."""
    read, keys = lake.store.read, []

    def read_and_remember(key: str) -> bytes:
        keys.append(key)
        return read(key)

    monkeypatch.setattr(lake.store, "read", read_and_remember)
    return keys


def test_a_new_date_reads_its_document_and_the_one_before_it_only(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    last = DAYS[-1]
    content = lake.read_document(last)
    lake.store.delete(lake.document_key(last))
    transform(lake)
    lake.write_document(last, content)
    keys = keys_read(lake, monkeypatch)
    transform(lake)

    assert {key for key in keys if key.endswith(".json")} - {manifest.KEY} == {
        lake.document_key(DAYS[-2]),
        lake.document_key(last),
        "raw/reference/splits.json",
    }


def test_a_flat_file_that_somebody_changed_is_made_again(lake: Lake) -> None:
    transform(lake)
    before = tables(lake)
    key = lake.flat_key("daily_summary", 2024)
    lake.store.write(key, lake.store.read(lake.flat_key("daily_summary", 2023)))

    transform(lake)

    assert tables(lake) == before


def test_made_day_by_day_the_bytes_are_those_of_one_run(lake: Lake, tmp_path: Path) -> None:
    stepwise = Lake.at(str(tmp_path / "stepwise"))
    for day in reversed(DAYS):
        stepwise.write_document(day, lake.read_document(day))
        transform(stepwise)

    transform(lake)

    assert tables(stepwise) == tables(lake)


def fill_with_doubts_that_last(lake: Lake) -> None:
    """Three years; a count steps at the end of each of two and stays, so that the next year inherits the doubt."""
    ends = [day for year in (2022, 2023) for day in (*raw_documents.days(2, date(year, 12, 28)), date(year + 1, 1, 3))]
    for day in ends:
        steps = (day >= date(2022, 12, 29)) + (day >= date(2023, 12, 29))
        lake.write_document(day, document(day, shares={"XOM": 1_061_234_568 * 10**steps}))


def test_made_by_several_processes_the_bytes_are_those_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake, alone = Lake.at(str(tmp_path / "lake")), Lake.at(str(tmp_path / "alone"))
    fill_with_doubts_that_last(lake)
    fill_with_doubts_that_last(alone)
    transform(alone)
    read_year, made_here = year_files.read, []

    def read_and_remember(reader: DocumentReader, inputs: YearInputs) -> year_files.YearRows:
        made_here.append(inputs.year)
        return read_year(reader, inputs)

    monkeypatch.setattr(processes, "cores", lambda: 2)
    monkeypatch.setattr(transform_module, "_DATES_FOR_A_PROCESS", 1)
    monkeypatch.setattr(year_files, "read", read_and_remember)

    assert len(transform(lake).written) == len(lake.documents())

    assert tables(lake) == tables(alone)
    assert made_here == [2022]
    heirs = [row[0] for row in rows_in(lake, "data_quality") if str(row[7]).startswith("since")]
    assert heirs == [date(2023, 1, 3), date(2024, 1, 3)]


def test_years_made_one_after_the_other_read_each_document_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake.at(str(tmp_path / "lake"))
    fill_with_doubts_that_last(lake)
    keys = keys_read(lake, monkeypatch)
    transform(lake)

    documents = {lake.document_key(day) for day in lake.documents()}
    assert sorted(key for key in keys if key in documents) == sorted(documents)
    assert transform(lake).written == ()


def test_a_changed_document_changes_its_rows_and_what_the_guard_says_of_the_next_dates(lake: Lake) -> None:
    transform(lake)
    lake.write_document(DAYS[3], document(DAYS[3], scale=2.0))

    result = transform(lake)

    assert result.written == tuple(DAYS[3:])
    closes = {row[0]: row[5] for row in rows_in(lake, "daily_trading") if row[1] == "AAPL"}
    assert closes[DAYS[3]] > 190 > closes[DAYS[4]]
    statuses = [row[1] for row in rows_in(lake, "daily_summary")]
    assert statuses == ["complete", "complete", "complete", "suspect", "suspect", "complete"]


def test_a_removed_document_takes_its_rows_with_it(lake: Lake) -> None:
    transform(lake)
    lake.store.delete(lake.document_key(DAYS[0]))
    lake.store.delete(lake.document_key(DAYS[1]))
    lake.store.delete(lake.document_key(DAYS[5]))

    result = transform(lake)

    assert result.removed == (DAYS[0], DAYS[1], DAYS[5])
    assert dates_in(lake) == DAYS[2:5]
    assert not [key for key in tables(lake) if "2023" in key]
    assert transform(lake).removed == ()


def test_a_date_that_becomes_partial_loses_the_files_of_its_metrics(lake: Lake) -> None:
    transform(lake)
    lake.write_document(DAYS[2], partial_document(DAYS[2]))

    transform(lake)

    assert not lake.store.exists(lake.partition_key("concentration_metrics", DAYS[2]))
    assert DAYS[2] not in dates_in(lake, "concentration_metrics")
    assert dates_in(lake) == DAYS


def test_a_malformed_document_is_told_every_time_and_the_others_go_on(lake: Lake) -> None:
    key = lake.document_key(DAYS[2])
    lake.store.write(key, b"<html>502</html>")

    first = transform(lake)
    again = transform(lake)

    assert first.failed == again.failed
    assert [(one.trading_date, one.key) for one in first.failed] == [(DAYS[2], key)]
    assert "not JSON" in first.failed[0].reason
    assert again.written == ()
    assert dates_in(lake) == [day for day in DAYS if day != DAYS[2]]

    lake.write_document(DAYS[2], document(DAYS[2]))
    assert transform(lake).failed == ()
    assert dates_in(lake) == DAYS


def test_a_value_of_a_wrong_type_fails_its_document_only(lake: Lake) -> None:
    content = document(DAYS[2])
    content["companies"]["AAPL"]["currency"] = 7
    lake.write_document(DAYS[2], content)

    result = transform(lake)

    assert result.failed == (
        FailedDocument(DAYS[2], lake.document_key(DAYS[2]), "company_details.currency is int where varchar belongs"),
    )
    assert dates_in(lake) == [day for day in DAYS if day != DAYS[2]]


def test_a_document_under_another_date_is_refused(lake: Lake) -> None:
    lake.write_document(DAYS[2], document(DAYS[3]))

    assert transform(lake).failed[0].reason == f"its trading_date is {DAYS[3]}"


def test_a_range_leaves_other_dates_alone(lake: Lake) -> None:
    first = transform(lake, DAYS[3], DAYS[4])

    assert first.written == (DAYS[3], DAYS[4])
    assert dates_in(lake) == DAYS[3:5]

    second = transform(lake, DAYS[0], DAYS[2])

    assert second.written == tuple(DAYS[:3])
    assert dates_in(lake) == DAYS[:5]
    assert transform(lake).written == (DAYS[5],)
    assert not list(differences(lake))


def test_force_makes_the_dates_of_the_range_again(lake: Lake) -> None:
    transform(lake)
    before = versions(lake)

    result = transform(lake, DAYS[2], DAYS[3], force=True)

    assert result.written == (DAYS[2], DAYS[3])
    changed = {key for key, version in versions(lake).items() if before[key] != version}
    assert changed
    assert not [key for key in changed if "2023" in key or f"trading_date={DAYS[4]}" in key]


def _splits(*rows: tuple[str, str, int]) -> bytes:
    found = [
        {"ticker": ticker, "symbol": ticker, "execution_date": day, "split_from": 1, "split_to": ratio}
        for ticker, day, ratio in rows
    ]
    asked = {"covers": ["2021-01-01", "2024-12-31"], "asked_on": "2024-12-31", "lines": ["NVDA", "TSLA"]}
    return orjson.dumps({"schema_version": 1, **asked, "rows": found, "refused": []})


def test_splits_have_rows_on_their_execution_date_whether_or_not_it_was_collected(lake: Lake) -> None:
    lake.write_reference("splits.json", _splits(("TSLA", "2022-08-25", 3), ("NVDA", "2024-06-10", 10)))
    transform(lake)
    keys = {key for key in tables(lake) if "stock_splits" in key}

    assert keys == {
        lake.partition_key("stock_splits", date(2022, 8, 25)),
        lake.partition_key("stock_splits", date(2024, 6, 10)),
        lake.flat_key("stock_splits", 2022),
        lake.flat_key("stock_splits", 2024),
    }

    lake.write_reference("splits.json", _splits(("NVDA", "2024-06-10", 10)))
    transform(lake)

    assert {key for key in tables(lake) if "stock_splits" in key} == {key for key in keys if "2024" in key}
    assert not list(differences(lake))


def test_a_split_changes_the_dates_around_it_only(lake: Lake) -> None:
    transform(lake)
    lake.write_reference("splits.json", _splits(("NVDA", "2024-06-07", 10)))

    assert transform(lake).written == tuple(DAYS[2:])


def test_what_the_guard_flags_makes_the_date_suspect(lake: Lake) -> None:
    lake.write_document(DAYS[4], document(DAYS[4], shares={"XOM": 10 * 1_061_234_568}))

    transform(lake)

    events = [row for row in rows_in(lake, "data_quality") if row[0] == DAYS[4]]
    assert [(row[1], row[3]) for row in events] == [("XOM", "suspect")]
    statuses = {row[0]: row[1] for row in rows_in(lake, "daily_summary")}
    assert statuses[DAYS[4]] == "suspect"
    assert statuses[DAYS[3]] == "complete"


def test_a_count_that_came_back_is_no_doubt_however_long_ago_it_went(tmp_path: Path) -> None:
    lake, last = Lake.at(str(tmp_path / "back")), date(2024, 9, 20)
    raw_documents.fill(lake, [date(2024, 6, 3), date(2024, 7, 9), last])
    for day in (date(2024, 6, 4), date(2024, 7, 8)):
        lake.write_document(day, document(day, shares={"XOM": 3_000_000_000}))

    transform(lake)

    suspect = [row[0] for row in rows_in(lake, "daily_summary") if row[1] == "suspect"]
    assert suspect == [date(2024, 6, 4), date(2024, 7, 8), date(2024, 7, 9)]
    assert [day for day, status in date_statuses(lake).items() if status == "suspect"] == suspect


# State


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"made_by": 1, "dates": {}, "years": {}}'])
def test_a_manifest_that_cannot_be_used_costs_work_and_nothing_else(lake: Lake, content: bytes) -> None:
    transform(lake)
    before = tables(lake)
    lake.store.write(manifest.KEY, content)

    result = transform(lake)

    assert result.written == tuple(DAYS)
    assert tables(lake) == before


@pytest.mark.parametrize(
    "gone",
    ["processed/", "analytics/", "processed/daily_trading/", f"processed/daily_summary/trading_date={DAYS[0]}/"],
)
def test_files_that_were_deleted_are_made_again(lake: Lake, gone: str) -> None:
    transform(lake)
    before = tables(lake)
    for found in list(lake.store.list(gone)):
        lake.store.delete(found.key)

    transform(lake)

    assert tables(lake) == before


class KilledError(Exception):
    """The process is gone."""


@pytest.mark.parametrize("survives", range(0, 60, 3))
def test_killed_after_any_write_a_rerun_gives_the_same_bytes(
    lake: Lake, tmp_path: Path, survives: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = Lake.at(str(tmp_path / "undisturbed"))
    transform(lake)
    lake.write_document(DAYS[2], partial_document(DAYS[2]))
    lake.write_document(DAYS[4], document(DAYS[4], doubts=[_doubt("XOM")]))
    lake.store.delete(lake.document_key(DAYS[0]))
    write, writes = lake.store.write, iter(range(survives))

    def write_until_killed(key: str, data: bytes) -> None:
        if next(writes, None) is None:
            raise KilledError
        write(key, data)

    with monkeypatch.context() as patched:
        patched.setattr(lake.store, "write", write_until_killed)
        with suppress(KilledError):
            transform(lake)
    # What it was making changes once more before the next run.
    lake.write_document(DAYS[4], document(DAYS[4]))
    transform(lake)

    for day in lake.documents():
        undisturbed.write_document(day, lake.read_document(day))
    transform(undisturbed)
    assert tables(lake) == tables(undisturbed)
    assert not list(differences(lake))


def _doubt(ticker: str) -> dict[str, object]:
    return {"ticker": ticker, "kind": "jump", "field": "f", "used": 1, "other": 2, "reason": "odd"}


def test_differences_name_what_is_missing_changed_and_foreign(lake: Lake) -> None:
    transform(lake)
    assert not list(differences(lake))
    lake.store.delete(lake.partition_key("daily_trading", DAYS[1]))
    lake.store.write(lake.flat_key("daily_summary", 2024), b"PAR1")
    lake.store.write(lake.partition_key("daily_summary", date(2020, 1, 2)), b"PAR1")

    found = {one.key: one.reason for one in differences(lake)}

    assert found == {
        lake.partition_key("daily_trading", DAYS[1]): "missing",
        lake.flat_key("daily_summary", 2024): "other bytes than the raw documents make",
        lake.partition_key("daily_summary", date(2020, 1, 2)): "made by no raw document",
    }


def test_on_s3_the_files_are_those_of_a_local_lake(lake: Lake, cloud: Cloud) -> None:
    remote = Lake(cloud.store())
    raw_documents.fill(remote, DAYS)
    remote.write_document(DAYS[2], partial_document(DAYS[2]))
    transform(remote)
    remote.store.delete(remote.document_key(DAYS[0]))
    remote.write_document(DAYS[2], document(DAYS[2]))
    lake.store.delete(lake.document_key(DAYS[0]))

    assert transform(remote).written == (DAYS[1], DAYS[2], DAYS[3])
    assert transform(remote).written == ()

    transform(lake)
    assert tables(remote) == tables(lake)
    assert not list(differences(remote))


def test_the_stages_of_a_run_decode_a_manifest_once_and_never_an_older_one(lake: Lake) -> None:
    transform(lake)
    manifest._of_bytes.cache_clear()

    first, again = manifest.recorded(lake), manifest.read(lake)
    lake.store.delete(lake.document_key(DAYS[-1]))
    transform(lake)
    after = manifest.recorded(lake)

    assert first is again
    assert first is not None
    assert after is not None
    assert after.dates.keys() == first.dates.keys() - {DAYS[-1]}


def test_a_year_is_made_in_memory_of_the_system_and_the_callers_is_left_as_it_was(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, meanwhile, files = pa.default_memory_pool().backend_name, set[str](), year_files.files

    def observed(*inputs: Any) -> Any:
        meanwhile.add(pa.default_memory_pool().backend_name)
        return files(*inputs)

    monkeypatch.setattr(year_files, "files", observed)
    monkeypatch.setattr(transform_module, "_workers", lambda lake, plans: 1)
    transform(lake)

    assert meanwhile == {"system"}
    assert pa.default_memory_pool().backend_name == before


def test_an_empty_lake_has_nothing_to_transform(tmp_path: Path) -> None:
    result = transform(Lake.at(str(tmp_path / "nothing")))

    assert (result.written, result.unchanged, result.failed) == ((), (), ())
    assert not (tmp_path / "nothing").exists()


def of_an_older_version(lake: Lake) -> None:
    """The tables as a version before this one made them: one lacks its last column, and the record says who it was."""
    for key in [found.key for zone in (PROCESSED, ANALYTICS) for found in lake.store.list(zone)]:
        if "sp500_constituents" in key:
            rows = pq.ParquetFile(io.BytesIO(lake.store.read(key))).read()
            sink = io.BytesIO()
            pq.write_table(rows.drop_columns(rows.column_names[-1:]), sink)
            lake.store.write(key, sink.getvalue())
    record = orjson.loads(lake.store.read(manifest.KEY))
    lake.store.write(manifest.KEY, orjson.dumps({**record, "made_by": "mag7cli 0.1.0, tables 1, pyarrow 25.0.0"}))


def test_tables_of_an_older_version_are_made_again_whatever_the_range(lake: Lake) -> None:
    transform(lake)
    before = tables(lake)
    of_an_older_version(lake)

    result = transform(lake, DAYS[-1], DAYS[-1])

    assert result.written == tuple(DAYS)
    assert tables(lake) == before


def test_tables_of_an_older_version_have_no_value_in_what_they_lack(lake: Lake) -> None:
    transform(lake)
    of_an_older_version(lake)

    with closing(DuckDbEngine.over_lake(lake)) as engine:
        counts = engine.query(
            "SELECT COUNT(market_cap), COUNT(market_cap_by_class) FROM market_data.sp500_constituents"
        )
    assert counts.values[0][0] > 0
    assert counts.values[0][1] == 0


def test_tables_of_two_versions_are_not_mixed(lake: Lake) -> None:
    transform(lake)
    newest = lake.flat_key("sp500_constituents", 2024)
    today = lake.store.read(newest)
    of_an_older_version(lake)
    first = lake.flat_key("sp500_constituents", 2023)
    older = lake.store.read(first)
    lake.store.write(first, today)
    lake.store.write(newest, older)
    engine = DuckDbEngine.over_lake(lake)

    with pytest.raises(EngineError, match="schema mismatch") as failure:
        engine.query("SELECT SUM(market_cap_by_class) FROM market_data.sp500_constituents")
    engine.close()
    assert failure.value.hint


def test_a_damaged_file_of_the_tables_is_said_to_be_one(lake: Lake, cloud: Cloud) -> None:
    transform(lake)
    cloud.fill(tuple(DAYS[:1]))
    for place in (lake, Lake.at(cloud.lake)):
        key = lake.flat_key("concentration_metrics", 2023)
        place.store.write(key, place.store.read(key)[:-9])
        with pytest.raises(EngineError, match="concentration_metrics") as failure:
            DuckDbEngine.over_lake(place)
        assert "mag7 transform --force" in str(failure.value.hint)


def test_tables_of_two_versions_are_not_mixed_on_s3_either(cloud: Cloud) -> None:
    cloud.fill(tuple(DAYS[:1]))
    lake = Lake.at(cloud.lake)
    key = lake.flat_key("sp500_constituents", 2023)
    rows = pq.read_table(io.BytesIO(lake.store.read(key)))
    sink = io.BytesIO()
    pq.write_table(rows.drop_columns(rows.column_names[-1:]), sink)
    lake.store.write(key, sink.getvalue())

    with pytest.raises(EngineError, match="sp500_constituents: its files have other columns") as failure:
        DuckDbEngine.over_lake(lake)
    assert failure.value.hint
    assert "mag7 transform" in failure.value.hint
