"""An AWS account on the loopback: moto serves S3, Glue, IAM and STS over real HTTP; nothing of boto3 is patched."""

import logging
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

from mag7cli.stores.s3 import S3Store

ACCOUNT = "123456789012"
"""The account that moto plays."""

REGION = "us-east-1"

_SETTINGS_OF_THE_DEVELOPER = (
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_RETRY_MODE",
    "AWS_MAX_ATTEMPTS",
    "MAG7_BUCKET_OWNER",
    "MAG7_S3_SSE",
    "MAG7_S3_KMS_KEY",
)


@dataclass(frozen=True, slots=True)
class Cloud:
    """The account's address and one bucket in it that no other test uses."""

    endpoint: str
    bucket: str
    s3: Any

    @property
    def lake(self) -> str:
        """The address of a lake in the bucket."""
        return f"s3://{self.bucket}/lake"

    def store(self) -> S3Store:
        """A store over the lake."""
        return S3Store.at(self.lake)

    def put_quickly(self, keys: Iterable[str]) -> None:
        """Put empty objects straight into the account, at a hundred times the speed of HTTP."""
        account = s3_backends[ACCOUNT]["aws"]
        for key in keys:
            account.put_object(self.bucket, key, b"")

    def keys(self) -> list[str]:
        """Every key of the bucket."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [found["Key"] for page in pages for found in page.get("Contents", ())]


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    """The address of a moto server; port 0, so that several runs of the tests never meet."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def aws_s3(aws_endpoint: str) -> Any:
    """A client of the tests' own, so that they see the account without the code under test."""
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    return boto3.session.Session().client("s3", endpoint_url=aws_endpoint, region_name=REGION, **keys)


@pytest.fixture
def cloud(aws_endpoint: str, aws_s3: Any, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """An account with an empty bucket, reached through boto3's own environment."""
    for name in _SETTINGS_OF_THE_DEVELOPER:
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    bucket = f"mag7-{uuid.uuid4().hex[:12]}"
    aws_s3.create_bucket(Bucket=bucket)
    return Cloud(aws_endpoint, bucket, aws_s3)
