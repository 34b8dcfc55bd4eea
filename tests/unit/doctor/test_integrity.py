"""`check` finds every file that is not what was written, wherever in a lake it lies."""

import json
import shutil
from datetime import date, datetime
from pathlib import Path

import pytest
from tests.simulators import raw_documents
from tests.simulators.fake_clock import FakeClock
from tests.simulators.sandbox_source import SandboxSource
from tests.simulators.small_index import NOW, document, holdings_file, market, new_lake

from mag7cli.collection.collector import CollectResult, collect
from mag7cli.collection.worklist import CollectOptions
from mag7cli.doctor.integrity import check
from mag7cli.lake import write_record
from mag7cli.lake.layout import REFERENCE, Lake
from mag7cli.tables import manifest
from mag7cli.tables.transform import transform

START, END = date(2024, 6, 20), date(2024, 6, 24)
DOCUMENT = f"raw/magnificent7/trading_date={END}/market_data.json"
HOLDINGS = "raw/holdings/as_of=2024-06-03/IVV_holdings.csv"
RAISED = {"XOM": 10_612_345_680}


def run(lake: Lake, *, force: bool = False) -> CollectResult:
    source = SandboxSource(market(), now=datetime.fromisoformat(NOW))
    options = CollectOptions(START, END, force=force)
    return collect(lake, source, options, FakeClock(datetime.fromisoformat(NOW)))


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lakes") / "clean"
    lake = new_lake(root)
    run(lake)
    transform(lake)
    return root


@pytest.fixture
def lake(clean: Path, tmp_path: Path) -> Lake:
    shutil.copytree(clean, tmp_path / "lake")
    return Lake.at(str(tmp_path / "lake"))


def damaged(lake: Lake) -> dict[str, str]:
    return {damage.key: damage.reason for damage in check(lake).damages}


def a_file(lake: Lake, folder: str) -> str:
    """The first file below a folder."""
    return next(iter(lake.store.list(folder))).key


def test_a_lake_that_nobody_touched_is_sound(lake: Lake) -> None:
    integrity = check(lake)

    assert integrity.is_sound
    assert (integrity.checked, integrity.unrecorded, integrity.foreign) == (4, 0, ())


@pytest.mark.parametrize("key", [DOCUMENT, HOLDINGS])
def test_a_single_other_digit_in_a_raw_file_is_seen(lake: Lake, key: str) -> None:
    data = lake.store.read(key)
    lake.store.write(key, data.replace(b"1", b"7", 1))

    assert damaged(lake)[key].startswith("its bytes are not those that were written (SHA-256 ")


@pytest.mark.parametrize("key", [DOCUMENT, HOLDINGS])
def test_a_truncated_raw_file_is_seen_with_a_record_and_without(lake: Lake, key: str) -> None:
    data = lake.store.read(key)
    lake.store.write(key, data[: len(data) // 9])
    with_record = damaged(lake)
    lake.store.delete("raw/reference/written.json")

    assert list(with_record) == list(damaged(lake)) == [key]


def test_a_raw_file_that_is_gone_is_seen(lake: Lake) -> None:
    lake.store.delete(DOCUMENT)

    assert damaged(lake) == {DOCUMENT: "it was written, and is gone"}


@pytest.mark.parametrize("folder", ["raw/reference/bars/", "raw/reference/details/", "raw/reference/splits.json"])
def test_a_truncated_answer_is_seen_and_named(lake: Lake, folder: str) -> None:
    key = a_file(lake, folder)
    lake.store.write(key, lake.store.read(key)[:-20])

    (reason,) = [reason for name, reason in damaged(lake).items() if name == key]
    assert "delete it to ask the vendor again" in reason


@pytest.mark.parametrize("folder", ["raw/reference/bars/", "raw/reference/details/"])
def test_an_answer_under_the_name_of_another_is_seen(lake: Lake, folder: str) -> None:
    first, second, *_ = [info.key for info in lake.store.list(folder)]
    lake.store.write(first, lake.store.read(second))

    assert "its content is that of" in damaged(lake)[first]


def test_a_document_of_another_date_is_seen(lake: Lake) -> None:
    lake.store.delete("raw/reference/written.json")
    lake.store.write(DOCUMENT, lake.store.read(lake.document_key(START)))

    assert damaged(lake) == {DOCUMENT: f"its trading_date is {START}"}


def test_a_table_that_is_not_what_the_documents_make_is_a_difference(lake: Lake) -> None:
    key = lake.flat_key("daily_summary", 2024)
    lake.store.write(key, b"PAR1")

    integrity = check(lake)
    assert ([each.key for each in integrity.differences], integrity.damages) == ([key], ())


def unmade(lake: Lake) -> tuple[tuple[date, ...], list[str]]:
    integrity = check(lake)
    return integrity.unmade, [each.key for each in integrity.differences]


def test_what_was_collected_since_the_tables_were_made_is_behind_and_no_difference(lake: Lake) -> None:
    shutil.rmtree(Path(lake.store.uri(""), "processed"))
    shutil.rmtree(Path(lake.store.uri(""), "analytics"))
    every = tuple(sorted(lake.documents()))
    assert unmade(lake) == (every, [])
    assert check(lake).is_sound

    transform(lake, end=every[-2])
    assert unmade(lake) == (every[-1:], [])

    transform(lake)
    lake.store.write(DOCUMENT, lake.store.read(DOCUMENT) + b" ")
    assert unmade(lake) == ((END,), [])

    lake.store.delete(DOCUMENT)
    assert unmade(lake) == ((END,), [])


def test_a_split_on_a_day_that_nobody_collected_is_counted_only_where_nothing_else_is(lake: Lake) -> None:
    transform(lake)
    key, day = f"{REFERENCE}splits.json", date(2024, 12, 20)
    splits = json.loads(lake.store.read(key))
    splits["rows"].append(splits["rows"][0] | {"execution_date": str(day)})
    lake.store.write(key, json.dumps(splits).encode())
    assert unmade(lake) == ((day,), [])

    lake.store.write(DOCUMENT, lake.store.read(DOCUMENT) + b" ")
    assert unmade(lake) == ((END,), [])


def test_dates_that_inherit_another_doubt_from_one_to_be_made_are_behind_too(tmp_path: Path) -> None:
    place = Lake.at(str(tmp_path / "lake"))
    before, stepped, *others = days = raw_documents.days(4, date(2023, 12, 27))
    for day in days:
        place.write_document(day, raw_documents.document(day, shares=RAISED if day > before else None))
    transform(place)

    place.write_document(stepped, raw_documents.document(stepped))

    assert days[-1].year > stepped.year
    assert unmade(place) == ((stepped, *others), [])
    assert transform(place).written == (stepped, *others)

    place.write_document(stepped, raw_documents.document(stepped, shares=RAISED))
    place.store.write(place.flat_key("data_quality", 2024), b"PAR1")
    assert place.flat_key("data_quality", 2024) in unmade(place)[1]


@pytest.mark.parametrize("key", [Lake.flat_key("daily_summary", 2024), Lake.partition_key("daily_summary", START)])
def test_a_damaged_table_is_a_difference_also_where_others_are_behind(lake: Lake, key: str) -> None:
    transform(lake)
    lake.store.write(key, b"PAR1")
    lake.store.write(DOCUMENT, lake.store.read(DOCUMENT) + b" ")

    assert key in unmade(lake)[1]


def test_tables_of_another_version_are_behind(lake: Lake) -> None:
    transform(lake)
    record = lake.store.read(manifest.KEY)
    lake.store.write(manifest.KEY, record.replace(b'"made_by":"mag7cli ', b'"made_by":"mag7cli 0.0.1 and not '))

    assert unmade(lake) == (tuple(sorted(lake.documents())), [])


def test_without_a_record_of_the_tables_their_bytes_decide(lake: Lake) -> None:
    lake.store.delete(manifest.KEY)
    assert unmade(lake) == ((), [])

    lake.store.write(Lake.flat_key("daily_summary", 2024), b"PAR1")
    assert unmade(lake) == ((), [Lake.flat_key("daily_summary", 2024)])


# The record


def test_a_lake_without_a_record_is_taken_into_one_by_the_next_run(lake: Lake) -> None:
    lake.store.delete("raw/reference/written.json")
    assert check(lake).unrecorded == 4

    lake.store.delete(DOCUMENT)
    run(lake)

    assert (check(lake).unrecorded, damaged(lake)) == (0, {})


def test_a_document_that_is_collected_again_is_recorded_anew(lake: Lake) -> None:
    lake.store.write(DOCUMENT, lake.store.read(DOCUMENT)[:-9])
    assert damaged(lake)

    run(lake, force=True)

    assert damaged(lake) == {}


def test_what_a_run_that_died_has_written_is_not_called_damaged(lake: Lake) -> None:
    write_record.forget(lake, [DOCUMENT])
    lake.write_document(END, document(END))  # type: ignore[arg-type]

    assert (damaged(lake), check(lake).unrecorded) == ({}, 1)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"digests": []}', b"null"])
def test_a_damaged_record_is_none(lake: Lake, data: bytes) -> None:
    lake.write_reference("written.json", data)

    assert (write_record.read(lake), damaged(lake)) == ({}, {})


def test_a_kept_file_is_recorded_when_it_is_kept(lake: Lake) -> None:
    key = "raw/funds/fund=IVV/as_of=2024-06-03/file.csv"
    lake.store.write(key, holdings_file())
    write_record.note(lake, key, holdings_file())

    assert key in write_record.read(lake)
    assert damaged(lake) == {}
