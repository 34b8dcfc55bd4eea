"""A proxy in front of the loopback account that misbehaves on request: the faults of a network and of real S3."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request of a method.

    `lose_answer`: it is carried out, but the connection dies before the answer; `cut_body`: half of the body arrives;
    `refuse`: it is not carried out, and answered with an error of this code and status; `html`: it gets the page of a
    proxy between us and AWS.
    """

    method: str
    kind: Literal["lose_answer", "cut_body", "refuse", "html"]
    code: str = ""
    status: int = 0


class Proxy:
    """Forwards to `target`; each fault in `faults` befalls the next request of its method, in order.

    `answers`: requests whose body contains the text are not forwarded, but answered with this XML.
    """

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target)
        self.faults: deque[Fault] = deque()
        self.requests: list[str] = []
        self.answers: dict[str, str] = {}
        self.url = ""

    def answer_to(self, body: bytes) -> bytes | None:
        """The scripted answer, None if the request goes through."""
        return next((answer.encode() for text, answer in self.answers.items() if text.encode() in body), None)

    def fault_for(self, method: str) -> Fault | None:
        """The fault that befalls this request, taken off the list."""
        if self.faults and self.faults[0].method == method:
            return self.faults.popleft()
        return None


@contextmanager
def proxy_to(target: str) -> Iterator[Proxy]:
    """A running proxy on a free port."""
    proxy = Proxy(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Two small packets would wait for each other (Nagle against delayed ACK, 40 ms).
        disable_nagle_algorithm = True

        def log_message(self, *args: object) -> None:
            """Keep the tests' output clean."""

        def answer(self) -> None:
            proxy.requests.append(f"{self.command} {self.path}")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = proxy.fault_for(self.command)
            if fault is not None and fault.kind == "refuse":
                self.send(fault.status, {"Content-Type": "application/xml"}, _error_document(fault.code, body))
                return
            if fault is not None and fault.kind == "html":
                self.send(
                    200, {"Content-Type": "text/html"}, b"<html><body>Please sign in to the network</body></html>"
                )
                return
            if scripted := proxy.answer_to(body):
                self.send(200, {"Content-Type": "text/xml"}, scripted)
                return
            status, headers, answer = _forward(proxy, self.command, self.path, dict(self.headers), body)
            if fault is not None and fault.kind == "lose_answer":
                self.close_connection = True
                return
            self.send(status, headers, answer, cut=fault is not None)

        def send(self, status: int, headers: dict[str, str], body: bytes, *, cut: bool = False) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                    self.send_header(name, value)
            length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(body))
            self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = self.close_connection or cut

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = answer  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _forward(
    proxy: Proxy, method: str, path: str, headers: dict[str, str], body: bytes
) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection(str(proxy.target.hostname), proxy.target.port)
    try:
        # The body has arrived by now, so nobody need be asked to go on.
        connection.request(method, path, body, {k: v for k, v in headers.items() if k.lower() != "expect"})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def _error_document(code: str, body: bytes) -> bytes:
    """An error as S3 words it, or as the services do that are asked by a form."""
    error = f"<Error><Code>{code}</Code><Message>scripted fault</Message></Error>"
    asked_by_form = body.startswith(b"Action=")
    return f"<?xml version='1.0'?>{f'<ErrorResponse>{error}</ErrorResponse>' if asked_by_form else error}".encode()
