"""One contract for whoever reads the stream: mag7, and both of the vendor's own clients, over the same servers.

What the vendor's clients make of a script tells that the script, and the simulated vendor, speak as the vendor does.
Where they differ from mag7 the difference stands here, and in docs/vendor.md.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from tests.simulators.live_market import live_market, minute_of
from tests.simulators.stream_script import KEY, ScriptedStream, bar, closing, log_in, scripted_stream, status, wait
from websockets.sync.server import ServerConnection

from mag7cli.core.errors import AuthenticationError, PlanError
from mag7cli.vendors.polygon.key import ApiKey
from mag7cli.vendors.polygon.stream import PolygonStream

SYMBOLS = ("AAPL", "BRK.B")
VENDORS = {"polygon-api-client": "polygon", "massive": "massive"}
PATIENCE_S = 10

Minute = tuple[str, int, float, float]
"""Symbol, start in milliseconds, close, volume."""
Script = Callable[[ServerConnection], None]


@dataclass(slots=True)
class Reading:
    """What a client made of a stream: its minutes, whom it was refused by, and whether it ended by itself."""

    minutes: list[Minute] = field(default_factory=list)
    refusal: str = ""
    has_ended: bool = False


def read_by_mag7(url: str, key: str, count: int) -> Reading:
    stream, reading = PolygonStream(ApiKey(key), url, SYMBOLS, jitter=lambda: 0.0), Reading()
    deadline = time.monotonic() + PATIENCE_S
    try:
        while len(reading.minutes) < count and time.monotonic() < deadline:
            bars = stream.receive(0.2).bars
            reading.minutes += [(bar.symbol, bar.start_ms, bar.close_usd, bar.volume) for bar in bars]
    except (AuthenticationError, PlanError) as error:
        reading.refusal = str(error)
    finally:
        stream.close()
    return reading


def read_by_vendor(package: str, url: str, key: str, count: int) -> Reading:
    module, reading = import_module(package), Reading()
    topics = [f"AM.{symbol}" for symbol in SYMBOLS]
    client = module.WebSocketClient(
        api_key=key, feed=urlsplit(url).netloc, market="stocks", secure=False, subscriptions=topics, max_reconnects=2
    )
    enough = asyncio.Event()

    async def handle(messages: Sequence[Any]) -> None:
        reading.minutes += [(one.symbol, one.start_timestamp, one.close, one.volume) for one in messages]
        if len(reading.minutes) >= count:
            enough.set()

    async def connect() -> None:
        tasks = [asyncio.ensure_future(client.connect(handle)), asyncio.ensure_future(enough.wait())]
        await asyncio.wait(tasks, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        reading.has_ended = tasks[0].done()
        await client.close()
        for task in tasks:
            task.cancel()
        _, outcome = [await asyncio.gather(task, return_exceptions=True) for task in reversed(tasks)]
        if isinstance(outcome[0], module.exceptions.AuthError):
            reading.refusal = str(outcome[0])

    asyncio.run(connect())
    return reading


@pytest.fixture(params=["mag7", *VENDORS])
def client(request: pytest.FixtureRequest) -> str:
    if request.param in VENDORS:
        pytest.importorskip(VENDORS[request.param])
    return str(request.param)


@pytest.fixture
def read(client: str) -> Callable[..., Reading]:
    """Read a stream until so many minutes have come."""

    def read(url: str, *, count: int = 1, key: str = KEY) -> Reading:
        return read_by_mag7(url, key, count) if client == "mag7" else read_by_vendor(VENDORS[client], url, key, count)

    return read


@pytest.fixture
def serve() -> Iterator[Callable[..., ScriptedStream]]:
    with ExitStack() as stack:
        yield lambda *scripts: stack.enter_context(scripted_stream(*scripts))


Read = Callable[..., Reading]
Serve = Callable[..., ScriptedStream]


def sending(frame: Any, then: Script = wait, *, client: str = "") -> Script:
    """A script: the key, the first subscription, one frame, and what comes then.

    A server that is to close at once waits for both subscriptions of mag7, so that it is not said good-bye in between.
    """

    def script(socket: ServerConnection) -> None:
        log_in(socket)
        for _ in range(2 if client == "mag7" else 1):
            socket.recv(timeout=5)
            socket.send(status("success", f"subscribed to: AM.{SYMBOLS[0]}"))
        socket.send(orjson.dumps(frame).decode())
        then(socket)

    return script


def test_the_key_and_the_topics_are_said_alike(serve: Serve, read: Read) -> None:
    server = serve(sending([bar(), bar("BRK.B")]))

    read(server.url, count=2)

    key, topics = (orjson.loads(message) for message in server.received[:2])
    assert key == {"action": "auth", "params": KEY}
    assert topics["action"] == "subscribe"
    assert set(topics["params"].split(",")) == {"AM.AAPL", "AM.BRK.B"}


def test_the_same_minutes_are_read(serve: Serve, read: Read) -> None:
    frame = [bar(), bar("BRK.B", c=471.5, v=12), bar(minute=1, c=248.2), {"ev": "status", "status": "x", "message": ""}]

    reading = read(serve(sending(frame[:3])).url, count=3)

    assert reading.minutes == [
        ("AAPL", 1_734_100_200_000, 248.13, 4110.5),
        ("BRK.B", 1_734_100_200_000, 471.5, 12),
        ("AAPL", 1_734_100_260_000, 248.2, 4110.5),
    ]


@pytest.mark.parametrize("text", ["authentication failed", "Your plan doesn't include websocket access."])
def test_a_refused_key_or_plan_ends_it_at_once_with_the_vendor_s_words(serve: Serve, read: Read, text: str) -> None:
    server = serve(lambda socket: (log_in(socket, status("auth_failed", text)), socket.recv(timeout=5)))

    reading = read(server.url)

    assert text in reading.refusal
    assert server.connections == 1


@pytest.mark.parametrize("code", [1000, 1001])
def test_only_mag7_comes_back_after_a_server_that_says_good_bye(
    serve: Serve, read: Read, client: str, code: int
) -> None:
    server = serve(sending([bar()], closing(code), client=client), sending([bar(minute=1)]))

    reading = read(server.url, count=2)

    assert (len(reading.minutes), server.connections) == ((2, 2) if client == "mag7" else (1, 1))
    assert reading.has_ended == (client != "mag7")


def test_all_come_back_after_an_error_of_the_server(serve: Serve, read: Read, client: str) -> None:
    server = serve(sending([bar()], closing(1011), client=client), sending([bar(minute=1)]))

    assert len(read(server.url, count=2).minutes) == 2
    assert server.connections == 2


@pytest.mark.parametrize("unreadable", [None, {"sym": "AAPL"}])
def test_only_mag7_outlives_a_row_that_nobody_can_read(
    serve: Serve, read: Read, client: str, unreadable: object
) -> None:
    reading = read(serve(sending([unreadable, bar()])).url)

    assert len(reading.minutes) == (1 if client == "mag7" else 0)
    assert reading.has_ended == (client != "mag7")


def test_only_mag7_leaves_out_what_cannot_be_a_price(serve: Serve, read: Read, client: str) -> None:
    reading = read(serve(sending([bar(c=-1), bar(c="12.5"), bar(minute=1)])).url, count=1)

    closes = [close for _, _, close, _ in reading.minutes]
    assert closes == ([248.13] if client == "mag7" else [-1, "12.5", 248.13])


def test_the_simulated_vendor_speaks_as_the_vendor_does(read: Read) -> None:
    with live_market(start="12:40", speed=600, key=KEY) as vendor:
        minutes = read(vendor.stream.url, count=4).minutes
        first = minute_of(vendor.session, "12:40")
        sent = {
            (message["sym"], message["s"], message["c"], message["v"])
            for minute in range(first - 1, first + 120)
            for symbol in SYMBOLS
            if (message := vendor.session.message(symbol, minute))
        }
    assert len(minutes) >= 4
    assert set(minutes) <= sent


def test_the_simulated_vendor_refuses_a_key_as_the_vendor_does(read: Read) -> None:
    with live_market(start="12:40", key=KEY) as vendor:
        assert read(vendor.stream.url, key="k3y-of-somebody-else-0123456789ab").refusal
