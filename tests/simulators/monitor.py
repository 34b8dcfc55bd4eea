"""A monitor of scheduled jobs on the loopback: it notes what it is told, and answers as it is told to."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(slots=True)
class Monitor:
    """What was heard, path and body; `statuses` are the next answers, 200 behind them."""

    url: str
    heard: list[tuple[str, str]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@contextmanager
def monitor() -> Iterator[Monitor]:
    """A monitor whose job has the address `url`."""
    notes = Monitor("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            notes.heard.append((self.path, body))
            self.send_response(notes.statuses.pop(0) if notes.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        notes.url = f"http://127.0.0.1:{server.server_port}/ping/uuid"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield notes
        server.shutdown()
