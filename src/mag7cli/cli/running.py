"""`mag7 run`, the cron line, and `mag7 demo`, the same on the simulated market."""

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import typer

from mag7cli.cli import collecting, looking, processing
from mag7cli.cli.collecting import (
    DEFAULT_TOLERANCE_PCT,
    HoldingsOption,
    Job,
    MaxCallsOption,
    MaxDurationOption,
    MethodOption,
    PlanOption,
    RateOption,
    ToleranceOption,
    WorkersOption,
    collected,
)
from mag7cli.cli.frame import TEXT_JSON, command
from mag7cli.cli.options import DEFAULT_LAKE, ApiKeyCommandOption, EndOption, LakeOption, StartOption
from mag7cli.cli.output import Grid, Line, Output, Result
from mag7cli.core.formatting import counted

if TYPE_CHECKING:
    from mag7cli.lake.layout import Lake
    from mag7cli.pipeline import RunResult

DEMO_LAKE: Final = "./demo-lake"
_DEMO_START: Final = date(2021, 1, 4)
_DEMO_END: Final = date(2024, 12, 31)


@command(
    "mag7 run",
    "mag7 run -q --plan basic --max-duration 50m",
    "mag7 run --start 2021-01-04 --plan developer --log-format json",
    formats=TEXT_JSON,
)
def run(
    output: Output,
    start: StartOption = None,
    end: EndOption = None,
    method: MethodOption = "grouped",
    plan: PlanOption = "basic",
    rate: RateOption = None,
    max_calls: MaxCallsOption = None,
    max_duration: MaxDurationOption = None,
    holdings: HoldingsOption = None,
    tolerance: ToleranceOption = DEFAULT_TOLERANCE_PCT,
    workers: WorkersOption = None,
    lake: LakeOption = DEFAULT_LAKE,
    api_key_command: ApiKeyCommandOption = None,
) -> None:
    """Collect, transform, validate, load and report: the line for cron.

    Each step does what is new only. With -q it is silent when all is well.
    """
    from mag7cli.lake.layout import Lake

    job = Job(
        start, end, method, plan, rate, max_calls, max_duration, holdings, tolerance, workers,
        api_key_command=api_key_command,
    )  # fmt: skip
    result = _run(output, Lake.at(lake), job)
    output.tell(_result(result), is_well=not result.exit_code)
    if result.exit_code:
        raise typer.Exit(result.exit_code)


@command("mag7 demo", "mag7 demo --start 2024-01-02 --lake /tmp/mag7-demo", formats=TEXT_JSON)
def demo(
    output: Output,
    start: StartOption = None,
    end: EndOption = None,
    lake: LakeOption = DEMO_LAKE,
) -> None:
    """Run the whole pipeline on a simulated market, offline and without a key.

    The market looks like the real one from 2021 to 2024, faults of the vendor included. Its results are marked as
    simulated wherever they appear.
    """
    from mag7cli.core.clock import SystemClock
    from mag7cli.lake.layout import Lake
    from mag7cli.vendors.polygon import ApiKey, PolygonSource
    from mag7cli.vendors.rate_limit import Rate, RateLimiter
    from mag7cli.vendors.sandbox.market import Market
    from mag7cli.vendors.sandbox.plan import PLANS
    from mag7cli.vendors.sandbox.server import DEFAULT_KEY, SandboxServer

    output.notice("Simulating the market of 2021 to 2024 on this machine; no network is used.")
    job = Job(
        start or _DEMO_START,
        end or _DEMO_END,
        "grouped",
        "advanced",
        "unlimited",
        None,
        None,
        None,
        DEFAULT_TOLERANCE_PCT,
        _DEMO_WORKERS,
    )
    clock = SystemClock()
    with SandboxServer(Market(), plan=PLANS["advanced"]) as server:
        source = PolygonSource(
            ApiKey(DEFAULT_KEY), base_url=server.url, limiter=RateLimiter(Rate.parse("unlimited"), clock), clock=clock,
            workers=_DEMO_WORKERS,
        )  # fmt: skip
        result = _run(output, Lake.at(lake), job, source)
    output.show(_result(result))
    if result.exit_code:
        raise typer.Exit(result.exit_code)


# Client and server share this process, and so one interpreter lock.
_DEMO_WORKERS: Final = 8


def _run(output: Output, lake: "Lake", job: Job, source: Any = None) -> "RunResult":
    from mag7cli.analytics.fund_weight import weight_on
    from mag7cli.core.clock import SystemClock
    from mag7cli.lake.lock import locked
    from mag7cli.pipeline import run

    with locked(lake, "mag7 run"):
        return run(
            lake,
            lambda: collected(output, lake, job, source, hold=False),
            SystemClock(),
            fund=weight_on(lake, None),
        )


def _result(result: "RunResult") -> Result:
    """What the run did: a sentence a stage, and the answer."""
    return Result(document=_document(result), grid=Grid((), []), text=list(_lines(result)))


def _document(result: "RunResult") -> dict[str, Any]:
    return {
        "nothing_new": result.is_nothing_new,
        "collect": dict(collecting.collect_result(result.collected).document),
        "transform": dict(processing.transform_result(result.transformed).document),
        "validate": dict(processing.checks_result(result.checks).document) if result.checks else None,
        "load": {"warehouse": result.loaded.where, "replaced": list(result.loaded.replaced)} if result.loaded else None,
        "report": dict(looking.report_result(result.report).document) if result.report else None,
        "report_missing": result.report_missing,
    }


def _lines(result: "RunResult") -> Iterator[Line | Grid]:
    if result.is_nothing_new:
        yield Line(f"Nothing new: all {result.collected.present} dates were there already.")
        return
    yield from collecting.collect_result(result.collected).text or ()
    yield from processing.transform_result(result.transformed).text or ()
    failed = [one for one in result.checks if one.is_failure]
    warned = [one for one in result.checks if not one.passed and not one.is_failure]
    yield Line(f"Validated: {counted(len(result.checks), 'check')}, {len(failed)} failed, "
               f"{counted(len(warned), 'warning')}; mag7 validate shows them.", "bad" if failed else "")  # fmt: skip
    for one in failed:
        yield Line(f"  {one.check.name}: {one.check.meaning} ({counted(len(one.rows.values), 'row')})", "bad")
    if result.loaded:
        yield Line(f"Loaded {counted(len(result.loaded.replaced), 'table')} into {result.loaded.where}.")
    if result.report:
        yield Line("")
        yield from looking.answer_result(result.report.answer).text or ()
        yield Line("")
        yield Line(f"Report: {result.report.page}", "strong")
    elif result.report_missing:
        yield Line(f"No report: {result.report_missing}", "warn")
