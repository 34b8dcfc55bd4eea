"""`mag7 export`."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from mag7cli.cli.app import command
from mag7cli.cli.options import (
    DEFAULT_LAKE,
    SEVEN,
    EndOption,
    GroupOption,
    LakeOption,
    OutOption,
    StartOption,
    WithoutOption,
    check_period,
)
from mag7cli.cli.output import Output
from mag7cli.core.errors import UsageError
from mag7cli.core.formatting import counted

if TYPE_CHECKING:
    from mag7cli.analytics.exports import FileFormat

Subject = Literal["series", "companies", "constituents", "returns", "rolling-returns", "fund-weights"]

_BINARY: Final = ("parquet", "xlsx")
_SUFFIXES: Final = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".xlsx": "xlsx"}
_STANDARD_OUTPUT: Final = "-"


@command(
    "mag7 export --out series.csv",
    "mag7 export returns --out returns.parquet",
    "mag7 export series --group top10 --start 2024-06-03 --format jsonl",
    formats=("csv", "jsonl", "parquet", "xlsx"),
)
def export(
    output: Output,
    subject: Annotated[
        Subject,
        typer.Argument(
            metavar="[series|companies|constituents|returns|rolling-returns|fund-weights]", help="What to export."
        ),
    ] = "series",
    lake: LakeOption = DEFAULT_LAKE,
    start: StartOption = None,
    end: EndOption = None,
    group: GroupOption = SEVEN,
    without: WithoutOption = "",
    out: OutOption = None,
) -> None:
    """Write the daily series, or what is behind it, into a file.

    As CSV, JSON lines, Parquet or a workbook. Every row has its date, status, bounds, the kind of number and whether
    the market is simulated. A workbook and Parquet need --out, whose ending chooses the format where --format does not.
    """
    from mag7cli import library
    from mag7cli.lake.layout import Lake

    check_period(start, end)
    file_format = _format(output, out)
    to_stream = out is None or str(out) == _STANDARD_OUTPUT
    if to_stream and file_format in _BINARY:
        raise UsageError(f"{file_format} goes into a file", hint=f"--out mag7.{file_format}")
    place, whose = Lake.at(lake), library.group(group, without=without)
    write = partial(
        library.export, place, subject=subject, file_format=file_format, since=start, until=end, group=whose
    )
    if to_stream or out is None:
        with output.binary() as stream:
            write(out=stream)
        return
    count = write(out=out)
    output.notice(f"{out}: {counted(count, 'row')}.", rows=count)


def _format(output: Output, out: Path | None) -> "FileFormat":
    """The format that was asked for; without one, that of the file's ending."""
    by_ending = _SUFFIXES.get(out.suffix.lower()) if out else None
    return by_ending if output.format == "csv" and by_ending else output.format  # type: ignore[return-value]
