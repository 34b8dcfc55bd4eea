"""A WebSocket server on the loopback that does what a test tells it, connection by connection."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

KEY = "k3y-of-thirty-two-characters-0123"


def status(word: str, text: str) -> str:
    return orjson.dumps([{"ev": "status", "status": word, "message": text}]).decode()


def bar(symbol: str = "AAPL", minute: int = 0, **changes: Any) -> dict[str, Any]:
    """A message as the vendor's documentation has it."""
    start = 1_734_100_200_000 + minute * 60_000
    message = {"ev": "AM", "sym": symbol, "v": 4110.5, "av": 9_470_157, "op": 248.1, "vw": 248.5, "o": 248.2}
    message |= {"c": 248.13, "h": 249.0, "l": 248.0, "a": 248.4, "z": 685, "s": start, "e": start + 60_000}
    return message | changes


@dataclass(slots=True)
class ScriptedStream:
    """The server: its address, what each connection sent, and how many there were."""

    url: str
    received: list[str] = field(default_factory=list)
    connections: int = 0


@contextmanager
def scripted_stream(*scripts: Callable[[ServerConnection], None], **options: Any) -> Iterator[ScriptedStream]:
    """Serve; the n-th connection gets the n-th script, further ones the last."""

    def handle(socket: ServerConnection) -> None:
        stream.connections += 1
        try:
            scripts[min(stream.connections, len(scripts)) - 1](_Recorded(socket, stream))  # type: ignore[arg-type]
        except ConnectionClosed:
            return

    server = serve(handle, "127.0.0.1", 0, compression=None, **options)
    host, port = server.socket.getsockname()[:2]
    stream = ScriptedStream(f"ws://{host}:{port}/stocks")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield stream
    finally:
        server.shutdown()
        thread.join()


class _Recorded:
    """A connection that notes what it is sent."""

    def __init__(self, socket: ServerConnection, stream: ScriptedStream) -> None:
        self._socket, self._stream = socket, stream

    def recv(self, timeout: float = 5) -> str:
        message = str(self._socket.recv(timeout=timeout))
        self._stream.received.append(message)
        return message

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


def log_in(socket: ServerConnection, answer: str | None = None) -> None:
    """The handshake until the key was answered."""
    socket.send(status("connected", "Connected Successfully"))
    socket.recv(timeout=5)
    socket.send(answer or status("auth_success", "authenticated"))


def subscribe(socket: ServerConnection) -> None:
    """The whole handshake: the key, and both subscriptions."""
    log_in(socket)
    for _ in range(2):
        message = orjson.loads(socket.recv(timeout=5))
        first = message["params"].partition(",")[0]
        socket.send(status("success", f"subscribed to: {first}"))


def sending(*frames: Any, then: Callable[[ServerConnection], None] | None = None) -> Callable[[ServerConnection], None]:
    """A script: the handshake, frames, and what comes then; by default it waits for the client to go."""

    def script(socket: ServerConnection) -> None:
        subscribe(socket)
        for frame in frames:
            socket.send(frame if isinstance(frame, str | bytes) else orjson.dumps(frame).decode())
        (then or wait)(socket)

    return script


def wait(socket: ServerConnection) -> None:
    """Say nothing until the client goes."""
    while True:
        socket.recv(timeout=30)


def closing(code: int) -> Callable[[ServerConnection], None]:
    return lambda socket: socket.close(code)


def aborting(socket: ServerConnection) -> None:
    socket.socket.shutdown(2)
