"""`mag7 validate`."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mag7cli.cli.app import command
from mag7cli.cli.engines import EngineOptions, opened
from mag7cli.cli.foreign import warn_of_foreign
from mag7cli.cli.output import Column, Grid, Line, Output, Result, Style
from mag7cli.cli.quality import unmade_sentence
from mag7cli.core.errors import InvalidDataError
from mag7cli.core.formatting import count, counted

if TYPE_CHECKING:
    from mag7cli.warehouse.validate import CheckResult

_ROWS_SHOWN: Final = 5
_TONES: Final[dict[str, Style]] = {"ok": "good", "warning": "warn", "FAILED": "bad", "info": "faint"}


@command(
    "mag7 validate",
    "mag7 validate --full",
    "mag7 validate --engine athena --workgroup primary --output-location s3://bucket/athena/",
    formats=("text", "json", "csv"),
)
def validate(
    output: Output,
    options: EngineOptions,
    full: Annotated[
        bool, typer.Option("--full", help="Check every date, also those that passed and have not changed since.")
    ] = False,
) -> None:
    """Check the tables with SQL, and say what is wrong.

    Each check is a SQL file that returns the rows that offend it. A check of severity error that finds one ends in
    exit code 6. Dates that passed are read again when their files change, after an upgrade, or with --full.
    """
    from mag7cli import library
    from mag7cli.lake.layout import ANALYTICS, PROCESSED, Lake
    from mag7cli.tables.transform import as_counted, unmade_dates

    lake = Lake.at(options.lake)
    if options.engine == "duckdb":
        results = library.validate(lake, full=full)
        warn_of_foreign(output, lake, ANALYTICS, PROCESSED)
        if unmade := as_counted(lake, unmade_dates(lake)):
            output.warn(unmade_sentence(unmade))
    else:
        with opened(options) as engine:
            results = library.validate(lake, engine=engine)
    output.show(checks_result(results))
    if any(result.is_failure for result in results):
        raise failed_checks(results)


def failed_checks(results: "Sequence[CheckResult]") -> InvalidDataError:
    """The checks of severity error that found rows, in one sentence."""
    failed = [check for check in results if check.is_failure]
    named = ", ".join(f"{check.check.name} ({counted(len(check.rows.values), 'row')})" for check in failed)
    return InvalidDataError(
        f"{counted(len(failed), 'check')} failed: {named}: {failed[0].check.meaning}",
        hint="mag7 validate shows the rows",
    )


def checks_result(results: "Sequence[CheckResult]") -> Result:
    """The checks, as a person and as a program read them: offending rows below those that failed."""
    columns = (
        Column("result", "", tone=lambda value: _TONES[value]),
        Column("check"),
        Column("rows", right=True, show=count),
        Column("meaning", optional=True),
    )
    rows = [[_verdict(result), result.check.name, len(result.rows.values), result.check.meaning] for result in results]
    failed = sum(result.is_failure for result in results)
    warned = sum(not result.passed and not result.is_failure for result in results)
    summary = f"{counted(len(results), 'check')}: {failed} failed, {counted(warned, 'warning')}."
    grid = Grid(columns, rows)
    return Result(
        document={"failed": failed, "warnings": warned, "checks": [_check_document(result) for result in results]},
        grid=grid,
        text=[grid, *_offences(results), Line(""), Line(summary, "bad" if failed else "good"), *_scope(results)],
    )


def _scope(results: "Sequence[CheckResult]") -> Iterator[Line]:
    """How much of the lake was read, if not all."""
    dates = next((result.dates for result in results if result.dates is not None), None)
    if dates is not None:
        new = "no date has" if dates == 0 else f"{counted(dates, 'date')} {'has' if dates == 1 else 'have'}"
        yield Line(f"Read anew: {new} changed since it passed; --full reads all.", "faint")


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


def _offences(results: "Sequence[CheckResult]") -> Iterator[Line | Grid]:
    for result in results:
        if result.passed and result.check.severity != "info":
            continue
        shown = result.rows.values[:_ROWS_SHOWN]
        yield Line("")
        yield Line(f"{result.check.name}: {result.check.meaning}", "strong")
        yield Grid(tuple(Column(name) for name in result.rows.columns), [list(row) for row in shown])
        if len(result.rows.values) > len(shown):
            yield Line(f"... and {len(result.rows.values) - len(shown):,} more; --format json has them all", "faint")
