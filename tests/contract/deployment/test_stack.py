"""The stack on what the loopback account knows of CloudFormation, and its machines, secret and logs there."""

import json
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from tests.simulators.cloud import ACCOUNT, REGION, Cloud, own_client

from mag7cli.core.errors import EngineError, Mag7Error, UsageError
from mag7cli.deployment import executions, package, stack, template
from mag7cli.deployment.package import Package
from mag7cli.deployment.stack import Change, Stack, StackEvent

# The account warns of resources that it does not know.
pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse")

BUCKET = f"mag7-deploy-{ACCOUNT}-{REGION}"


def no_sleep(_: float) -> None:
    """Wait for nothing."""


@pytest.fixture
def packed(tmp_path: Path) -> Package:
    path = tmp_path / "functions.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mag7cli/deployment/functions.py", "")
    return package.opened(path, "arm64")


@pytest.fixture
def name(cloud: Cloud) -> Iterator[str]:
    """The name of a stack that is gone afterwards."""
    yield cloud.bucket
    client = own_client("cloudformation", cloud.endpoint)
    client.delete_stack(StackName=cloud.bucket)


def choice(packed: Package, **values: str) -> template.Choice:
    chosen = template.choose(without=["athena", "catalog"], values=values)
    return template.Choice(chosen.on, {**chosen.values, "CodeKey": packed.key, "CodeBucket": BUCKET})


def test_a_new_stack_is_made_and_an_update_of_nothing_changes_nothing(cloud: Cloud, name: str, packed: Package) -> None:
    stack.prepare_bucket(BUCKET, REGION)
    stack.upload_package(packed, BUCKET)

    first = stack.prepare(name, choice(packed, Name=name[:20]), BUCKET, sleep=no_sleep)
    events = list(stack.execute(first, sleep=no_sleep))

    assert first.is_new
    assert {"HistoryMachine", "CollectFunction", "Bucket"} <= {change.name for change in first.changes}
    assert {change.action for change in first.changes} == {"Add"}
    assert events[-1].status == "CREATE_COMPLETE"
    assert stack.existing(name).parameters["Plan"] == "basic"


def test_a_change_set_that_was_only_looked_at_leaves_nothing(cloud: Cloud, name: str, packed: Package) -> None:
    stack.prepare_bucket(BUCKET, REGION)
    stack.upload_package(packed, BUCKET)

    stack.discard(stack.prepare(name, choice(packed, Name=name[:20]), BUCKET, sleep=no_sleep))

    with pytest.raises(UsageError, match="there is no stack"):
        stack.existing(name)


def test_a_package_is_uploaded_once(cloud: Cloud, packed: Package) -> None:
    stack.prepare_bucket(BUCKET, REGION)
    own_client("s3", cloud.endpoint).delete_object(Bucket=BUCKET, Key=packed.key)

    assert [stack.upload_package(packed, BUCKET), stack.upload_package(packed, BUCKET)] == [True, False]


def test_the_bucket_of_packages_is_private(cloud: Cloud) -> None:
    stack.prepare_bucket(BUCKET, REGION)

    block = own_client("s3", cloud.endpoint).get_public_access_block(Bucket=BUCKET)
    assert all(block["PublicAccessBlockConfiguration"].values())


def test_a_stack_is_deleted_and_what_stays_is_told(cloud: Cloud, name: str, packed: Package) -> None:
    stack.prepare_bucket(BUCKET, REGION)
    stack.upload_package(packed, BUCKET)
    list(stack.execute(stack.prepare(name, choice(packed, Name=name[:20]), BUCKET, sleep=no_sleep), sleep=no_sleep))
    found = stack.existing(name)

    list(stack.delete(name, sleep=no_sleep))

    with pytest.raises(UsageError, match="there is no stack"):
        stack.existing(name)
    stays = stack.leftovers(with_outputs(found, Lake="s3://the-lake"), BUCKET)
    assert stays[0].startswith("s3://the-lake with all data")
    assert "aws s3 rb" in stays[1]


# In words


@pytest.mark.parametrize(
    ("change", "sentence", "loses"),
    [
        (Change("Add", "Bucket", "AWS::S3::Bucket", False, ()), "Bucket is made (AWS::S3::Bucket)", False),
        (
            Change("Modify", "Topic", "AWS::SNS::Topic", False, ("DisplayName",)),
            "Topic is changed (AWS::SNS::Topic): DisplayName",
            False,
        ),
        (
            Change("Modify", "Bucket", "AWS::S3::Bucket", True, ("BucketName",)),
            "Bucket is replaced (AWS::S3::Bucket): BucketName",
            True,
        ),
        (Change("Remove", "Bucket", "AWS::S3::Bucket", False, ()), "Bucket is removed (AWS::S3::Bucket)", True),
    ],
)
def test_a_change_is_said_in_words(change: Change, sentence: str, loses: bool) -> None:
    assert (change.sentence(), change.loses_data) == (sentence, loses)


def test_a_change_that_loses_data_is_refused_unless_the_stack_is_new() -> None:
    replaced = Change("Modify", "Bucket", "AWS::S3::Bucket", True, ("BucketName",))

    with pytest.raises(UsageError, match="would be lost"):
        stack.check_keeps_data(stack.ChangeSet("mag7", "arn", False, (replaced,)))
    stack.check_keeps_data(stack.ChangeSet("mag7", "arn", True, (replaced,)))


def test_the_first_reason_of_a_failure_is_told_with_advice() -> None:
    events = [
        StackEvent("CollectFunction", "AWS::Lambda::Function", "CREATE_FAILED",
                   "decreases account's UnreservedConcurrentExecution below its minimum value of [10]"),
        StackEvent("Topic", "AWS::SNS::Topic", "CREATE_FAILED", "Resource creation cancelled"),
    ]  # fmt: skip

    assert [event.is_failure for event in events] == [True, False]
    error = stack._failure("mag7", "ROLLBACK_COMPLETE", events)
    assert "CollectFunction (AWS::Lambda::Function): decreases" in str(error)
    assert error.hint is not None
    assert "ReserveConcurrency=off" in error.hint


# Machines, secret and logs


def with_outputs(found: Stack | None = None, **outputs: str) -> Stack:
    return Stack("mag7", "CREATE_COMPLETE", None, found.parameters if found else {"Name": "mag7"}, outputs)


@pytest.fixture
def deployed(cloud: Cloud) -> Iterator[Stack]:
    """A stack whose history is a machine that passes."""
    settings = {"stepfunctions": {"execute_state_machine": True}}
    requests.post(f"{cloud.endpoint}/moto-api/config", json=settings, timeout=10).raise_for_status()
    client = own_client("stepfunctions", cloud.endpoint)
    definition = {"StartAt": "Dates", "States": {"Dates": {"Type": "Pass", "End": True}}}
    arn = client.create_state_machine(
        name=f"{cloud.bucket}-history", definition=json.dumps(definition), roleArn=f"arn:aws:iam::{ACCOUNT}:role/x"
    )["stateMachineArn"]
    yield with_outputs(HistoryMachineArn=arn)
    client.delete_state_machine(stateMachineArn=arn)


def test_a_start_is_named_after_its_range_and_again_after_the_time(deployed: Stack) -> None:
    event = {"start": "2021-01-04", "end": "2021-03-31"}

    first = executions.start(deployed, "history", event)
    again = executions.start(deployed, "history", event, again=True)

    assert first.name == "history-2021-01-04-2021-03-31"
    assert again.name.startswith(f"{first.name}-20")
    assert {one.name for one in executions.latest(deployed)} == {first.name, again.name}


def test_a_range_that_was_done_is_not_done_again_by_accident(deployed: Stack) -> None:
    event = {"start": "2022-01-03"}
    steps = list(executions.follow(executions.start(deployed, "history", event), sleep=lambda _: time.sleep(0.05)))

    assert [(step.state, step.happened) for step in steps] == [("Dates", "entered")]
    with pytest.raises(UsageError, match="has ended already") as caught:
        executions.start(deployed, "history", {**event, "end": ""})
    assert "--again" in str(caught.value.hint)


def test_a_stack_without_machines_has_none_to_start() -> None:
    with pytest.raises(UsageError, match="has no machine recovery"):
        executions.start(with_outputs(), "recovery", {})


def test_the_key_is_put_into_the_secret_and_into_no_message(cloud: Cloud) -> None:
    client = own_client("secretsmanager", cloud.endpoint)
    arn = client.create_secret(Name=f"{cloud.bucket}-key")["ARN"]

    executions.put_key(with_outputs(KeySecretArn=arn), "the-key-of-somebody\n")

    assert client.get_secret_value(SecretId=arn)["SecretString"] == "the-key-of-somebody"
    with pytest.raises(EngineError) as caught:
        executions.put_key(with_outputs(KeySecretArn=f"{arn}-gone"), "the-key-of-somebody")
    assert "the-key-of-somebody" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "\n", "two words"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no key"):
        executions.put_key(with_outputs(KeySecretArn="arn:aws:secretsmanager:::secret:x"), text)


def test_logs_come_with_their_time(cloud: Cloud) -> None:
    client = own_client("logs", cloud.endpoint)
    group = f"/aws/lambda/{cloud.bucket}-collect"
    client.create_log_group(logGroupName=group)
    client.create_log_stream(logGroupName=group, logStreamName="one")
    now = datetime.now(UTC)
    client.put_log_events(
        logGroupName=group,
        logStreamName="one",
        logEvents=[{"timestamp": int(now.timestamp() * 1_000), "message": "5 dates to collect\n"}],
    )
    found = Stack("mag7", "CREATE_COMPLETE", None, {"Name": cloud.bucket}, {})

    lines = list(executions.logs(found, "collect", datetime(2026, 1, 1, tzinfo=UTC)))

    assert lines == [f"{now:%Y-%m-%dT%H:%M:%SZ} 5 dates to collect"]


def test_an_execution_that_failed_tells_what_the_function_raised() -> None:
    cause = json.dumps({"errorMessage": "the plan serves data from 2024 on", "errorType": "PlanError"})

    assert executions._cause(cause) == "the plan serves data from 2024 on"
    assert isinstance(Mag7Error(executions._cause("plain text")), Mag7Error)
