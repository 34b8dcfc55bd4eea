"""Whether a lake is as its owner wants it: what `mag7 status --check` asks, so that silence can be trusted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from mag7cli.analytics.lake_status import Status
from mag7cli.core.errors import EXIT_ERROR, EXIT_REFUSED
from mag7cli.core.formatting import counted
from mag7cli.lake.run_history import RunRecord
from mag7cli.market.calendar import previous_session
from mag7cli.warehouse.engines import SqlEngine

_DAYS: Final = """-- mag7: the newest dates
SELECT s.trading_date, s.status, s.partial_reason, CAST(c.mag7_pct_of_sp500 AS DOUBLE)
FROM market_data.daily_summary s LEFT JOIN market_data.concentration_metrics c ON c.trading_date = s.trading_date
ORDER BY s.trading_date DESC LIMIT 400"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """What is still good.

    Args:
        behind: Sessions that are over and have no document. One, because a free plan serves a session after midnight.
        partial: Dates without a figure among the last `window` ones.
        suspect: Dates with something unexplained among them.
        window: How many of the newest dates are judged: what is older does not become better by an alarm.
        membership_days: Days of the newest date after the last one for which the index is known.
        calendar_days: Days that the calendar of the exchange must still reach ahead.
        share_above: Tell when the Mag 7 are above this, percent; None for never.
        moved: Tell when they moved by more than this from one session to the next, points; None for never.
    """

    behind: int = 1
    partial: int = 0
    suspect: int = 0
    window: int = 20
    membership_days: int = 90
    calendar_days: int = 30
    share_above: float | None = None
    moved: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be, in one sentence; `value` and `limit` are for a monitor."""

    name: str
    value: float | str
    limit: float | str
    message: str


@dataclass(frozen=True, slots=True)
class DayFigure:
    """A date of the tables: its status, and the share of the Mag 7 in percent, None where there is none."""

    on: date
    status: str
    reason: str | None
    share_pct: float | None


@dataclass(frozen=True, slots=True)
class Health:
    """The verdict: empty `findings` mean that all is well. `newest` is the newest date of the tables."""

    findings: tuple[Finding, ...]
    newest: DayFigure | None
    behind: int
    simulated: bool

    @property
    def is_well(self) -> bool:
        """True if nothing was found."""
        return not self.findings


def read_days(engine: SqlEngine) -> list[DayFigure]:
    """The newest dates of the tables, newest first. Raises EngineError."""
    rows = engine.query(_DAYS).values
    return [
        DayFigure(on, str(status), None if why is None else str(why), _number(share))
        for on, status, why, share in rows
        if isinstance(on, date)
    ]


def judge(
    status: Status, days: Sequence[DayFigure], runs: Sequence[RunRecord], *, today: date, limits: Thresholds
) -> Health:
    """Hold a lake against the thresholds. `days` are newest first, `runs` newest last."""
    if status.is_empty:
        empty = Finding("empty", 0, 1, "no date is collected yet" if status.answer_files else "the lake is empty")
        return Health((empty,), None, status.behind, status.simulated)
    findings = (
        *_currency(status, days, limits),
        *_quality(days[: limits.window], limits),
        *_failed_checks(status),
        *_last_run(runs),
        *_knowledge(status, today, limits),
        *_figure(days, limits),
    )
    return Health(findings, days[0] if days else None, status.behind, status.simulated)


def _currency(status: Status, days: Sequence[DayFigure], limits: Thresholds) -> Iterator[Finding]:
    if status.behind > limits.behind:
        yield Finding(
            "behind", status.behind, limits.behind, f"{counted(status.behind, 'session')} behind, since {status.last}"
        )
    newest = days[0].on if days else None
    if status.last and newest != status.last:
        message = f"the tables end at {newest or 'no date'}, the documents at {status.last}"
        yield Finding("tables", str(newest), str(status.last), message)


def _quality(days: Sequence[DayFigure], limits: Thresholds) -> Iterator[Finding]:
    for kind, limit in (("partial", limits.partial), ("suspect", limits.suspect)):
        concerned = [day for day in days if day.status == kind]
        if len(concerned) > limit:
            why = f": {concerned[0].reason}" if concerned[0].reason else ""
            message = f"{len(concerned)} of the last {counted(len(days), 'date')} {kind}, {concerned[0].on}{why}"
            yield Finding(kind, len(concerned), limit, message)


def _failed_checks(status: Status) -> Iterator[Finding]:
    """Checks of severity error, whoever ran them, until they pass: of the whole lake, whatever the window."""
    failed = status.failed_checks
    if failed:
        first = failed[0]
        on = f" on {first.dates[-1]}" if first.dates else ""
        others = f", and {counted(len(failed) - 1, 'other check')}" if len(failed) > 1 else ""
        yield Finding("checks", len(failed), 0, f"failed check{on}: {first.sentence}{others}")


def _last_run(runs: Sequence[RunRecord]) -> Iterator[Finding]:
    """What no other finding says: a refused key, a full disk."""
    if runs and runs[-1].exit_code in (EXIT_ERROR, EXIT_REFUSED):
        last = runs[-1]
        message = f"the run of {last.started_at[:10]} ended with exit code {last.exit_code}: {last.error}"
        yield Finding("run", last.exit_code, 0, message)


def _knowledge(status: Status, today: date, limits: Thresholds) -> Iterator[Finding]:
    known = max([status.membership_known_until, *status.holdings])
    age = (status.last - known).days if status.last else 0
    if age > limits.membership_days:
        message = f"who is in the index is known until {known}, {age} days before {status.last}"
        yield Finding("membership", age, limits.membership_days, message)
    left = (status.calendar_until - today).days
    if left < limits.calendar_days:
        yield Finding("calendar", left, limits.calendar_days, f"the calendar ends on {status.calendar_until}")


def _figure(days: Sequence[DayFigure], limits: Thresholds) -> Iterator[Finding]:
    shares = [(day.on, day.share_pct) for day in days if day.share_pct is not None]
    if not shares:
        return
    on, share = shares[0]
    if limits.share_above is not None and share > limits.share_above:
        yield Finding("share", share, limits.share_above, f"{share:.2f} % on {on} is above {limits.share_above:g} %")
    before, share_before = shares[1] if len(shares) > 1 else (date.min, share)
    # Across dates that the lake lacks the share moves by itself.
    if limits.moved is not None and before >= previous_session(on) and abs(share - share_before) > limits.moved:
        message = f"{share - share_before:+.2f} points from {before} to {on}"
        yield Finding("moved", share - share_before, limits.moved, message)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
