"""The stack in an account: its change sets in words, its events as they happen, its end, and what stays.

Template and package go through a bucket of their own (`mag7-deploy-<account>-<region>`): a template of this size is
not taken otherwise, nor is a package.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO, Final

from mag7cli.core.errors import EngineError, Mag7Error, UsageError
from mag7cli.deployment import parts, template
from mag7cli.deployment.glue_job import JobCode
from mag7cli.deployment.package import Package
from mag7cli.deployment.template import Choice
from mag7cli.lake import aws

Sleep = Callable[[float], None]

_POLL_S: Final = 2.0
_GONE: Final = "DELETE_COMPLETE"
_NO_CHANGES: Final = ("didn't contain changes", "No updates are to be performed")
# What a failure of another resource does to those that were under way says nothing.
_ECHOES: Final = ("cancelled", "The following resource(s) failed")
# Replacing one of these would lose what is in it.
_HOLDS_DATA: Final = frozenset({"AWS::S3::Bucket", "AWS::RedshiftServerless::Namespace", "AWS::SecretsManager::Secret"})


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a resource: `action` is Add, Modify or Remove, `properties` are those that differ."""

    action: str
    name: str
    kind: str
    replaces: bool
    properties: tuple[str, ...]

    @property
    def loses_data(self) -> bool:
        """True if what is in the resource would be gone, or left without the stack."""
        return self.kind in _HOLDS_DATA and (self.replaces or self.action == "Remove")

    def sentence(self) -> str:
        """The change in words."""
        if self.action == "Add":
            return f"{self.name} is made ({self.kind})"
        if self.action == "Remove":
            return f"{self.name} is removed ({self.kind})"
        what = f": {', '.join(self.properties)}" if self.properties else ""
        return f"{self.name} is {'replaced' if self.replaces else 'changed'} ({self.kind}){what}"


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """What an update would do; nothing is done yet."""

    stack: str
    arn: str
    is_new: bool
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack as it is."""

    name: str
    status: str
    reason: str | None
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StackEvent:
    """One thing that happened to a resource of a stack."""

    resource: str
    kind: str
    status: str
    reason: str | None

    @property
    def is_failure(self) -> bool:
        """True if it tells why a stack failed, and not only that it did."""
        return self.status.endswith("_FAILED") and not any(echo in (self.reason or "") for echo in _ECHOES)


# What is uploaded


def code_bucket(account: str, region: str) -> str:
    """The name of the bucket of templates and packages."""
    return f"mag7-deploy-{account}-{region}"


def prepare_bucket(name: str, region: str) -> bool:
    """Make the bucket of templates and packages if it is not there; True if it was made. Raises EngineError."""
    client = aws.client("s3")
    with aws.errors_as(EngineError, f"the bucket {name}"):
        if aws.answer_or_none(lambda: client.head_bucket(Bucket=name), ("404", "NoSuchBucket")) is not None:
            return False
        # us-east-1 is the one region that must not be named as a place.
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        client.create_bucket(Bucket=name, **place)
        blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        client.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(blocks, True))
    return True


def upload_package(package: Package, bucket: str) -> bool:
    """Upload a package under the name of its content; False if it was there already. Raises EngineError."""
    return _upload(package.path.open("rb"), bucket, package.key)


def upload_job(code: JobCode, bucket: str) -> bool:
    """Upload script and wheels of the Spark job; False if both were there already. Raises EngineError."""
    uploads = [_upload(BytesIO(code.script), bucket, code.script_key)]
    uploads.append(_upload(code.wheels.open("rb"), bucket, code.wheels_key))
    return any(uploads)


def _upload(file: BinaryIO, bucket: str, key: str) -> bool:
    client = aws.client("s3")
    with file, aws.errors_as(EngineError, f"s3://{bucket}/{key}"):
        there = aws.answer_or_none(lambda: client.head_object(Bucket=bucket, Key=key), ("404", "NotFound"))
        if there is not None:
            return False
        client.upload_fileobj(file, bucket, key)
    return True


def _upload_template(bucket: str, body: bytes) -> str:
    """The address of the template."""
    client = aws.client("s3")
    key = f"templates/mag7-{hashlib.sha256(body).hexdigest()[:16]}.yaml"
    with aws.errors_as(EngineError, f"s3://{bucket}/{key}"):
        client.put_object(Bucket=bucket, Key=key, Body=body)
    suffix = "amazonaws.com.cn" if client.meta.partition == "aws-cn" else "amazonaws.com"
    return f"https://{bucket}.s3.{client.meta.region_name}.{suffix}/{key}"


# Change sets


def prepare(name: str, choice: Choice, bucket: str, *, sleep: Sleep = time.sleep) -> ChangeSet:
    """Ask CloudFormation what an update to the choice would do.

    Args:
        name: Of the stack, which need not be there.
        choice: The parts and parameters.
        bucket: Where the template is uploaded.
        sleep: How to wait.

    Raises:
        EngineError: CloudFormation refuses the template.
    """
    client = aws.client("cloudformation")
    url = _upload_template(bucket, parts.dump(template.render()).encode())
    present = describe(name)
    is_new = present is None or present.status == "REVIEW_IN_PROGRESS"
    with aws.errors_as(EngineError, f"the change set of {name}"):
        arn: str = client.create_change_set(
            StackName=name,
            ChangeSetName=f"mag7-{int(time.time() * 1000)}",
            ChangeSetType="CREATE" if is_new else "UPDATE",
            TemplateURL=url,
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in choice.parameters().items()],
        )["Id"]
        return ChangeSet(name, arn, is_new, _changes(client, arn, sleep))


def _changes(client: Any, arn: str, sleep: Sleep) -> tuple[Change, ...]:
    described = client.describe_change_set(ChangeSetName=arn, IncludePropertyValues=True)
    while described["Status"] in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
        sleep(_POLL_S)
        described = client.describe_change_set(ChangeSetName=arn, IncludePropertyValues=True)
    if described["Status"] == "FAILED":
        reason = described.get("StatusReason", "no reason given")
        if any(text in reason for text in _NO_CHANGES):
            return ()
        raise EngineError(f"CloudFormation refuses the change set: {reason}")
    pages = [described]
    while token := pages[-1].get("NextToken"):
        pages.append(client.describe_change_set(ChangeSetName=arn, NextToken=token))
    return tuple(_change(entry["ResourceChange"]) for page in pages for entry in page["Changes"])


def _change(entry: Mapping[str, Any]) -> Change:
    targets = (detail.get("Target", {}) for detail in entry.get("Details", ()))
    properties = dict.fromkeys(target.get("Name") or target.get("Attribute", "") for target in targets)
    return Change(
        action=entry["Action"],
        name=entry["LogicalResourceId"],
        kind=entry["ResourceType"],
        replaces=entry.get("Replacement") in ("True", "Conditional"),
        properties=tuple(filter(None, properties)),
    )


def discard(change_set: ChangeSet) -> None:
    """Delete a change set that was only looked at, and the empty stack that it may have left. Raises EngineError."""
    client = aws.client("cloudformation")
    with aws.errors_as(EngineError, f"the change set of {change_set.stack}"):
        client.delete_change_set(ChangeSetName=change_set.arn)
        if change_set.is_new:
            client.delete_stack(StackName=change_set.stack)


def check_keeps_data(change_set: ChangeSet) -> None:
    """Raise UsageError if the change set would replace or remove something that holds data."""
    losses = [change.sentence() for change in change_set.changes if change.loses_data and not change_set.is_new]
    if losses:
        raise UsageError(
            f"{'; '.join(losses)}: what is in it would be lost to the stack",
            hint="keep the name or part as it is, or add --allow-replacement",
        )


def execute(change_set: ChangeSet, *, sleep: Sleep = time.sleep) -> Iterator[StackEvent]:
    """Carry a change set out, and tell what happens until it is over.

    Raises:
        Mag7Error: The stack failed, with the first reason; CloudFormation rolls it back.
    """
    client = aws.client("cloudformation")
    seen = _event_ids(client, change_set.stack)
    with aws.errors_as(EngineError, change_set.stack):
        client.execute_change_set(ChangeSetName=change_set.arn)
    yield from _followed(client, change_set.stack, seen, sleep)


# The stack


def describe(name: str) -> Stack | None:
    """The stack of that name, or behind that id; None if there is none. Raises EngineError."""
    client = aws.client("cloudformation")
    with aws.errors_as(EngineError, f"the stack {name}"):
        # A stack that is not there is a ValidationError, as much else is.
        try:
            entry = client.describe_stacks(StackName=name)["Stacks"][0]
        except client.exceptions.ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
    return Stack(
        name=entry["StackName"],
        status=entry["StackStatus"],
        reason=entry.get("StackStatusReason"),
        parameters={
            parameter["ParameterKey"]: parameter.get("ParameterValue", "") for parameter in entry.get("Parameters", ())
        },
        outputs={output["OutputKey"]: output["OutputValue"] for output in entry.get("Outputs", ())},
    )


def existing(name: str) -> Stack:
    """The stack of that name. Raises UsageError if there is none, EngineError."""
    stack = describe(name)
    if stack is None or stack.status in (_GONE, "REVIEW_IN_PROGRESS"):
        raise UsageError(f"there is no stack {name!r}", hint="mag7 deploy apply makes it; --stack names another")
    return stack


def delete(name: str, *, sleep: Sleep = time.sleep) -> Iterator[StackEvent]:
    """Delete the stack, and tell what happens until it is gone. Raises Mag7Error if something cannot be deleted."""
    client = aws.client("cloudformation")
    with aws.errors_as(EngineError, f"the stack {name}"):
        # By its id a stack can still be looked at when it is gone.
        stack_id = client.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
        seen = _event_ids(client, stack_id)
        client.delete_stack(StackName=stack_id)
    yield from _followed(client, stack_id, seen, sleep)


def _event_ids(client: Any, stack: str) -> set[str]:
    try:
        return {event["EventId"] for event in _raw_events(client, stack)}
    except client.exceptions.ClientError:
        return set()


def _raw_events(client: Any, stack: str) -> Iterator[Mapping[str, Any]]:
    for page in client.get_paginator("describe_stack_events").paginate(StackName=stack):
        yield from page["StackEvents"]


def _followed(client: Any, stack: str, seen: set[str], sleep: Sleep) -> Iterator[StackEvent]:
    failures: list[StackEvent] = []
    while True:
        with aws.errors_as(EngineError, f"the stack {stack}"):
            status = client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
            fresh = [event for event in _raw_events(client, stack) if event["EventId"] not in seen]
        for event in reversed(fresh):
            seen.add(event["EventId"])
            entry = _event(event)
            failures += [entry] if entry.is_failure else []
            yield entry
        if not status.endswith("_IN_PROGRESS"):
            break
        sleep(_POLL_S)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE", _GONE):
        raise _failure(stack, status, failures)


def _event(event: Mapping[str, Any]) -> StackEvent:
    return StackEvent(
        resource=event["LogicalResourceId"],
        kind=event["ResourceType"],
        status=event["ResourceStatus"],
        reason=event.get("ResourceStatusReason"),
    )


def _failure(stack: str, status: str, failures: Sequence[StackEvent]) -> Mag7Error:
    if not failures:
        return Mag7Error(f"the stack {stack} ended as {status}", hint="`mag7 deploy status` shows it")
    first = failures[0]
    return Mag7Error(
        f"the stack {stack} ended as {status}: {first.resource} ({first.kind}): {first.reason}",
        hint=_advice(first),
    )


def _advice(event: StackEvent) -> str | None:
    reason = (event.reason or "").lower()
    return next((helps for text, helps in _ADVICE.items() if text in reason), None)


_ADVICE: Final[Mapping[str, str]] = {
    "unreservedconcurrentexecution": "your account's limit of concurrency is too low to reserve any: "
    "--set ReserveConcurrency=off",
    "already exists": "another stack or a click made it: remove it, or --set Name=another",
    "bucketalreadyownedbyyou": "the bucket stayed from an earlier stack: --without bucket uses it as it is",
    "is not authorized": "your identity lacks a permission of the action named above",
    "not found in the registry": "the region does not offer this resource: --without the part that needs it",
}


# What stays


def leftovers(stack: Stack, bucket: str) -> list[str]:
    """What a destroyed stack leaves behind, each in a sentence with the command that removes it."""
    lake = stack.outputs.get("Lake", "")
    sentences = [f"{bucket} with the templates and packages: aws s3 rb s3://{bucket} --force"]
    if stack.parameters.get("UseBucket") == "on" and lake:
        sentences.insert(0, f"{lake} with all data and old versions: it is kept, and paid for until you delete it")
    return sentences
