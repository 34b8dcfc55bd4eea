"""A vendor that fails in every way at once, or in one way all the time: nothing is lost, and nothing false is kept."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date
from functools import cache
from pathlib import Path

import orjson
import pytest
from tests.simulators.small_index import KEY, TICKERS, leftovers, market, new_lake, quick_folder, tree

from mag7cli.collection.collector import CollectResult, collect
from mag7cli.collection.worklist import CollectOptions, Method
from mag7cli.core.clock import SystemClock
from mag7cli.core.errors import MarketDataError
from mag7cli.lake.layout import Lake
from mag7cli.vendors.polygon import ApiKey, PolygonSource
from mag7cli.vendors.rate_limit import Rate, RateLimiter
from mag7cli.vendors.sandbox.misbehaviour import FaultKind, FaultRule, RandomFaults
from mag7cli.vendors.sandbox.plan import PLANS
from mag7cli.vendors.sandbox.server import SandboxServer

LONG = (date(2024, 5, 20), date(2024, 8, 16))
SHORT = (date(2024, 6, 20), date(2024, 6, 28))

SERVER_ERRORS = (500, 502, 503)


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("MAG7_NOW", "2025-01-02T08:00:00-05:00")
    with quick_folder() as folder:
        yield folder


@contextmanager
def vendor(faults: Iterable[FaultRule | RandomFaults]) -> Iterator[PolygonSource]:
    """The vendor over HTTP, asked without a pause between attempts."""
    with SandboxServer(market(), key=KEY, plan=PLANS["advanced"], faults_script=faults) as server:
        clock = SystemClock()
        limiter = RateLimiter(Rate(None), clock)
        source = PolygonSource(ApiKey(KEY), base_url=server.url, limiter=limiter, clock=clock, jitter=lambda: 0.0)
        with closing(source):
            yield source


def run(
    root: Path, dates: tuple[date, date], *faults: FaultRule | RandomFaults, method: Method = "grouped"
) -> CollectResult:
    """A run on a lake."""
    with vendor(faults) as source:
        return collect(Lake.at(str(root)), source, CollectOptions(*dates, method, workers=8), SystemClock())


@cache
def undisturbed(dates: tuple[date, date], method: Method = "grouped") -> Mapping[str, bytes]:
    """What the lake is after a run that met no fault."""
    with quick_folder() as folder:
        new_lake(folder / "lake")
        assert run(folder / "lake", dates, method=method).is_clean
        return tree(folder / "lake")


def check_documents(root: Path, expected: Mapping[str, bytes]) -> None:
    """Every document is the undisturbed one, or says of every line that it lacks why."""
    lake = Lake.at(str(root))
    for day, info in lake.documents().items():
        if lake.store.read(info.key) == expected[info.key]:
            continue
        document = lake.read_document(day)
        details = document["sp500_details"]
        assert details["failed_count"] or document["partial"], day
        assert all(one["reason"] for one in details["failed_tickers"])
        named = {one["ticker"] for one in [*details["failed_tickers"], *details["constituents"]]}
        assert {ticker.replace("BRKB", "BRK.B") for ticker in TICKERS} == named | set(details["not_listed"])


@pytest.mark.parametrize(("method", "seed"), [("grouped", 1), ("grouped", 2), ("details", 2)])
def test_with_a_fifth_of_all_calls_failing_reruns_end_in_the_undisturbed_bytes(folder, method, seed):
    expected = undisturbed(LONG, method)
    root = folder / "lake"
    new_lake(root)

    results = []
    for attempt in range(4):
        chaos = RandomFaults(seed + 100 * attempt, 0.2, statuses=SERVER_ERRORS)
        results.append(run(root, LONG, chaos, method=method))
        check_documents(root, expected)
        if results[-1].is_clean:
            break

    assert len(results[0].written) == 62
    assert results[-1].is_clean
    assert tree(root) == expected


@pytest.mark.parametrize("seed", [1, 3, 4])
def test_calls_that_fail_for_good_leave_rows_that_retrying_clears(folder, seed):
    expected = undisturbed(LONG)
    root = folder / "lake"
    new_lake(root)

    first = run(root, LONG, RandomFaults(seed, 0.55, statuses=SERVER_ERRORS, most=100))
    assert first.failed
    check_documents(root, expected)
    with vendor([]) as source:
        options = CollectOptions(*LONG, retry_failed=True, workers=8)
        again = collect(Lake.at(str(root)), source, options, SystemClock())

    assert again.is_clean
    assert set(first.failed) <= set(again.written)
    found = tree(root)
    assert found.keys() == expected.keys()
    # Share counts that were asked for around one that could not be had stay: they are true, and were paid for.
    differing = {name for name in found if found[name] != expected[name]}
    assert all(name.startswith("raw/reference/details/") for name in differing)


def answers(files: Mapping[str, bytes]) -> dict[tuple[str, str], str]:
    """Every answer on share counts, by the date and the line that were asked for."""
    months = (orjson.loads(data)["dates"] for name, data in files.items() if "/details/month=" in name)
    return {
        (day, ticker): str(answer)
        for dates in months
        for day, of_day in dates.items()
        for ticker, answer in of_day.items()
    }


def test_complete_dates_that_an_answer_would_have_changed_are_valued_again_with_it(folder):
    months = (date(2024, 6, 3), date(2024, 10, 15))
    expected = undisturbed(months)
    root = folder / "lake"
    new_lake(root)
    rule = FaultRule("/v3/reference/tickers/TSLA?ticker=TSLA&date=2024-09-27", "status", times=None)

    first = run(root, months, rule)
    found = tree(root)
    changed = {day for day in first.written if found[Lake.document_key(day)] != expected[Lake.document_key(day)]}
    again = run(root, months)

    assert changed > set(first.failed)
    assert set(again.written) == changed
    found = tree(root)
    differing = {name for name in {*found, *expected} if found.get(name) != expected.get(name)}
    assert all(name.startswith("raw/reference/details/month=") for name in differing)
    assert answers(expected).items() <= answers(found).items()


KINDS: tuple[FaultKind, ...] = (
    "status", "reset", "cut_body", "html200", "truncated_json", "wrong_content", "empty_results", "wrong_type_json",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("calls", ["/v2/aggs/", "/v3/reference/splits", "/v3/reference/tickers/"])
def test_one_kind_of_fault_in_one_kind_of_call_is_mended_by_the_next_run(folder, kind, calls):
    expected = undisturbed(SHORT)
    root = folder / "lake"
    new_lake(root)

    try:
        disturbed = run(root, SHORT, FaultRule(calls, kind, times=None))
    except MarketDataError:
        disturbed = None
    assert disturbed is None or not disturbed.is_clean
    check_documents(root, expected)
    mended = run(root, SHORT)

    assert mended.is_clean
    assert tree(root) == expected
    assert leftovers(root) == []


def test_slow_bodies_only_take_longer(folder):
    expected = undisturbed(SHORT)
    new_lake(folder / "lake")

    assert run(folder / "lake", SHORT, FaultRule("/", "slow_body", times=20, delay_s=0.05)).is_clean
    assert tree(folder / "lake") == expected
