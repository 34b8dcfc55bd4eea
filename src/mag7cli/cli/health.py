"""What `mag7 status` says with `--check` and `--runs`."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from mag7cli.cli.output import Column, Grid, Line, Output, Result
from mag7cli.core.errors import EXIT_UNWELL, UnwellError
from mag7cli.core.formatting import count, counted, duration

if TYPE_CHECKING:
    from mag7cli.analytics.health import Health, Thresholds
    from mag7cli.lake.run_history import RunRecord

_RUNS_SHOWN: Final = 30

CheckOption = Annotated[bool, typer.Option("--check", help="One line, and exit code 8 if something is not well.")]
RunsOption = Annotated[bool, typer.Option("--runs", help="How the last runs went.")]


def _limit(name: str, text: str, metavar: str = "N") -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(name, metavar=metavar, min=0, help=f"With --check: {text}")
    return option


class LimitOptions(NamedTuple):
    """The thresholds of `--check`; `analytics.health` says what each means."""

    max_behind: Annotated[int, _limit("--max-behind", "sessions that may be missing.")] = 1
    max_partial: Annotated[int, _limit("--max-partial", "dates without a figure in the window.")] = 0
    max_suspect: Annotated[int, _limit("--max-suspect", "doubtful dates in the window.")] = 0
    window: Annotated[int, _limit("--window", "how many of the newest dates are judged.")] = 20
    max_membership_age: Annotated[
        int, _limit("--max-membership-age", "days beyond the last day for which the index is known.", "DAYS")
    ] = 90
    min_calendar: Annotated[int, _limit("--min-calendar", "days that the calendar must reach ahead.", "DAYS")] = 30
    share_above: Annotated[
        float | None, _limit("--share-above", "tell when the Mag 7 are above this share, in percent.", "PCT")
    ] = None
    moved: Annotated[
        float | None, _limit("--moved", "tell when they moved by more than this in a session.", "POINTS")
    ] = None

    def thresholds(self) -> "Thresholds":
        """The thresholds that the options make."""
        from mag7cli.analytics.health import Thresholds

        return Thresholds(
            behind=self.max_behind,
            partial=self.max_partial,
            suspect=self.max_suspect,
            window=self.window,
            membership_days=self.max_membership_age,
            calendar_days=self.min_calendar,
            share_above=self.share_above,
            moved=self.moved,
        )


def show_health(output: Output, health: "Health") -> None:
    """Print the verdict in one line. Raises UnwellError (with --quiet) or typer.Exit if it is bad."""
    line = _verdict(health)
    if output.quiet and not health.is_well and output.format == "text":
        raise UnwellError(line)
    output.tell(Result(_document(health), Grid((), []), [Line(line, "good" if health.is_well else "bad")]))
    if not health.is_well:
        raise typer.Exit(EXIT_UNWELL)


def _verdict(health: "Health") -> str:
    mark = "SIMULATED. " if health.simulated else ""
    if not health.is_well:
        return mark + "; ".join(finding.message for finding in health.findings)
    newest = health.newest
    share = f"{newest.share_pct:.2f} % on {newest.on}" if newest and newest.share_pct is not None else "no figure"
    return f"{mark}OK: {share}, {counted(health.behind, 'session')} behind."


def _document(health: "Health") -> dict[str, object]:
    newest = health.newest
    return {
        "ok": health.is_well,
        "findings": [asdict(finding) for finding in health.findings],
        "trading_date": newest.on if newest else None,
        "status": newest.status if newest else None,
        "mag7_pct_of_sp500": newest.share_pct if newest else None,
        "behind": health.behind,
        "simulated": health.simulated,
    }


def runs_result(runs: "Sequence[RunRecord]") -> Result:
    """The runs, the newest last."""
    columns = (
        Column("started", show=lambda text: f"{text[:10]} {text[11:16]}"),
        Column("took", right=True, show=duration),
        Column("exit", right=True),
        Column("dates", right=True, show=count),
        Column("calls", right=True, show=count),
        Column("remark"),
    )
    shown = runs[-_RUNS_SHOWN:]
    rows = [[run.started_at, _seconds(run), run.exit_code, run.dates, run.calls, _remark(run)] for run in shown]
    grid = Grid(columns, rows)
    text = [grid] if rows else [Line("No run is remembered yet: mag7 run adds a line here.")]
    return Result({"runs": [asdict(run) for run in runs]}, grid, text)


def _seconds(run: "RunRecord") -> float:
    return (datetime.fromisoformat(run.ended_at) - datetime.fromisoformat(run.started_at)).total_seconds()


def _remark(run: "RunRecord") -> str:
    parts = [
        *([run.error] if run.error else []),
        *([f"failed checks: {', '.join(run.failed_checks)}"] if run.failed_checks else []),
        *([f"{counted(run.partial, 'date')} without a figure"] if run.partial else []),
        *([f"{counted(run.failed_lines, 'line')} failed"] if run.failed_lines else []),
    ]
    return "; ".join(parts) or (f"up to {run.last_date}" if run.last_date else "nothing new")
