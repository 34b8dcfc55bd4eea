"""`mag7 collect`, and the options that `mag7 run` shares with it."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

import typer

from mag7cli.cli.app import TEXT_JSON, command
from mag7cli.cli.options import (
    DEFAULT_LAKE,
    ApiKeyCommandOption,
    DateRange,
    EndOption,
    ForceOption,
    LakeOption,
    StartOption,
    parse_date_range,
    parse_duration,
)
from mag7cli.cli.output import Column, Grid, Line, Output, Result
from mag7cli.collection.tolerance import DEFAULT_TOLERANCE_PCT
from mag7cli.core.errors import IncompleteError, UsageError
from mag7cli.core.formatting import count, counted, duration
from mag7cli.market.date_quality import grouped_by_reason

if TYPE_CHECKING:
    from mag7cli.collection.collector import CollectResult
    from mag7cli.collection.estimate import CollectPlan
    from mag7cli.collection.request import CollectRequest
    from mag7cli.vendors.rate_limit import Rate

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
AcceptOption = Annotated[
    bool, typer.Option("--accept", help="Keep the holdings file although it is doubtful, or in place of another.")
]
ToleranceOption = Annotated[
    float, typer.Option("--tolerance", min=0.0, metavar="PCT", help="Error allowed to the index's total, in percent.")
]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", min=1, max=128, metavar="N", help="Calls under way at once.")
]
BenchmarkOption = Annotated[
    str | None,
    typer.Option("--benchmark", metavar="IVV,RSP", help="Series to keep prices of beside the index, a call each."),
]


RefreshOption = Annotated[
    DateRange | None,
    typer.Option(
        "--refresh",
        parser=parse_date_range,
        metavar="DATE|DATE..DATE",
        help="Ask again about these collected dates, and say what changed.",
    ),
]


class CollectOptions(NamedTuple):
    """The options of every command that collects; `collection.request` says what each means."""

    start: StartOption = None
    end: EndOption = None
    method: MethodOption = "grouped"
    plan: PlanOption = "basic"
    rate: RateOption = None
    max_calls: MaxCallsOption = None
    max_duration: MaxDurationOption = None
    holdings: HoldingsOption = None
    accept: AcceptOption = False
    tolerance: ToleranceOption = DEFAULT_TOLERANCE_PCT
    workers: WorkersOption = None
    benchmark: BenchmarkOption = None
    lake: LakeOption = DEFAULT_LAKE
    api_key_command: ApiKeyCommandOption = None

    def request(self, *, force: bool = False, retry_failed: bool = False) -> "CollectRequest":
        """The request that the options make. Raises UsageError for a time that cannot be read."""
        from mag7cli.collection import benchmarks
        from mag7cli.collection.request import CollectRequest

        return CollectRequest(
            start=self.start,
            end=self.end,
            method=self.method,
            plan=self.plan,
            rate=self.rate,
            max_calls=self.max_calls,
            max_duration_s=parse_duration(self.max_duration, "--max-duration") if self.max_duration else None,
            holdings=self.holdings,
            accept=self.accept,
            tolerance_pct=self.tolerance,
            workers=self.workers,
            force=force,
            retry_failed=retry_failed,
            benchmarks=benchmarks.symbols_of(self.benchmark or ""),
            api_key_command=self.api_key_command,
        )


@command(
    "mag7 collect --start 2021-01-01",
    "mag7 collect --start 2024-12-02 --end 2024-12-13 --dry-run",
    "mag7 collect --retry-failed --max-duration 20m",
    "mag7 collect --refresh 2024-12-02..2024-12-13",
    formats=TEXT_JSON,
)
def collect(
    output: Output,
    options: CollectOptions,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print dates, calls and time of the run; call nobody.")
    ] = False,
    plan_only: Annotated[bool, typer.Option("--plan-only", hidden=True, help="The old name of --dry-run.")] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Only dates that are there but incomplete.")
    ] = False,
    force: ForceOption = False,
    refresh: RefreshOption = None,
) -> None:
    """Collect prices and share counts, one raw document for each trading date.

    Dates that are complete are skipped, so the same command goes on where a run stopped. By default up to the last
    session whose data the plan serves. With -q it is silent when all is well. --refresh asks again about dates that are
    there, and says what the vendor has corrected since; what cannot be true leaves the old value.
    """
    from mag7cli import library
    from mag7cli.lake.layout import Lake

    if refresh:
        # What the environment or a file says of every collection is no contradiction.
        if output.typed & {"start", "end", "force", "retry_failed"}:
            raise UsageError("--refresh has its own dates", hint="leave out --start, --end, --force and --retry-failed")
        _refresh(output, options, refresh, dry_run=dry_run)
        return
    lake, request = Lake.at(options.lake), options.request(force=force, retry_failed=retry_failed)
    if dry_run or plan_only:
        output.show(plan_result(request.pace, library.estimate(lake, request=request, listener=output)))
        return
    result = library.collect(lake, request=request, listener=output)
    output.tell(collect_result(result))
    if not result.is_clean:
        raise incomplete(result)


def _refresh(output: Output, options: CollectOptions, date_range: DateRange, *, dry_run: bool) -> None:
    from mag7cli import library
    from mag7cli.cli.refreshed import refresh_plan_result, refresh_result
    from mag7cli.lake.layout import Lake

    request = options.request()
    if dry_run:
        calls = library.calls_to_refresh(
            Lake.at(options.lake), start=date_range.start, end=date_range.end, request=request
        )
        output.show(refresh_plan_result(request.pace, calls))
        return
    result = library.refresh(
        Lake.at(options.lake), start=date_range.start, end=date_range.end, request=request, listener=output
    )
    output.tell(refresh_result(result))
    if not result.collected.is_clean:
        raise incomplete(result.collected)


_OTHER_PLAN: Final = "--start at that date is silent; --plan names another plan"


def incomplete(result: "CollectResult") -> IncompleteError:
    """What a run could not get, in one sentence: how much, since when, and the commonest reason."""
    if not result.partial and not result.failed:
        if result.unserved:
            return IncompleteError(str(result.unserved), hint=_OTHER_PLAN)
        stale = ", ".join(result.stale_series)
        return IncompleteError(f"not up to date beside the index: {stale}", hint="the next run asks for it again")
    reasons = grouped_by_reason(result.partial or {day: failed[0]["reason"] for day, failed in result.failed.items()})
    failures = sum(len(failed) for failed in result.failed.values())
    parts = [
        *([f"{counted(len(result.partial), 'date')} without a figure"] if result.partial else []),
        *([f"{counted(failures, 'line')} failed on {counted(len(result.failed), 'date')}"] if failures else []),
    ]
    days = sorted({*result.partial, *result.failed})
    reach = str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"
    (reason, _), *others = reasons
    more = f"; and {counted(len(others), 'other reason')}" if others else ""
    return IncompleteError(
        f"{', '.join(parts)} ({reach}): {reason}{more}", hint="mag7 collect --retry-failed asks again"
    )


def plan_result(rate: "Rate", plan: "CollectPlan") -> Result:
    """The plan as a person and as a program read it."""
    from mag7cli.core.formatting import size

    about = "about " if plan.is_estimate else ""
    kinds = Grid((Column("kind"), Column("calls", right=True, show=count)), list(map(list, plan.calls.items())))
    text: list[Line | Grid] = [
        Line(
            f"{plan.start} to {plan.end}: {counted(len(plan.dates), 'date')} to collect, {plan.present:,} there already"
        ),
    ]
    if plan.dates:
        text += [
            Line(f"{counted(plan.securities, 'line')}, {about}{counted(plan.total_calls, 'call')}, "
                 f"{about}{duration(plan.seconds)} at {rate}, about {size(plan.raw_bytes)} to write"),
            Line(""),
            kinds,
        ]  # fmt: skip
    elif plan.total_calls:
        text.append(Line(f"{counted(plan.total_calls, 'call')} for the series beside the index"))
    return Result(
        document={
            "start": plan.start, "end": plan.end, "dates": len(plan.dates), "present": plan.present,
            "lines": plan.securities, "calls": dict(plan.calls), "total_calls": plan.total_calls,
            "is_estimate": plan.is_estimate, "seconds": plan.seconds, "rate": str(rate), "raw_bytes": plan.raw_bytes,
        },
        grid=kinds,
        text=text,
    )  # fmt: skip


def collect_result(result: "CollectResult") -> Result:
    """What was collected, as a person and as a program read it."""
    return Result(
        document=_document(result), grid=Grid((), []), text=[Line(sentence) for sentence in _sentences(result)]
    )


def _document(result: "CollectResult") -> dict[str, Any]:
    precision = result.precision
    return {
        "collected": list(result.written),
        "present": result.present,
        "partial": {day.isoformat(): why for day, why in result.partial.items()},
        "failed": {day.isoformat(): list(failed) for day, failed in result.failed.items()},
        "calls": dict(result.calls),
        "unserved": asdict(result.unserved) if result.unserved else None,
        "stale_series": dict(result.stale_series),
        "precision": {
            "tolerance": precision.tolerance, "worst_error": precision.worst_error,
            "worst_date": precision.worst_date, "answers": precision.answers,
            "steps_proven": precision.steps_proven, "steps_expected": precision.steps_expected,
        } if precision else None,
    }  # fmt: skip


def _sentences(result: "CollectResult") -> Iterator[str]:
    if not result.written:
        served = " that are served" if result.unserved else ""
        there = (
            f"all {counted(result.present, 'date')}{served} are there" if result.present else "no date lacks something"
        )
        yield f"Nothing to collect: {there}."
        return
    yield (
        f"Collected {counted(len(result.written), 'date')}, {result.written[0]} to {result.written[-1]}, "
        f"with {counted(sum(result.calls.values()), 'call')}; {result.present:,} were there already."
    )
    if result.precision and result.precision.steps_proven:
        yield (
            f"The index's total is within {100 * result.precision.worst_error:.3f} % on every date: "
            f"{result.precision.steps_proven:,} steps of share counts were located by an answer on each side, "
            f"{result.precision.steps_expected:,} smaller ones are placed by their company's proven fiscal calendar."
        )
    for why, days in grouped_by_reason(result.partial):
        which = str(days[0]) if len(days) == 1 else f"{counted(len(days), 'date')}, {days[0]} to {days[-1]}"
        yield f"Partial, without a figure: {which}: {why}"
    if result.failed:
        failures = sum(len(failed) for failed in result.failed.values())
        on = counted(len(result.failed), "date")
        yield f"{counted(failures, 'line')} failed on {on}; mag7 collect --retry-failed asks again."
