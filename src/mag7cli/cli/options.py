"""The options and arguments that commands share, each declared once, and the parsers of what is typed there."""

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

import typer

from mag7cli.core.config import API_KEY_COMMAND, KEY_HINT
from mag7cli.core.errors import UsageError

Engine = Literal["duckdb", "athena", "redshift"]
PlanName = Literal["basic", "starter", "developer", "advanced"]

PROGRAM: Final = "mag7"
PREFIX: Final = "MAG7_"
DEFAULT_LAKE: Final = "./lake"
SEVEN: Final = "mag7"

_ISO_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_DURATION: Final = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?", re.ASCII)


def parse_date(value: str) -> date:
    """`2024-12-13` as a date; no other way of writing one, since half of them mean another day elsewhere."""
    try:
        if _ISO_DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError as error:
        raise typer.BadParameter(f"there is no such day as {value}") from error
    raise typer.BadParameter(f"{value!r} is not a date like 2024-12-13")


def parse_out(value: str | Path) -> Path:
    """A name that a file can have, or `-` for stdout; refused before the work that would be lost."""
    path = Path(value)
    if str(value) != "-":
        _refuse_unwritable(str(value), path)
    return path


def parse_out_file(value: str | Path) -> Path:
    """A name that a file can have; stdout is none."""
    if str(value) == "-":
        raise typer.BadParameter("it cannot go to stdout: name a file")
    return parse_out(value)


def parse_folder(value: str | Path) -> Path:
    """A folder, there or yet to be made."""
    path = Path(value)
    if not str(value).strip():
        raise typer.BadParameter("an empty name is no folder")
    if _is_there(path) and not path.is_dir():
        raise typer.BadParameter(f"{str(value)!r} is no folder")
    return path


def _refuse_unwritable(value: str, path: Path) -> None:
    if not value.strip():
        raise typer.BadParameter("an empty name is no file")
    if not path.name or path.name == ".." or (_is_there(path) and path.is_dir()):
        raise typer.BadParameter(f"{value!r} is a folder: name a file in it")


def _is_there(path: Path) -> bool:
    """Whether something has this name; one that no file system takes is a usage error."""
    try:
        return path.exists()
    except OSError as error:
        raise typer.BadParameter(f"{str(path)!r}: {error.strerror}") from error


def parse_date_word(value: str) -> str:
    """A date or a word for a period, as it was typed; what it means depends on the lake."""
    from mag7cli.market.date_words import is_word

    if not is_word(value):
        raise typer.BadParameter(f"{value!r} is not a date like 2024-12-13, nor yesterday, 2024, 2024-06, ytd or max")
    if _ISO_DATE.fullmatch(value):
        parse_date(value)
    return value


class DateRange(NamedTuple):
    """Days from one to another, both included."""

    start: date
    end: date


def parse_date_range(value: str) -> DateRange:
    """`2024-12-13`, or `2024-12-02..2024-12-13`."""
    first, dots, last = value.partition("..")
    date_range = DateRange(parse_date(first), parse_date(last if dots else first))
    if date_range.end < date_range.start:
        raise typer.BadParameter(f"{value!r} ends before it starts")
    return date_range


def parse_duration(text: str, option: str) -> float:
    """Seconds in `90`, `90s`, `20m` or `1h30m`. Raises UsageError."""
    match = _DURATION.fullmatch(text)
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    total = hours * 3600 + minutes * 60 + seconds
    if not total:
        raise UsageError(f"{option} {text!r} is not a time", hint="write 90s, 20m or 1h30m")
    return float(total)


def check_period(start: date | None, end: date | None) -> None:
    """Raise UsageError if the period ends before it starts."""
    if start and end and end < start:
        raise UsageError(f"--end {end} is before --start {start}", hint="the first date goes to --start")


def _from_configuration_only(context: typer.Context, value: str | None) -> str | None:
    source = context.get_parameter_source(API_KEY_COMMAND)
    # By name: Typer has no public one for the enumeration.
    if source is not None and source.name == "COMMANDLINE":
        raise UsageError("--api-key-command is not taken from the command line", hint=KEY_HINT)
    return value


LakeOption = Annotated[
    str,
    typer.Option("--lake", metavar="PATH|s3://BUCKET[/PREFIX]", help="The lake: a folder, or a place in S3."),
]
StartOption = Annotated[
    date | None, typer.Option("--start", parser=parse_date, metavar="YYYY-MM-DD", help="First trading date.")
]
EndOption = Annotated[
    date | None, typer.Option("--end", parser=parse_date, metavar="YYYY-MM-DD", help="Last trading date.")
]
DateArgument = Annotated[date, typer.Argument(parser=parse_date, metavar="DATE", help="A trading date.")]
PeriodArgument = Annotated[
    list[str] | None,
    typer.Argument(
        parser=parse_date_word,
        metavar="[DATE]...",
        help="A date, two dates, yesterday, 2024, 2024-06, ytd or max; by default the latest date.",
    ),
]
GroupOption = Annotated[
    str,
    typer.Option(
        "--group",
        metavar="GROUP",
        help="The companies: mag7, top10, sector:NAME, a file of tickers, or such as AAPL,MSFT.",
    ),
]
WithoutOption = Annotated[
    str, typer.Option("--without", metavar="TICKERS", help="Companies to leave out of the group and of the index.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Do again what is done already.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print what would be done, and do nothing.")]
EngineOption = Annotated[Engine, typer.Option("--engine", help="Where the SQL runs.")]
PlanOption = Annotated[PlanName, typer.Option("--plan", help="The vendor's plan of the key.")]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", parser=parse_out, metavar="FILE", help="Write to a file instead of stdout; - is stdout."),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but results and errors.")]
VerboseOption = Annotated[
    int, typer.Option("--verbose", "-v", count=True, show_default=False, help="Say more; -vv even more.")
]
LogFormatOption = Annotated[
    Literal["text", "json"], typer.Option("--log-format", help="How stderr is written; json is one object a line.")
]
ApiKeyCommandOption = Annotated[
    str | None,
    typer.Option(
        "--api-key-command",
        hidden=True,
        callback=_from_configuration_only,
        help="The command that prints the API key, such as pass show polygon.",
    ),
]
"""Never typed: it comes from a configuration file or MAG7_API_KEY_COMMAND, by the same rules as an option."""
