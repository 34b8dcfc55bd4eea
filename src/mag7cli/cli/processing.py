"""`mag7 transform`, `validate`, `load` and `verify`: from raw documents to tables that can be relied on."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import typer

from mag7cli.cli.engines import EngineOptions, opened
from mag7cli.cli.frame import TEXT_JSON, command
from mag7cli.cli.options import DEFAULT_LAKE, EndOption, ForceOption, LakeOption, StartOption, check_period
from mag7cli.cli.output import Column, Grid, Line, Output, Result, Style
from mag7cli.core.errors import EXIT_INVALID, EXIT_PARTIAL
from mag7cli.core.formatting import counted

if TYPE_CHECKING:
    from mag7cli.tables.transform import TransformResult
    from mag7cli.warehouse.validate import CheckResult

_ROWS_SHOWN: Final = 5
_TONES: Final[dict[str, Style]] = {"ok": "good", "warning": "warn", "FAILED": "bad", "info": "faint"}


@command("mag7 transform", "mag7 transform --start 2024-12-02 --end 2024-12-13 --force", formats=TEXT_JSON)
def transform(
    output: Output,
    start: StartOption = None,
    end: EndOption = None,
    force: ForceOption = False,
    lake: LakeOption = DEFAULT_LAKE,
) -> None:
    """Turn raw documents into Parquet tables.

    Both layouts are written: partitioned by date for Athena, flat for Redshift. Dates that have not changed cost
    nothing.
    """
    from mag7cli.lake.layout import Lake
    from mag7cli.lake.lock import locked
    from mag7cli.tables.transform import transform

    check_period(start, end)
    place = Lake.at(lake)
    with locked(place, "mag7 transform"), output.progress("Transforming") as progress:
        result = transform(place, start, end, force=force, progress=progress)
    output.show(transform_result(result))
    if result.failed:
        raise typer.Exit(EXIT_PARTIAL)


def transform_result(result: "TransformResult") -> Result:
    """What was transformed, as a person and as a program read it."""
    text = [
        Line(
            f"Transformed {counted(len(result.written), 'date')}; {len(result.unchanged)} were unchanged"
            + (f", {len(result.removed)} were removed." if result.removed else ".")
        ),
        *(Line(f"{failed.key}: {failed.reason}", "bad") for failed in result.failed),
    ]
    failed = [{"trading_date": one.trading_date, "key": one.key, "reason": one.reason} for one in result.failed]
    return Result(
        document={
            "written": list(result.written),
            "unchanged": len(result.unchanged),
            "removed": list(result.removed),
            "failed": failed,
        },
        grid=Grid((Column("trading_date"),), [[day] for day in result.written]),
        text=text,
    )


@command(
    "mag7 validate",
    "mag7 validate --engine athena --workgroup primary --output-location s3://bucket/athena/",
    formats=("text", "json", "csv"),
)
def validate(output: Output, options: EngineOptions) -> None:
    """Check the tables with SQL, and say what is wrong.

    Each check is a SQL file that returns the rows that offend it. A check of severity error that finds one ends in
    exit code 6.
    """
    from mag7cli.warehouse.validate import run_checks

    if options.engine == "duckdb":
        found = _validated_locally(options.lake)
    else:
        with opened(options) as engine:
            found = run_checks(engine)
    output.show(checks_result(found))
    if any(check.is_failure for check in found):
        raise typer.Exit(EXIT_INVALID)


def _validated_locally(lake: str) -> "list[CheckResult]":
    """With the two layouts of the lake side by side, which no other engine has."""
    from mag7cli.lake.layout import Lake
    from mag7cli.warehouse.engines.duckdb import DuckDbEngine
    from mag7cli.warehouse.validate import run_checks

    engine = DuckDbEngine.over_lake(Lake.at(lake), with_partitions=True)
    try:
        return run_checks(engine)
    finally:
        engine.close()


def checks_result(found: "Sequence[CheckResult]") -> Result:
    """The checks, as a person and as a program read them: offending rows below those that failed."""
    columns = (
        Column("result", "", tone=lambda value: _TONES[value]),
        Column("check"),
        Column("rows", right=True),
        Column("meaning", optional=True),
    )
    rows = [[_verdict(one), one.check.name, len(one.rows.values), one.check.meaning] for one in found]
    failed = sum(one.is_failure for one in found)
    warned = sum(not one.passed and not one.is_failure for one in found)
    summary = f"{counted(len(found), 'check')}: {failed} failed, {counted(warned, 'warning')}."
    grid = Grid(columns, rows)
    return Result(
        document={"failed": failed, "warnings": warned, "checks": [_check_document(one) for one in found]},
        grid=grid,
        text=[grid, *_offences(found), Line(""), Line(summary, "bad" if failed else "good")],
    )


def _verdict(result: "CheckResult") -> str:
    if result.check.severity == "info":
        return "info"
    if result.passed:
        return "ok"
    return "FAILED" if result.is_failure else "warning"


def _check_document(result: "CheckResult") -> dict[str, Any]:
    check = result.check
    return {
        "name": check.name,
        "meaning": check.meaning,
        "severity": check.severity,
        "passed": result.passed,
        "rows": result.rows.records(),
    }


def _offences(found: "Sequence[CheckResult]") -> Iterator[Line | Grid]:
    for one in found:
        if one.passed and one.check.severity != "info":
            continue
        shown = one.rows.values[:_ROWS_SHOWN]
        yield Line("")
        yield Line(f"{one.check.name}: {one.check.meaning}", "strong")
        yield Grid(tuple(Column(name) for name in one.rows.columns), [list(row) for row in shown])
        if len(one.rows.values) > len(shown):
            yield Line(f"... and {len(one.rows.values) - len(shown):,} more; --format json has them all", "faint")


@command("mag7 verify", formats=TEXT_JSON)
def verify(output: Output, lake: LakeOption = DEFAULT_LAKE) -> None:
    """Compute the tables again from the raw documents and compare every byte.

    Nothing is written. A difference ends in exit code 6.
    """
    from mag7cli.lake.layout import Lake
    from mag7cli.tables.transform import differences

    found = list(differences(Lake.at(lake)))
    rows = [[one.key, one.reason] for one in found]
    summary = "Every table is, byte for byte, what the raw documents make." if not found else ""
    grid = Grid((Column("file"), Column("difference")), rows)
    output.show(
        Result(
            document={"identical": not found, "differences": grid.records()},
            grid=grid,
            text=[grid, Line(f"{counted(len(found), 'file')} differ.", "bad")] if found else [Line(summary, "good")],
        )
    )
    if found:
        raise typer.Exit(EXIT_INVALID)
