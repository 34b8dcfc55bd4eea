"""Which share count each line had on each date: asks by the chosen method and reads the answers."""

from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from mag7cli.collection.details_cache import DetailsCache
from mag7cli.collection.security_facts import FactsOfSecurities, is_exact
from mag7cli.market.calendar import next_session
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.shares.count_leeway import Leeway, leeways
from mag7cli.shares.fiscal_calendar import FiscalCalendar, known_calendars
from mag7cli.shares.history import ShareCount, ShareHistory
from mag7cli.shares.records import HONOURED_FROM
from mag7cli.shares.sampling import CountErrors, Precision, Request, SecurityToSample, deciding_sessions

# Share counts from before HONOURED_FROM may be frozen: answers from after it tell a frozen count from a true one.
_ANCHORS: Final = (date(2021, 10, 5), date(2021, 12, 15))


@dataclass(frozen=True, slots=True)
class Counts:
    """The share counts of lines; a line whose answers could not all be had says so for the dates that it concerns.

    Counts that were sampled have the `errors` that sampling leaves, by date.
    """

    histories: Mapping[str, ShareHistory]
    unanswered: Mapping[str, Mapping[date, str]] = field(default_factory=dict)
    precision: Precision | None = None
    errors: Mapping[date, CountErrors] = field(default_factory=dict)

    def on(self, ticker: str, day: date) -> ShareCount | str:
        """The count of a line on a date, or the reason why there is none."""
        history = self.histories.get(ticker)
        if ticker in self.unanswered:
            for unanswered_on, reason in self.unanswered[ticker].items():
                if _concerns(unanswered_on, day, history):
                    return reason
        count = history.on(day) if history else None
        return count or "the vendor gave no share count"

    def stands_until(self, ticker: str, day: date) -> date:
        """The first date on which a line's count may be another one than on this date, or what it leaves open."""
        if ticker in self.unanswered or day not in self.errors:
            return day + timedelta(days=1)
        stands_until = self.histories[ticker].stands_until(day)
        return min(stands_until, HONOURED_FROM) if day < HONOURED_FROM else stands_until

    def class_stands_until(self, ticker: str, day: date) -> date:
        """The first date on which the shares of a line's own class may be others than on this date."""
        return self.histories[ticker].class_stands_until(day)

    def leeways(self, ticker: str, count: ShareCount, day: date) -> tuple[Leeway, ...]:
        """By how much the count of a line may be off on a date, beside the errors of sampling."""
        sampled = day in self.errors
        # So it is with nearly every line on nearly every date.
        if sampled and count.is_plain and day >= HONOURED_FROM:
            return ()
        calendar = known_calendars().get(ticker, FiscalCalendar())
        return tuple(leeways(self.histories[ticker], count, day, calendar, sampled=sampled))

    def class_on(self, ticker: str, day: date) -> float | None:
        """The shares of a line's own class on a date, None if they are not known."""
        history = self.histories.get(ticker)
        return history.class_on(day) if history else None


def _concerns(unanswered_on: date, day: date, history: ShareHistory | None) -> bool:
    """True if no answer lies between the date that got none and the date in question."""
    if history is None:
        return True
    low, high = min(unanswered_on, day), max(unanswered_on, day)
    return not any(low <= observed <= high for observed in history.observed)


def anchors(members: Mapping[str, Collection[date]], facts: FactsOfSecurities) -> list[Request]:
    """What to ask besides: near splits, and for dates from before the vendor's counts honour the date."""
    return [
        *near_splits(members, facts),
        *((ticker, day) for ticker, days in honoured_days(members).items() for day in days),
    ]


def near_splits(members: Mapping[str, Collection[date]], facts: FactsOfSecurities) -> list[Request]:
    """What to ask outside of the dates of each line: counts on the other side of a split near an end of them."""
    return [
        (ticker, day)
        for ticker, days in members.items()
        if days
        for day in facts.neighbours(ticker, min(days), max(days))
    ]


def honoured_days(members: Mapping[str, Collection[date]]) -> dict[str, Sequence[date]]:
    """On which dates the vendor's counts tell what those from before they honour the date are worth, by line."""
    return {ticker: _ANCHORS for ticker, days in members.items() if days and min(days) < HONOURED_FROM}


def sample(
    details: DetailsCache,
    facts: FactsOfSecurities,
    members: Mapping[str, Sequence[date]],
    counted: Collection[str],
    tolerance: float,
) -> Counts:
    """Counts for a long range, asked for where they matter. `members` has the dates of each line's membership."""
    from mag7cli.shares.sampler import Sampler  # with NumPy, for which an evening does not wait

    calendars = known_calendars()
    securities = [
        SecurityToSample(
            ticker,
            dates if len(closes) == len(dates) else list(closes),
            array("d", closes.values()),
            facts.of(ticker, closes),
            calendars.get(ticker, FiscalCalendar()),
            exact=is_exact(ticker),
            counted=ticker in counted,
        )
        for ticker, dates in members.items()
        if (closes := facts.prices.closes(ticker, dates))
    ]
    every = sorted({day for security in securities for day in security.sessions})
    traded = {security.ticker: security.sessions for security in securities}
    before = near_splits(traded, facts)
    with details.rounds():
        details.ask(before)
        sampler = Sampler(
            securities, every, details.observation, tolerance, before, facts.reach, honoured=honoured_days(traded)
        )
        precision = sampler.run(details.ask)
    with closing(sampler):
        return Counts(
            {security.ticker: history for security in securities if (history := sampler.history(security.ticker))},
            _reasons(details, {security.ticker: sampler.unanswered(security.ticker) for security in securities}),
            precision,
            sampler.errors_by_date(),
        )


def ask_each(details: DetailsCache, facts: FactsOfSecurities, members: Mapping[str, Collection[date]]) -> Counts:
    """Counts asked for on every date on which a line has a price, as the console pipeline did."""
    days_of = {ticker: list(facts.prices.closes(ticker, days)) for ticker, days in members.items()}
    requests = [(ticker, day) for ticker, days in days_of.items() for day in days]
    details.ask([*anchors(members, facts), *requests])
    return Counts(_decided(details, facts, members), _reasons(details, days_of))


def refresh(
    details: DetailsCache,
    facts: FactsOfSecurities,
    requests: Sequence[Request],
    members: Mapping[str, Collection[date]],
) -> Counts:
    """Counts as the cache has them once these requests are answered: the last known one stands until the next."""
    details.ask([*anchors(members, facts), *requests])
    days_of: dict[str, list[date]] = {}
    for ticker, day in requests:
        if details.answer(ticker, day) is None:
            days_of.setdefault(ticker, []).append(day)
    return Counts(_decided(details, facts, members), _reasons(details, days_of))


def _decided(
    details: DetailsCache, facts: FactsOfSecurities, members: Mapping[str, Collection[date]]
) -> dict[str, ShareHistory]:
    """The histories of lines; what decides a question about a split is asked for first, as far as it can be had.

    One answer of a line at a time: an answer may settle the question, and a run that was cut off between two of them
    must ask for the second one exactly if an undisturbed run would.
    """
    facts_of = {ticker: facts.of(ticker, days) for ticker, days in members.items() if days}
    histories: dict[str, ShareHistory] = {}
    pending = dict(facts_of)
    while pending:
        histories.update(
            {ticker: ShareHistory(details.observations(ticker), known) for ticker, known in pending.items()}
        )
        first = {ticker: _first_undecided(details, ticker, histories[ticker], facts) for ticker in pending}
        requests = [(ticker, day) for ticker, day in first.items() if day]
        details.ask(requests)
        pending = {ticker: facts_of[ticker] for ticker, _ in requests}
    return histories


def _first_undecided(
    details: DetailsCache, ticker: str, history: ShareHistory, facts: FactsOfSecurities
) -> date | None:
    """The first date whose answer may decide a question of a line, and that was not asked for yet."""
    for day in deciding_sessions(history, facts.reach):
        if details.answer(ticker, day) is None and (ticker, day) not in details.failures:
            return day
    return None


def _reasons(details: DetailsCache, days_of: Mapping[str, Iterable[date]]) -> dict[str, dict[date, str]]:
    """Why the dates that were asked for in vain have no count: failures and refusals; "not listed" is an answer."""
    return {ticker: reasons for ticker, days in days_of.items() if (reasons := _reasons_of(details, ticker, days))}


def _reasons_of(details: DetailsCache, ticker: str, days: Iterable[date]) -> dict[date, str]:
    refused = {day: f"refused: {reason}" for day, reason in details.refusals(ticker).items()}
    failed = {day: why for day in sorted(days) if (why := details.failures.get((ticker, day)))}
    return dict(sorted((refused | failed).items()))


def rolling_requests(
    details: DetailsCache, tickers: Sequence[str], dates: Sequence[date], most: int | None
) -> list[Request]:
    """What an evening's run asks: the Mag 7 on each date, lines never asked yet, and of the others the most overdue.

    `tickers` are in order of size; `most` is how many of the others may be asked, None for all. What is known for the
    last date itself is left out of account, so that a run that was cut off asks, when repeated, for the same.
    """
    seven = [*MAGNIFICENT_7, *(ticker for ticker in tickers if is_exact(ticker) and ticker not in MAGNIFICENT_7)]
    exact = [(ticker, day) for ticker in seven for day in dates]
    last = dates[-1]
    others = [ticker for ticker in tickers if ticker not in seven]
    known = [ticker for ticker in others if details.latest(ticker, last, leave_out=last)]
    never = [ticker for ticker in others if ticker not in known]
    due = sorted(known, key=lambda ticker: -_overdue(details, ticker, last, others.index(ticker) + 1))
    left = None if most is None else max(0, most - len(never))
    return [*exact, *((ticker, last) for ticker in [*never, *due[:left]])]


def _overdue(details: DetailsCache, ticker: str, day: date, rank: int) -> float:
    """How much a line's count wants asking: its age in days, the more so once a period end passed, by size.

    A company's weight in the index falls about as the inverse of its rank.
    """
    latest = details.latest(ticker, day, leave_out=day)
    if latest is None:
        return 0.0
    asked_on, _ = latest
    calendar = known_calendars().get(ticker, FiscalCalendar())
    stepped = any(calendar.period_ends(next_session(asked_on), day)) if asked_on < day else False
    return (day - asked_on).days * (10 if stepped else 1) / rank
