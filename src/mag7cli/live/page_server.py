"""A page of the share during the session for a browser on this machine, refreshed from a loopback server.

It answers four addresses with GET and nothing else, to requests that name this machine in their Host header, so that a
page from elsewhere cannot have a browser read it. It knows no key, nor anything but the points it was shown.
"""

import threading
from datetime import date
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import orjson

from mag7cli.core.errors import UsageError
from mag7cli.live.follow import LiveUpdate, MarketClosed
from mag7cli.live.records import record, record_of_closed

_ASSETS: Final = Path(__file__).parent / "assets"
_FILES: Final = {
    "/": ("live.html", "text/html; charset=utf-8"),
    "/live.css": ("live.css", "text/css; charset=utf-8"),
    "/live.js": ("live.js", "text/javascript; charset=utf-8"),
}
_STATE: Final = "/state.json"
_POLICY: Final = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:"
_HOSTS: Final = frozenset({"127.0.0.1", "localhost"})


class PageServer:
    """The server, for as long as the `with` block lasts.

    Args:
        port: Where it listens on 127.0.0.1; 0 is any free port.

    Raises:
        UsageError: The port is taken.
    """

    def __init__(self, port: int) -> None:
        self._lock = threading.Lock()
        self._latest: dict[str, Any] | None = None
        self._series: list[tuple[str, float]] = []
        self._trading_date: date | None = None
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        except OSError as error:
            raise UsageError(
                f"--serve {port}: {error.strerror}", hint="choose another port, or 0 for a free one"
            ) from error
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True, name="mag7-page")
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def show(self, update: LiveUpdate | MarketClosed) -> None:
        """Show this from now on."""
        with self._lock:
            if isinstance(update, MarketClosed):
                self._latest = record_of_closed(update)
                return
            if update.point.trading_date != self._trading_date:
                self._series, self._trading_date = [], update.point.trading_date
            self._latest = record(update)
            self._series.append((update.point.minute.isoformat(), update.point.share_pct))

    def state(self) -> bytes:
        """What the page is drawn from, as JSON."""
        with self._lock:
            return orjson.dumps({"latest": self._latest, "series": self._series})

    def answer(self, path: str) -> tuple[bytes, str] | None:
        """Body and type of an address; None if there is nothing there."""
        if path == _STATE:
            return self.state(), "application/json"
        if path not in _FILES:
            return None
        name, content_type = _FILES[path]
        return (_ASSETS / name).read_bytes(), content_type


def _handler(page: PageServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "mag7", ""

        def do_GET(self) -> None:
            if urlsplit(f"//{self.headers.get('Host', '')}").hostname not in _HOSTS:
                self.send_error(HTTPStatus.FORBIDDEN, "this page is for this machine only")
                return
            answer = page.answer(urlsplit(self.path).path)
            if answer is None:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            body, content_type = answer
            self.send_response(HTTPStatus.OK)
            headers = {
                "Content-Type": content_type,
                "Content-Length": str(len(body)),
                "Cache-Control": "no-store",
                "Content-Security-Policy": _POLICY,
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
            }
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
            """Nothing: the log is the session's."""

    return Handler
