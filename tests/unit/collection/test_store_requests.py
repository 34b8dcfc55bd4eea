"""How often a collection asks the store: on S3 each of these is a request that is paid for."""

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from tests.simulators.fake_clock import FakeClock
from tests.simulators.sandbox_source import SandboxSource
from tests.simulators.small_index import NOW, TICKERS, market, new_lake

from mag7cli.collection.collector import collect
from mag7cli.collection.request import CollectRequest
from mag7cli.collection.request import collect as collect_of_request
from mag7cli.collection.worklist import CollectOptions
from mag7cli.core.progress import Silence
from mag7cli.lake.layout import Lake
from mag7cli.lake.store import LocalStore, ObjectInfo
from mag7cli.market.calendar import sessions

START, END = date(2024, 2, 1), date(2024, 8, 30)


class CountingStore(LocalStore):
    """A folder that counts what it is asked for, by method and zone."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: Counter[tuple[str, str]] = Counter()

    def _note(self, method: str, key: str) -> None:
        self.asked[method, key.rpartition("/")[0].partition("/trading_date=")[0]] += 1

    def read(self, key: str) -> bytes:
        self._note("read", key)
        return super().read(key)

    def write(self, key: str, data: bytes, *, durable: bool = False) -> None:
        self._note("write", key)
        super().write(key, data, durable=durable)

    def info(self, key: str) -> ObjectInfo:
        self._note("info", key)
        return super().info(key)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        self._note("list", prefix)
        return super().list(prefix)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> CountingStore:
    root = tmp_path_factory.mktemp("counted")
    new_lake(root)
    store = CountingStore(root)
    source = SandboxSource(market(), now=datetime.fromisoformat(NOW))
    collect(Lake(store), source, CollectOptions(START, END), FakeClock(datetime.fromisoformat(NOW)))
    return store


def test_a_document_is_one_write_and_never_read_back(store: CountingStore) -> None:
    documents = {key: asked for key, asked in store.asked.items() if key[1].startswith("raw/magnificent7")}

    assert documents.pop(("write", "raw/magnificent7")) == len(sessions(START, END))
    assert sum(documents.values()) <= 4, "what is there is listed, not looked at one by one"


def test_prices_are_a_write_a_line_and_share_counts_a_write_a_month(store: CountingStore) -> None:
    months = {(day.year, day.month) for day in sessions(date(2024, 1, 2), date(2024, 10, 31))}

    assert store.asked["write", "raw/reference/bars"] <= len(TICKERS) + 3  # Alphabet's second class, names of before
    assert store.asked["write", "raw/reference/details"] <= len(months)
    assert store.asked["read", "raw/reference/details"] == 0
    assert store.asked["read", "raw/reference/bars"] <= len(TICKERS)


def test_all_else_does_not_depend_on_the_range(store: CountingStore) -> None:
    rest = {key: asked for key, asked in store.asked.items() if key[1].count("/") < 2 and "magnificent7" not in key[1]}

    assert sum(rest.values()) < 40, rest


def test_an_evening_with_its_recheck_lists_all_documents_once_and_reads_no_file_of_bars_twice(
    store: CountingStore, tmp_path: Path
) -> None:
    shutil.copytree(store.local_root, tmp_path / "lake")
    evening = CountingStore(tmp_path / "lake")
    clock = FakeClock(datetime.fromisoformat(NOW))
    source = SandboxSource(market(), now=datetime.fromisoformat(NOW))
    request = CollectRequest(start=START, end=END + timedelta(days=4), plan="advanced", rate="5/min", recheck=3)
    collect_of_request(Lake(CountingStore(tmp_path / "lake")), request, clock=clock, listener=Silence(), vendor=source)
    request = replace(request, end=END + timedelta(days=5))

    result = collect_of_request(Lake(evening), request, clock=clock, listener=Silence(), vendor=source)

    assert result.rechecked
    assert len(result.written) == 1
    assert evening.asked["list", "raw/magnificent7"] == 2, "those that are there, and the record of what was written"
    files = sum(1 for _ in evening.list("raw/reference/bars/"))
    assert evening.asked["read", "raw/reference/bars"] <= files + 1, "one had a split long before"
