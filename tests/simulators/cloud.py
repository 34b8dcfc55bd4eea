"""An AWS account on the loopback: moto serves S3, Glue, IAM and STS over real HTTP; nothing of boto3 is patched.

Every test session loads these fixtures, so the heavy imports wait inside them.
"""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from mag7cli.lake.s3 import S3Store

if TYPE_CHECKING:
    from tests.simulators.athena import AthenaSimulator
    from tests.simulators.redshift_data import RedshiftSimulator

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

    def put_quickly(self, objects: Mapping[str, bytes]) -> None:
        """Put objects straight into the account, at a hundred times the speed of HTTP."""
        from moto.s3.models import s3_backends

        account = s3_backends[ACCOUNT]["aws"]
        for key, data in objects.items():
            account.put_object(self.bucket, key, data)

    def fill(self, days: tuple[date, ...], *, revision: int = 0) -> None:
        """Put both layouts of every table into the lake for these dates."""
        from tests.simulators.filled_lake import objects

        self.put_quickly({f"lake/{key}": data for key, data in objects(days, revision).items()})

    def keys(self) -> list[str]:
        """Every key of the bucket."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [found["Key"] for page in pages for found in page.get("Contents", ())]


def stored(bucket: str, prefix: str) -> Iterator[tuple[str, bytes]]:
    """The objects below a prefix, straight from the account; the simulators are not tests of boto3."""
    from moto.s3.models import s3_backends

    objects = s3_backends[ACCOUNT]["aws"].buckets[bucket].keys
    for key in sorted(objects):
        if key.startswith(prefix):
            yield key, objects[key].value


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    """The address of a moto server."""
    from tests.simulators import moto_server

    with moto_server.serving() as address:
        yield address


@cache
def own_client(service: str, endpoint: str) -> Any:
    """A client of the tests' own, so that they see the account without the code under test; each is made once."""
    import boto3

    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    return boto3.session.Session().client(service, endpoint_url=endpoint, region_name=REGION, **keys)


@pytest.fixture(scope="session")
def aws_s3(aws_endpoint: str) -> Any:
    """The tests' own client of S3."""
    return own_client("s3", aws_endpoint)


@pytest.fixture(scope="session")
def aws_glue(aws_endpoint: str) -> Any:
    """The tests' own client of Glue."""
    return own_client("glue", aws_endpoint)


@contextmanager
def account(endpoint: str, s3: Any) -> Iterator[Cloud]:
    """An account with an empty bucket, reached through boto3's own environment."""
    with pytest.MonkeyPatch.context() as environment:
        for name in _SETTINGS_OF_THE_DEVELOPER:
            environment.delenv(name, raising=False)
        for name, value in {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            environment.setenv(name, value)
        bucket = f"mag7-{uuid.uuid4().hex[:12]}"
        s3.create_bucket(Bucket=bucket)
        yield Cloud(endpoint, bucket, s3)


@contextmanager
def athena_of(cloud: Cloud, glue: Any) -> Iterator["AthenaSimulator"]:
    """A simulated Athena over the account's Glue catalog, which is emptied afterwards."""
    from tests.simulators.athena import AthenaSimulator
    from tests.simulators.aws_json import serving

    with serving(AthenaSimulator(glue, stored)) as service, pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL_ATHENA", service.url)
        yield service
    for database in glue.get_databases()["DatabaseList"]:
        glue.delete_database(Name=database["Name"])


@contextmanager
def redshift_of(cloud: Cloud) -> Iterator["RedshiftSimulator"]:
    """A simulated Redshift, empty."""
    from tests.simulators.aws_json import serving
    from tests.simulators.redshift_data import RedshiftSimulator

    with serving(RedshiftSimulator(stored)) as service, pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL_REDSHIFT_DATA", service.url)
        yield service


@pytest.fixture
def cloud(aws_endpoint: str, aws_s3: Any) -> Iterator[Cloud]:
    """An account with an empty bucket."""
    with account(aws_endpoint, aws_s3) as cloud:
        yield cloud


@pytest.fixture
def athena(cloud: Cloud, aws_glue: Any) -> Iterator["AthenaSimulator"]:
    """Athena over `cloud`, its catalog empty."""
    with athena_of(cloud, aws_glue) as service:
        yield service


@pytest.fixture
def redshift(cloud: Cloud) -> Iterator["RedshiftSimulator"]:
    """Redshift over `cloud`, empty."""
    with redshift_of(cloud) as service:
        yield service


@pytest.fixture(scope="module")
def shared_cloud(aws_endpoint: str, aws_s3: Any) -> Iterator[Cloud]:
    """An account that a whole module of tests reads from."""
    with account(aws_endpoint, aws_s3) as cloud:
        yield cloud
