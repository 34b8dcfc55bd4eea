"""Which share counts to ask for: few enough for a free key, enough for a total within a stated tolerance. Pure.

Every line is asked on a coarse grid. Where two neighbouring answers differ the count stepped somewhere between them,
and until that is settled it may be above the truth by a part of the difference, and below it by the rest. The sampler
adds these errors up per date, those above and those below apart, and asks where most of what is too much would go
(`selection`), until on every date neither sum is more than the tolerance. A company's fiscal calendar says where a step
is to be expected; it is believed once an answer on each side of an expected day proved it (`questions`), and what the
proven ones are decides what is tried first for the others (`calendar_census`).
Nothing but its own answers steers it, so a run that was cut off asks, when repeated, for just what is missing.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

import numpy as np

from mag7cli.shares.calendar_census import CalendarCensus
from mag7cli.shares.class_part import is_one_class
from mag7cli.shares.fiscal_calendar import FiscalCalendar
from mag7cli.shares.history import ShareHistory
from mag7cli.shares.questions import first_days, next_days, proofs_first
from mag7cli.shares.sampling import (
    Ask,
    CountErrors,
    Lookup,
    Precision,
    Request,
    SecurityToSample,
    both_sides,
    deciding_sessions,
)
from mag7cli.shares.selection import excessive, sums
from mag7cli.shares.uncertainty import Amounts, Interval, SampledSecurity, Side

_MOST_ROUNDS: Final = 40


class Sampler:
    """Asks for the share counts of lines over a range of trading dates."""

    def __init__(
        self,
        securities: Iterable[SecurityToSample],
        sessions: Sequence[date],
        lookup: Lookup,
        tolerance: float,
        anchors: Iterable[Request] = (),
        reach: tuple[date, date] | None = None,
        honoured: Mapping[str, Sequence[date]] | None = None,
    ) -> None:
        """`sessions` are the trading dates of the range, sorted; `lookup` finds an answer that `ask` got.

        `anchors` were asked before, outside the range, to tell what the answers inside are worth; from the first to the
        last day of `reach` (the range, by default) further ones may be asked for that decide a question. `honoured` are
        days on which the counts of a line tell what those from before they honour the date are worth; a company of one
        class does not need them, since the count of that class does.
        """
        self._sessions = sessions
        self._lookup = lookup
        self._tolerance = tolerance
        self._reach = reach or ((sessions[0], sessions[-1]) if sessions else (date.max, date.min))
        self._honoured = honoured or {}
        self._census = CalendarCensus()
        self._entered: set[str] = set()
        self._steps: dict[FiscalCalendar, Sequence[date]] = {}
        self._lines = {
            security.ticker: SampledSecurity(security, sessions, self._steps_of)
            for security in securities
            if security.sessions
        }
        for ticker, day in anchors:
            answer = lookup(ticker, day)
            if answer and ticker in self._lines:
                self._lines[ticker].answers[day] = answer

    def _steps_of(self, calendar: FiscalCalendar) -> Sequence[date]:
        if calendar not in self._steps:
            self._steps[calendar] = calendar.steps(self._sessions)
        return self._steps[calendar]

    def run(self, ask: Ask) -> Precision:
        """Ask until the tolerance is reached, or nothing more can be asked that would help.

        The exact lines come first: what they tell of the calendars decides where the others are asked.
        """
        exact = [sampled for sampled in self._lines.values() if sampled.security.exact]
        others = [sampled for sampled in self._lines.values() if not sampled.security.exact]
        for lines in (exact, others):
            self._ask(ask, self._coarse(lines))
            self._ask(ask, self._of_several_classes(lines))
            self._ask(ask, self._expected_steps(lines))
            for _ in range(_MOST_ROUNDS):
                requests = self._refinements(others if lines is others else ())
                if not requests:
                    break
                self._ask(ask, requests)
        return self._precision()

    def _coarse(self, lines: Iterable[SampledSecurity]) -> list[Request]:
        """The first round: each line on its first and last trading date and once a year between."""
        for sampled in lines:
            sampled.learn(self._census.likely(sampled.security.calendar))
        return _by_date(
            (sampled.security.ticker, day)
            for sampled in lines
            for day in first_days(sampled.security.ticker, sampled.security.sessions, sampled.steps)
        )

    def _of_several_classes(self, lines: Iterable[SampledSecurity]) -> list[Request]:
        """The days that tell a frozen count from a true one, of the lines whose own class is not the whole company."""
        return _by_date(
            (sampled.security.ticker, day)
            for sampled in lines
            if not is_one_class(sampled.answers.values())
            for day in self._honoured.get(sampled.security.ticker, ())
        )

    def _expected_steps(self, lines: Iterable[SampledSecurity]) -> list[Request]:
        """Both sides of every jump of a close, and of every step that is expected of an exact line.

        So not even a count that comes back to what it was is missed there.
        """
        return _by_date(
            (sampled.security.ticker, day)
            for sampled in lines
            for step in (*sampled.security.jumps, *(sampled.steps if sampled.security.exact else ()))
            for day in both_sides(sampled.security.sessions, step)
            if day not in sampled.requested
        )

    def history(self, ticker: str) -> ShareHistory | None:
        """What the answers make of a line; None for a line that never traded."""
        sampled = self._lines.get(ticker)
        return sampled.history if sampled else None

    def unanswered(self, ticker: str) -> Collection[date]:
        """The dates that were asked for a line and got no answer."""
        sampled = self._lines[ticker]
        return sampled.requested - sampled.answers.keys()

    def close(self) -> None:
        """Let go of all that it knows, so that nothing waits for a search for garbage: lines and intervals refer to
        each other.
        """
        for sampled in self._lines.values():
            sampled.forget()
        self._lines.clear()

    def _ask(self, ask: Ask, requests: Sequence[Request]) -> None:
        ask(requests)
        for ticker, day in requests:
            self._lines[ticker].requested.add(day)
            answer = self._lookup(ticker, day)
            if answer:
                self._lines[ticker].answers[day] = answer
        for ticker in sorted({ticker for ticker, _ in requests}):
            line = self._lines[ticker]
            line.learn(self._census.likely(line.security.calendar))
            if line.is_proven and ticker not in self._entered:
                self._entered.add(ticker)
                self._census.enter(line.security.calendar, line.candidates)

    def _refinements(self, others: Iterable[SampledSecurity]) -> list[Request]:
        """What to ask next: nothing once every exact line is settled and the total is within the tolerance."""
        intervals = self._intervals()
        urgent = [interval for interval in intervals if interval.sampled.security.exact and not interval.is_settled]
        urgent += excessive([interval for sampled in others for interval in sampled.intervals], self._allowed())
        steps = (
            (interval.sampled.security.ticker, day) for interval in proofs_first(urgent) for day in next_days(interval)
        )
        return _by_date(
            [*((ticker, day) for ticker, day in steps if day not in self._lines[ticker].requested), *self._deciding()]
        )

    def _deciding(self) -> Iterator[Request]:
        """What decides whether a move of a close was a split, and whether the last count, which jumps, stands."""
        for ticker, sampled in self._lines.items():
            days = deciding_sessions(sampled.history, self._reach)
            yield from ((ticker, day) for day in days if day not in sampled.requested)

    def _intervals(self) -> list[Interval]:
        return [interval for sampled in self._lines.values() for interval in sampled.intervals]

    def worst_errors(self, side: Side) -> list[float]:
        """By how much (USD) the total may be above the truth, or below it, on each date of the range."""
        errors: list[float] = sums(self._intervals(), len(self._sessions))[side].tolist()
        return errors

    def _allowed(self) -> Amounts:
        """By how much (USD) the total may be off on each date."""
        return self._tolerance * self._totals()

    def errors_by_date(self) -> dict[date, CountErrors]:
        """By how much the market caps of each date may be off, those of the exact lines apart."""
        exact = [interval for interval in self._intervals() if interval.sampled.security.exact]
        rest = [interval for interval in self._intervals() if not interval.sampled.security.exact]
        sides = (side.tolist() for part in (exact, rest) for side in sums(part, len(self._sessions)))
        return {
            day: CountErrors(mag7_above=mag7_above, mag7_below=mag7_below, rest_above=rest_above, rest_below=rest_below)
            for day, mag7_above, mag7_below, rest_above, rest_below in zip(self._sessions, *sides, strict=True)
        }

    def _totals(self) -> Amounts:
        """The index on each date as far as it is known (USD); never 0, so that it can be divided by."""
        totals = np.zeros(len(self._sessions))
        for sampled in self._lines.values():
            if sampled.caps.size:
                totals += sampled.caps
        return np.where(totals > 0, totals, 1.0)

    def _precision(self) -> Precision:
        intervals = self._intervals()
        errors: list[float] = (np.maximum(*sums(intervals, len(self._sessions))) / self._totals()).tolist()
        worst = max(errors, default=0.0)
        settled = sum(interval.is_settled for interval in intervals)
        return Precision(
            self._tolerance,
            worst,
            self._sessions[errors.index(worst)] if worst else None,
            len(self._lines),
            sum(len(sampled.answers) for sampled in self._lines.values()),
            settled,
            sum(max(1, len(interval.expected)) for interval in intervals) - settled,
            sum(sampled.is_disproved for sampled in self._lines.values()),
        )


def _by_date(requests: Iterable[Request]) -> list[Request]:
    """Each request once, by date and ticker, as the cache keeps the answers."""
    return sorted(set(requests), key=lambda request: (request[1], request[0]))
