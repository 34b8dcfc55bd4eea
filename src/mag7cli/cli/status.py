"""`mag7 status`."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from mag7cli.cli.app import TEXT_JSON, command
from mag7cli.cli.foreign import foreign_sentence
from mag7cli.cli.health import CheckOption, LimitOptions, RunsOption, runs_result, show_health
from mag7cli.cli.options import DEFAULT_LAKE, LakeOption
from mag7cli.cli.output import Column, Grid, Line, Output, Result
from mag7cli.cli.quality import SIMULATED, red_lines, unmade_sentence
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


def _status_result(lake_status: "Status") -> Result:
    grid = Grid(
        (Column("zone"), Column("files", right=True, show=count), Column("bytes", "size", size, right=True)),
        [[zone.zone, zone.files, zone.bytes] for zone in lake_status.sizes],
    )
    document = {**asdict(lake_status), "partial": _by_day(lake_status.partial), "failed": _by_day(lake_status.failed)}
    return Result(document=document, grid=grid, text=[*_status_lines(lake_status), Line(""), grid])


def _by_day(values: Any) -> dict[str, Any]:
    return {day.isoformat(): value for day, value in values.items()}


def _to_the_minute(moment: str | None) -> str:
    """A time as the document has it, without its seconds; what is no time stays as it is."""
    try:
        return datetime.fromisoformat(moment or "").isoformat(" ", "minutes")
    except ValueError:
        return str(moment)


def _status_lines(lake_status: "Status") -> Iterator[Line]:
    if lake_status.foreign:
        yield Line(foreign_sentence(lake_status.foreign), "warn")
    if lake_status.answer_files:
        kept = counted(lake_status.answer_files, "file")
        yield Line(f"No date is collected yet. What the vendor answered is kept, {kept}: mag7 collect goes on with it.")
        return
    if lake_status.is_empty:
        yield Line("The lake is empty. mag7 collect --dry-run tells what filling it costs.")
        return
    if lake_status.simulated:
        yield Line(SIMULATED, "warn")
    tally = [counted(lake_status.complete, "complete date")]
    tally += [
        f"{len(dates):,} {status}"
        for status, dates in (("suspect", lake_status.suspect), ("partial", lake_status.partial))
        if dates
    ]
    yield Line(f"{lake_status.first} to {lake_status.last}: {', '.join(tally)}.", "strong")
    yield Line(f"Last collected {_to_the_minute(lake_status.last_collected_at)}.")
    yield from red_lines(lake_status.failed_checks)
    if lake_status.unmade:
        yield Line(unmade_sentence(lake_status.unmade), "warn")
    for gap in lake_status.gaps[:_SHOWN]:
        yield Line(f"Gap: {gap.first} to {gap.last}, {counted(gap.count, 'date')}.", "warn")
    for why, days in grouped_by_reason(lake_status.partial):
        yield Line(f"Partial: {counted(len(days), 'date')}, {days[0]} to {days[-1]}: {why}", "warn")
    for reason, failures in list(lake_status.reasons.items())[:_SHOWN]:
        yield Line(f"Failed: {counted(failures, 'line')}: {reason}", "warn")
    held = lake_status.holdings
    yield Line(f"Holdings files: {len(held)}, {held[0]} to {held[-1]}." if held else "Holdings files: none.")
    until = lake_status.membership_known_until
    beyond = lake_status.last is not None and lake_status.last > max([until, *held])
    yield Line(f"Joins and leaves of the index: known until {until}.", "warn" if beyond else "")
    if lake_status.behind or lake_status.gaps or lake_status.partial or lake_status.failed:
        yield Line(
            f"{counted(lake_status.behind, 'session')} behind. mag7 collect --dry-run tells what catching up costs."
        )
