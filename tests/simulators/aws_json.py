"""The JSON 1.1 protocol of AWS over real HTTP on the loopback; what the operations do is the subclass's business."""

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

Stored = Callable[[str, str], Iterable[tuple[str, bytes]]]
"""The keys and bytes of a bucket's objects below a prefix."""

Operation = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class ServiceError(Exception):
    """An answer with an error code, as boto3 will raise it."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class JsonService:
    """One service. `refusals` befall the next requests, whatever they ask; `log` names the operations asked for."""

    def __init__(self, operations: Mapping[str, Operation]) -> None:
        self.operations = operations
        self.refusals: deque[ServiceError] = deque()
        self.log: list[str] = []
        self.lock = threading.RLock()
        self.url = ""

    def refuse(self, code: str, *, times: int = 1, status: int = 400) -> None:
        """Answer the next requests with an error."""
        self.refusals.extend([ServiceError(code, "scripted refusal", status)] * times)

    def answer(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """One operation, one at a time."""
        with self.lock:
            self.log.append(operation)
            if self.refusals:
                raise self.refusals.popleft()
            if operation not in self.operations:
                raise ServiceError("UnknownOperationException", f"{operation} is not simulated")
            return self.operations[operation](request)


Service = TypeVar("Service", bound=JsonService)


@contextmanager
def serving(service: Service) -> Iterator[Service]:
    """The service, answering on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Two small packets would wait for each other (Nagle against delayed ACK, 40 ms).
        disable_nagle_algorithm = True

        def log_message(self, *args: object) -> None:
            """Keep the tests' output clean."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            try:
                status, answer = 200, service.answer(operation, json.loads(body))
            except ServiceError as error:
                status, answer = error.status, {"__type": error.code, "message": str(error)}
            data = json.dumps(answer).encode()
            self.send_response_only(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
