"""`mag7 run`: the line for cron."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mag7cli.cli.app import TEXT_JSON, command
from mag7cli.cli.collect import CollectOptions, collect_result, incomplete
from mag7cli.cli.contacts import ContactOptions
from mag7cli.cli.output import Grid, Line, Output, Result
from mag7cli.cli.refreshed import recheck_document, recheck_lines
from mag7cli.cli.report import report_result
from mag7cli.cli.show import answer_result
from mag7cli.cli.transform import transform_result, unreadable
from mag7cli.cli.validate import checks_result, failed_checks
from mag7cli.collection.tolerance import RECHECKED_SESSIONS
from mag7cli.core.errors import Mag7Error
from mag7cli.core.formatting import counted

if TYPE_CHECKING:
    from mag7cli.pipeline import RunResult


_NOBODY: Final = ContactOptions()


@command(
    "mag7 run",
    "mag7 run -q --plan basic --max-duration 50m",
    "mag7 run --start 2021-01-04 --plan developer --log-format json",
    formats=TEXT_JSON,
)
def run(
    output: Output,
    options: CollectOptions,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until the plan serves the session of today, then begin.")
    ] = False,
    recheck: Annotated[
        int,
        typer.Option("--recheck", min=0, metavar="N", help="Ask again for the prices of the N sessions before."),
    ] = RECHECKED_SESSIONS,
    contacts: ContactOptions = _NOBODY,
) -> None:
    """Collect, transform, validate, load and report: the line for cron.

    Each step does what is new only. Where a session is new, the prices of the last ones before it are asked for
    again: what the vendor corrected since is taken, and said. With -q it is silent when all is well. --ping-url and
    --on-failure tell somebody who is not there how it went; docs/unattended.md has both, and mail.
    """
    from mag7cli import library
    from mag7cli.lake.layout import Lake

    lake, request = Lake.at(options.lake), replace(options.request(), recheck=recheck)
    with contacts.telling(output.lake):
        if wait:
            library.wait_until_served(request.plan, listener=output)
        result = library.run(lake, request=request, listener=output)
        output.tell(run_result(result))
        if result.exit_code:
            raise run_failure(result)


def run_failure(result: "RunResult") -> Mag7Error:
    """The worst that came of a run, as the error in which it ends."""
    if any(check.is_failure for check in result.checks):
        return failed_checks(result.checks)
    return unreadable(result.transformed) if result.collected.is_clean else incomplete(result.collected)


def run_result(result: "RunResult") -> Result:
    """What the run did: a sentence a stage, and the answer."""
    return Result(document=_document(result), grid=Grid((), []), text=list(_lines(result)))


def _document(result: "RunResult") -> dict[str, Any]:
    return {
        "nothing_new": result.is_nothing_new,
        "collect": dict(collect_result(result.collected).document),
        "recheck": recheck_document(result.collected.rechecked) if result.collected.rechecked else None,
        "transform": dict(transform_result(result.transformed).document),
        "validate": dict(checks_result(result.checks).document) if result.checks else None,
        "load": {"warehouse": result.loaded.where, "replaced": list(result.loaded.replaced)} if result.loaded else None,
        "report": dict(report_result(result.report).document) if result.report else None,
        "report_missing": result.report_missing,
    }


def _lines(result: "RunResult") -> Iterator[Line | Grid]:
    if result.is_nothing_new:
        yield Line(f"Nothing new: all {counted(result.collected.present, 'date')} were there already.")
        return
    yield from collect_result(result.collected).text or ()
    if result.collected.rechecked:
        yield from recheck_lines(result.collected.rechecked)
    yield from transform_result(result.transformed).text or ()
    failed = [check for check in result.checks if check.is_failure]
    warned = [check for check in result.checks if not check.passed and not check.is_failure]
    yield Line(f"Validated: {counted(len(result.checks), 'check')}, {len(failed)} failed, "
               f"{counted(len(warned), 'warning')}; mag7 validate shows them.", "bad" if failed else "")  # fmt: skip
    for check in failed:
        yield Line(f"  {check.check.name}: {check.check.meaning} ({counted(len(check.rows.values), 'row')})", "bad")
    if failed:
        yield Line("Nothing was loaded into a warehouse; every surface marks what the failed checks concern.", "bad")
    if result.loaded:
        yield Line(f"Loaded {counted(len(result.loaded.replaced), 'table')} into {result.loaded.where}.")
    if result.report:
        yield Line("")
        yield from answer_result(result.report.answer).text or ()
        yield Line("")
        yield Line(f"Report: {result.report.page}", "strong")
    elif result.report_missing:
        yield Line(f"No report: {result.report_missing}", "warn")
