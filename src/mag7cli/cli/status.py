"""`mag7 status`."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from mag7cli.cli.app import TEXT_JSON, command
from mag7cli.cli.foreign import foreign_sentence
from mag7cli.cli.health import CheckOption, LimitOptions, RunsOption, runs_result, show_health
from mag7cli.cli.options import DEFAULT_LAKE, LakeOption
from mag7cli.cli.output import Column, Grid, Line, Output, Result
from mag7cli.cli.quality import SIMULATED, red_lines
from mag7cli.core.errors import UsageError
from mag7cli.core.formatting import count, counted, size
from mag7cli.market.date_quality import grouped_by_reason

if TYPE_CHECKING:
    from mag7cli.analytics.lake_status import Status

_SHOWN: Final = 8
_LIMITS: Final = LimitOptions()


@command(
    "mag7 status",
    "mag7 status --check --max-behind 2 --share-above 35 --moved 0.5",
    "mag7 status --runs",
    formats=TEXT_JSON,
)
def status(
    output: Output,
    check: CheckOption = False,
    limits: LimitOptions = _LIMITS,
    runs: RunsOption = False,
    lake: LakeOption = DEFAULT_LAKE,
) -> None:
    """Print what the lake holds and lacks.

    Dates, gaps, partial dates, failures by reason, sizes; and the command that would bring it up to date. With --check
    it is one line for a monitor, and exit code 8 if something is not as the thresholds want it; -q says nothing if all
    is well.
    """
    from mag7cli import library
    from mag7cli.lake.layout import Lake

    place = Lake.at(lake)
    if check and runs:
        raise UsageError("--check and --runs contradict each other")
    if check:
        show_health(output, library.health(place, limits=limits.thresholds()))
    elif runs:
        output.show(runs_result(library.runs(place)))
    else:
        output.show(_status_result(library.status(place)))


def _status_result(found: "Status") -> Result:
    grid = Grid(
        (Column("zone"), Column("files", right=True, show=count), Column("bytes", "size", size, right=True)),
        [[one.zone, one.files, one.bytes] for one in found.sizes],
    )
    document = {**asdict(found), "partial": _by_day(found.partial), "failed": _by_day(found.failed)}
    return Result(document=document, grid=grid, text=[*_status_lines(found), Line(""), grid])


def _by_day(found: Any) -> dict[str, Any]:
    return {day.isoformat(): value for day, value in found.items()}


def _status_lines(found: "Status") -> Iterator[Line]:
    if found.foreign:
        yield Line(foreign_sentence(found.foreign), "warn")
    if found.is_empty:
        yield Line("The lake is empty. mag7 collect --dry-run tells what filling it costs.")
        return
    if found.simulated:
        yield Line(SIMULATED, "warn")
    tally = [counted(found.complete, "complete date")]
    tally += [
        f"{len(dates):,} {status}"
        for status, dates in (("suspect", found.suspect), ("partial", found.partial))
        if dates
    ]
    yield Line(f"{found.first} to {found.last}: {', '.join(tally)}.", "strong")
    yield Line(f"Last collected {found.last_collected_at}.")
    yield from red_lines(found.failed_checks)
    for gap in found.gaps[:_SHOWN]:
        yield Line(f"Gap: {gap.first} to {gap.last}, {counted(gap.count, 'date')}.", "warn")
    for why, days in grouped_by_reason(found.partial):
        yield Line(f"Partial: {counted(len(days), 'date')}, {days[0]} to {days[-1]}: {why}", "warn")
    for reason, lines in list(found.reasons.items())[:_SHOWN]:
        yield Line(f"Failed: {counted(lines, 'line')}: {reason}", "warn")
    held = found.holdings
    yield Line(f"Holdings files: {len(held)}, {held[0]} to {held[-1]}." if held else "Holdings files: none.")
    until = found.membership_known_until
    beyond = found.last is not None and found.last > max([until, *held])
    yield Line(f"Joins and leaves of the index: known until {until}.", "warn" if beyond else "")
    if found.behind or found.gaps or found.partial or found.failed:
        yield Line(f"{counted(found.behind, 'session')} behind. mag7 collect --dry-run tells what catching up costs.")
