"""The simulated vendor over HTTP on the loopback: keys, rates, latency, and misbehaviour on the wire.

A small HTTP/1.1 server of its own: the standard library's handler spends more time on headers than the market on its
answers, and a demo asks thousands of questions. What is answered is `answers`' business.
"""

import ipaddress
import math
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from http.client import responses
from types import TracebackType
from typing import Final, Literal, Self
from urllib.parse import parse_qs

from mag7cli.core.errors import UsageError
from mag7cli.vendors.sandbox.answers import Answers, Response, too_many_requests, unknown_key
from mag7cli.vendors.sandbox.intraday import SimulatedSession
from mag7cli.vendors.sandbox.market import Market
from mag7cli.vendors.sandbox.misbehaviour import TRANSPORT, FaultKind, FaultRule, RandomFaults, Script, spoilt
from mag7cli.vendors.sandbox.plan import PLANS, CallWindow, Plan, noon_after

DEFAULT_KEY: Final = "sandbox"

_BACKLOG: Final = 256
_LONGEST_LINE: Final = 65_536
_SLOW_PARTS: Final = 10
_POLL_S: Final = 0.05
_BEARER: Final = "Bearer "


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the server saw it. `at` is on the monotonic clock; `auth` says how a key came, right or wrong."""

    at: float
    method: str
    target: str
    status: int
    auth: Literal["bearer", "query", "none"]
    fault: FaultKind | None

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


class SandboxServer:
    """The vendor's API over a market, for as long as the `with` block lasts; `url` is its base address.

    Its time stands still at `now`, unless `clock` tells another; with a `session` it has snapshots of that date.
    Every request is in `requests`, in the order of their answers. Raises UsageError for a host that is not loopback.
    """

    def __init__(
        self,
        market: Market,
        *,
        key: str = DEFAULT_KEY,
        plan: Plan = PLANS["developer"],
        now: datetime | None = None,
        latency_s: float = 0.0,
        faults_script: Iterable[FaultRule | RandomFaults] = (),
        host: str = "127.0.0.1",
        port: int = 0,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], datetime] | None = None,
        session: SimulatedSession | None = None,
    ) -> None:
        self.market, self.plan = market, plan
        standing = now or noon_after(market.end)
        self.clock = clock or (lambda: standing)
        self.requests: list[Request] = []
        self.script = Script(faults_script)
        self.answers = Answers(market, plan, self.clock, session)
        self.latency_s = latency_s
        self.closing = threading.Event()
        self.monotonic = monotonic
        self._key = key
        self._window = CallWindow(plan.calls_per_minute, monotonic)
        self._listener = _Listener((_loopback(host), port), self)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(_POLL_S,), daemon=True)
        self.url = self.answers.base_url = "http://{}:{}".format(*self._listener.server_address[:2])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def serve_forever(self) -> None:
        """Serve in this thread until `close` is called from another, or an interrupt."""
        self._listener.serve_forever(_POLL_S)

    def close(self) -> None:
        """Stop answering and let go of every connection."""
        self.closing.set()
        if self._thread.is_alive():
            self._listener.shutdown()
            self._thread.join()
        self._listener.server_close()

    def answer(self, target: str, authorization: str) -> Response:
        """What a good server answers: the key, then the rate, then the question."""
        if not self._knows(target, authorization):
            return unknown_key()
        wait_s = self._window.refused_for()
        if wait_s is not None:
            return too_many_requests(str(math.ceil(wait_s)) if self.plan.retry_after else None)
        return self.answers.to(target)

    def _knows(self, target: str, authorization: str) -> bool:
        if authorization.startswith(_BEARER):
            return authorization.removeprefix(_BEARER) == self._key
        return _query_key(target) == self._key


class _Listener(socketserver.ThreadingTCPServer):
    """One thread for each connection; closing shuts the connections, so that their threads end."""

    allow_reuse_address = True
    request_queue_size = _BACKLOG

    def __init__(self, address: tuple[str, int], sandbox: SandboxServer) -> None:
        self.sandbox = sandbox
        self.connections: set[socket.socket] = set()
        self.connections_lock = threading.Lock()
        try:
            super().__init__(address, _Connection)
        except OSError as error:
            raise UsageError(
                f"port {address[1]}: {error.strerror}", hint="choose another port, or 0 for a free one"
            ) from error

    def server_close(self) -> None:
        with self.connections_lock:
            for connection in self.connections:
                _shut(connection)
        super().server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no news."""


class _Connection(socketserver.StreamRequestHandler):
    """A connection, request after request."""

    disable_nagle_algorithm = True
    server: _Listener

    def setup(self) -> None:
        super().setup()
        with self.server.connections_lock:
            self.server.connections.add(self.connection)

    def finish(self) -> None:
        with self.server.connections_lock:
            self.server.connections.discard(self.connection)
        super().finish()

    def handle(self) -> None:
        while not self.server.sandbox.closing.is_set() and self._serve_one():
            pass

    def _serve_one(self) -> bool:
        """Read a request and answer it; False when the connection is over."""
        sandbox = self.server.sandbox
        words = self.rfile.readline(_LONGEST_LINE).decode("latin-1").split()
        if len(words) != 3:
            return False
        method, target, _ = words
        authorization, stays = self._headers()
        at = sandbox.monotonic()
        if sandbox.latency_s:
            sandbox.closing.wait(sandbox.latency_s)
        answer = sandbox.answer(target, authorization) if method == "GET" else Response(405, b"GET only", "text/plain")
        fault = sandbox.script.next(target)
        if fault:
            answer = spoilt(answer, fault)
        sandbox.requests.append(
            Request(at, method, target, answer.status, _auth(target, authorization), fault.kind if fault else None)
        )
        if fault and fault.kind in TRANSPORT:
            return self._spoil(answer, fault)
        self.wfile.write(_head(answer) + answer.body)
        return stays and method == "GET"

    def _headers(self) -> tuple[str, bool]:
        """The Authorization header, and whether the client keeps the connection."""
        authorization, stays = "", True
        while (header := self.rfile.readline(_LONGEST_LINE)) not in (b"\r\n", b"\n", b""):
            name, _, value = header.decode("latin-1").partition(":")
            match name.lower():
                case "authorization":
                    authorization = value.strip()
                case "connection":
                    stays = value.strip().lower() != "close"
        return authorization, stays

    def _spoil(self, answer: Response, fault: FaultRule) -> bool:
        """Send an answer badly; the connection is over, unless it was only slow."""
        closing = self.server.sandbox.closing
        match fault.kind:
            case "reset":
                # A linger of zero seconds turns the close into a RST.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            case "hang":
                closing.wait(fault.delay_s)
            case "cut_body":
                self.wfile.write(_head(answer) + answer.body[: len(answer.body) // 2])
            case "slow_body":
                self.wfile.write(_head(answer))
                size = max(len(answer.body) // _SLOW_PARTS, 1)
                for start in range(0, len(answer.body), size):
                    closing.wait(fault.delay_s / _SLOW_PARTS)
                    self.wfile.write(answer.body[start : start + size])
                return True
        return False


def _head(answer: Response) -> bytes:
    headers = [
        f"HTTP/1.1 {answer.status} {responses.get(answer.status, 'Unknown')}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.body)}",
        "X-Mag7-Simulated: 1",
        *(f"{name}: {value}" for name, value in answer.headers),
    ]
    return "\r\n".join([*headers, "\r\n"]).encode("latin-1")


def _auth(target: str, authorization: str) -> Literal["bearer", "query", "none"]:
    if authorization.startswith(_BEARER):
        return "bearer"
    return "query" if _query_key(target) else "none"


def _query_key(target: str) -> str:
    """The key in a query: the vendor takes it there as well."""
    if "apiKey=" not in target:
        return ""
    return parse_qs(target.partition("?")[2]).get("apiKey", [""])[0]


def _loopback(host: str) -> str:
    """The host, if nobody else can reach it. Raises UsageError."""
    try:
        address = ipaddress.IPv4Address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise UsageError(f"{host} is not a loopback address", hint="the sandbox serves 127.0.0.1 only")
    return str(address)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client was faster
