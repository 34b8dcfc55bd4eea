"""The two state machines, interpreted, with the sandbox as the vendor: they end in what the local pipeline ends in."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.simulators.athena import AthenaSimulator
from tests.simulators.cloud import Cloud, own_client
from tests.simulators.functions import CallContext, Functions, Machines, deployed, machines_of, notifications
from tests.simulators.small_index import TICKERS, holdings_file, market_from

from mag7cli.collection.request import CollectRequest
from mag7cli.core.errors import RateLimitError, StoreError, UsageError
from mag7cli.deployment import functions
from mag7cli.lake.layout import Lake
from mag7cli.lake.lock import holder_of, release, take
from mag7cli.portfolio import fund_weights
from mag7cli.tables.transform import transform
from mag7cli.vendors.sandbox.plan import PLANS
from mag7cli.vendors.sandbox.server import DEFAULT_KEY, SandboxServer

START, END = date(2023, 12, 29), date(2024, 1, 2)
RANGE = {"start": START.isoformat(), "end": END.isoformat()}
DAYS = 2

Stack = tuple[Functions, Machines]


@pytest.fixture(scope="module")
def vendor() -> Iterator[SandboxServer]:
    with SandboxServer(market_from(date(2023, 11, 1), date(2024, 3, 1)), plan=PLANS["advanced"]) as server:
        yield server


@pytest.fixture(autouse=True)
def chart_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page without its chart library, whose making takes seconds."""
    library = tmp_path / "library.js"
    library.write_text("window.vegaEmbed = () => 0;")
    monkeypatch.setattr(functions, "CHART_LIBRARY", str(library))


@pytest.fixture(scope="module")
def machines(aws_endpoint: str) -> Iterator[Machines]:
    with machines_of(aws_endpoint) as machines:
        yield machines


@pytest.fixture
def stack(cloud: Cloud, athena: AthenaSimulator, vendor: SandboxServer, machines: Machines) -> Iterator[Stack]:
    athena.states = ()
    keep_list(Lake.at(cloud.lake))
    with deployed(cloud, machines, vendor.url, DEFAULT_KEY) as simulated:
        yield simulated, machines


@pytest.fixture(scope="module")
def local(vendor: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """What the pipeline makes of the same dates on one machine."""
    from mag7cli.library import collect
    from mag7cli.vendors.polygon import open_source

    lake = Lake.at(str(tmp_path_factory.mktemp("local")))
    keep_list(lake)
    request = CollectRequest(start=START, end=END, plan="advanced", rate="unlimited")
    environ = {"POLYGON_API_KEY": DEFAULT_KEY, "POLYGON_BASE_URL": vendor.url}
    collect(lake, request=request, vendor=open_source(environ, plan="advanced", rate=request.pace))
    transform(lake)
    return lake


def keep_list(lake: Lake) -> None:
    """An index of a dozen lines: what the machines do is the same for five hundred."""
    lake.write_holdings(START, holdings_file(START, TICKERS))


class Gap:
    """A vendor that has no prices of one company."""

    def __init__(self, vendor: Any, ticker: str) -> None:
        self.vendor = vendor
        self.ticker = ticker

    def grouped_bars(self, on: date) -> dict[str, Any]:
        return {symbol: bar for symbol, bar in self.vendor.grouped_bars(on).items() if symbol != self.ticker}

    def bars(self, symbol: str, start: date, end: date) -> list[Any]:
        return [] if symbol == self.ticker else self.vendor.bars(symbol, start, end)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.vendor, name)


def tables(lake: Lake) -> dict[str, bytes]:
    return {
        item.key: lake.store.read(item.key)
        for zone in ("analytics/", "processed/")
        for item in lake.store.list(zone)
        if item.key.endswith(".parquet")
    }


def assert_same_tables(cloud: Cloud, local: Lake) -> None:
    """Byte for byte, but for when each document was collected, which `daily_summary` says.

    The weights in funds are files where an engine reads them as such, which DuckDB does not.
    """
    remote, here = tables(Lake.at(cloud.lake)), tables(local)
    assert [key for key in remote if "fund_weights" in key] == [
        Lake.flat_key("fund_weights", year) for year in (2023, 2024)
    ]
    remote = {key: data for key, data in remote.items() if "fund_weights" not in key}
    assert remote.keys() == here.keys()
    assert [key for key in here if "daily_summary" not in key and remote[key] != here[key]] == []


def assert_same_documents(cloud: Cloud, local: Lake) -> None:
    lake = Lake.at(cloud.lake)
    assert lake.documents().keys() == local.documents().keys()
    for day in local.documents():
        remote, here = lake.read_document(day), local.read_document(day)
        assert {**remote, "data_collection_time": ""} == {**here, "data_collection_time": ""}


def steps(simulated: Functions) -> list[str]:
    """The functions called, each with its step."""
    return [" ".join(filter(None, (name, event.get("step")))) for name, event in simulated.calls]


def test_a_history_ends_in_the_same_documents_and_tables_as_the_local_pipeline(
    cloud: Cloud, stack: Stack, local: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated, machines = stack
    computed = computed_in(simulated, monkeypatch)

    ended = machines.run("History", RANGE, "history-plain")

    assert ended["status"] == "SUCCEEDED", ended
    assert_same_documents(cloud, local)
    assert_same_tables(cloud, local)
    years = [event["year"] for event in simulated.called("transform") if event["step"] == "year"]
    assert sorted(years) == [2023, 2024]
    assert_nothing_is_left_behind(cloud)
    assert_page_has_the_weight_in_the_fund_on_every_date(Lake.at(cloud.lake))
    assert computed.count("report") == 1
    subject, message = notifications()[-1]
    assert subject == "mag7: complete"
    assert re.search(r"% ± 0.01 of the S&P 500 on 2024-01-02, complete \(SIMULATED\)", message)
    assert "console.aws.amazon.com/s3/object/" in message
    assert_started_twice_is_started_once(simulated, machines)
    assert_nothing_to_recover(simulated, machines)
    # What was made in parts is not made again.
    again = transform(Lake.at(cloud.lake))
    assert (again.written, len(again.unchanged)) == ((), DAYS)


def computed_in(simulated: Functions, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The functions that computed the weight in the fund, once for each time."""
    daily, computed = fund_weights.daily, []

    def counted(*args: Any) -> Any:
        computed.append(simulated.calls[-1][0])
        return daily(*args)

    monkeypatch.setattr(fund_weights, "daily", counted)
    return computed


def assert_nothing_is_left_behind(cloud: Cloud) -> None:
    lake = Lake.at(cloud.lake)
    assert holder_of(lake) is None
    assert not list(lake.store.list("processed/_parts/"))
    assert lake.store.exists(functions.PAGE)


def assert_page_has_the_weight_in_the_fund_on_every_date(lake: Lake) -> None:
    page = lake.store.read(functions.PAGE).decode()
    found = re.search(r'<script type="application/json" id="page-data">(.*?)</script>', page, re.DOTALL)
    assert found
    daily = json.loads(found[1])["datasets"]["daily"]
    weights = [row[daily["columns"].index("fund_weight_pct")] for row in daily["rows"]]
    assert len(weights) == DAYS
    assert all(0 < weight < 100 for weight in weights)


def assert_started_twice_is_started_once(simulated: Functions, machines: Machines) -> None:
    with pytest.raises(machines.client.exceptions.ExecutionAlreadyExists):
        machines.start("History", {"start": "2024-01-02", "end": "2024-01-02"}, "history-plain")
    assert len(simulated.called("dates")) == 1


def assert_nothing_to_recover(simulated: Functions, machines: Machines) -> None:
    simulated.calls.clear()
    assert machines.run("Recovery", RANGE, "recovery-none")["status"] == "SUCCEEDED"
    assert steps(simulated) == ["survey"]


def test_an_evening_without_a_session_ends_as_nothing_new(cloud: Cloud, stack: Stack) -> None:
    simulated, machines = stack
    lake = Lake.at(cloud.lake)
    lake.store.write(lake.document_key(functions._last_served()), b"{}")

    ended = machines.run("History", {"sessions": "new", "scheduled": "2026-11-27T02:05:00Z"}, "evening-1")

    assert (ended["status"], steps(simulated)) == ("SUCCEEDED", ["dates"])


def test_a_rough_run_is_tried_again_by_class_until_it_is_through(cloud: Cloud, stack: Stack, local: Lake) -> None:
    """The lake is held, the vendor throttles, the time of a call is not enough, a year's function dies."""
    simulated, machines = stack
    lake = Lake.at(cloud.lake)
    take(lake, "the execution before", "another-token")
    simulated.before = Roughness(simulated, lake)

    ended = machines.run("History", RANGE, "history-rough")

    assert ended["status"] == "SUCCEEDED", ended
    assert steps(simulated).count("hold take") == 2
    assert [result["state"] for name, result in simulated.results if name == "collect"] == ["again", "done"]
    assert len(simulated.called("collect")) == 3
    assert len([event for event in simulated.called("transform") if event["step"] == "year"]) == 3
    assert_same_documents(cloud, local)
    assert_same_tables(cloud, local)


class Roughness:
    """What happens before each call of a rough run, each thing once."""

    def __init__(self, simulated: Functions, lake: Lake) -> None:
        self.simulated = simulated
        self.lake = lake
        self.seconds = iter([functions._MARGIN_S + 0.01])
        self.throttled = iter([RateLimitError("slow down")])
        self.lost = iter([StoreError("the connection was lost")])

    def __call__(self, name: str, event: Mapping[str, Any]) -> None:
        if len(self.simulated.called("hold")) == 2:
            release(self.lake, "another-token")
        if name == "collect":
            raise_next(self.throttled)
            self.simulated.seconds = next(self.seconds, 900.0)
        if event.get("year") == 2023:
            raise_next(self.lost)


def raise_next(errors: Iterator[Exception]) -> None:
    error = next(errors, None)
    if error is not None:
        raise error


def test_a_refused_key_is_not_tried_again_and_told(cloud: Cloud, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    simulated, machines = stack
    monkeypatch.setattr(functions, "_key", lambda: "not-the-key-of-anybody")

    ended = machines.run("History", RANGE, "history-refused")

    assert (ended["status"], ended["error"]) == ("FAILED", "AuthenticationError")
    assert steps(simulated) == ["dates", "hold take", "collect", "hold release"]
    subject, message = notifications()[-1]
    assert (subject, "history-refused ended in AuthenticationError" in message) == ("mag7 failed", True)
    assert "not-the-key-of-anybody" not in message
    assert holder_of(Lake.at(cloud.lake)) is None


def test_dates_that_fail_are_recovered_by_the_second_machine_and_seen_as_recovered(
    cloud: Cloud, stack: Stack, local: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated, machines = stack
    with monkeypatch.context() as gap:
        open_vendor = functions._open_vendor
        gap.setattr(functions, "_open_vendor", lambda request: Gap(open_vendor(request), "MSFT"))
        first = machines.run("History", RANGE, "history-failing")
    assert first["status"] == "SUCCEEDED", (first.get("error"), first.get("cause"))
    assert [result["state"] for name, result in simulated.results if name == "collect"] == ["unfinished"] * 2
    assert first["output"]["left"]["incomplete"]["count"] == DAYS
    assert notifications()[-1][0] == f"mag7: {DAYS} dates are lacking"

    second = machines.run("Recovery", RANGE, "recovery-1")

    assert second["status"] == "SUCCEEDED", second
    assert second["output"]["range"]["incomplete"]["count"] == DAYS
    assert second["output"]["left"]["count"] == 0
    assert "Recovered: 2023-12-29, 2024-01-02." in notifications()[-1][1]
    assert_same_tables(cloud, local)


def test_an_execution_that_dies_between_years_loses_nothing(cloud: Cloud, stack: Stack, local: Lake) -> None:
    simulated, machines = stack

    def die(name: str, event: Mapping[str, Any]) -> None:
        if event.get("step") == "merge":
            raise RuntimeError("out of memory")

    simulated.before = die
    assert machines.run("History", RANGE, "history-dead")["status"] == "FAILED"
    simulated.before = lambda name, event: None

    ended = machines.run("History", RANGE, "history-after")

    assert ended["status"] == "SUCCEEDED", ended
    assert ended["output"]["collected"]["collected"] == 0
    assert_same_tables(cloud, local)


def test_a_failed_check_publishes_nothing(cloud: Cloud, stack: Stack) -> None:
    simulated, machines = stack

    def damage(name: str, event: Mapping[str, Any]) -> None:
        if name == "validate":
            lake = Lake.at(cloud.lake)
            lake.store.write(lake.flat_key("concentration_metrics", 2024), lake.store.read(
                lake.flat_key("concentration_metrics", 2023)
            ))  # fmt: skip

    simulated.before = damage

    ended = machines.run("History", RANGE, "history-red")

    assert (ended["status"], ended["error"]) == ("FAILED", "ChecksFailedError")
    assert "load" not in steps(simulated)
    assert not Lake.at(cloud.lake).store.exists(functions.PAGE)
    assert simulated.called("survey") == []
    assert functions.survey({**RANGE}, CallContext())["red"]["count"] > 0


def test_what_the_alarms_look_at_is_measured(cloud: Cloud, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAG7_METRICS", cloud.bucket)

    functions.survey({**RANGE}, CallContext())

    metrics = own_client("cloudwatch", cloud.endpoint).list_metrics(Namespace=cloud.bucket)["Metrics"]
    assert {metric["MetricName"] for metric in metrics} == {"LackingDates", "SessionsBehind"}


# The functions alone, as somebody presses Test


def test_the_empty_event_is_the_last_four_years_and_the_last_session(cloud: Cloud, stack: Stack) -> None:
    found = functions.dates({}, CallContext())

    assert found["end"] == functions._last_served().isoformat()
    assert 1_000 < found["count"] < 1_010
    assert found["dates"][-1] == found["end"]


def test_a_range_that_is_none_is_refused(cloud: Cloud, stack: Stack) -> None:
    with pytest.raises(UsageError, match="is not a date"):
        functions.dates({"start": "yesterday"}, CallContext())
