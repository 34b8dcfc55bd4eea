"""The vendor's stream as the client meets it: real WebSockets on the loopback, every way a connection can go."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http import HTTPStatus

import pytest
from tests.simulators.stream_script import (
    KEY,
    ScriptedStream,
    aborting,
    bar,
    closing,
    log_in,
    scripted_stream,
    sending,
    status,
    subscribe,
)
from websockets.sync.server import ServerConnection

from mag7cli.core.errors import AuthenticationError, ConfigError, Mag7Error, MarketDataError, PlanError
from mag7cli.market.intraday import MinuteBar, TradingHalt
from mag7cli.vendors.base import Received
from mag7cli.vendors.polygon.key import ApiKey
from mag7cli.vendors.polygon.stream import PolygonStream

SYMBOLS = ("AAPL", "BRK.B")


def stream_of(server: ScriptedStream) -> PolygonStream:
    return PolygonStream(ApiKey(KEY), server.url, SYMBOLS, jitter=lambda: 0.0)


def received(stream: PolygonStream, enough: Callable[[list[Received]], bool], seconds: float = 5) -> list[Received]:
    """What came until it was enough."""
    steps: list[Received] = []
    deadline = time.monotonic() + seconds
    while not enough(steps):
        assert time.monotonic() < deadline, steps
        steps.append(stream.receive(0.2))
    return steps


def bars_of(steps: list[Received]) -> list[MinuteBar]:
    return [bar for step in steps for bar in step.bars]


def notices_of(steps: list[Received]) -> list[str]:
    return [notice.kind for step in steps for notice in step.notices]


@pytest.fixture
def serve() -> Iterator[Callable[..., ScriptedStream]]:
    with ExitStack() as stack:
        yield lambda *scripts, **options: stack.enter_context(scripted_stream(*scripts, **options))


Serve = Callable[..., ScriptedStream]


def test_the_key_is_sent_once_and_the_symbols_are_subscribed_in_one_message(serve: Serve) -> None:
    server = serve(sending([bar()]))
    stream = stream_of(server)

    steps = received(stream, bars_of)
    stream.close()

    assert server.received == [
        f'{{"action": "auth", "params": "{KEY}"}}',
        '{"action":"subscribe","params":"AM.AAPL,AM.BRK.B"}',
        '{"action":"subscribe","params":"LULD.AAPL,LULD.BRK.B"}',
    ]
    assert notices_of(steps) == ["connected"]
    assert bars_of(steps) == [
        MinuteBar("AAPL", 1_734_100_200_000, 248.13, 4110.5, day_volume=9_470_157, day_open_usd=248.1)
    ]


def test_a_halt_and_its_end_are_messages(serve: Serve) -> None:
    luld = {"ev": "LULD", "T": "AAPL", "h": 1.0, "l": 0.5, "z": 3, "t": 1_734_100_200_123, "q": 1}
    stream = stream_of(
        serve(sending([{**luld, "i": [17]}, {**luld, "i": [16]}, {**luld, "i": [18], "t": 1_734_100_201_000}]))
    )

    steps = received(stream, lambda steps: any(step.halts for step in steps))

    assert [halt for step in steps for halt in step.halts] == [
        TradingHalt("AAPL", 1_734_100_200_123, is_halted=True),
        TradingHalt("AAPL", 1_734_100_201_000, is_halted=False),
    ]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (status("auth_failed", "authentication failed"), AuthenticationError),
        (status("error", "authentication failed"), AuthenticationError),
        (status("auth_failed", "Your plan doesn't include websocket access. Visit https://x/pricing"), PlanError),
        (status("auth_failed", f"You are not entitled: {KEY}"), PlanError),
    ],
)
def test_a_refused_key_or_plan_is_said_at_once_and_not_tried_again(
    serve: Serve, answer: str, error: type[Mag7Error]
) -> None:
    server = serve(lambda socket: (log_in(socket, answer), socket.recv(timeout=5)))
    stream = stream_of(server)

    with pytest.raises(error) as raised:
        received(stream, bars_of)

    assert server.connections == 1
    assert KEY not in f"{raised.value} {raised.value.hint}"


def test_a_plan_without_the_channel_is_said_after_the_subscription(serve: Serve) -> None:
    def script(socket: ServerConnection) -> None:
        log_in(socket)
        socket.recv(timeout=5)
        socket.send(status("error", "not authorized"))
        socket.recv(timeout=5)

    with pytest.raises(PlanError, match="not authorized"):
        received(stream_of(serve(script)), bars_of)


def test_a_refusal_of_the_halts_alone_keeps_the_bars(serve: Serve) -> None:
    refusal = status("error", "not authorized: LULD.AAPL")

    steps = received(stream_of(serve(sending(refusal, [bar()]))), bars_of)

    assert len(bars_of(steps)) == 1


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (HTTPStatus.UNAUTHORIZED, AuthenticationError),
        (HTTPStatus.FORBIDDEN, PlanError),
        (HTTPStatus.NOT_FOUND, MarketDataError),
    ],
)
def test_a_handshake_refused_by_http_is_no_reason_to_try_for_ever(
    serve: Serve, code: HTTPStatus, error: type[Mag7Error]
) -> None:
    server = serve(sending(), process_request=lambda connection, _: connection.respond(code, "no\n"))

    with pytest.raises(error, match=str(code.value)):
        received(stream_of(server), bars_of)


@pytest.mark.parametrize("end", [closing(1000), closing(1001), closing(1011), aborting])
def test_a_connection_that_ends_in_any_way_is_made_again(serve: Serve, end: Callable[[ServerConnection], None]) -> None:
    server = serve(sending([bar()], then=end), sending([bar(minute=1)]))

    steps = received(stream_of(server), lambda steps: len(bars_of(steps)) == 2)

    assert notices_of(steps) == ["connected", "lost", "connected"]
    assert server.connections == 2


def test_a_server_that_is_down_for_a_while_is_met_again_within_seconds_of_its_return(serve: Serve) -> None:
    down_until = time.monotonic() + 1.5

    def while_down(connection: ServerConnection, _: object) -> object:
        is_down = time.monotonic() < down_until
        return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "down\n") if is_down else None

    steps = received(stream_of(serve(sending([bar()]), process_request=while_down)), bars_of, seconds=10)

    assert time.monotonic() - down_until < 5
    assert notices_of(steps)[-1] == "connected"


def test_nobody_there_is_a_lost_connection_with_growing_pauses() -> None:
    with scripted_stream(sending()) as server:
        url = server.url
    now, pauses = [0.0], []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    stream = PolygonStream(ApiKey(KEY), url, SYMBOLS, monotonic=lambda: now[0], sleep=sleep, jitter=lambda: 1.0)
    notices = [notice for _ in range(8) for notice in stream.receive(100).notices]

    assert {notice.kind for notice in notices} == {"lost"}
    assert pauses == [0.25, 0.5, 1.0, 2.0, 3.0, 3.0, 3.0]


def test_one_connection_too_many_waits_a_minute_although_the_key_was_taken(serve: Serve) -> None:
    def script(socket: ServerConnection) -> None:
        subscribe(socket)
        socket.send(status("max_connections", "Maximum number of websocket connections exceeded. "))
        socket.close(1008)

    server = serve(script)
    stream = stream_of(server)

    steps = received(stream, lambda steps: "limit" in notices_of(steps))
    began = time.monotonic()
    more = [stream.receive(0.05) for _ in range(5)]

    assert steps[-1].notices[0].reason == "Maximum number of websocket connections exceeded."
    assert notices_of(more) == []
    assert time.monotonic() - began < 2
    assert server.connections == 1


def test_a_connection_that_is_refused_after_a_good_handshake_does_not_reset_the_pauses(serve: Serve) -> None:
    def script(socket: ServerConnection) -> None:
        subscribe(socket)
        socket.close(1001)

    server = serve(script)
    stream = stream_of(server)
    deadline = time.monotonic() + 2

    while time.monotonic() < deadline:
        stream.receive(0.1)

    # 0.125 + 0.25 + 0.5 + 1 s of pauses: five connections at most, not one after the other.
    assert server.connections <= 5


@pytest.mark.parametrize(
    "frame",
    [
        "<html>Bad gateway</html>",
        b"\xff\xfe",
        '{"ev":"AM"}',
        '[{"ev":"AM","sym":"AAPL","c":NaN,"s":1,"e":2}]',
        [None],
        [{"sym": "AAPL"}],
        [{"ev": "AM", "sym": "AAPL"}],
        [bar(c="12.5")],
        [bar(c=-1)],
        [bar(c=0)],
        [bar(c=None)],
        [bar(c=True)],
        [bar(v=-1)],
        [bar(s=1.5)],
        [bar(s=-1)],
        [bar(sym=7)],
    ],
)
def test_what_cannot_be_true_costs_only_itself(serve: Serve, frame: object) -> None:
    server = serve(sending(frame, [bar(minute=1)]))

    steps = received(stream_of(server), bars_of)

    assert [one.start_ms for one in bars_of(steps)] == [1_734_100_260_000]
    assert sum(step.rejected for step in steps) == 1
    assert server.connections == 1


def test_a_message_of_another_channel_and_a_fractional_volume_are_no_faults(serve: Serve) -> None:
    steps = received(stream_of(serve(sending([bar(ev="T"), bar(v=0.5, av=None, op=None)]))), bars_of)

    assert bars_of(steps) == [MinuteBar("AAPL", 1_734_100_200_000, 248.13, 0.5)]
    assert sum(step.rejected for step in steps) == 0


def test_a_minute_of_the_whole_market_in_one_frame_is_read(serve: Serve) -> None:
    frame = [bar(symbol=f"S{number}") for number in range(10_000)]

    steps = received(stream_of(serve(sending(frame))), bars_of)

    assert len(bars_of(steps)) == 10_000


def test_restart_makes_a_new_connection_at_once(serve: Serve) -> None:
    server = serve(sending([bar()]))
    stream = stream_of(server)
    received(stream, bars_of)

    stream.restart("silence")
    steps = received(stream, bars_of, seconds=2)

    assert notices_of(steps) == ["connected"]
    assert server.connections == 2


def test_silence_is_an_empty_step_within_its_time(serve: Serve) -> None:
    stream = stream_of(serve(sending()))
    received(stream, notices_of)

    began = time.monotonic()
    assert not stream.receive(0.1).bars
    assert time.monotonic() - began < 1


def test_a_server_that_sends_elsewhere_does_not_get_the_key_there(serve: Serve) -> None:
    elsewhere = serve(sending([bar()]))

    def redirect(connection: ServerConnection, _: object) -> object:
        response = connection.respond(HTTPStatus.FOUND, "elsewhere\n")
        response.headers["Location"] = elsewhere.url
        return response

    with pytest.raises(MarketDataError):
        received(stream_of(serve(sending(), process_request=redirect)), bars_of)

    assert not any(KEY in message for message in elsewhere.received)


@pytest.mark.parametrize(
    "url",
    ["ws://delayed.massive.com/stocks", "https://delayed.massive.com", "wss://u:p@h/stocks", "wss://h/?apiKey=x", ""],
)
def test_an_address_to_which_the_key_would_not_be_safe_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        PolygonStream(ApiKey(KEY), url, SYMBOLS)


def test_the_key_is_in_no_log_even_where_frames_would_be_logged(
    serve: Serve, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="websockets")
    caplog.set_level(logging.INFO, logger="websockets.server")  # the other side may log what it sent
    server = serve(sending([bar()], status("error", f"unknown: {KEY}"), then=closing(1011)), sending())
    stream = stream_of(server)

    received(stream, lambda steps: "lost" in notices_of(steps))
    stream.close()

    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("websockets.server")]
    assert not any(KEY in message for message in ours)
    assert KEY not in "".join(capfd.readouterr())
    assert KEY not in repr(vars(stream))
