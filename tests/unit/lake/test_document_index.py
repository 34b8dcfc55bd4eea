"""Which dates are complete: read from the documents, and remembered for as long as they do not change."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.simulators.small_index import document, keep, new_lake

from mag7cli.lake import document_index
from mag7cli.lake.document_index import Collected, CollectedDates, WrittenDocument, note_written, summary
from mag7cli.lake.layout import Lake
from mag7cli.lake.store import LocalStore
from mag7cli.lake.write_record import digest

DAY, NEXT = date(2024, 6, 20), date(2024, 6, 21)
NO_METRICS = "no concentration metrics were collected"
MEMORY = "raw/reference/collected.json"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = new_lake(tmp_path / "lake")
    keep(lake, document(DAY))
    return lake


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[date]:
    """The dates whose documents are read."""
    return _noted(monkeypatch, LocalStore, "read", lambda store, key: key)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[date]:
    """The dates whose documents are decoded."""
    return _noted(monkeypatch, document_index.market_data, "decode", lambda data, where: where)


def _noted(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, key_of: Callable[..., str]) -> list[date]:
    days: list[date] = []
    before = getattr(owner, name)

    def noting(*arguments: Any) -> Any:
        if day := re.search(r"trading_date=([\d-]+)", key_of(*arguments)):
            days.append(date.fromisoformat(day[1]))
        return before(*arguments)

    monkeypatch.setattr(owner, name, noting)
    return days


@pytest.mark.parametrize(
    ("content", "expected", "is_complete"),
    [
        (document(DAY), Collected(0, None), True),
        (document(DAY, failed=2), Collected(2, None), False),
        (document(DAY, partial="TSLA: broken"), Collected(0, "TSLA: broken"), False),
        (
            {**document(DAY, partial="x"), "partial": None},
            Collected(0, "no concentration metrics were collected"),
            False,
        ),
    ],
)
def test_a_document_says_of_itself_whether_it_is_complete(content, expected, is_complete):
    found = summary(content)

    assert found == expected
    assert found.is_complete is is_complete


def test_dates_without_a_document_are_neither_complete_nor_incomplete(lake):
    collected = CollectedDates(lake)

    assert collected.days() == [DAY]
    assert collected.is_complete(DAY)
    assert DAY in collected
    assert NEXT not in collected
    assert not collected.is_complete(NEXT)
    assert not collected.is_incomplete(NEXT)


def test_a_document_is_read_again_only_if_it_has_changed(lake, read):
    CollectedDates(lake)
    CollectedDates(lake)
    assert read == [DAY]

    keep(lake, document(DAY, failed=1))
    keep(lake, document(NEXT))
    collected = CollectedDates(lake)

    assert read == [DAY, DAY, NEXT]
    assert collected.is_incomplete(DAY)


def test_in_a_copy_of_a_lake_documents_are_known_by_their_bytes(lake, decoded, tmp_path):
    CollectedDates(lake)
    shutil.copytree(tmp_path / "lake", tmp_path / "copy")
    copy = Lake.at(str(tmp_path / "copy"))
    decoded.clear()

    assert CollectedDates(copy).is_complete(DAY)
    assert decoded == []
    keep(copy, document(DAY, failed=1))
    assert CollectedDates(copy).is_incomplete(DAY)
    assert decoded == [DAY]


def test_what_was_just_written_need_not_be_read(lake, read):
    data = lake.store.read(lake.document_key(DAY))
    read.clear()
    written = WrittenDocument(DAY, len(data), digest(data), Collected(0, None))
    note_written(lake, [written, replace(written, trading_date=NEXT)])

    assert CollectedDates(lake).days() == [DAY]
    assert read == []


def test_what_is_known_of_the_others_stays_known_where_one_is_written(lake, read):
    CollectedDates(lake)
    keep(lake, document(NEXT))
    data = lake.store.read(lake.document_key(NEXT))
    read.clear()
    note_written(lake, [WrittenDocument(NEXT, len(data), digest(data), Collected(0, None))])

    assert CollectedDates(lake).days() == [DAY, NEXT]
    assert read == []


def test_what_somebody_else_put_in_its_place_is_read(lake, read):
    note_written(lake, [WrittenDocument(DAY, 7, digest(b"another"), Collected(3, None))])

    assert CollectedDates(lake).is_complete(DAY)
    assert read == [DAY]


def test_a_memory_of_before_digests_is_one(lake, read):
    version = lake.documents()[DAY].version
    lake.store.write(MEMORY, orjson.dumps({"rule": 2, "dates": [[DAY.isoformat(), version, 4, None]]}))

    assert CollectedDates(lake)[DAY] == Collected(4, None)
    assert read == []


def test_a_document_that_is_gone_is_forgotten(lake):
    CollectedDates(lake)
    lake.store.delete(lake.document_key(DAY))

    assert CollectedDates(lake).days() == []
    assert orjson.loads(lake.store.read(MEMORY))["dates"] == []


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"{}", b"[1]", b'[["x","y",0,null]]', b'[["2024-06-20"]]'])
def test_a_damaged_memory_is_no_memory(lake, read, content):
    lake.store.write(MEMORY, content)

    assert CollectedDates(lake).is_complete(DAY)
    assert read == [DAY]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"trading_date": "2024-06-20"}', b"\xff", b'{"sp500_details": {}}']
)
def test_a_damaged_document_is_incomplete_and_says_why(lake, content):
    lake.store.write(lake.document_key(DAY), content)
    collected = CollectedDates(lake)

    assert collected.is_incomplete(DAY)
    assert "cannot be read" in str(collected[DAY].partial)


def test_a_document_that_does_not_say_what_failed_is_incomplete(lake):
    keep(lake, {**document(DAY), "sp500_details": {}})

    assert "how many lines failed" in str(CollectedDates(lake)[DAY].partial)


def test_a_lake_that_may_not_be_written_can_be_read(lake, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(LocalStore, "_write_file", staticmethod(refuse))

    assert CollectedDates(lake).is_complete(DAY)


def test_documents_of_few_dates_are_what_a_listing_of_all_says(lake):
    many = [DAY, NEXT, *(NEXT + timedelta(days=days) for days in range(1, 9))]

    assert lake.documents_on([DAY, NEXT]) == lake.documents() == lake.documents_on(many)
