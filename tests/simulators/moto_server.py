"""moto over HTTP with connections that stay open; werkzeug's own server closes each after its answer.

A lake is read in hundreds of small requests, of which a connection and a thread apiece were most of the cost.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Thread
from typing import Any

from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server
from werkzeug.test import run_wsgi_app


class _Dispatcher(DomainDispatcherApplication):
    """Remembers which service a host stands for: moto lists the folders of all its services for each request."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self.get_backend_for_host = cache(super().get_backend_for_host)


class _Handler(MotoRequestHandler):
    """Answers in one packet with its length, so that the next request can follow on the same connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def handle_expect_100(self) -> bool:
        self.send_response_only(100)
        self.end_headers()
        self.wfile.flush()
        return True

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        length = None if environ.get("wsgi.input_terminated") else int(self.headers.get("Content-Length") or 0)
        # Read to its end whether moto looks at it or not: what follows is the next request.
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))
        content, status, headers = run_wsgi_app(self.server.app, environ, buffered=True)
        body = b"".join(content)
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if "Content-Length" not in headers and self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_: Any) -> None:
        """Keep the tests' output clean."""


@contextmanager
def serving() -> Iterator[str]:
    """The address of a moto server; port 0, so that several runs of the tests never meet."""
    server = make_server("127.0.0.1", 0, _Dispatcher(), threaded=True, request_handler=_Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
