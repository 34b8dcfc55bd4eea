"""The machines at work: started under a name that makes a second start harmless, followed, and listed; their logs."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from mag7cli.core.errors import EngineError, Mag7Error, UsageError
from mag7cli.deployment.stack import Stack
from mag7cli.lake import aws

Machine = Literal["history", "recovery"]

Sleep = Callable[[float], None]

_POLL_S: Final = 3.0
_OUTPUTS: Final[Mapping[Machine, str]] = {"history": "HistoryMachineArn", "recovery": "RecoveryMachineArn"}
_SHOWN: Final = 5
_LONGEST_CAUSE: Final = 400


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution of a machine; `started` and `ended` are ISO 8601 in UTC."""

    machine: Machine
    name: str
    arn: str
    status: str
    started: str
    ended: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened in an execution: a state was entered, or a call failed and why."""

    state: str
    happened: str


def start(stack: Stack, machine: Machine, event: Mapping[str, Any], *, again: bool = False) -> Execution:
    """Start a machine.

    Args:
        stack: Where the machine is.
        machine: Which one.
        event: What it is to do.
        again: Under a new name: the same range once more. Without it a second start is the first one.

    Raises:
        UsageError: The stack has no machines, or the same range was done already.
        EngineError: Step Functions refuses.
    """
    arn, name = _arn(stack, machine), execution_name(machine, event)
    client = aws.client("stepfunctions")
    if again:
        name = f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    with aws.errors_as(EngineError, f"the machine {machine}"):
        try:
            started = client.start_execution(stateMachineArn=arn, name=name, input=json.dumps(event, sort_keys=True))
        except client.exceptions.ExecutionAlreadyExists:
            raise UsageError(f"{name} has ended already", hint="--again runs the same range once more") from None
    moment = started["startDate"].astimezone(UTC).isoformat()
    return Execution(machine, name, started["executionArn"], "RUNNING", moment)


def execution_name(machine: Machine, event: Mapping[str, Any]) -> str:
    """The name of an execution: the same for the same event, so that nothing is done twice by two clicks."""
    return "-".join(filter(None, (machine, event.get("start"), event.get("end"), event.get("sessions"))))


def follow(execution: Execution, *, sleep: Sleep = time.sleep) -> Iterator[Step]:
    """Tell what happens until the execution ends.

    Raises:
        Mag7Error: It failed, with the cause.
    """
    client, seen = aws.client("stepfunctions"), 0
    while True:
        with aws.errors_as(EngineError, execution.name):
            described = client.describe_execution(executionArn=execution.arn)
            events = list(_events(client, execution.arn))
        for event in events[seen:]:
            if step := _step(event):
                yield step
        seen = len(events)
        if described["status"] != "RUNNING":
            break
        sleep(_POLL_S)
    if described["status"] != "SUCCEEDED":
        cause = _cause(described.get("cause", ""))
        raise Mag7Error(
            f"{execution.name} {described['status'].lower()}: {described.get('error', 'no error named')}: {cause}",
            hint="`mag7 deploy logs collect` shows what the function said",
        )


def _events(client: Any, arn: str) -> Iterator[Mapping[str, Any]]:
    for page in client.get_paginator("get_execution_history").paginate(executionArn=arn):
        yield from page["events"]


def _step(event: Mapping[str, Any]) -> Step | None:
    kind = event["type"]
    if kind.endswith("StateEntered"):
        return Step(event["stateEnteredEventDetails"]["name"], "entered")
    failed = next((value for key, value in event.items() if key.endswith("FailedEventDetails")), None)
    if failed is not None and kind != "ExecutionFailed":
        return Step(failed.get("error", ""), f"failed: {_cause(failed.get('cause', ''))}")
    return None


def _cause(text: str) -> str:
    """What a function raised, in a line: its error comes as a document."""
    with suppress(ValueError, KeyError, TypeError):
        text = json.loads(text)["errorMessage"]
    sentence = " ".join(str(text).split())
    return sentence[:_LONGEST_CAUSE]


def latest(stack: Stack) -> list[Execution]:
    """The last executions of both machines, newest first. Raises EngineError."""
    client, executions = aws.client("stepfunctions"), []
    for machine, output in _OUTPUTS.items():
        if arn := stack.outputs.get(output):
            with aws.errors_as(EngineError, f"the machine {machine}"):
                listed = client.list_executions(stateMachineArn=arn, maxResults=_SHOWN)["executions"]
            executions += [_execution(machine, entry) for entry in listed]
    return sorted(executions, key=lambda execution: execution.started, reverse=True)[:_SHOWN]


def _execution(machine: Machine, entry: Mapping[str, Any]) -> Execution:
    ended = entry.get("stopDate")
    return Execution(
        machine=machine,
        name=entry["name"],
        arn=entry["executionArn"],
        status=entry["status"],
        started=entry["startDate"].astimezone(UTC).isoformat(timespec="seconds"),
        ended=ended.astimezone(UTC).isoformat(timespec="seconds") if ended else None,
    )


def _arn(stack: Stack, machine: Machine) -> str:
    arn = stack.outputs.get(_OUTPUTS[machine])
    if not arn:
        raise UsageError(f"the stack {stack.name} has no machine {machine}", hint="mag7 deploy apply --with machines")
    return arn


def logs(stack: Stack, function: str, since: datetime) -> Iterator[str]:
    """What a function logged since a moment, oldest first, each message with its time in UTC. Raises EngineError."""
    client = aws.client("logs")
    group = f"/aws/lambda/{stack.parameters.get('Name', 'mag7')}-{function}"
    with aws.errors_as(EngineError, f"the log group {group}"):
        pages = client.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=int(since.timestamp() * 1_000)
        )
        for page in pages:
            for event in page["events"]:
                moment = datetime.fromtimestamp(event["timestamp"] / 1_000, UTC)
                yield f"{moment:%Y-%m-%dT%H:%M:%SZ} {event['message'].rstrip()}"


def put_key(stack: Stack, key: str) -> str:
    """Put the vendor's key into the stack's secret; the secret's ARN.

    Raises:
        UsageError: The stack has no secret, or the key is empty.
        EngineError: Secrets Manager refuses; the key is in no message.
    """
    arn = stack.outputs.get("KeySecretArn")
    if not arn:
        raise UsageError(f"the stack {stack.name} has no secret for a key", hint="mag7 deploy apply --with functions")
    if not key.strip() or len(key.split()) != 1:
        raise UsageError("there is no key, or more than one word", hint="pass show polygon | mag7 deploy secret")
    client = aws.client("secretsmanager")
    with aws.errors_as(EngineError, "the secret of the key"):
        client.put_secret_value(SecretId=arn, SecretString=key.strip())
    return arn
