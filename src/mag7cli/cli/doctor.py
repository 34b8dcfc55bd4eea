"""`mag7 doctor`."""

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mag7cli.cli.app import TEXT_JSON_CSV, command
from mag7cli.cli.engines import LOCAL, EngineOptions, warehouse_of
from mag7cli.cli.load import IamRoleOption
from mag7cli.cli.options import ApiKeyCommandOption, PlanName, PlanOption
from mag7cli.cli.output import Column, Grid, Line, Output, Result, Style
from mag7cli.core.errors import Mag7Error
from mag7cli.core.formatting import counted

if TYPE_CHECKING:
    from mag7cli.doctor.checks import Finding, State

_MARKS: Final[dict["State", tuple[str, Style]]] = {
    "ok": ("ok", "good"),
    "warning": ("note", "warn"),
    "failed": ("FAIL", "bad"),
}
_PATIENCE_S: Final = 60.0


@command(
    "mag7 doctor",
    "mag7 doctor --aws --lake s3://my-bucket --output-location s3://my-bucket/athena/",
    "mag7 doctor --aws --lake s3://my-bucket --engine redshift --workgroup market-analysis",
    formats=TEXT_JSON_CSV,
)
def doctor(
    output: Output,
    plan: PlanOption = "basic",
    aws: Annotated[
        bool, typer.Option("--aws", help="Check what a lake on S3 and its engines need; --engine redshift, that too.")
    ] = False,
    iam_role: IamRoleOption = "default",
    options: EngineOptions = LOCAL,
    api_key_command: ApiKeyCommandOption = None,
) -> None:
    """Check that everything a collection needs is in order.

    The key, the plan, the clock, the calendar, the lake and the answers in it, the versions: each with what would help.
    It takes two calls of the vendor. With --aws it is the bucket, the catalog, the workgroup and the rights. Nothing is
    changed. The exit code is 1 if a check failed.
    """
    findings = list(_of_cloud(options, iam_role) if aws else _of_machine(options.lake, plan, api_key_command))
    output.show(_result(findings))
    failed = [finding.check for finding in findings if finding.state == "failed"]
    if failed:
        raise Mag7Error(f"{counted(len(failed), 'check')} failed: {', '.join(failed)}")


def _of_machine(lake: str, plan: PlanName, api_key_command: str | None) -> "Iterator[Finding]":
    from mag7cli.core.clock import SystemClock
    from mag7cli.doctor.checks import examine
    from mag7cli.lake.layout import Lake
    from mag7cli.vendors.polygon import open_source
    from mag7cli.vendors.rate_limit import Budget
    from mag7cli.vendors.subscription import plan as plan_of

    clock = SystemClock()
    budget = Budget(clock, max_duration_s=_PATIENCE_S)
    return examine(
        lambda: Lake.at(lake),
        lambda: open_source(os.environ, plan=plan, api_key_command=api_key_command, budget=budget),
        plan_of(plan),
        clock,
        os.environ,
    )


def _of_cloud(options: EngineOptions, iam_role: str) -> "Iterator[Finding]":
    from mag7cli.doctor.aws import Setup, examine

    if options.engine == "redshift":
        setup = Setup(options.lake, warehouse=warehouse_of(options), role=iam_role)
    else:
        setup = Setup(options.lake, options.workgroup or "primary", options.output_location)
    return examine(setup)


def _result(findings: Sequence["Finding"]) -> Result:
    columns = (Column("check"), Column("state"), Column("found"), Column("fix"))
    grid = Grid(columns, [[entry.check, entry.state, entry.outcome, entry.fix] for entry in findings])
    failed = sum(finding.state == "failed" for finding in findings)
    return Result({"failed": failed, "checks": grid.records()}, grid, list(_lines(findings)))


def _lines(findings: Sequence["Finding"]) -> Iterator[Line]:
    """A line for each check, and one below it for what helps."""
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        mark, style = _MARKS[finding.state]
        yield Line(f"{mark:<4}  {finding.check:<{width}}  {finding.outcome}", style if finding.state != "ok" else "")
        if finding.fix and finding.state != "ok":
            yield Line(f"{'':<4}  {'':<{width}}  fix: {finding.fix}", style)
