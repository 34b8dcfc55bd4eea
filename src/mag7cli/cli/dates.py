"""`mag7 dates`."""

from datetime import date
from typing import Annotated, Final

import typer

from mag7cli.cli.app import TEXT_JSON_CSV, command
from mag7cli.cli.options import EndOption, StartOption, check_period
from mag7cli.cli.output import Column, Grid, Line, Output, Result
from mag7cli.core.errors import UsageError

_DEFAULT_YEARS: Final = 4


@command("mag7 dates --start 2021-01-01 --end 2024-12-13", "mag7 dates --last 5 --format json", formats=TEXT_JSON_CSV)
def dates(
    output: Output,
    start: StartOption = None,
    end: EndOption = None,
    last: Annotated[
        int | None, typer.Option("--last", min=1, metavar="N", help="Only the last N trading dates.")
    ] = None,
) -> None:
    """Print the trading dates of the New York exchange.

    One a line, oldest first. By default the last four years, up to the last session that is over.
    """
    from mag7cli.market import calendar

    check_period(start, end)
    until = end or _last_session(start)
    sessions = calendar.sessions(start or _default_start(until, last), until)
    output.show(_result(sessions[-last:] if last else sessions))


def _last_session(start: date | None) -> date:
    """The last session that is over. Raises UsageError if `start` is later: nothing could be listed."""
    from mag7cli.core.clock import SystemClock
    from mag7cli.market import calendar

    until = calendar.last_completed_session(SystemClock().now())
    if start and start > until:
        raise UsageError(
            f"--start {start} is after {until}, the last session that is over", hint="give --end for dates to come"
        )
    return until


def _default_start(until: date, last: int | None) -> date:
    from mag7cli.market import calendar

    if last:
        return calendar.session_offset(until, 1 - last)
    return calendar.years_before(until, _DEFAULT_YEARS)


def _result(sessions: list[date]) -> Result:
    return Result(
        document={"count": len(sessions), "dates": sessions},
        grid=Grid((Column("trading_date"),), [[day] for day in sessions]),
        text=[Line(day.isoformat()) for day in sessions],
    )
