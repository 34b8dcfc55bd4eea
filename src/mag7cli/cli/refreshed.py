"""How `mag7 collect --refresh`, and a run on the sessions before, say what changed."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from mag7cli.cli.output import Column, Grid, Line, Result
from mag7cli.core.formatting import count, counted, duration

if TYPE_CHECKING:
    from mag7cli.collection.document_changes import DateChange, Recheck
    from mag7cli.collection.refresh import RefreshResult
    from mag7cli.vendors.rate_limit import Rate

_SHOWN: Final = 20


def refresh_result(result: "RefreshResult") -> Result:
    """What changed, line by line and in the share, as a person and as a program read it."""
    from mag7cli.collection.document_changes import Recheck

    recheck = Recheck(result.dates, result.changes, result.refusals)
    grid = _changed_lines(recheck)
    document = {"dates": list(result.dates), "calls": dict(result.calls), **recheck_document(recheck)}
    shown = [Grid(grid.columns, grid.rows[:_SHOWN])] if grid.rows else []
    calls = f" with {counted(sum(result.calls.values()), 'call')}"
    then = [Line("mag7 transform brings the tables up to date.")] if result.changes else []
    return Result(document, grid, [*shown, *_sentences(recheck, len(grid.rows), calls), *then])


def recheck_lines(recheck: "Recheck") -> Iterator[Line]:
    """What a run came upon on the sessions before, in as few lines as there is to say."""
    return _sentences(recheck, 0, "")


def recheck_document(recheck: "Recheck") -> dict[str, object]:
    """The same for a program."""
    return {
        "dates": list(recheck.dates),
        "changes": [asdict(change) for change in recheck.changes],
        "refused": [asdict(refusal) for refusal in recheck.refusals],
    }


def _changed_lines(recheck: "Recheck") -> Grid:
    rows = [
        [change.trading_date, line.ticker, line.field, _number(line.before), _number(line.after)]
        for change in recheck.changes
        for line in change.lines
    ]
    columns = (
        Column("trading_date", "date"),
        Column("ticker"),
        Column("field", "value"),
        Column("before", right=True),
        Column("after", right=True),
    )
    return Grid(columns, rows)


def refresh_plan_result(rate: "Rate", calls: Mapping[str, int]) -> Result:
    """What a refresh costs at most."""
    total = sum(calls.values())
    seconds = rate.seconds_for(total)
    grid = Grid((Column("kind"), Column("calls", right=True, show=count)), list(map(list, calls.items())))
    text: list[Line | Grid] = [
        Line(f"At most {counted(total, 'call')}, {duration(seconds)} at {rate}."),
        Line(""),
        grid,
    ]
    document = {"calls": dict(calls), "total_calls": total, "seconds": seconds, "rate": str(rate)}
    return Result(document, grid, text)


def _sentences(result: "Recheck", rows: int, calls: str) -> Iterator[Line]:
    if rows > _SHOWN:
        yield Line(f"... and {rows - _SHOWN:,} more; --format json has them all", "faint")
    yield from (Line(_share(change)) for change in result.changes[:_SHOWN])
    yield Line(
        f"Asked again about {counted(len(result.dates), 'date')}{calls}: "
        f"{counted(len(result.changes), 'date')} changed."
    )
    for refusal in result.refusals[:_SHOWN]:
        yield Line(
            f"Kept the old {refusal.asked_for} of {refusal.ticker} on {refusal.trading_date}: {refusal.reason}", "warn"
        )
    if len(result.refusals) > _SHOWN:
        yield Line(f"... and {len(result.refusals) - _SHOWN:,} more answers refused", "warn")


def _share(change: "DateChange") -> str:
    before, after = (
        "no figure" if pct is None else f"{pct:.4f} %" for pct in (change.mag7_pct_before, change.mag7_pct_after)
    )
    return f"{change.trading_date}: the Mag 7 were {before}, are {after}."


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:,.4f}".rstrip("0").rstrip(".")
