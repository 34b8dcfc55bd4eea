"""The checks of the Glue catalog and of Athena's workgroup."""

from collections.abc import Iterator
from typing import Any

from mag7cli.core.errors import EngineError
from mag7cli.doctor.aws_access import Account, finding, look, put_policy
from mag7cli.doctor.checks import Finding
from mag7cli.lake import aws
from mag7cli.tables.schema import SCHEMA, TABLES
from mag7cli.warehouse import aws_policies


def catalog(lake: str) -> Finding:
    """Are the database and every table there?"""
    client = aws.client("glue")
    return look(
        "Glue catalog",
        lambda: client.get_tables(DatabaseName=SCHEMA, MaxResults=100),
        lambda answer: _tables(answer, lake),
    )


def _tables(answer: Any, lake: str) -> Finding:
    names = {table["Name"] for table in (answer or {}).get("TableList", [])}
    missing = [table.name for table in TABLES if table.name not in names]
    return finding(
        "Glue catalog",
        not missing,
        f"{SCHEMA} has all {len(TABLES)} tables",
        f"{SCHEMA} lacks {', '.join(missing)}" if answer else f"there is no database {SCHEMA}",
        f"mag7 load --engine athena --lake {lake}",
        state="warning",
    )


def findings(workgroup: str, output_location: str | None, bucket: str, account: Account) -> Iterator[Finding]:
    """Is the workgroup there and enabled, and do results have a place to go?"""
    client = aws.client("athena")
    place = f"ResultConfiguration={{OutputLocation=s3://{bucket}/athena/}}"
    try:
        with aws.errors_as(EngineError, f"workgroup {workgroup}"):
            settings = client.get_work_group(WorkGroup=workgroup)["WorkGroup"]
    except EngineError as error:
        yield _unreachable(workgroup, place, bucket, account, error)
        return
    update = f"aws athena update-work-group --work-group {workgroup}"
    yield finding(
        "Athena workgroup",
        settings.get("State") == "ENABLED",
        workgroup,
        f"{workgroup} is disabled",
        f"{update} --state ENABLED",
    )
    yield _results(settings.get("Configuration", {}), output_location, f"{update} --configuration-updates", place)


def _results(configuration: Any, output_location: str | None, update: str, place: str) -> Finding:
    """Where results go: Athena keeps them itself, or a workgroup enforces its own place, or the caller names one."""
    if configuration.get("ManagedQueryResultsConfiguration", {}).get("Enabled"):
        return Finding("Athena results", "ok", "are kept by Athena itself for a day")
    configured = configuration.get("ResultConfiguration", {}).get("OutputLocation")
    enforced = configuration.get("EnforceWorkGroupConfiguration", False)
    location = configured if enforced and configured else output_location or configured
    ignored = f", as the workgroup enforces; {output_location} is ignored" if output_location != location else ""
    return finding(
        "Athena results",
        bool(location),
        f"go to {location}{ignored if output_location else ''}",
        "have nowhere to go",
        f"{update} {place.replace('Configuration=', 'ConfigurationUpdates=')}",
    )


def _unreachable(workgroup: str, place: str, bucket: str, account: Account, error: EngineError) -> Finding:
    """A workgroup that is not there is made; one that may not be seen needs a policy."""
    if "not found" in str(error).lower():
        create = f"aws athena create-work-group --name {workgroup} --configuration {place}"
        return Finding("Athena workgroup", "failed", str(error), create)
    policy = aws_policies.athena_policy(bucket, workgroup, account.region, account.account, partition=account.partition)
    return Finding("Athena workgroup", "warning", str(error), put_policy(account.principal, "mag7-athena", policy))
