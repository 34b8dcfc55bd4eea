"""`mag7 doctor`."""

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import typer

from mag7cli.cli.frame import TEXT_JSON_CSV, command
from mag7cli.cli.options import DEFAULT_LAKE, ApiKeyCommandOption, LakeOption, PlanOption
from mag7cli.errors import EXIT_ERROR
from mag7cli.output import Column, Grid, Line, Output, Result, Style

if TYPE_CHECKING:
    from mag7cli.doctor import Finding, State

_MARKS: Final[dict["State", tuple[str, Style]]] = {
    "ok": ("ok", "good"),
    "warning": ("note", "warn"),
    "failed": ("FAIL", "bad"),
}
_PATIENCE_S: Final = 60.0


@command("mag7 doctor", "mag7 doctor --format json", formats=TEXT_JSON_CSV)
def doctor(
    output: Output,
    lake: LakeOption = DEFAULT_LAKE,
    plan: PlanOption = "basic",
    api_key_command: ApiKeyCommandOption = None,
) -> None:
    """Check that everything a collection needs is in order.

    The key, the plan, the clock, the calendar, the lake, the versions: each with what would help. The exit code is 1
    if a check failed. It takes two calls of the vendor.
    """
    from mag7cli.clock import SystemClock
    from mag7cli.doctor import examine
    from mag7cli.lake import Lake
    from mag7cli.plans import plan as plan_of
    from mag7cli.polygon import open_source
    from mag7cli.rate import Budget

    clock = SystemClock()
    findings = list(
        examine(
            lambda: Lake.at(lake),
            lambda: open_source(
                os.environ,
                plan=plan,
                api_key_command=api_key_command,
                budget=Budget(clock, max_duration_s=_PATIENCE_S),
            ),
            plan_of(plan),
            clock,
            os.environ,
        )
    )
    output.show(_result(findings))
    if any(finding.state == "failed" for finding in findings):
        raise typer.Exit(EXIT_ERROR)


def _result(findings: Sequence["Finding"]) -> Result:
    columns = (Column("check"), Column("state"), Column("found"), Column("fix"))
    grid = Grid(columns, [[entry.check, entry.state, entry.found, entry.fix] for entry in findings])
    failed = sum(finding.state == "failed" for finding in findings)
    return Result({"failed": failed, "checks": grid.records()}, grid, list(_lines(findings)))


def _lines(findings: Sequence["Finding"]) -> Iterator[Line]:
    """A line for each check, and one below it for what helps."""
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        mark, style = _MARKS[finding.state]
        yield Line(f"{mark:<4}  {finding.check:<{width}}  {finding.found}", style if finding.state != "ok" else "")
        if finding.fix and finding.state != "ok":
            yield Line(f"{'':<4}  {'':<{width}}  fix: {finding.fix}", style)
