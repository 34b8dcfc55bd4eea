"""The raw document is described key by key, and what is described is what is written."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.simulators.fake_clock import FakeClock
from tests.simulators.sandbox_source import SandboxSource
from tests.simulators.small_index import NOW, market, new_lake

from mag7cli.collection.collector import collect
from mag7cli.collection.worklist import CollectOptions
from mag7cli.lake import document_keys

ROOT = Path(__file__).parents[3]
REAL = sorted((ROOT / "tests" / "data").glob("**/market_data*.json"))


def paths(value: Any, path: str = "") -> set[str]:
    """Every key of a document as the page writes it."""
    if isinstance(value, list):
        return set().union(*(paths(each, f"{path}[]") for each in value))
    if not isinstance(value, dict):
        return set()
    if path == "companies":
        return set().union(*(paths(each, f"{path}{{}}") for each in value.values()))
    dot = f"{path}." if path else ""
    return {f"{dot}{name}" for name in value}.union(*(paths(each, f"{dot}{name}") for name, each in value.items()))


def test_every_declared_key_has_a_meaning() -> None:
    assert [key.path for key in document_keys.declared() if key.path not in document_keys.meanings()] == []


def test_the_page_is_not_stale() -> None:
    page = (ROOT / "docs" / "lake.md").read_text(encoding="utf-8")

    assert page == document_keys.with_keys_table(page), "run make docs"


@pytest.mark.parametrize("file", REAL[:: max(1, len(REAL) // 12)], ids=lambda file: "/".join(file.parts[-3:]))
def test_every_key_of_a_document_is_described(file: Path) -> None:
    assert paths(orjson.loads(file.read_bytes())) - {key.path for key in document_keys.declared()} == set()


def test_every_key_that_is_written_today_is_described(tmp_path: Path) -> None:
    lake, now = new_lake(tmp_path), datetime.fromisoformat(NOW)
    days = CollectOptions(date(2024, 6, 25), date(2024, 6, 26))  # a split of CMG
    collect(lake, SandboxSource(market(), now=now), days, FakeClock(now))

    written = set().union(*(paths(lake.read_document(day)) for day in lake.documents()))
    assert written - {key.path for key in document_keys.declared()} == set()
    assert len(written) > 60


def test_the_original_s_keys_are_told_from_those_that_were_added() -> None:
    original = {key.path for key in document_keys.declared() if key.is_original}

    assert {"companies{}.trading_data.vwap", "sp500_details.failed_tickers[].reason"} <= original
    assert not {"source.simulated", "sp500_details.constituents[].ticker", "companies{}.cik"} & original


def test_a_type_says_where_it_may_be_null() -> None:
    kinds = {key.path: (key.kind, key.may_be_null) for key in document_keys.declared()}

    assert kinds["companies{}.market_cap"] == ("number", True)
    assert kinds["concentration_metrics"] == ("object", True)
    assert kinds["sp500_details.constituents[].counted"] == ("true or false", False)
    assert kinds["companies{}.corrections[].from"] == ("number", True)
