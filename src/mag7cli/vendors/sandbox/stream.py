"""The simulated vendor's stream over real WebSockets on the loopback: key, plan, connections, and scripted faults.

A minute is sent when the server's clock says that it is over: every symbol that traded in it in one frame, as the
vendor does. Nothing is sent twice by itself: who was not connected has missed it.
"""

import ipaddress
import socket as sockets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import orjson

from mag7cli.core.errors import UsageError
from mag7cli.vendors.sandbox.intraday import SimulatedSession

if TYPE_CHECKING:
    from websockets.http11 import Request, Response
    from websockets.sync.server import ServerConnection

StreamFaultKind = Literal[
    "abort",
    "going_away",
    "normal_close",
    "silence",
    "duplicate",
    "reverse",
    "late",
    "corrected",
    "malformed",
    "not_json",
    "limit",
]

_BOTH_WAYS: Final = sockets.SHUT_RDWR
_POLL_S: Final = 0.01
_CORRECTION: Final = 1.5
_UNREADABLE: Final[tuple[Any, ...]] = ({"ev": "AM", "sym": "AAPL"}, {"sym": "AAPL"}, None, {"ev": "AM", "c": "1"})
_CLOSE_CODES: Final[Mapping[StreamFaultKind, int]] = {"going_away": 1001, "normal_close": 1000, "limit": 1008}
_LIMIT: Final = "Maximum number of websocket connections exceeded. "
_NO_STREAM: Final = "Your plan doesn't include websocket access. Visit https://massive.com/pricing to upgrade."


@dataclass(frozen=True, slots=True)
class StreamFault:
    """What happens when a minute is sent, counted from the opening of the pre-market.

    `abort`, `going_away`, `normal_close` and `limit` end the connection after the minute, and the server refuses new
    ones for `minutes` of its clock. `silence` swallows the messages of `minutes`. `late` sends a minute's messages
    `minutes` later, `duplicate` twice, `reverse` in the other order, `corrected` again with more volume and the
    price that stands; `malformed` and `not_json` add what no one can read.
    """

    minute: int
    kind: StreamFaultKind
    minutes: int = 0


Faults = Mapping[StreamFaultKind, StreamFault]


@dataclass(slots=True)
class _Subscriber:
    """One connection: what it follows, and the next minute to send."""

    socket: "ServerConnection"
    symbols: frozenset[str] = frozenset()
    halts_of: frozenset[str] = frozenset()
    next_minute: int = 0
    postponed: dict[int, list[dict[str, Any]]] = field(default_factory=dict)


class StreamServer:
    """The vendor's stream over a session, for as long as the `with` block lasts; `url` is its address.

    Args:
        session: The date whose minutes are sent.
        now: The server's clock.
        key: The key that it knows.
        is_in_plan: Whether the key's plan has a stream.
        delay_minutes: How late it sends a minute, 15 on delayed plans.
        faults: What goes wrong, by minute.
        connections: How many may be open at once; one more is told so and closed.
        host: A loopback address.
        port: 0 is any free port.

    Raises:
        UsageError: The host is not loopback.
    """

    def __init__(
        self,
        session: SimulatedSession,
        now: Callable[[], datetime],
        *,
        key: str = "sandbox",
        is_in_plan: bool = True,
        delay_minutes: int = 0,
        faults: Iterable[StreamFault] = (),
        connections: int = 1,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        from websockets.sync.server import serve

        if not ipaddress.ip_address(host).is_loopback:
            raise UsageError(f"{host} is not a loopback address", hint="the sandbox serves 127.0.0.1 only")
        self.session, self._now, self._key, self._is_in_plan = session, now, key, is_in_plan
        self._delay = delay_minutes
        self._faults = _by_minute(faults)
        self._most = connections
        self._open = 0
        self._refused_until = -1
        self._lock = threading.Lock()
        self.closing = threading.Event()
        self.logins: list[float] = []
        self.sent = 0
        self._server = serve(
            self._serve,
            host,
            port,
            compression=None,
            process_request=self._refuse_while_down,
            process_response=_mark_simulated,
        )
        address = self._server.socket.getsockname()
        self.url = f"ws://{address[0]}:{address[1]}/stocks"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True, name="sandbox-stream")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop, and let go of every connection."""
        self.closing.set()
        self._server.shutdown()

    @property
    def minute(self) -> int:
        """How many minutes may be sent by now."""
        return self.session.minute_at(self._now()) - self._delay

    # Who comes in

    def _refuse_while_down(self, connection: "ServerConnection", request: "Request") -> "Response | None":
        """503 while a fault keeps the server down."""
        return (
            connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "down\n") if self.minute < self._refused_until else None
        )

    def _serve(self, socket: "ServerConnection") -> None:
        from websockets.exceptions import ConnectionClosed

        with self._lock:
            self._open += 1
            is_one_too_many = self._open > self._most
        try:
            if self._knows(socket):
                if is_one_too_many:
                    _say(socket, "max_connections", _LIMIT)
                    socket.close(_CLOSE_CODES["limit"])
                    return
                self._feed(_Subscriber(socket, next_minute=max(self.minute, 0)))
        except (ConnectionClosed, OSError, TimeoutError):
            return
        finally:
            with self._lock:
                self._open -= 1

    def _knows(self, socket: "ServerConnection") -> bool:
        """The handshake, as the vendor's: connected, the key, and what comes of it."""
        _say(socket, "connected", "Connected Successfully")
        login = orjson.loads(socket.recv(timeout=10))
        self.logins.append(time.monotonic())
        if login.get("params") != self._key:
            _say(socket, "auth_failed", "authentication failed")
        elif not self._is_in_plan:
            _say(socket, "auth_failed", _NO_STREAM)
        else:
            _say(socket, "auth_success", "authenticated")
            return True
        socket.close(1000)
        return False

    # What goes out

    def _feed(self, subscriber: _Subscriber) -> None:
        """Send minutes as they end, and take subscriptions, until one side has had enough."""
        while not self.closing.is_set():
            self._take_subscriptions(subscriber)
            while subscriber.symbols and subscriber.next_minute < min(self.minute, self.session.minutes):
                if not self._send_minute(subscriber, subscriber.next_minute):
                    return
                subscriber.next_minute += 1

    def _take_subscriptions(self, subscriber: _Subscriber) -> None:
        try:
            message = orjson.loads(subscriber.socket.recv(timeout=_POLL_S))
        except TimeoutError:
            return
        topics = str(message.get("params", "")).split(",")
        for topic in topics:
            channel, _, symbol = topic.partition(".")
            if channel == "AM":
                subscriber.symbols |= {symbol}
            elif channel == "LULD":
                subscriber.halts_of |= {symbol}
        answers = [{"ev": "status", "status": "success", "message": f"subscribed to: {topic}"} for topic in topics]
        subscriber.socket.send(orjson.dumps(answers).decode())

    def _send_minute(self, subscriber: _Subscriber, minute: int) -> bool:
        """Send what there is of a minute; False if the connection is over."""
        faults = self._faults.get(minute, {})
        messages = self._messages(subscriber, minute)
        if "late" in faults:
            subscriber.postponed.setdefault(minute + faults["late"].minutes, []).extend(messages)
            messages = []
        messages += subscriber.postponed.pop(minute, [])
        if not self._is_silent(minute):
            for frame in _frames(messages, faults):
                subscriber.socket.send(frame)
            self.sent += len(messages)
        return self._stays(subscriber.socket, minute, faults)

    def _messages(self, subscriber: _Subscriber, minute: int) -> list[dict[str, Any]]:
        everything = "*" in subscriber.symbols
        symbols = self.session.bars if everything else sorted(subscriber.symbols)
        bars = [message for symbol in symbols if (message := self.session.message(symbol, minute))]
        halts = [message for symbol in subscriber.halts_of for message in self.session.halt_messages(symbol, minute)]
        return bars + halts

    def _is_silent(self, minute: int) -> bool:
        faults = (fault for by_kind in self._faults.values() if (fault := by_kind.get("silence")))
        return any(fault.minute <= minute < fault.minute + fault.minutes for fault in faults)

    def _stays(self, socket: "ServerConnection", minute: int, faults: Faults) -> bool:
        """End the connection if a fault says so, once; False if it did."""
        ending = next((fault for kind, fault in faults.items() if kind in (*_CLOSE_CODES, "abort")), None)
        if ending is None:
            return True
        self._refused_until = minute + 1 + ending.minutes
        self._faults.pop(minute)
        if ending.kind == "abort":
            socket.socket.shutdown(_BOTH_WAYS)
            return False
        if ending.kind == "limit":
            _say(socket, "max_connections", _LIMIT)
        socket.close(_CLOSE_CODES[ending.kind])
        return False


def _frames(messages: list[dict[str, Any]], faults: Faults) -> list[str]:
    """The frames of a minute, with what the faults make of them."""
    bars = [message for message in messages if message["ev"] == "AM"]
    if "corrected" in faults:
        # First a wrong bar, of fewer trades; then the one that stands.
        early = (message | {"v": message["v"] / _CORRECTION, "c": message["c"] * _CORRECTION} for message in bars)
        messages = [*early, *messages]
    if "reverse" in faults:
        messages.reverse()
    frame = [*messages, *(_UNREADABLE if "malformed" in faults else ())]
    frames = [orjson.dumps(frame).decode()] * (2 if "duplicate" in faults else 1) if frame else []
    return [*frames, "<html>Bad gateway</html>"] if "not_json" in faults else frames


def _say(socket: "ServerConnection", status: str, message: str) -> None:
    socket.send(orjson.dumps([{"ev": "status", "status": status, "message": message}]).decode())


def _by_minute(faults: Iterable[StreamFault]) -> dict[int, dict[StreamFaultKind, StreamFault]]:
    by_minute: dict[int, dict[StreamFaultKind, StreamFault]] = {}
    for fault in faults:
        by_minute.setdefault(fault.minute, {})[fault.kind] = fault
    return by_minute


def _mark_simulated(connection: "ServerConnection", request: "Request", response: "Response") -> None:
    """The header by which a simulated market is known."""
    response.headers["X-Mag7-Simulated"] = "1"
