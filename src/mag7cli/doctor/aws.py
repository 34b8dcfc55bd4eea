"""What a lake on S3 and its engines still lack, each with the exact command that mends it. Changes nothing.

A check that may not look is a warning, not a verdict: many people may use a bucket without being allowed to ask about
its settings.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from mag7cli.core.errors import Mag7Error
from mag7cli.doctor import aws_athena, aws_bucket, aws_redshift
from mag7cli.doctor.aws_access import account_in_use
from mag7cli.doctor.checks import Finding
from mag7cli.lake.s3 import S3Store
from mag7cli.warehouse.engines.redshift import Warehouse
from mag7cli.warehouse.redshift_load import DEFAULT_ROLE


@dataclass(frozen=True, slots=True)
class Setup:
    """What is to be used: the lake's address, Athena's workgroup, and Redshift with the role of COPY if wanted."""

    lake: str
    workgroup: str = "primary"
    output_location: str | None = None
    warehouse: Warehouse | None = None
    role: str = DEFAULT_ROLE


def examine(setup: Setup) -> Iterator[Finding]:
    """Every check in the order in which things are set up; without credentials there is only the first.

    Raises UsageError for a lake that is not on S3.
    """
    try:
        account = account_in_use()
    except Mag7Error as error:
        yield Finding("AWS credentials", "failed", str(error), error.hint)
        return
    yield Finding("AWS credentials", "ok", f"{account.arn}, region {account.region}")
    store = S3Store.at(setup.lake)
    yield from aws_bucket.findings(store, account)
    yield aws_athena.catalog(setup.lake)
    yield from aws_athena.findings(setup.workgroup, setup.output_location, store.bucket, account)
    if setup.warehouse is not None:
        yield from aws_redshift.findings(setup.warehouse, setup.role, store, account)
