"""The deployed functions and machines, simulated: Lambda over real HTTP whose functions are the handlers, in this
process, and Step Functions by moto's interpreter of the definitions that the template has.

The pauses between tries are cut to a second; nothing here tests how long they are.
"""

import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import pytest
from tests.simulators.cloud import ACCOUNT, REGION, Cloud, own_client

from mag7cli.deployment import functions, template
from mag7cli.deployment.roles import FUNCTIONS

_INVOCATION = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)/invocations")
_PATIENCE_S = 120.0
# The interpreter waits between tries.
_SHORTENED = {"IntervalSeconds": 1, "MaxDelaySeconds": 1}
PREFIX = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:mag7-"


class CallContext:
    """What the service tells a function about its call."""

    def __init__(self, seconds: float = 900.0) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1_000)


class Functions:
    """`calls` are the names of functions called, with their events.

    `before` is asked before each call and may raise in the function's place; `seconds` is how long a function may run.
    """

    def __init__(self) -> None:
        self.url = ""
        self.begin_anew()

    def begin_anew(self) -> None:
        """As if nothing had been called yet, and nothing were to happen before a call."""
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.results: list[tuple[str, Mapping[str, Any]]] = []
        self.before: Callable[[str, Mapping[str, Any]], None] = lambda name, event: None
        self.seconds = 900.0

    def called(self, name: str) -> list[Mapping[str, Any]]:
        """The events of one function."""
        return [event for called, event in self.calls if called == name]

    def invoke(self, name: str, event: Mapping[str, Any]) -> tuple[str | None, Any]:
        """The error kind, if any, and the payload, as the service answers."""
        self.calls.append((name, event))
        try:
            self.before(name, event)
            handler = getattr(functions, name)
            # What the runtime does: the event and the result are JSON.
            result = json.loads(json.dumps(handler(json.loads(json.dumps(event)), CallContext(self.seconds))))
        except Exception as error:  # noqa: BLE001 -- as the runtime does
            return "Unhandled", {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": []}
        self.results.append((name, result))
        return None, result


@contextmanager
def serving(simulated: Functions, account: str) -> Iterator[Functions]:
    """Lambda on a free port, in front of the loopback account."""
    import requests

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *args: object) -> None:
            """Keep the tests' output clean."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            match = _INVOCATION.fullmatch(unquote(self.path))
            if match is None:
                self.forward(body)
                return
            error, payload = simulated.invoke(match["name"].rpartition("-")[2], json.loads(body or b"{}"))
            data = json.dumps(payload).encode()
            self.send_response_only(200)
            if error:
                self.send_header("X-Amz-Function-Error", error)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def forward(self, body: bytes) -> None:
            """What is not for a function is for the account: the interpreter knows one address only."""
            answer = requests.post(f"{account}{self.path}", data=body, headers=dict(self.headers), timeout=10)
            self.send_response_only(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    simulated.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield simulated
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Machines:
    """The two state machines in the loopback account, which call these functions: the same ones for every lake."""

    def __init__(self, endpoint: str, simulated: Functions) -> None:
        import requests

        self.functions = simulated
        settings = {"stepfunctions": {"execute_state_machine": True}}
        requests.post(f"{endpoint}/moto-api/config", json=settings, timeout=10).raise_for_status()
        self.topic: str = own_client("sns", endpoint).create_topic(Name="mag7-notifications")["TopicArn"]
        self.client = own_client("stepfunctions", endpoint)
        self.arns = {name: self._create(name) for name in ("History", "Recovery")}

    def _create(self, name: str) -> str:
        text = json.dumps(resolved(template.definition(name), self.topic))
        role = f"arn:aws:iam::{ACCOUNT}:role/mag7"
        created = self.client.create_state_machine(name=f"mag7-{name.lower()}", definition=text, roleArn=role)
        arn: str = created["stateMachineArn"]
        return arn

    def start(self, name: str, event: Mapping[str, Any], execution: str) -> str:
        """Start an execution under a name; its ARN."""
        arn = self.arns[name]
        started = self.client.start_execution(stateMachineArn=arn, input=json.dumps(event), name=execution)
        return str(started["executionArn"])

    def run(self, name: str, event: Mapping[str, Any], execution: str) -> Mapping[str, Any]:
        """Start an execution and wait for its end: `status`, and the output, or error and cause."""
        return self.end(self.start(name, event, execution))

    def end(self, execution_arn: str) -> Mapping[str, Any]:
        """Wait for the end of an execution."""
        from moto.stepfunctions.parser.models import stepfunctions_parser_backends

        # Straight from the account: to ask over HTTP every few hundredths of a second costs more than some runs do.
        account = stepfunctions_parser_backends[ACCOUNT][REGION]
        until = time.monotonic() + _PATIENCE_S
        while account.describe_execution(execution_arn).status == "RUNNING":
            assert time.monotonic() < until, "the execution does not end"
            time.sleep(0.02)
        described = self.client.describe_execution(executionArn=execution_arn)
        return {**described, "output": json.loads(described.get("output") or "null")}

    def delete(self) -> None:
        for arn in self.arns.values():
            self.client.delete_state_machine(stateMachineArn=arn)


def resolved(value: Any, topic: str) -> Any:
    """A definition as CloudFormation would leave it: functions, topic and partition by name."""
    if isinstance(value, Mapping):
        if "Fn::Sub" in value:
            return str(value["Fn::Sub"]).replace("${AWS::Partition}", "aws")
        return {key: _SHORTENED.get(key) or resolved(inner, topic) for key, inner in value.items()}
    if isinstance(value, list):
        return [resolved(inner, topic) for inner in value]
    if isinstance(value, str):
        for name in FUNCTIONS:
            value = value.replace(f"${{{name}Function}}", f"{PREFIX}{name.lower()}")
        return value.replace("${Topic}", topic)
    return value


@contextmanager
def machines_of(endpoint: str) -> Iterator[Machines]:
    """The machines and the service that runs their functions. The interpreter knows its port from their making on."""
    with serving(Functions(), endpoint) as simulated, pytest.MonkeyPatch.context() as environment:
        environment.setenv("MOTO_PORT", simulated.url.rpartition(":")[2])
        machines = Machines(endpoint, simulated)
        yield machines
        machines.delete()


@contextmanager
def deployed(cloud: Cloud, machines: Machines, vendor_url: str, key: str) -> Iterator[Functions]:
    """The functions that the machines call, none called yet, with their environment in this process."""
    secret = own_client("secretsmanager", cloud.endpoint).create_secret(Name=cloud.bucket, SecretString=key)["ARN"]
    machines.functions.begin_anew()
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {
            "MAG7_LAKE": cloud.lake,
            "MAG7_PLAN": "advanced",
            "MAG7_RATE": "unlimited",
            "MAG7_RETRY_SECONDS": "0",
            "MAG7_YEARS_AT_ONCE": "2",
            "MAG7_KEY_SECRET": secret,
            "MAG7_TOPIC": machines.topic,
            "MAG7_WORKGROUP": "mag7",
            "POLYGON_BASE_URL": vendor_url,
        }.items():
            environment.setenv(name, value)
        yield machines.functions


def notifications() -> deque[tuple[str, str]]:
    """Subject and message of everything that was published, oldest first."""
    from moto.sns.models import sns_backends

    sent: deque[tuple[str, str]] = deque()
    for topic in sns_backends[ACCOUNT][REGION].topics.values():
        sent.extend((str(entry[2]), str(entry[1])) for entry in topic.sent_notifications)
    return sent
