"""A server on loopback that misbehaves as it is told, path by path, and writes down every request it sees."""

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Seen:
    """A request as the server saw it."""

    at: float
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    peer: tuple[str, int]

    @property
    def line(self) -> str:
        """Everything that an access log would keep."""
        return f"{self.path}?{self.query}"


class Behaviour(Protocol):
    """One way to answer."""

    def play(self, handler: "_Handler") -> None: ...


@dataclass(frozen=True)
class Says:
    """A whole answer. `body` is sent as JSON unless it is bytes."""

    body: object = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    after_s: float = 0.0

    def play(self, handler: "_Handler") -> None:
        handler.server.closing.wait(self.after_s)
        data = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        handler.begin(self.status, {"Content-Length": str(len(data)), **self.headers})
        handler.wfile.write(data)


@dataclass(frozen=True)
class Cut:
    """An answer that promises more than it sends, then ends the connection."""

    body: bytes = b'{"status": "OK", "res'
    chunked: bool = False

    def play(self, handler: "_Handler") -> None:
        handler.close_connection = True
        if self.chunked:
            handler.begin(200, {"Transfer-Encoding": "chunked"})
            handler.wfile.write(b"%x\r\n%s" % (len(self.body) + 100, self.body))
        else:
            handler.begin(200, {"Content-Length": str(len(self.body) + 100)})
            handler.wfile.write(self.body)


@dataclass(frozen=True)
class Drips:
    """An answer of which a byte comes now and then, never a silence long enough for a read timeout."""

    every_s: float

    def play(self, handler: "_Handler") -> None:
        handler.close_connection = True
        handler.begin(200, {"Content-Length": "1000000"})
        while not handler.server.closing.wait(self.every_s):
            handler.wfile.write(b" ")


@dataclass(frozen=True)
class Hangs:
    """A request that is read and never answered."""

    def play(self, handler: "_Handler") -> None:
        handler.close_connection = True
        handler.server.closing.wait()


@dataclass(frozen=True)
class Resets:
    """A connection that is reset instead of answered."""

    def play(self, handler: "_Handler") -> None:
        handler.close_connection = True
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.shutdown(socket.SHUT_RD)
        handler.connection.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        seen = Seen(time.monotonic(), parts.path, dict(parse_qsl(parts.query)), dict(self.headers), self.client_address)
        try:
            self.server.behaviour_for(seen).play(self)
        except OSError:  # the client gave up first
            self.close_connection = True

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing: `requests` is the log."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.closing = threading.Event()
        self.script: dict[str, list[Behaviour]] = {}
        self.requests: list[Seen] = []
        self.lock = threading.Lock()

    def behaviour_for(self, seen: Seen) -> Behaviour:
        with self.lock:
            self.requests.append(seen)
            left = self.script.get(seen.path) or self.script.get("*", [])
            return left.pop(0) if len(left) > 1 else left[0] if left else Says({"status": "NOT_FOUND"}, 404)

    def handle_error(self, request: object, client_address: object) -> None:
        """A reset connection is no news here."""


class ScriptedServer:
    """The server, as a context manager. What no path of the script matches is answered with the vendor's 404."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._server = _Server()
        self._scheme = "https" if tls else "http"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    @property
    def requests(self) -> list[Seen]:
        with self._server.lock:
            return list(self._server.requests)

    def on(self, path: str, *behaviours: Behaviour) -> None:
        """Answer requests for `path` (`*`: any other) with these, one after the other; the last one stays."""
        with self._server.lock:
            self._server.script[path] = list(behaviours)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
