"""`mag7 collect`, and what `mag7 run` shares with it: from options to a source, a range and a result."""

import os
import re
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from mag7cli.cli.failures import signals_as_request
from mag7cli.cli.frame import TEXT_JSON, command
from mag7cli.cli.options import DEFAULT_LAKE, ApiKeyCommandOption, EndOption, ForceOption, LakeOption, StartOption
from mag7cli.cli.output import Column, Grid, Line, Output, Result
from mag7cli.core.errors import EXIT_PARTIAL, UsageError
from mag7cli.core.formatting import counted, duration

if TYPE_CHECKING:
    from mag7cli.collection.collector import CollectResult
    from mag7cli.collection.estimate import CollectPlan
    from mag7cli.collection.worklist import CollectOptions
    from mag7cli.core.clock import Clock
    from mag7cli.lake.layout import Lake
    from mag7cli.vendors.base import MarketDataSource
    from mag7cli.vendors.rate_limit import Cancel, Rate
    from mag7cli.vendors.subscription import Plan

MethodOption = Annotated[
    Literal["grouped", "details"],
    typer.Option("--method", help="grouped: share counts sampled; details: each line asked on each date, as once."),
]
PlanOption = Annotated[str, typer.Option("--plan", help="The vendor's plan: basic, starter, developer or advanced.")]
RateOption = Annotated[
    str | None, typer.Option("--rate", metavar="N/UNIT", help="Calls allowed, such as 5/min; by default the plan's.")
]
MaxCallsOption = Annotated[int | None, typer.Option("--max-calls", min=1, metavar="N", help="Stop after N calls.")]
MaxDurationOption = Annotated[
    str | None, typer.Option("--max-duration", metavar="TIME", help="Stop after this time, such as 20m or 1h30m.")
]
HoldingsOption = Annotated[
    Path | None, typer.Option("--holdings", metavar="FILE", help="A holdings file to keep in the lake first.")
]
ToleranceOption = Annotated[
    float, typer.Option("--tolerance", min=0.0, metavar="PCT", help="Error allowed to the index's total, in percent.")
]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", min=1, max=128, metavar="N", help="Calls under way at once.")
]

DEFAULT_TOLERANCE_PCT: Final = 0.05
_EVENING_REFRESH: Final = 20
_PACED_WORKERS: Final = 2
_UNPACED_WORKERS: Final = 32
_DURATION: Final = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Job:
    """A collection as it was asked for on the command line."""

    start: date | None
    end: date | None
    method: Literal["grouped", "details"]
    plan: str
    rate: str | None
    max_calls: int | None
    max_duration: str | None
    holdings: Path | None
    tolerance: float
    workers: int | None
    force: bool = False
    retry_failed: bool = False
    api_key_command: str | None = None

    def plan_and_rate(self) -> tuple["Plan", "Rate"]:
        """The vendor's plan, and the rate to hold."""
        from mag7cli.vendors.rate_limit import Rate
        from mag7cli.vendors.subscription import plan

        chosen = plan(self.plan)
        return chosen, Rate.parse(self.rate) if self.rate else chosen.rate

    def options(self, output: Output, lake: "Lake", clock: "Clock") -> "CollectOptions":
        """What to collect; says so if a default was cut to what the plan serves."""
        from mag7cli.collection.date_range import resolve
        from mag7cli.collection.worklist import CollectOptions

        plan, rate = self.plan_and_rate()
        dates = resolve(lake, plan, clock.now(), self.start, self.end)
        if dates.notice:
            output.warn(dates.notice)
        is_paced = rate.per_second is not None and rate.per_second < 1
        return CollectOptions(
            dates.start,
            dates.end,
            self.method,
            self.force,
            self.retry_failed,
            self.tolerance / 100,
            self.workers or (_PACED_WORKERS if is_paced else _UNPACED_WORKERS),
            _EVENING_REFRESH if is_paced else None,
            plan.first_date(clock.now().date()),
        )

    def source(self, clock: "Clock", cancel: "Cancel") -> "MarketDataSource":
        """The vendor, with the key and address of the environment."""
        from mag7cli.vendors.polygon import open_source
        from mag7cli.vendors.rate_limit import Budget

        _, rate = self.plan_and_rate()
        limit = parse_duration(self.max_duration) if self.max_duration else None
        return open_source(
            os.environ,
            plan=self.plan,
            rate=rate,
            api_key_command=self.api_key_command,
            workers=self.workers or _UNPACED_WORKERS,
            clock=clock,
            cancel=cancel,
            budget=Budget(clock, max_calls=self.max_calls, max_duration_s=limit),
        )


def parse_duration(text: str) -> float:
    """Seconds in `90`, `90s`, `20m` or `1h30m`. Raises UsageError."""
    found = _DURATION.fullmatch(text)
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    total = hours * 3600 + minutes * 60 + seconds
    if not total:
        raise UsageError(f"--max-duration {text!r} is not a time", hint="write 90s, 20m or 1h30m")
    return float(total)


@command(
    "mag7 collect --start 2021-01-01",
    "mag7 collect --start 2024-12-02 --end 2024-12-13 --plan-only",
    "mag7 collect --retry-failed --max-duration 20m",
    formats=TEXT_JSON,
)
def collect(
    output: Output,
    start: StartOption = None,
    end: EndOption = None,
    method: MethodOption = "grouped",
    plan: PlanOption = "basic",
    rate: RateOption = None,
    max_calls: MaxCallsOption = None,
    max_duration: MaxDurationOption = None,
    plan_only: Annotated[
        bool, typer.Option("--plan-only", help="Print dates, calls and time of the run; call nobody.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Only dates that are there but incomplete.")
    ] = False,
    force: ForceOption = False,
    holdings: HoldingsOption = None,
    tolerance: ToleranceOption = DEFAULT_TOLERANCE_PCT,
    workers: WorkersOption = None,
    lake: LakeOption = DEFAULT_LAKE,
    api_key_command: ApiKeyCommandOption = None,
) -> None:
    """Collect prices and share counts, one raw document for each trading date.

    Dates that are complete are skipped, so the same command goes on where a run stopped. By default up to the last
    session whose data the plan serves. With -q it is silent when all is well.
    """
    job = Job(
        start, end, method, plan, rate, max_calls, max_duration, holdings, tolerance, workers,
        force=force, retry_failed=retry_failed, api_key_command=api_key_command,
    )  # fmt: skip
    from mag7cli.lake.layout import Lake

    place = Lake.at(lake)
    if plan_only:
        output.show(plan_result(job.plan_and_rate()[1], planned(output, place, job)))
        return
    result = collected(output, place, job)
    output.tell(collect_result(result), is_well=result.is_clean)
    if not result.is_clean:
        raise typer.Exit(EXIT_PARTIAL)


def planned(output: Output, lake: "Lake", job: Job) -> "CollectPlan":
    """What the job would do."""
    from mag7cli.collection.estimate import plan
    from mag7cli.core.clock import SystemClock

    clock = SystemClock()
    return plan(lake, job.options(output, lake, clock), clock, job.plan_and_rate()[1])


def collected(
    output: Output, lake: "Lake", job: Job, source: "MarketDataSource | None" = None, *, hold: bool = True
) -> "CollectResult":
    """Do the job, holding the lake unless the caller does; an interrupt ends every wait, what was collected is kept."""
    from mag7cli.collection.collector import CollectResult
    from mag7cli.collection.estimate import plan
    from mag7cli.core.clock import SystemClock
    from mag7cli.lake.lock import locked
    from mag7cli.vendors.rate_limit import Cancel

    clock, cancel = SystemClock(), Cancel()
    options = job.options(output, lake, clock)
    with locked(lake, "mag7 collect") if hold else nullcontext():
        if job.holdings:
            keep_holdings(output, lake, job.holdings)
        what = plan(lake, options, clock, job.plan_and_rate()[1])
        if not what.dates:
            return CollectResult(present=what.present)
        with closing(source or job.source(clock, cancel)) as asked:
            output.notice(_intention(what))
            return _collected(output, lake, asked, options, clock, cancel, what.total_calls)


def _collected(
    output: Output,
    lake: "Lake",
    source: "MarketDataSource",
    options: "CollectOptions",
    clock: "Clock",
    cancel: "Cancel",
    expected_calls: int,
) -> "CollectResult":
    """Collect; calls that are under way when the run ends early go on only until the source is closed."""
    from mag7cli.collection.collector import collect

    with signals_as_request(cancel.request), output.progress("Collecting", "date") as progress:
        result = collect(lake, source, options, clock, progress=progress, stop=cancel, expected_calls=expected_calls)
    cancel.check()
    return result


def _intention(what: "CollectPlan") -> str:
    about = "about " if what.is_estimate else ""
    return (
        f"{counted(len(what.dates), 'date')} to collect, {what.dates[0]} to {what.dates[-1]}: {about}"
        f"{counted(what.total_calls, 'call')}, {about}{duration(what.seconds)} at the rate allowed."
    )


def keep_holdings(output: Output, lake: "Lake", path: Path) -> None:
    """Put a holdings file into the lake under its as-of date. Raises HoldingsFormatError, UsageError."""
    from mag7cli.market import holdings_file as holdings

    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"--holdings {path} cannot be read: {error.strerror}") from error
    found = holdings.parse(data, str(path))
    doubt = holdings.sp500_doubt(found)
    if doubt or found.as_of is None:
        raise UsageError(f"--holdings {path}: {doubt or 'the file does not say its as-of date'}")
    lake.write_holdings(found.as_of, data)
    output.notice(f"kept the holdings of {found.as_of}: {len(found.equities)} lines")


def plan_result(rate: "Rate", plan: "CollectPlan") -> Result:
    """The plan as a person and as a program read it."""
    from mag7cli.core.formatting import size

    about = "about " if plan.is_estimate else ""
    kinds = [[kind, count] for kind, count in plan.calls.items()]
    text: list[Line | Grid] = [
        Line(f"{plan.start} to {plan.end}: {len(plan.dates)} dates to collect, {plan.present} there already"),
    ]
    if plan.dates:
        text += [
            Line(f"{plan.lines} lines, {about}{plan.total_calls:,} calls, {about}{duration(plan.seconds)} at {rate}, "
                 f"about {size(plan.raw_bytes)} to write"),
            Line(""),
            Grid((Column("kind"), Column("calls", right=True)), kinds),
        ]  # fmt: skip
    return Result(
        document={
            "start": plan.start, "end": plan.end, "dates": len(plan.dates), "present": plan.present,
            "lines": plan.lines, "calls": dict(plan.calls), "total_calls": plan.total_calls,
            "is_estimate": plan.is_estimate, "seconds": plan.seconds, "rate": str(rate), "raw_bytes": plan.raw_bytes,
        },
        grid=Grid((Column("kind"), Column("calls", right=True)), kinds),
        text=text,
    )  # fmt: skip


def collect_result(result: "CollectResult") -> Result:
    """What was collected, as a person and as a program read it."""
    return Result(document=_document(result), grid=Grid((), []), text=[Line(line) for line in _sentences(result)])


def _document(result: "CollectResult") -> dict[str, Any]:
    precision = result.precision
    return {
        "collected": list(result.written),
        "present": result.present,
        "partial": {day.isoformat(): why for day, why in result.partial.items()},
        "failed": {day.isoformat(): list(failed) for day, failed in result.failed.items()},
        "calls": dict(result.calls),
        "precision": {
            "tolerance": precision.tolerance, "worst_error": precision.worst_error,
            "worst_date": precision.worst_date, "answers": precision.answers,
            "steps_proven": precision.steps_proven, "steps_expected": precision.steps_expected,
        } if precision else None,
    }  # fmt: skip


def _sentences(result: "CollectResult") -> Iterator[str]:
    if not result.written:
        yield f"Nothing to collect: all {result.present} dates are there."
        return
    yield (
        f"Collected {len(result.written)} dates, {result.written[0]} to {result.written[-1]}, "
        f"with {sum(result.calls.values()):,} calls; {result.present} were there already."
    )
    if result.precision and result.precision.steps_proven:
        yield (
            f"The index's total is within {100 * result.precision.worst_error:.3f} % on every date: "
            f"{result.precision.steps_proven} steps of share counts were located by an answer on each side, "
            f"{result.precision.steps_expected} smaller ones are placed by their company's proven fiscal calendar."
        )
    for day, why in result.partial.items():
        yield f"{day} is partial, without a figure: {why}"
    if result.failed:
        lines = sum(len(failed) for failed in result.failed.values())
        yield f"{lines} lines failed on {len(result.failed)} dates; mag7 collect --retry-failed asks again."
