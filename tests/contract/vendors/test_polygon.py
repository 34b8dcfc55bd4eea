"""The vendor over real HTTP: what it is asked, what its answers mean, and every way in which it can misbehave."""

import gzip
import inspect
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from importlib import import_module
from typing import Any

import pytest
from tests.simulators.fake_clock import FakeClock, FakeWaits
from tests.simulators.http_script import Behaviour, Cut, Drips, Hangs, Resets, Says, ScriptedServer

from mag7cli.core.clock import SystemClock
from mag7cli.core.errors import (
    AuthenticationError,
    ConfigError,
    InterruptedRunError,
    MalformedResponseError,
    MarketDataError,
    NotYetAvailableError,
    PlanError,
    RateLimitError,
    StoppedEarlyError,
    TickerNotFoundError,
    VendorUnavailableError,
)
from mag7cli.market.intraday import MinuteBar, Snapshot
from mag7cli.market.records import Bar, Split
from mag7cli.vendors.polygon import ApiKey, PolygonSource, Timeouts
from mag7cli.vendors.polygon.client import ClientName
from mag7cli.vendors.rate_limit import Budget, Cancel, Rate, RateLimiter

DAY = date(2024, 12, 13)
RANGE_MS = 1734066000000  # 2024-12-13 00:00 in New York
GROUPED_MS = 1734123600000  # 2024-12-13 16:00 in New York
DETAILS = "/v3/reference/tickers/AAPL"
GROUPED = "/v2/aggs/grouped/locale/us/market/stocks/2024-12-13"
BARS = "/v2/aggs/ticker/AAPL/range/1/day/2024-12-12/2024-12-13"
SPLITS_V3 = "/v3/reference/splits"
SPLITS_V1 = "/stocks/v1/splits"
STATUS = "/v1/marketstatus/now"
SNAPSHOTS = "/v2/snapshot/locale/us/markets/stocks/tickers"

APPLE = {
    "ticker": "AAPL",
    "name": "Apple Inc.",
    "type": "CS",
    "currency_name": "usd",
    "cik": "0000320193",
    "composite_figi": "BBG000B9XRY4",
    "market_cap": 3750689160990.0,
    "weighted_shares_outstanding": 15115823000,
    "share_class_shares_outstanding": 15115820000,
    "list_date": "1980-12-12",
    "description": "Apple makes telephones.",
}


def says_details(**changes: object) -> Says:
    return Says({"status": "OK", "request_id": "r1", "results": APPLE | changes})


def row(**changes: object) -> dict[str, Any]:
    return {
        "o": 247.8,
        "h": 249.3,
        "l": 246.2,
        "c": 248.13,
        "v": 33155290.5,
        "vw": 248.0,
        "t": RANGE_MS,
        "n": 9,
    } | changes


def says_bars(*rows: dict[str, Any], **changes: object) -> Says:
    head = {"ticker": "AAPL", "status": "OK", "adjusted": False, "resultsCount": len(rows), "queryCount": len(rows)}
    return Says(head | {"results": list(rows)} | changes)


def says_grouped(*rows: dict[str, Any], **changes: object) -> Says:
    return says_bars(*({"T": "AAPL"} | each | {"t": each["t"] + GROUPED_MS - RANGE_MS} for each in rows), **changes)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


class Vendor:
    """A source that talks to the scripted server on a clock that only its own waits move."""

    def __init__(self, server: ScriptedServer, client: ClientName | None = None) -> None:
        self.client = client
        self.clock = FakeClock()
        self.waits = FakeWaits(self.clock)
        self.server = server
        self.source = self.source_with()

    def source_with(self, rate: str = "unlimited", budget: Budget | None = None, **options: Any) -> PolygonSource:
        limiter = RateLimiter(Rate.parse(rate), self.clock, cancel=self.waits, budget=budget)
        quick = Timeouts(connect_s=2.0, read_s=0.2, total_s=0.4)
        return PolygonSource(
            ApiKey("test-key-0123456789"),
            **{"limiter": limiter, "clock": self.clock, "base_url": self.server.url, "timeouts": quick} | options,
            jitter=lambda: 1.0,
            client=self.client,
        )


@pytest.fixture(params=["polygon-api-client", "massive"])
def vendor(server: ScriptedServer, request: pytest.FixtureRequest) -> Iterator[Vendor]:
    """The vendor by each of its clients: all that is asked goes through either, with the same answers and errors."""
    if request.param == "massive":
        pytest.importorskip("massive")
    made = Vendor(server, request.param)
    yield made
    made.source.close()


# What is asked, and what the answers mean


def test_details_are_asked_for_the_date_and_read_into_the_vendors_words(server: ScriptedServer, vendor: Vendor) -> None:
    server.on(DETAILS, says_details())

    found = vendor.source.details("AAPL", DAY)

    assert server.requests[0].query["date"] == "2024-12-13"
    assert (found.symbol, found.on, found.name, found.cik) == ("AAPL", DAY, "Apple Inc.", "0000320193")
    assert (found.market_cap_usd, found.weighted_shares) == (3750689160990.0, 15115823000)
    assert found.share_class_shares == 15115820000
    assert (found.currency, found.security_type, found.list_date) == ("usd", "CS", date(1980, 12, 12))


def test_the_client_that_was_asked_for_speaks(server: ScriptedServer, vendor: Vendor) -> None:
    server.on(STATUS, Says({"serverTime": "2024-12-13T18:00:00-05:00"}))

    vendor.source.status()

    assert vendor.source.version.startswith(f"{vendor.client} ")
    assert server.requests[0].headers["Authorization"] == "Bearer test-key-0123456789"


def test_an_address_may_have_a_path_and_be_spelt_in_capitals(server: ScriptedServer, vendor: Vendor) -> None:
    server.on(f"/behind/a/gateway{DETAILS}", says_details())
    source = vendor.source_with(base_url=f"{server.url.replace('http', 'HTTP')}/behind/a/gateway/")

    assert source.details("AAPL", DAY).name == "Apple Inc."


def test_the_client_works_out_the_signature_of_its_method_once(server: ScriptedServer, vendor: Vendor) -> None:
    server.on(DETAILS, says_details())
    vendor.source.details("AAPL", DAY)

    method = import_module(vendor.client.partition("-")[0]).RESTClient.get_ticker_details

    assert inspect.signature(method) is inspect.signature(method)


def test_snapshots_are_asked_for_in_one_call_and_zeros_are_what_is_not_there_yet(
    server: ScriptedServer, vendor: Vendor
) -> None:
    minute = {"t": 1734101940000, "o": 1.0, "h": 1.0, "l": 1.0, "c": 248.2, "v": 10.5, "vw": 1.0, "av": 5000}
    quiet = {"day": {"o": 0, "c": 0, "v": 0}, "min": {"t": 0, "c": 0, "v": 0}, "prevDay": {"c": 470.5}}
    traded = {"day": {"o": 247.8, "c": 248.13, "v": 5000}, "min": minute, "prevDay": {"c": 247.96}}
    rows = [{"ticker": "AAPL", **traded}, {"ticker": "BRK.B", **quiet}]
    server.on(SNAPSHOTS, Says({"status": "DELAYED", "count": 2, "tickers": rows}))

    snapshots = vendor.source.snapshots(["AAPL", "BRK.B", "NOSUCH"])

    assert server.requests[0].query["tickers"] == "AAPL,BRK.B,NOSUCH"
    last = MinuteBar("AAPL", 1734101940000, 248.2, 10.5, day_volume=5000.0, day_open_usd=247.8)
    assert snapshots == [Snapshot("AAPL", last, 247.8, 248.13, 247.96), Snapshot("BRK.B", None, None, None, 470.5)]
    assert vendor.source.calls() == {"snapshots": 1}


@pytest.mark.parametrize(
    "body",
    [
        {"status": "OK"},
        {"status": "OK", "tickers": None},
        {"status": "OK", "tickers": ["AAPL"]},
        {"status": "OK", "tickers": [{"day": {}}]},
        {"status": "OK", "tickers": [{"ticker": "AAPL", "min": {"t": 1734101940000, "c": -1, "v": 1}}]},
    ],
)
def test_snapshots_of_another_shape_are_a_fault(server: ScriptedServer, vendor: Vendor, body: dict[str, Any]) -> None:
    server.on(SNAPSHOTS, Says(body))

    with pytest.raises(MalformedResponseError):
        vendor.source.snapshots(["AAPL"])


def test_what_the_vendor_leaves_out_of_details_is_none(server: ScriptedServer, vendor: Vendor) -> None:
    """As for Microsoft in November 2024: no market_cap and no weighted shares."""
    results = {"ticker": "AAPL", "name": "Apple Inc.", "share_class_shares_outstanding": 7433040000}
    server.on(DETAILS, Says({"status": "OK", "results": results}))

    found = vendor.source.details("AAPL", DAY)

    assert (found.market_cap_usd, found.weighted_shares, found.cik, found.list_date) == (None, None, None, None)
    assert found.share_class_shares == 7433040000


def test_a_market_cap_of_zero_is_an_unknown_one(server: ScriptedServer, vendor: Vendor) -> None:
    server.on(DETAILS, says_details(market_cap=0, weighted_shares_outstanding=0))

    found = vendor.source.details("AAPL", DAY)

    assert (found.market_cap_usd, found.weighted_shares) == (None, None)


def test_bars_are_asked_unadjusted_and_in_one_page(server: ScriptedServer, vendor: Vendor) -> None:
    server.on(BARS, says_bars(row(t=RANGE_MS - 86_400_000, c=247.96), row()))

    found = vendor.source.bars("AAPL", date(2024, 12, 12), DAY)

    query = server.requests[0].query
    assert (query["adjusted"], query["sort"], query["limit"]) == ("false", "asc", "50000")
    assert [bar.trading_date for bar in found] == [date(2024, 12, 12), DAY]
    assert found[1] == Bar("AAPL", DAY, 247.8, 249.3, 246.2, 248.13, 33155290.5, 248.0)


def test_the_whole_market_of_a_day_is_asked_unadjusted(server: ScriptedServer, vendor: Vendor) -> None:
    server.on(GROUPED, says_grouped(row(), row(T="BRK.B", c=460.0, h=470.0)))

    found = vendor.source.grouped_bars(DAY)

    assert server.requests[0].query["adjusted"] == "false"
    assert set(found) == {"AAPL", "BRK.B"}
    assert (found["BRK.B"].close_usd, found["BRK.B"].trading_date) == (460.0, DAY)


@pytest.mark.parametrize("extra", [{}, {"results": []}])
def test_a_closed_day_is_empty_with_results_absent_or_empty(
    server: ScriptedServer, vendor: Vendor, extra: dict[str, object]
) -> None:
    nothing = Says({"status": "OK", "queryCount": 0, "resultsCount": 0, "adjusted": True} | extra)
    server.on(GROUPED, nothing)
    server.on(BARS, nothing)

    assert vendor.source.grouped_bars(DAY) == {}
    assert vendor.source.bars("AAPL", date(2024, 12, 12), DAY) == []


def test_an_answer_that_is_fifteen_minutes_late_is_an_answer(server: ScriptedServer, vendor: Vendor) -> None:
    server.on(GROUPED, says_grouped(row(), status="DELAYED"))

    assert vendor.source.grouped_bars(DAY)["AAPL"].close_usd == 248.13


def test_one_impossible_bar_of_the_market_costs_only_itself(
    server: ScriptedServer, vendor: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    server.on(GROUPED, says_grouped(row(), row(T="ZERO", c=0), row(T="MINUS", l=-1.0), row(T="SPY"), row(T="QQQ")))

    assert set(vendor.source.grouped_bars(DAY)) == {"AAPL", "SPY", "QQQ"}
    assert "left out 2 bars that cannot be true: MINUS, ZERO" in caplog.text


def test_splits_are_read_through_all_pages_on_our_own_host(server: ScriptedServer, vendor: Vendor) -> None:
    first = {"ticker": "NVDA", "execution_date": "2024-06-10", "split_from": 1, "split_to": 10}
    again = {"ticker": "WMT", "execution_date": "2024-02-26", "split_from": 1, "split_to": 3}
    server.on(
        SPLITS_V3,
        Says({"status": "OK", "results": [first], "next_url": "https://api.polygon.io/v3/reference/splits?cursor=abc"}),
        Says({"status": "OK", "results": [first, again]}),
    )

    found = vendor.source.splits(date(2024, 1, 1), DAY)

    nvidia = Split("NVDA", date(2024, 6, 10), 1.0, 10.0)
    assert found == [nvidia, nvidia, Split("WMT", date(2024, 2, 26), 1.0, 3.0)]
    assert server.requests[0].query == {
        "execution_date.gte": "2024-01-01",
        "execution_date.lte": "2024-12-13",
        "limit": "1000",
        "order": "asc",
        "sort": "execution_date",
    }
    assert server.requests[1].query == {"cursor": "abc"}
    assert server.requests[1].headers["Authorization"] == "Bearer test-key-0123456789"


@pytest.mark.parametrize("gone", [Says({"status": "NOT_FOUND"}, 404), Says(b"<html>gone</html>", 410)])
def test_splits_come_from_the_successor_when_the_old_endpoint_is_gone(
    server: ScriptedServer, vendor: Vendor, gone: Behaviour
) -> None:
    server.on(SPLITS_V3, gone)
    row = {"ticker": "NVDA", "execution_date": "2024-06-10", "split_from": 1.0, "split_to": 10.0, "id": "E1"}
    server.on(SPLITS_V1, Says({"status": "OK", "results": [row]}))

    assert vendor.source.splits(date(2024, 1, 1), DAY) == [Split("NVDA", date(2024, 6, 10), 1.0, 10.0)]
    assert server.requests[-1].query["sort"] == "execution_date.asc"
    assert server.requests[-1].query["limit"] == "5000"


def test_the_second_list_of_splits_has_factors(server: ScriptedServer, vendor: Vendor) -> None:
    row = {"ticker": "NVDA", "execution_date": "2024-06-10", "split_from": 1.0, "split_to": 10.0, "id": "E1"}
    factors = [0.1, None, "much", -1, 0]
    rows = [row | {"historical_adjustment_factor": factor} for factor in factors]
    server.on(SPLITS_V1, Says({"status": "OK", "results": rows}))

    splits = vendor.source.splits_with_factors(date(2024, 1, 1), DAY)

    assert [split.factor for split in splits] == [0.1, None, None, None, None]
    assert set(splits) == {Split("NVDA", date(2024, 6, 10), 1.0, 10.0)}, "a factor makes no other split"
    assert server.requests[-1].path == SPLITS_V1


def test_pages_that_lead_in_a_circle_are_a_fault(server: ScriptedServer, vendor: Vendor) -> None:
    server.on(SPLITS_V3, Says({"status": "OK", "results": [], "next_url": f"{server.url}{SPLITS_V3}?cursor=again"}))

    with pytest.raises(MalformedResponseError, match="no end"):
        vendor.source.splits(date(2024, 1, 1), DAY)


def test_the_vendors_clock_proves_the_key(server: ScriptedServer, vendor: Vendor) -> None:
    server.on(STATUS, Says({"market": "closed", "serverTime": "2024-12-13T18:00:00-05:00"}))

    assert vendor.source.status().server_time == "2024-12-13T18:00:00-05:00"


def test_calls_are_counted_by_kind_with_those_that_failed(server: ScriptedServer, vendor: Vendor) -> None:
    server.on(DETAILS, Says(status=500), says_details())
    server.on(GROUPED, says_grouped(row()))

    vendor.source.details("AAPL", DAY)
    vendor.source.grouped_bars(DAY)

    assert vendor.source.calls() == {"details": 2, "grouped": 1}
    assert len(server.requests) == 3


def test_a_compressed_body_is_read(server: ScriptedServer, vendor: Vendor) -> None:
    body = gzip.compress(json.dumps(says_details().body).encode())
    server.on(DETAILS, Says(body, headers={"Content-Encoding": "gzip"}))

    assert vendor.source.details("AAPL", DAY).name == "Apple Inc."


def test_a_simulated_vendor_is_recognised_by_its_answers(server: ScriptedServer, vendor: Vendor) -> None:
    server.on(STATUS, Says({"serverTime": "2024-12-13T18:00:00-05:00"}, headers={"X-Mag7-Simulated": "1"}))
    before = vendor.source.simulated

    vendor.source.status()

    assert (before, vendor.source.simulated) == (False, True)


# Refusals


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"status": "ERROR", "error": "Unknown API Key"}, AuthenticationError),
        (403, {"status": "NOT_AUTHORIZED", "message": "You are not entitled to this data. Please upgrade"}, PlanError),
        (403, {"message": "Your plan doesn't include this data timeframe. Please upgrade your plan"}, PlanError),
        (403, {"message": "Attempted to request today's data before end of day. Please upgrade"}, NotYetAvailableError),
        (404, {"status": "NOT_FOUND", "message": "Ticker not found."}, TickerNotFoundError),
        (400, {"status": "ERROR", "error": "Invalid date"}, MarketDataError),
        (302, b"", MarketDataError),
    ],
)
def test_a_refusal_is_said_at_once_with_the_vendors_words(
    server: ScriptedServer, vendor: Vendor, status: int, body: object, error: type[MarketDataError]
) -> None:
    server.on(DETAILS, Says(body, status, {"X-Request-Id": "r42", "Location": "http://192.0.2.1/"}))

    with pytest.raises(error) as refused:
        vendor.source.details("AAPL", DAY)

    assert type(refused.value) is error
    assert (refused.value.status, refused.value.request_id) == (status, "r42")
    assert str(refused.value).startswith(f"details of AAPL for 2024-12-13: {status}")
    if isinstance(body, dict):
        assert (body.get("error") or body["message"]) in str(refused.value)
    assert len(server.requests) == 1


def test_a_404_that_is_not_the_vendors_does_not_say_that_a_ticker_is_unknown(
    server: ScriptedServer, vendor: Vendor
) -> None:
    server.on(DETAILS, Says(b"<html>404 page not found</html>", 404))

    with pytest.raises(MalformedResponseError) as refused:
        vendor.source.details("AAPL", DAY)

    assert "POLYGON_BASE_URL" in str(refused.value.hint)


@pytest.mark.parametrize(
    "symbol", ["../../v1/x", "BRK/B", "BRK-B", "", "AAPL?apiKey=1", "A B", "AAPL\n", "Ä", "A" * 40]
)
def test_a_symbol_that_could_change_the_path_is_never_sent(server: ScriptedServer, vendor: Vendor, symbol: str) -> None:
    for ask in (
        lambda: vendor.source.details(symbol, DAY),
        lambda: vendor.source.bars(symbol, DAY, DAY),
    ):
        with pytest.raises(TickerNotFoundError, match="cannot be a symbol"):
            ask()

    assert server.requests == []


@pytest.mark.parametrize("symbol", ["A", "BRK.B", "AGMpE", "GOOGL", "ABC.WS.A"])
def test_every_spelling_of_the_vendor_can_be_asked(server: ScriptedServer, vendor: Vendor, symbol: str) -> None:
    server.on(f"/v3/reference/tickers/{symbol}", says_details(ticker=symbol))

    assert vendor.source.details(symbol, DAY).symbol == symbol


# Faults that pass


@pytest.mark.parametrize(
    "fault",
    [
        Says(status=500),
        Says(status=502),
        Says(b"upstream timed out", 504),
        Says(status=408),
        Says({"status": "ERROR", "error": "You've exceeded the maximum requests per minute"}, 429),
        Says(status=429, headers={"Retry-After": "3"}),
        Cut(),
        Cut(chunked=True),
        Cut(b""),
        Resets(),
        Hangs(),
        Drips(0.05),
        Says(b"<!doctype html><title>One moment</title>"),
        Says(b'{"status": "OK", "results": {"ticker": "AA'),
        Says(b""),
        Says([]),
        Says("OK"),
        Says({}),
        Says({"status": "OK"}),
        Says({"status": "ERROR", "error": "shard failed"}),
        Says({"status": "OK", "results": []}),
        Says({"status": "OK", "results": APPLE | {"ticker": "MSFT"}}),
        Says({"status": "OK", "results": APPLE | {"market_cap": "a lot"}}),
        Says({"status": "OK", "results": APPLE | {"market_cap": -1}}),
        Says(b'{"status": "OK", "results": {"ticker": "AAPL", "market_cap": NaN}}'),
        Says({"status": "OK", "results": APPLE | {"list_date": "soon"}}),
        Says(b"\x1f\x8b garbage", headers={"Content-Encoding": "gzip"}),
        Says(b"", 204),
    ],
    ids=repr,
)
def test_a_fault_is_asked_again_and_the_answer_after_it_counts(
    server: ScriptedServer, vendor: Vendor, fault: Behaviour
) -> None:
    server.on(DETAILS, fault, fault, says_details())

    assert vendor.source.details("AAPL", DAY).market_cap_usd == 3750689160990.0
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Says(status=503), VendorUnavailableError),
        (Says(status=429), RateLimitError),
        (Cut(), VendorUnavailableError),
        (Resets(), VendorUnavailableError),
        (Says(b"<html>"), MalformedResponseError),
        (Says([]), MalformedResponseError),
    ],
    ids=repr,
)
def test_a_fault_that_stays_is_given_up_after_five_attempts(
    server: ScriptedServer, vendor: Vendor, fault: Behaviour, error: type[MarketDataError]
) -> None:
    server.on(DETAILS, fault)

    with pytest.raises(error, match=r"asked 5 times"):
        vendor.source.details("AAPL", DAY)

    assert len(server.requests) == 5


GOOD_BARS = (row(t=RANGE_MS - 86_400_000), row())


@pytest.mark.parametrize(
    "wrong",
    [
        says_bars(*GOOD_BARS, adjusted=True),
        says_bars(*GOOD_BARS, ticker="MSFT"),
        says_bars(row(t=RANGE_MS - 3 * 86_400_000)),
        says_bars(row(t=RANGE_MS + 86_400_000)),
        says_bars(row(), row()),
        says_bars(row(c=0)),
        says_bars(row(o=-1)),
        says_bars(row(h=None)),
        says_bars(row(l="246.2")),
        says_bars(row(v=-5)),
        says_bars(row(t="2024-12-13")),
        says_bars(row(t=RANGE_MS * 1_000_000)),
        says_bars(row(c=True)),
        says_bars("AAPL"),  # type: ignore[arg-type]
        says_bars(row(), resultsCount=0),
        says_bars(resultsCount=2),
        Says({"status": "OK", "adjusted": False}),
        Says(b'{"status":"OK","ticker":"AAPL","adjusted":false,"resultsCount":1,"results":[{"c":1e999}]}'),
    ],
    ids=lambda says: str(says.body)[:120],
)
def test_bars_of_another_kind_are_refused(server: ScriptedServer, vendor: Vendor, wrong: Behaviour) -> None:
    server.on(BARS, wrong)

    with pytest.raises(MalformedResponseError):
        vendor.source.bars("AAPL", date(2024, 12, 12), DAY)


def test_a_grouped_day_of_another_date_is_refused(server: ScriptedServer, vendor: Vendor) -> None:
    server.on(GROUPED, says_grouped(row(t=RANGE_MS - 86_400_000)))

    with pytest.raises(MalformedResponseError, match="2024-12-12"):
        vendor.source.grouped_bars(DAY)


def test_a_grouped_day_of_mostly_impossible_bars_is_refused(server: ScriptedServer, vendor: Vendor) -> None:
    server.on(GROUPED, says_grouped(row(c=0), row(T="MSFT", c=0), row(T="SPY")))

    with pytest.raises(MalformedResponseError, match="2 of its 3 bars"):
        vendor.source.grouped_bars(DAY)


def test_splits_outside_the_range_are_refused(server: ScriptedServer, vendor: Vendor) -> None:
    """A server that ignores the filter would hand out splits that were not asked for."""
    row = {"ticker": "NVDA", "execution_date": "2024-06-10", "split_from": 1, "split_to": 10}
    server.on(SPLITS_V3, Says({"status": "OK", "results": [row]}))

    with pytest.raises(MalformedResponseError, match="2024-06-10"):
        vendor.source.splits(date(2024, 7, 1), DAY)


def test_a_split_that_cannot_be_true_is_left_out(server: ScriptedServer, vendor: Vendor) -> None:
    good = {"ticker": "NVDA", "execution_date": "2024-06-10", "split_from": 1, "split_to": 10}
    server.on(SPLITS_V3, Says({"status": "OK", "results": [good, good | {"ticker": "ODD", "split_from": 0}]}))

    assert [split.symbol for split in vendor.source.splits(date(2024, 1, 1), DAY)] == ["NVDA"]


# Waiting


def test_retry_after_in_seconds_is_waited_for(server: ScriptedServer, vendor: Vendor) -> None:
    server.on(DETAILS, Says(status=429, headers={"Retry-After": "17"}), says_details())

    vendor.source.details("AAPL", DAY)

    assert vendor.clock.elapsed == pytest.approx(17.0)


def test_retry_after_as_a_date_is_waited_for(server: ScriptedServer, vendor: Vendor) -> None:
    """The clock stands at 22:00 GMT."""
    late = Says(status=429, headers={"Retry-After": "Mon, 16 Dec 2024 22:02:00 GMT"})
    server.on(DETAILS, late, says_details())

    vendor.source.details("AAPL", DAY)

    assert vendor.clock.elapsed == pytest.approx(120.0)


@pytest.mark.parametrize("value", ["soon", "-5", "1.5.2", ""])
def test_a_retry_after_that_says_nothing_is_as_none(server: ScriptedServer, vendor: Vendor, value: str) -> None:
    server.on(DETAILS, Says(status=429, headers={"Retry-After": value}), says_details())

    vendor.source.details("AAPL", DAY)

    assert vendor.clock.elapsed == pytest.approx(1.0)


def test_a_429_without_retry_after_waits_for_the_plans_period_first(server: ScriptedServer, vendor: Vendor) -> None:
    server.on(DETAILS, Says(status=429), says_details())

    vendor.source_with(rate="5/min").details("AAPL", DAY)

    assert 60 <= vendor.clock.elapsed < 75


def test_a_busy_server_is_given_longer_each_time(server: ScriptedServer, vendor: Vendor) -> None:
    server.on(DETAILS, Says(status=500))

    with pytest.raises(VendorUnavailableError):
        vendor.source.details("AAPL", DAY)

    assert vendor.waits.waits == [0.5, 1.0, 2.0, 4.0]


def test_a_server_that_asks_for_a_pause_gets_it(server: ScriptedServer, vendor: Vendor) -> None:
    server.on(DETAILS, Says(status=503, headers={"Retry-After": "40"}), says_details())

    vendor.source.details("AAPL", DAY)

    assert vendor.clock.elapsed == pytest.approx(40.0)


def test_a_hung_server_costs_the_read_timeout_and_a_dripping_one_the_total(
    server: ScriptedServer, vendor: Vendor
) -> None:
    once = vendor.source_with(max_attempts=1)
    took = {}
    for name, fault in {"hang": Hangs(), "drip": Drips(0.05)}.items():
        server.on(DETAILS, fault)
        before = time.monotonic()
        with pytest.raises(VendorUnavailableError):
            once.details("AAPL", DAY)
        took[name] = time.monotonic() - before

    assert took["hang"] < 1.0
    assert took["drip"] < 1.5


def test_a_wait_longer_than_the_runs_time_ends_the_run(server: ScriptedServer, vendor: Vendor) -> None:
    server.on(DETAILS, Says(status=429, headers={"Retry-After": "300"}))
    source = vendor.source_with(budget=Budget(vendor.clock, max_duration_s=120))

    with pytest.raises(StoppedEarlyError, match="--max-duration"):
        source.details("AAPL", DAY)

    assert vendor.clock.elapsed == 0


def test_max_calls_counts_what_is_asked_again(server: ScriptedServer, vendor: Vendor) -> None:
    server.on(DETAILS, Says(status=500))
    source = vendor.source_with(budget=Budget(vendor.clock, max_calls=3))

    with pytest.raises(StoppedEarlyError, match="--max-calls 3"):
        source.details("AAPL", DAY)

    assert len(server.requests) == 3


def test_ctrl_c_cuts_a_request_that_hangs(server: ScriptedServer) -> None:
    server.on(DETAILS, Hangs())
    clock, cancel = SystemClock(), Cancel()
    limiter = RateLimiter(Rate.parse("unlimited"), clock, cancel=cancel)
    source = PolygonSource(ApiKey("test-key"), limiter=limiter, clock=clock, base_url=server.url)
    ended: list[BaseException] = []

    def ask() -> None:
        try:
            source.details("AAPL", DAY)
        except InterruptedRunError as error:
            ended.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    wait_until(lambda: bool(server.requests))
    cancel.request()
    source.close()
    thread.join(2)

    assert len(ended) == 1


# Many threads


def test_many_threads_share_one_source_and_its_connections(
    server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    symbols = [f"T{chr(65 + n // 26)}{chr(65 + n % 26)}" for n in range(200)]
    for symbol in symbols:
        server.on(f"/v3/reference/tickers/{symbol}", says_details(ticker=symbol))
    clock = SystemClock()
    source = PolygonSource(
        ApiKey("test-key"),
        limiter=RateLimiter(Rate.parse("unlimited"), clock),
        clock=clock,
        base_url=server.url,
        workers=8,
    )

    found = in_threads(8, symbols, lambda symbol: source.details(symbol, DAY).symbol)
    source.close()

    assert sorted(found) == symbols
    assert source.calls() == {"details": 200}
    assert len({seen.peer for seen in server.requests}) <= 8
    assert "pool is full" not in caplog.text


def test_the_server_never_sees_more_than_the_rate_however_many_threads_ask(server: ScriptedServer) -> None:
    server.on(DETAILS, Says(says_details().body, after_s=0.02))
    clock = SystemClock()
    limiter = RateLimiter(Rate.parse("25/s"), clock)
    source = PolygonSource(ApiKey("test-key"), limiter=limiter, clock=clock, base_url=server.url)

    in_threads(16, list(range(60)), lambda _: source.details("AAPL", DAY))
    source.close()

    seen = sorted(request.at for request in server.requests)
    assert max(sum(start <= at < start + 1.0 for at in seen) for start in seen) <= 25
    assert 59 / (seen[-1] - seen[0]) >= 0.8 * 25


# Addresses


@pytest.mark.parametrize(
    "address",
    [
        "http://api.polygon.io",
        "http://192.168.1.5:8080",
        "ftp://api.polygon.io",
        "api.polygon.io",
        "https://user:secret@api.polygon.io",
        "https://api.polygon.io/?apiKey=secret",
        "https://",
        "",
    ],
)
def test_an_address_to_which_the_key_would_not_be_safe_is_refused(vendor: Vendor, address: str) -> None:
    with pytest.raises(ConfigError) as refused:
        vendor.source_with(base_url=address)

    assert "secret" not in f"{refused.value} {refused.value.hint}"


@pytest.mark.parametrize(
    "address", ["https://api.massive.com/", "http://localhost:9", "http://127.0.0.1:9", "http://[::1]:9"]
)
def test_https_anywhere_and_http_on_this_machine_are_fine(vendor: Vendor, address: str) -> None:
    vendor.source_with(base_url=address)


def test_nobody_listening_is_an_unavailable_vendor(vendor: Vendor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with pytest.raises(VendorUnavailableError, match="no connection to the vendor's host"):
        vendor.source_with(base_url=f"http://127.0.0.1:{port}").details("AAPL", DAY)


def test_a_name_that_does_not_resolve_is_an_unavailable_vendor(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_name(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    source = vendor.source_with(base_url="https://mag7.invalid", max_attempts=2)

    with pytest.raises(VendorUnavailableError, match=r"cannot be resolved .asked 2 times"):
        source.details("AAPL", DAY)


def test_nothing_is_printed_whatever_goes_wrong(
    server: ScriptedServer, vendor: Vendor, capfd: pytest.CaptureFixture[str]
) -> None:
    """The vendor's client attaches a handler to stdout, where results belong."""
    server.on(DETAILS, Says(b"<html>"), Says([]), Says({}), says_details())

    vendor.source.details("AAPL", DAY)

    assert capfd.readouterr() == ("", "")


def wait_until(true: Callable[[], bool], timeout_s: float = 5.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def in_threads(count: int, work: list[Any], do: Callable[[Any], Any]) -> list[Any]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(do, work))
