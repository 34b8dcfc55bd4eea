"""The simulated vendor over real HTTP: its shapes are the vendor's, its refusals too, and it misbehaves as told."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polygon
import pytest
import urllib3
from tests.simulators.sandbox_source import SandboxSource

from mag7cli.core.clock import NEW_YORK
from mag7cli.core.errors import NotYetAvailableError, PlanError, TickerNotFoundError, UsageError
from mag7cli.vendors.sandbox.market import Market
from mag7cli.vendors.sandbox.misbehaviour import FaultRule, RandomFaults
from mag7cli.vendors.sandbox.plan import PLANS, Plan
from mag7cli.vendors.sandbox.server import SandboxServer

SAMPLES = Path(__file__).parents[2] / "data" / "vendor"
DETAILS = "/v3/reference/tickers"
GROUPED = "/v2/aggs/grouped/locale/us/market/stocks"
SPLITS = "/v3/reference/splits"


@pytest.fixture(scope="module")
def market() -> Market:
    return Market()


@pytest.fixture(scope="module")
def server(market: Market) -> Iterator[SandboxServer]:
    with SandboxServer(market) as serving:
        yield serving


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(headers={"Authorization": "Bearer sandbox"}, retries=False) as pool:
        yield pool


def ask(http: urllib3.PoolManager, server: SandboxServer, target: str, **options: Any) -> urllib3.BaseHTTPResponse:
    return http.request("GET", server.url + target, **options)


def sample(name: str) -> Any:
    """An invented answer in the vendor's shape."""
    return json.loads((SAMPLES / name).read_text("utf-8"))


def keys(body: Any) -> set[str]:
    return set(body)


# Shapes


def test_details_have_the_vendors_keys(http: urllib3.PoolManager, server: SandboxServer) -> None:
    theirs = sample("ticker_details.json")

    ours = ask(http, server, f"{DETAILS}/AAPL?date=2024-12-06").json()

    assert keys(ours) == keys(theirs)
    extra = {"round_lot"}  # newer than the sample
    assert keys(ours["results"]) - extra <= keys(theirs["results"])
    assert ours["results"]["market_cap"] == 3670726457320.0
    assert ours["results"]["weighted_shares_outstanding"] == 15_115_823_000


def test_details_without_market_cap_leave_the_keys_out(http: urllib3.PoolManager, server: SandboxServer) -> None:
    theirs = sample("ticker_details_without_market_cap.json")["results"]

    ours = ask(http, server, f"{DETAILS}/MSFT?date=2024-11-20").json()["results"]

    missing = {"market_cap", "weighted_shares_outstanding"}
    assert missing.isdisjoint(keys(theirs) | keys(ours))
    assert "share_class_shares_outstanding" in ours


def test_a_range_has_the_vendors_keys_and_is_stamped_at_midnight_in_new_york(
    http: urllib3.PoolManager, server: SandboxServer
) -> None:
    theirs = sample("range_of_daily_bars.json")

    ours = ask(http, server, "/v2/aggs/ticker/AAPL/range/1/day/2024-12-12/2024-12-13?adjusted=false").json()

    assert keys(ours) == keys(theirs)
    assert keys(ours["results"][0]) == keys(theirs["results"][0])
    assert ours["results"][-1]["t"] == 1734066000000
    assert (ours["adjusted"], ours["resultsCount"], ours["ticker"]) == (False, 2, "AAPL")


def test_grouped_has_the_vendors_keys_and_is_stamped_at_the_close(
    http: urllib3.PoolManager, server: SandboxServer
) -> None:
    theirs = sample("grouped_daily_bars.json")

    ours = ask(http, server, f"{GROUPED}/2024-12-13?adjusted=false").json()

    assert keys(ours) == keys(theirs)
    assert keys(ours["results"][0]) == keys(theirs["results"][0])
    assert ours["results"][0]["t"] == 1734123600000
    symbols = {row["T"] for row in ours["results"]}
    assert len(symbols) == len(ours["results"]) > 503
    assert {"SPY", "METV", "USD", "BRK.A", "AGMpE"} <= symbols
    assert any(row["v"] != int(row["v"]) for row in ours["results"])


def test_the_other_endpoints_have_the_vendors_keys(http: urllib3.PoolManager, server: SandboxServer) -> None:
    events = ask(http, server, "/vX/reference/tickers/META/events?types=ticker_change").json()
    theirs = sample("ticker_changes.json")
    assert keys(events) == keys(theirs)
    assert keys(events["results"]) == keys(theirs["results"])
    assert [event["ticker_change"]["ticker"] for event in events["results"]["events"]] == ["META", "FB"]
    assert events["results"]["events"][0]["date"] == "2022-06-09"

    flat = ask(http, server, "/v1/open-close/AAPL/2024-12-13?adjusted=false").json()
    assert keys(flat) == keys(sample("open_close.json"))

    previous = ask(http, server, "/v2/aggs/ticker/AAPL/prev").json()
    assert keys(previous) == keys(sample("previous_close.json"))

    clock = ask(http, server, "/v1/marketstatus/now").json()
    assert keys(clock) == keys(sample("market_status.json"))
    assert clock["serverTime"] == "2025-01-01T12:00:00-05:00"

    ahead = ask(http, server, "/v1/marketstatus/upcoming").json()
    shapes = {frozenset(row) for row in sample("market_holidays.json")}
    assert {frozenset(row) for row in ahead} == shapes
    assert min(row["date"] for row in ahead) >= "2025-01-01"


def test_splits_have_the_vendors_keys_in_both_versions(http: urllib3.PoolManager, server: SandboxServer) -> None:
    old = ask(http, server, f"{SPLITS}?ticker=TSLA").json()
    assert keys(old["results"][0]) - {"id"} == keys(sample("splits_v3.json")["results"][0]) - {"id"}
    assert old["results"][0]["split_to"] == 3

    new = ask(http, server, "/stocks/v1/splits?ticker=TSLA").json()
    assert keys(new["results"][0]) == keys(sample("splits_v1.json")["results"][0])
    assert new["results"][0]["historical_adjustment_factor"] == 0.333333


def test_the_list_of_tickers_has_the_vendors_keys_and_no_counts(
    http: urllib3.PoolManager, server: SandboxServer
) -> None:
    theirs = sample("ticker_list_first_page.json")

    ours = ask(http, server, f"{DETAILS}?date=2024-12-06&limit=2").json()

    assert keys(ours) == keys(theirs)
    assert keys(ours["results"][0]) - {"composite_figi", "share_class_figi"} <= keys(theirs["results"][0])
    assert [row["ticker"] for row in ours["results"]] == ["A", "AAL"]


def test_pages_follow_each_other_on_this_server_without_the_key(
    http: urllib3.PoolManager, server: SandboxServer
) -> None:
    seen: list[str] = []
    target = f"{DETAILS}?date=2024-12-06&limit=200"
    while target:
        page = ask(http, server, target).json()
        seen += [row["ticker"] for row in page["results"]]
        following = page.get("next_url", "")
        assert following == "" or following.startswith(server.url)
        assert "apiKey" not in following
        target = following.removeprefix(server.url)

    assert len(seen) == len(set(seen)) > 503
    assert seen == sorted(seen)


def test_splits_come_ten_at_a_time_newest_first_unless_asked_otherwise(
    http: urllib3.PoolManager, server: SandboxServer
) -> None:
    default = ask(http, server, SPLITS).json()
    oldest = ask(http, server, f"{SPLITS}?order=asc&limit=1000&execution_date.gte=2021-07-01").json()

    assert len(default["results"]) == 10
    assert "next_url" in default
    days = [row["execution_date"] for row in oldest["results"]]
    assert days == sorted(days)
    assert days[0] >= "2021-07-01"


def test_prices_are_adjusted_for_later_splits_unless_asked_otherwise(
    http: urllib3.PoolManager, server: SandboxServer, market: Market
) -> None:
    target = "/v2/aggs/ticker/NVDA/range/1/day/2021-07-19/2021-07-19"

    adjusted, raw = ask(http, server, target).json(), ask(http, server, f"{target}?adjusted=false").json()

    assert adjusted["adjusted"] is True
    assert raw["results"][0]["c"] == market.truth.close("NVDA", date(2021, 7, 19))
    assert adjusted["results"][0]["c"] == pytest.approx(raw["results"][0]["c"] / 40, abs=1e-4)
    assert adjusted["results"][0]["v"] == pytest.approx(raw["results"][0]["v"] * 40)


def test_a_range_is_sorted_and_limited_as_asked(http: urllib3.PoolManager, server: SandboxServer) -> None:
    target = "/v2/aggs/ticker/AAPL/range/1/day/2024-01-01/2024-12-31?adjusted=false&sort=desc&limit=3"

    rows = ask(http, server, target).json()["results"]

    assert len(rows) == 3
    assert rows[0]["t"] > rows[-1]["t"]
    by_ms = ask(http, server, "/v2/aggs/ticker/AAPL/range/1/day/1734066000000/1734066000000").json()
    assert by_ms["resultsCount"] == 1


@pytest.mark.parametrize("target", [f"{GROUPED}/2024-12-07", "/v2/aggs/ticker/AAPL/range/1/day/2024-12-07/2024-12-08"])
def test_a_closed_day_has_no_results_at_all(http: urllib3.PoolManager, server: SandboxServer, target: str) -> None:
    response = ask(http, server, target)

    assert response.status == 200
    assert response.json()["resultsCount"] == 0
    assert "results" not in response.json()


def test_class_shares_are_spelt_with_a_dot_only(http: urllib3.PoolManager, server: SandboxServer) -> None:
    day = "range/1/day/2024-12-06/2024-12-06"

    assert ask(http, server, f"/v2/aggs/ticker/BRK.B/{day}").json()["resultsCount"] == 1
    assert ask(http, server, f"/v2/aggs/ticker/BRK-B/{day}").json()["resultsCount"] == 0
    assert ask(http, server, f"/v2/aggs/ticker/BRK/B/{day}").status == 404


def test_the_boundary_day_of_a_rename_is_as_odd_as_the_vendors(
    http: urllib3.PoolManager, server: SandboxServer
) -> None:
    grouped = {row["T"] for row in ask(http, server, f"{GROUPED}/2022-06-09").json()["results"]}

    assert "META" in grouped
    assert "FB" not in grouped
    assert ask(http, server, f"{DETAILS}/META?date=2022-06-09").status == 404
    assert ask(http, server, f"{DETAILS}/FB?date=2022-06-09").json()["results"]["cik"] == "0001326801"


# Keys, plans, rates


def test_the_key_is_taken_from_the_header_or_the_query(server: SandboxServer) -> None:
    with urllib3.PoolManager(retries=False) as anyone:
        nobody = ask(anyone, server, "/v1/marketstatus/now")
        wrong = ask(anyone, server, "/v1/marketstatus/now", headers={"Authorization": "Bearer other"})
        query = ask(anyone, server, "/v1/marketstatus/now?apiKey=sandbox")

    assert [nobody.status, wrong.status, query.status] == [401, 401, 200]
    assert nobody.json()["error"] == "Unknown API Key"
    assert [request.auth for request in server.requests[-3:]] == ["none", "bearer", "query"]


def test_the_free_plan_serves_two_years_and_never_today(market: Market, http: urllib3.PoolManager) -> None:
    evening = datetime(2024, 12, 13, 19, 0, tzinfo=NEW_YORK)
    with SandboxServer(market, plan=Plan("test", None, 2, end_of_day=True, snapshots=False), now=evening) as server:
        today = ask(http, server, f"{GROUPED}/2024-12-13")
        yesterday = ask(http, server, f"{GROUPED}/2024-12-12")
        old = ask(http, server, f"{GROUPED}/2022-12-12")
        clipped = ask(http, server, "/v2/aggs/ticker/AAPL/range/1/day/2021-01-04/2024-12-13?limit=50000")
        outside = ask(http, server, "/v2/aggs/ticker/AAPL/range/1/day/2021-01-04/2021-12-31")
        snapshot = ask(http, server, "/v2/snapshot/locale/us/markets/stocks/tickers")

    assert [today.status, yesterday.status, old.status] == [403, 200, 403]
    assert "before end of day" in today.json()["message"]
    assert "timeframe" in old.json()["message"]
    assert outside.status == 403
    first, last = clipped.json()["results"][0]["t"], clipped.json()["results"][-1]["t"]
    assert datetime.fromtimestamp(first / 1000, NEW_YORK).date() == date(2022, 12, 13)
    assert datetime.fromtimestamp(last / 1000, NEW_YORK).date() == date(2024, 12, 12)
    assert "not entitled" in snapshot.json()["message"]


def test_a_delayed_plan_says_so(http: urllib3.PoolManager, server: SandboxServer) -> None:
    assert ask(http, server, f"{GROUPED}/2024-12-13").json()["status"] == "DELAYED"


@pytest.mark.parametrize(("retry_after", "header"), [(True, "60"), (False, None)])
def test_the_sixth_call_of_a_minute_is_one_too_many_on_the_free_plan(
    market: Market, http: urllib3.PoolManager, retry_after: bool, header: str | None
) -> None:
    now = [0.0]
    basic = PLANS["basic"]
    plan = Plan(basic.name, basic.calls_per_minute, basic.history_years, retry_after=retry_after)
    with SandboxServer(market, plan=plan, monotonic=lambda: now[0]) as server:
        statuses = [ask(http, server, "/v1/marketstatus/now").status for _ in range(5)]
        refused = ask(http, server, "/v1/marketstatus/now")
        now[0] = 60.0
        later = ask(http, server, "/v1/marketstatus/now")

    assert statuses == [200] * 5
    assert refused.status == 429
    assert "exceeded the maximum requests per minute" in refused.json()["error"]
    assert refused.headers.get("Retry-After") == header
    assert later.status == 200


def test_every_answer_says_that_it_is_simulated(http: urllib3.PoolManager, server: SandboxServer) -> None:
    assert ask(http, server, "/v1/marketstatus/now").headers["X-Mag7-Simulated"] == "1"
    assert ask(http, server, "/nowhere").headers["X-Mag7-Simulated"] == "1"


def test_it_serves_this_machine_only(market: Market) -> None:
    for host in ("0.0.0.0", "example.com", "10.0.0.1"):
        with pytest.raises(UsageError, match="not a loopback address"):
            SandboxServer(market, host=host)


def test_a_taken_port_is_a_usage_error(market: Market, server: SandboxServer) -> None:
    port = int(server.url.rpartition(":")[2])

    with pytest.raises(UsageError, match=str(port)):
        SandboxServer(market, port=port)


def test_one_connection_serves_many_requests(server: SandboxServer) -> None:
    pool = urllib3.HTTPConnectionPool("127.0.0.1", int(server.url.rpartition(":")[2]), maxsize=1)
    with pool:
        for _ in range(5):
            pool.request("GET", "/v1/marketstatus/now?apiKey=sandbox")

    assert pool.num_connections == 1


def test_latency_is_waited_in_every_connection_at_once(market: Market, http: urllib3.PoolManager) -> None:
    with SandboxServer(market, latency_s=0.2) as server:
        started = time.monotonic()
        threads = [threading.Thread(target=ask, args=(http, server, "/v1/marketstatus/now")) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert 0.2 <= time.monotonic() - started < 0.7


# Misbehaviour


def refusals(market: Market, http: urllib3.PoolManager, rule: FaultRule) -> tuple[Any, Any]:
    """What the first and the second request for Apple's details meet under a rule."""
    outcomes: list[Any] = []
    with SandboxServer(market, faults_script=[rule]) as server:
        for _ in range(2):
            try:
                outcomes.append(ask(http, server, f"{DETAILS}/AAPL?date=2024-12-06", timeout=0.5))
            except urllib3.exceptions.HTTPError as error:
                outcomes.append(error)
        assert [request.fault for request in server.requests] == [rule.kind, None]
    return outcomes[0], outcomes[1]


@pytest.mark.parametrize("status", [500, 502, 503, 429, 520])
def test_a_scripted_status_comes_once_and_then_the_answer(
    market: Market, http: urllib3.PoolManager, status: int
) -> None:
    first, second = refusals(market, http, FaultRule("/AAPL", "status", status=status, retry_after="7"))

    assert (first.status, first.headers["Retry-After"]) == (status, "7")
    assert second.json()["results"]["ticker"] == "AAPL"


def test_a_reset_is_a_reset(market: Market) -> None:
    with (
        SandboxServer(market, faults_script=[FaultRule("/AAPL", "reset")]) as server,
        socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as connection,
    ):
        connection.sendall(f"GET {DETAILS}/AAPL HTTP/1.1\r\nAuthorization: Bearer sandbox\r\n\r\n".encode())

        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_a_cut_body_is_shorter_than_promised(market: Market, http: urllib3.PoolManager) -> None:
    first, second = refusals(market, http, FaultRule("/AAPL", "cut_body"))

    assert isinstance(first, urllib3.exceptions.ProtocolError)
    assert second.status == 200


def test_a_hanging_answer_never_begins(market: Market, http: urllib3.PoolManager) -> None:
    first, second = refusals(market, http, FaultRule("/AAPL", "hang", delay_s=5))

    assert isinstance(first, urllib3.exceptions.ReadTimeoutError)
    assert second.status == 200


def test_a_slow_body_arrives_whole(market: Market, http: urllib3.PoolManager) -> None:
    started = time.monotonic()

    first, _ = refusals(market, http, FaultRule("/AAPL", "slow_body", delay_s=0.3))

    assert first.json()["results"]["ticker"] == "AAPL"
    assert time.monotonic() - started >= 0.25


def test_good_statuses_can_have_bad_bodies(market: Market, http: urllib3.PoolManager) -> None:
    kinds = ("html200", "truncated_json", "wrong_type_json", "wrong_content", "empty_results")

    answers = {kind: refusals(market, http, FaultRule("/AAPL", kind))[0] for kind in kinds}  # type: ignore[arg-type]

    assert {answer.status for answer in answers.values()} == {200}
    assert answers["html200"].data.startswith(b"<!DOCTYPE html>")
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|column|delimiter"):
        json.loads(answers["truncated_json"].data)
    assert answers["wrong_type_json"].json() == ["unexpected"]
    assert answers["wrong_content"].json()["results"]["ticker"] == "ZZZZ"
    assert "results" not in answers["empty_results"].json()


def test_a_rule_can_start_late_and_last(market: Market, http: urllib3.PoolManager) -> None:
    rule = FaultRule("/marketstatus", "status", after=1, times=2)
    with SandboxServer(market, faults_script=[rule]) as server:
        statuses = [ask(http, server, "/v1/marketstatus/now").status for _ in range(5)]

    assert statuses == [200, 500, 500, 200, 200]


def test_random_faults_depend_on_the_seed_and_end(market: Market, http: urllib3.PoolManager) -> None:
    def statuses(seed: int) -> list[int]:
        faults = RandomFaults(seed, rate=0.5, kinds=("status",), most=2)
        with SandboxServer(market, faults_script=[faults]) as server:
            targets = [f"{DETAILS}/{ticker}?date=2024-12-06" for ticker in ("AAPL", "MSFT", "NVDA", "TSLA")]
            return [ask(http, server, target).status for target in targets for _ in range(6)]

    first = statuses(1)

    assert statuses(1) == first
    assert statuses(2) != first
    assert set(first) - {200}
    assert all(first[start : start + 6].count(200) >= 4 for start in range(0, 24, 6))


def test_the_vendors_own_client_understands_it(server: SandboxServer) -> None:
    client = polygon.RESTClient("sandbox", base=server.url, retries=0)
    try:
        details = client.get_ticker_details("NVDA", date="2024-12-06")
        grouped = client.get_grouped_daily_aggs("2024-12-06", adjusted=False)
        splits = list(client.list_splits(execution_date_gte="2024-01-01", limit=10))
        tickers = list(client.list_tickers(date="2024-12-06", limit=250))
        nothing = client.get_aggs("AAPL", 1, "day", "2024-12-07", "2024-12-08")
    finally:
        client.client.clear()

    assert details.market_cap == 142.44 * details.weighted_shares_outstanding
    assert len(grouped) > 503
    assert len(splits) > 40
    assert len(tickers) > 503
    assert nothing == []


# The same market without a server


def test_the_source_in_memory_says_what_the_server_says(
    market: Market, http: urllib3.PoolManager, server: SandboxServer
) -> None:
    source = SandboxSource(market)
    told = source.details("NVDA", date(2024, 6, 7))
    bar = source.grouped_bars(date(2024, 6, 7))["NVDA"]

    over_http = ask(http, server, f"{DETAILS}/NVDA?date=2024-06-07").json()["results"]
    rows = ask(http, server, f"{GROUPED}/2024-06-07?adjusted=false").json()["results"]

    assert told.market_cap_usd == over_http["market_cap"]
    assert told.weighted_shares == over_http["weighted_shares_outstanding"]
    assert next(row["c"] for row in rows if row["T"] == "NVDA") == bar.close_usd
    assert source.bars("NVDA", date(2024, 6, 7), date(2024, 6, 7)) == [bar]
    assert source.calls() == {"details": 1, "grouped": 1, "bars": 1}


def test_the_source_in_memory_refuses_what_the_plan_refuses(market: Market) -> None:
    noon = datetime(2024, 12, 13, 12, 0, tzinfo=NEW_YORK)
    source = SandboxSource(market, now=noon, plan=PLANS["basic"])

    with pytest.raises(NotYetAvailableError):
        source.grouped_bars(date(2024, 12, 13))
    with pytest.raises(PlanError):
        source.grouped_bars(date(2021, 12, 13))
    with pytest.raises(PlanError):
        source.bars("AAPL", date(2021, 1, 4), date(2021, 12, 31))
    with pytest.raises(TickerNotFoundError):
        source.details("GEV", date(2024, 1, 2))
    assert source.bars("AAPL", date(2021, 1, 4), date(2024, 12, 31))[0].trading_date == date(2022, 12, 13)
    assert source.details("AAPL", date(2024, 12, 13)).market_cap_usd == float(
        market.truth.market_cap("AAPL", date(2024, 12, 12))
    )
