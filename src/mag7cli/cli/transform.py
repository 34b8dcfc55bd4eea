"""`mag7 transform`."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mag7cli.cli.app import TEXT_JSON, command
from mag7cli.cli.foreign import warn_of_foreign
from mag7cli.cli.options import DEFAULT_LAKE, EndOption, ForceOption, LakeOption, StartOption, check_period
from mag7cli.cli.output import Column, Grid, Line, Output, Result
from mag7cli.core.errors import IncompleteError
from mag7cli.core.formatting import counted

if TYPE_CHECKING:
    from mag7cli.tables.transform import TransformResult


@command("mag7 transform", "mag7 transform --start 2024-12-02 --end 2024-12-13 --force", formats=TEXT_JSON)
def transform(
    output: Output,
    start: StartOption = None,
    end: EndOption = None,
    force: ForceOption = False,
    engine: Annotated[
        Literal["local", "spark"],
        typer.Option("--engine", help="Who makes the years: the cores of this machine, or Spark's executors."),
    ] = "local",
    lake: LakeOption = DEFAULT_LAKE,
) -> None:
    """Turn raw documents into Parquet tables.

    Both layouts are written: partitioned by date for Athena, flat for Redshift. Dates that have not changed cost
    nothing. On Spark the bytes are the same: the lake is on S3 or every executor on this machine.
    """
    from mag7cli import library
    from mag7cli.lake.layout import ANALYTICS, PROCESSED, Lake

    check_period(start, end)
    place = Lake.at(lake)
    result = library.transform(place, start=start, end=end, force=force, engine=engine, listener=output)
    warn_of_foreign(output, place, ANALYTICS, PROCESSED, "raw/")
    output.show(transform_result(result))
    if result.failed:
        raise unreadable(result)


def unreadable(result: "TransformResult") -> IncompleteError:
    """The documents that the tables lack, in one sentence."""
    first = result.failed[0]
    more = f"; and {counted(len(result.failed) - 1, 'other document')}" if len(result.failed) > 1 else ""
    return IncompleteError(
        f"{first.key} is not in the tables: {first.reason}{more}",
        hint=f"mag7 collect --start {first.trading_date} --end {first.trading_date} --force",
    )


def transform_result(result: "TransformResult") -> Result:
    """What was transformed, as a person and as a program read it."""
    text = [
        Line(
            f"Transformed {counted(len(result.written), 'date')}; {len(result.unchanged):,} were unchanged"
            + (f", {len(result.removed):,} were removed." if result.removed else ".")
        ),
        *(Line(f"{failed.key}: {failed.reason}", "bad") for failed in result.failed),
    ]
    failed = [
        {"trading_date": document.trading_date, "key": document.key, "reason": document.reason}
        for document in result.failed
    ]
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
