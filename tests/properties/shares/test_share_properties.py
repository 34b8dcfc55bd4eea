"""Share counts, whatever the splits and the sampling: units, continuity, and a bound that nothing plausible beats."""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from itertools import accumulate, pairwise

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mag7cli.market.calendar import sessions
from mag7cli.market.records import Split
from mag7cli.shares.fiscal_calendar import CALENDARS, FiscalCalendar
from mag7cli.shares.history import SecurityFacts, ShareHistory
from mag7cli.shares.records import ShareObservation
from mag7cli.shares.sampler import Sampler
from mag7cli.shares.sampling import Precision, Request, SecurityToSample
from mag7cli.shares.uncertainty import TOO_HIGH, TOO_LOW

SESSIONS = sessions(date(2022, 1, 3), date(2023, 12, 29))
STEPS = FiscalCalendar().steps(SESSIONS)
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
RATIOS = ((1, 2), (1, 3), (1, 4), (1, 10), (1, 20), (1, 50), (2, 3), (8, 1), (10, 1))
# A count that every ratio above divides and multiplies to a whole number, so that the truth has no fractions.
UNIT = 2**4 * 3 * 5**2


@dataclass(frozen=True)
class Truth:
    """A company's true count on every session, and its splits."""

    counts: Mapping[date, int]
    splits: tuple[Split, ...]

    def observed(self, day: date, times: float = 1) -> ShareObservation:
        return ShareObservation(day, self.counts[day] * times, self.counts[day] * times)


def _split_days(draw: st.DrawFn) -> list[date]:
    days = draw(st.lists(st.sampled_from(SESSIONS[20:-20]), max_size=2, unique=True))
    assume(all(abs(one - two) > timedelta(days=60) for one, two in pairwise(sorted(days))))
    return sorted(days)


@st.composite
def truths(draw: st.DrawFn) -> Truth:
    """A count that steps by up to 3 % a quarter, and up to two splits at least two months apart."""
    splits = tuple(Split("X", day, *map(float, draw(st.sampled_from(RATIOS)))) for day in _split_days(draw))
    moves = draw(st.lists(st.integers(-30, 30), min_size=len(STEPS), max_size=len(STEPS)))
    levels = [1000]
    for move in moves:
        levels.append(levels[-1] * (1000 + move) // 1000)
    unit = UNIT * 10**4
    counts = {}
    for day in SESSIONS:
        ratio = math.prod(split.split_to / split.split_from for split in splits if split.execution_date <= day)
        counts[day] = round(levels[bisect_right(STEPS, day)] * unit * unit * ratio)
    return Truth(counts, splits)


def shares(found: ShareHistory, day: date) -> float:
    count = found.on(day)
    assert count is not None
    return count.shares


@UNHURRIED
@given(truths())
def test_an_honest_history_passes_unchanged(truth: Truth) -> None:
    found = ShareHistory([truth.observed(day) for day in SESSIONS], SecurityFacts(truth.splits))

    assert [shares(found, day) for day in SESSIONS] == list(truth.counts.values())
    assert not any(count.adjustments for day in SESSIONS if (count := found.on(day)))


@UNHURRIED
@given(truths(), st.data())
def test_whatever_days_are_asked_the_count_steps_by_the_ratio_on_the_execution_date(
    truth: Truth, data: st.DataObject
) -> None:
    asked = data.draw(st.lists(st.sampled_from(SESSIONS), min_size=1, max_size=30, unique=True))
    found = ShareHistory([truth.observed(day) for day in asked], SecurityFacts(truth.splits), steps=STEPS)

    for split in truth.splits:
        before = SESSIONS[SESSIONS.index(split.execution_date) - 1]
        moved = 1.1 if split.execution_date in STEPS else 1 + 1e-6
        assert 1 / moved < shares(found, split.execution_date) / shares(found, before) / _ratio(split) < moved
    assert all(shares(found, day) == truth.counts[day] for day in asked)


@UNHURRIED
@given(truths(), st.data())
def test_market_caps_are_continuous_across_splits_that_the_vendor_misplaces(truth: Truth, data: st.DataObject) -> None:
    """Post-split shares a session early, or pre-split shares for up to three sessions too long."""
    wrong: dict[date, float] = {}
    for split in truth.splits:
        row = SESSIONS.index(split.execution_date)
        shift = data.draw(st.integers(-1, 3))
        days = SESSIONS[row + shift : row] if shift < 0 else SESSIONS[row : row + shift]
        wrong.update(dict.fromkeys(days, _ratio(split) if shift < 0 else 1 / _ratio(split)))
    start = data.draw(st.integers(0, 40))
    asked = SESSIONS[start :: data.draw(st.sampled_from([1, 1, 2, 5]))]
    found = ShareHistory([truth.observed(day, wrong.get(day, 1)) for day in asked], SecurityFacts(truth.splits))

    for day in asked:
        assert math.isclose(shares(found, day), truth.counts[day], rel_tol=1e-9), day
        count = found.on(day)
        assert count
        assert bool(count.adjustments) == (day in wrong)


@UNHURRIED
@given(truths(), st.data())
def test_a_count_is_the_same_whatever_was_asked_before_and_however_the_steps_were_told(
    truth: Truth, data: st.DataObject
) -> None:
    observed = [truth.observed(day) for day in SESSIONS[:: data.draw(st.sampled_from([7, 40, 90]))]]
    days = data.draw(st.lists(st.sampled_from(SESSIONS), min_size=1, max_size=12))
    used = ShareHistory(observed, SecurityFacts(truth.splits), steps=STEPS)
    counts = [(used.on(day), used.stands_until(day)) for day in days]
    stepping = used.stepping_on(STEPS[1:])

    for history, steps in ((used, STEPS), (stepping, STEPS[1:])):
        fresh = [ShareHistory(observed, SecurityFacts(truth.splits), steps=steps) for _ in days]
        told = [(one.on(day), one.stands_until(day)) for one, day in zip(fresh, days, strict=True)]
        assert [(history.on(day), history.stands_until(day)) for day in days] == told
    assert counts == [(used.on(day), used.stands_until(day)) for day in days]


@UNHURRIED
@given(truths(), st.data())
def test_what_is_known_does_not_depend_on_what_else_was_asked(truth: Truth, data: st.DataObject) -> None:
    few = data.draw(st.lists(st.sampled_from(SESSIONS), min_size=1, max_size=12, unique=True))
    dense = ShareHistory([truth.observed(day) for day in SESSIONS], SecurityFacts(truth.splits))
    sparse = ShareHistory([truth.observed(day) for day in few], SecurityFacts(truth.splits))

    assert [sparse.on(day) for day in few] == [dense.on(day) for day in few]


def _ratio(split: Split) -> float:
    return split.split_to / split.split_from


# The sampler


@dataclass(frozen=True)
class Company:
    """A line whose count is `levels[n]` after the n-th step of its calendar, which the sampler may have wrong."""

    calendar: FiscalCalendar
    prior: FiscalCalendar
    levels: tuple[int, ...]
    first: int
    price: int


@dataclass(frozen=True)
class Market:
    """Lines with their true counts; the first one is to be exact."""

    companies: tuple[Company, ...]

    @cached_property
    def counts(self) -> Mapping[str, Mapping[date, int]]:
        """The true count of each line on each session."""
        found = {}
        for number, company in enumerate(self.companies):
            steps = company.calendar.steps(SESSIONS)
            found[f"L{number}"] = {day: company.levels[bisect_right(steps, day)] for day in SESSIONS}
        return found

    @cached_property
    def days(self) -> Sequence[date]:
        """The sessions on which any line trades."""
        return SESSIONS[min(company.first for company in self.companies) :]

    @cached_property
    def lines(self) -> tuple[SecurityToSample, ...]:
        """The lines as the sampler is told of them."""
        return tuple(
            SecurityToSample(
                f"L{number}",
                SESSIONS[company.first :],
                [float(company.price)] * len(SESSIONS[company.first :]),
                SecurityFacts(),
                company.prior,
                exact=number == 0,
                counted=True,
            )
            for number, company in enumerate(self.companies)
        )


class Vendor:
    """Answers what was asked, and remembers it; `known` are answers from earlier runs."""

    def __init__(self, market: Market, known: Sequence[Request] = ()) -> None:
        self._market = market
        self.answered = set(known)
        self.asked: list[Request] = []

    def ask(self, requests: Sequence[Request]) -> None:
        self.asked += [request for request in requests if request not in self.answered]
        self.answered.update(requests)

    def lookup(self, ticker: str, day: date) -> ShareObservation | None:
        if (ticker, day) not in self.answered:
            return None
        count = self._market.counts[ticker][day]
        return ShareObservation(day, count, count)


@st.composite
def companies(draw: st.DrawFn, *, one_way: bool) -> Company:
    """A count that moves by up to 3 % a quarter; now and then a quarter without a change, or a merger in one."""
    calendar = draw(st.sampled_from(CALENDARS))
    prior = draw(st.sampled_from([calendar, FiscalCalendar(), draw(st.sampled_from(CALENDARS))]))
    sign = draw(st.sampled_from([1, -1]))
    moves = [
        draw(st.integers(1, 300)) * (sign if one_way else draw(st.sampled_from([1, -1])))
        for _ in calendar.steps(SESSIONS)
    ]
    if draw(st.booleans()):
        moves[draw(st.integers(0, len(moves) - 1))] = draw(st.sampled_from([0, sign * 2500]))
    factor = draw(st.integers(10**3, 10**5))
    levels = tuple(level * factor for level in accumulate(moves, initial=10_000))
    return Company(calendar, prior, levels, draw(st.sampled_from([0, 0, 100])), draw(st.integers(10, 500)))


def markets(*, one_way: bool) -> st.SearchStrategy[Market]:
    """Two to seven lines."""
    return st.lists(companies(one_way=one_way), min_size=2, max_size=7).map(lambda found: Market(tuple(found)))


def run(market: Market, vendor: Vendor, tolerance: float) -> tuple[Sampler, Precision]:
    sampler = Sampler(market.lines, market.days, vendor.lookup, tolerance)
    return sampler, sampler.run(vendor.ask)


def estimated(sampler: Sampler, line: SecurityToSample, day: date) -> float:
    history = sampler.history(line.ticker)
    assert history
    return shares(history, day)


tolerances = st.sampled_from([0.0005, 0.002, 0.01])


def _too_much(sampler: Sampler, market: Market, day: date) -> float:
    """By how much (USD) the total of a date is above the truth."""
    return math.fsum(
        (estimated(sampler, line, day) - market.counts[line.ticker][day]) * line.closes[0]
        for line in market.lines
        if day in line.sessions
    )


def _total(market: Market, day: date) -> float:
    return math.fsum(market.counts[line.ticker][day] * line.closes[0] for line in market.lines if day in line.sessions)


def _off(sampler: Sampler, market: Market, day: date) -> float:
    """By how much of itself the total is off on a date."""
    return abs(_too_much(sampler, market, day)) / _total(market, day)


def _of_the_truth(precision: Precision) -> float:
    """The bound as a fraction of the true total: it is stated as one of the total as that was taken to be."""
    return precision.worst_error / (1 - precision.worst_error)


def _is_within(sampler: Sampler, market: Market) -> bool:
    """Whether the total of every date is off by no more than was stated for that date, on either side."""
    highest, lowest = sampler.worst_errors(TOO_HIGH), sampler.worst_errors(TOO_LOW)
    # A count between two steps is rounded to a whole share.
    off = [
        (_too_much(sampler, market, day), math.fsum(line.closes[0] for line in market.lines if day in line.sessions))
        for day in market.days
    ]
    return all(
        -low - rounding <= error <= high + rounding
        for (error, rounding), high, low in zip(off, highest, lowest, strict=True)
    )


@settings(UNHURRIED, max_examples=60)
@given(markets(one_way=True), tolerances)
def test_the_stated_bounds_hold_on_every_date_and_the_exact_line_is_exact(market: Market, tolerance: float) -> None:
    sampler, precision = run(market, Vendor(market), tolerance)

    worst = max(_off(sampler, market, day) for day in market.days)
    assert worst <= _of_the_truth(precision) + 1e-7
    assert precision.worst_error <= tolerance
    assert _is_within(sampler, market)
    exact = market.lines[0]
    assert all(estimated(sampler, exact, day) == market.counts[exact.ticker][day] for day in exact.sessions)


@settings(UNHURRIED, max_examples=100)
@given(companies(one_way=True), st.sampled_from([1, 10, 100, 1000]))
def test_a_line_whose_error_no_other_can_make_up_for_is_within_its_bound(company: Company, weight: int) -> None:
    still = replace(company, levels=(company.levels[0],) * len(company.levels), first=0, price=company.price * weight)
    market = Market((still, company))

    sampler, _ = run(market, Vendor(market), 0.005)

    assert _is_within(sampler, market)


@settings(UNHURRIED, max_examples=60)
@given(markets(one_way=False), tolerances)
def test_counts_that_come_and_go_beat_the_bound_by_no_more_than_they_leave_their_neighbours(
    market: Market, tolerance: float
) -> None:
    vendor = Vendor(market)
    sampler, precision = run(market, vendor, tolerance)

    for day in market.days[::3]:
        excursions = sum(
            _excursion(sampler, market.counts[line.ticker], line, day) * line.closes[0]
            for line in market.lines
            if day in line.sessions
        )
        outside = excursions / _total(market, day)
        assert _off(sampler, market, day) <= _of_the_truth(precision) * (1 + outside) + outside + 1e-7


def _excursion(sampler: Sampler, counts: Mapping[date, int], line: SecurityToSample, day: date) -> float:
    """How far the true count of a date is outside of the answers around it."""
    history = sampler.history(line.ticker)
    assert history
    after = bisect_right(history.observed, day)
    around = [counts[one] for one in history.observed[max(0, after - 1) : after + 1]]
    return max(0, min(around) - counts[day], counts[day] - max(around))


@settings(UNHURRIED, max_examples=40)
@given(markets(one_way=False), tolerances, st.randoms(use_true_random=False))
def test_a_run_that_was_cut_off_asks_for_the_rest_and_ends_the_same(market: Market, tolerance: float, rng) -> None:  # type: ignore[no-untyped-def]
    whole = Vendor(market)
    sampler, precision = run(market, whole, tolerance)
    assert len(whole.asked) == len(set(whole.asked)), "something was asked twice"

    known = [request for request in whole.asked if rng.random() < 0.5]
    rest = Vendor(market, known)
    again, precision_again = run(market, rest, tolerance)

    assert set(rest.asked) == set(whole.asked) - set(known)
    assert precision_again == precision
    for line in market.lines:
        assert [again.history(line.ticker).on(day) for day in SESSIONS] == [  # type: ignore[union-attr]
            sampler.history(line.ticker).on(day)
            for day in SESSIONS  # type: ignore[union-attr]
        ]
