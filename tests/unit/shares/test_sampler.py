"""Which share counts are asked for, and what they make of the days between."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise

import pytest

from mag7cli.market.calendar import sessions
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.shares.close_moves import CloseHistory
from mag7cli.shares.fiscal_calendar import FiscalCalendar
from mag7cli.shares.history import SecurityFacts
from mag7cli.shares.questions import first_days
from mag7cli.shares.records import ShareObservation
from mag7cli.shares.sampler import Sampler
from mag7cli.shares.sampling import Precision, Request, SecurityToSample, worst_of
from mag7cli.shares.uncertainty import Doubts, doubts

YEARS = sessions(date(2022, 1, 3), date(2023, 12, 29))
CALENDAR = FiscalCalendar()
STEPS = CALENDAR.steps(YEARS)


def line(
    ticker: str,
    *,
    prior: FiscalCalendar = CALENDAR,
    exact: bool = False,
    counted: bool = True,
    days: Sequence[date] = YEARS,
    price: float = 100.0,
    quartered_on: date | None = None,
) -> SecurityToSample:
    closes = {day: price / 4 if quartered_on and day >= quartered_on else price for day in days}
    return SecurityToSample(
        ticker, days, [*closes.values()], SecurityFacts(closes=CloseHistory.of(closes)), prior, exact, counted
    )


def quarterly(change: float, calendar: FiscalCalendar = CALENDAR) -> dict[date, float]:
    """A count that changes by a fraction of a million each quarter."""
    steps = calendar.steps(YEARS)
    return {day: round(1e6 * (1 + change * bisect_right(steps, day))) for day in YEARS}


class Vendor:
    """Answers from dense histories; `silent` requests get no answer."""

    def __init__(self, counts: Mapping[str, Mapping[date, float]], silent: Sequence[Request] = ()) -> None:
        self.counts = counts
        self.silent = set(silent)
        self.asked: list[Request] = []

    def ask(self, requests: Sequence[Request]) -> None:
        self.asked += requests

    def lookup(self, ticker: str, day: date) -> ShareObservation | None:
        if (ticker, day) not in self.asked or (ticker, day) in self.silent:
            return None
        return ShareObservation(day, self.counts[ticker][day], None)

    def days(self, ticker: str) -> list[date]:
        return sorted(day for asked, day in self.asked if asked == ticker)


def sampled(lines: Sequence[SecurityToSample], vendor: Vendor, tolerance: float = 0.0005) -> tuple[Sampler, Precision]:
    sampler = Sampler(lines, YEARS, vendor.lookup, tolerance)
    return sampler, sampler.run(vendor.ask)


def counts(sampler: Sampler, ticker: str) -> dict[date, float]:
    history = sampler.history(ticker)
    assert history
    return {day: count.shares for day in YEARS if (count := history.on(day))}


def test_a_count_that_never_moves_is_asked_four_times_in_two_years():
    vendor = Vendor({"X": dict.fromkeys(YEARS, 1e6)})

    sampler, precision = sampled([line("X")], vendor)

    assert vendor.days("X") == first_days("X", YEARS, STEPS)
    assert len(vendor.asked) == 4
    assert precision.worst_error == 0
    assert precision.worst_date is None
    assert set(counts(sampler, "X").values()) == {1e6}


def test_the_first_round_leaves_at_most_five_quarters_open_and_meets_lines_in_all_of_them():
    rounds = {ticker: first_days(ticker, YEARS, STEPS) for ticker in ("A", "BB", "CCC", "DDDD", "E", "F", "GG", "H")}

    for days in rounds.values():
        assert all(bisect_right(STEPS, after) - bisect_right(STEPS, day) <= 5 for day, after in pairwise(days))
    assert {day.month for days in rounds.values() for day in days[1:-1]} > {3, 6, 9}


def _index(prior: FiscalCalendar) -> list[SecurityToSample]:
    """The Mag 7 and sixty others, each with the same prior."""
    others = [f"L{number}" for number in range(60)]
    return [
        *(line(ticker, prior=prior, exact=True, price=500) for ticker in sorted(MAGNIFICENT_7)),
        *(line(ticker, prior=prior, price=5 + number) for number, ticker in enumerate(others)),
    ]


def test_priors_that_are_wrong_for_all_lines_alike_cost_little():
    """What the Mag 7 turn out to have decides where the others are asked."""
    asked: dict[int, int] = {}
    for months in (0, 1, 2):
        lines = _index(FiscalCalendar(months))
        vendor = Vendor({one.ticker: quarterly(-0.002 - 0.0001 * place) for place, one in enumerate(lines)})

        _, precision = sampled(lines, vendor, 0.0005)

        assert precision.worst_error <= 0.0005
        asked[months] = sum(ticker not in MAGNIFICENT_7 for ticker, _ in vendor.asked)

    assert asked[1] <= 1.1 * asked[0]
    assert asked[2] <= 1.1 * asked[0]


def test_only_companies_of_several_classes_are_asked_on_the_days_that_tell_a_frozen_count():
    days = sessions(date(2021, 1, 4), date(2022, 6, 30))
    lines = [line(ticker, days=days) for ticker in ("ONE", "TWO")]
    answers: dict[Request, ShareObservation] = {}

    def ask(requests: Sequence[Request]) -> None:
        answers.update(
            {(ticker, day): ShareObservation(day, 1e6, 1e6 if ticker == "ONE" else 5e5) for ticker, day in requests}
        )

    honest = (date(2021, 10, 5), date(2021, 12, 15))
    sampler = Sampler(
        lines,
        days,
        lambda ticker, day: answers.get((ticker, day)),
        0.0005,
        honoured=dict.fromkeys(("ONE", "TWO"), honest),
    )
    sampler.run(ask)

    assert {ticker for ticker, day in answers if day in honest} == {"TWO"}
    assert {("TWO", day) for day in honest} <= answers.keys()


def test_one_of_the_seven_is_right_on_every_date():
    truth = quarterly(-0.004)
    vendor = Vendor({"AAPL": truth})

    sampler, precision = sampled([line("AAPL", exact=True)], vendor)

    assert counts(sampler, "AAPL") == truth
    assert precision.steps_proven == len(STEPS)
    assert len(vendor.asked) <= 2 * len(STEPS) + 2


def test_one_of_the_seven_is_right_even_if_its_calendar_is_another():
    truth = quarterly(-0.004, FiscalCalendar(1, "near", "fri"))
    vendor = Vendor({"AAPL": truth})

    sampler, precision = sampled([line("AAPL", exact=True)], vendor)

    assert counts(sampler, "AAPL") == truth
    assert precision.calendars_disproved == 1


def test_a_count_of_the_seven_that_comes_back_to_what_it_was_is_seen():
    truth = {day: 1.1e6 if STEPS[1] <= day < STEPS[2] else 1e6 for day in YEARS}

    sampler, _ = sampled([line("AAPL", exact=True)], Vendor({"AAPL": truth}))

    assert counts(sampler, "AAPL") == truth


def test_small_lines_are_asked_less_than_large_ones():
    large, small = quarterly(-0.004), quarterly(-0.004)
    vendor = Vendor({"LARGE": large, "SMALL": small})

    _, precision = sampled([line("LARGE", price=1000), line("SMALL", price=1)], vendor)

    assert len(vendor.days("SMALL")) < len(vendor.days("LARGE"))
    assert precision.worst_error <= 0.0005


def test_no_answer_is_asked_for_twice():
    lines = {f"L{number}": quarterly(0.002 * number) for number in range(1, 6)}
    vendor = Vendor(lines)

    sampled([line(ticker) for ticker in lines], vendor)

    assert len(vendor.asked) == len(set(vendor.asked))


def test_a_looser_tolerance_asks_for_less():
    lines = {f"L{number}": quarterly(0.003 * number) for number in range(1, 6)}
    tight, loose = Vendor(lines), Vendor(lines)

    sampled([line(ticker) for ticker in lines], tight, 0.0001)
    sampled([line(ticker) for ticker in lines], loose, 0.01)

    assert len(loose.asked) < len(tight.asked)


def test_a_calendar_is_taken_on_trust_between_its_proven_steps():
    truth = quarterly(-0.003)
    vendor = Vendor({"X": truth})

    sampler, precision = sampled([line("X")], vendor, 0.005)

    # No quarter's change was located but those that prove the calendar, and yet each is on its day.
    assert precision.steps_proven < len(STEPS)
    assert counts(sampler, "X") == pytest.approx(truth)


def test_calendars_that_one_step_does_not_tell_apart_leave_a_doubt():
    """2022-06-30 is a month's end and a Thursday nearest to it; at 2022-09-30 the two calendars part."""
    by_month, by_week = STEPS, FiscalCalendar(0, "near", "thu").steps(YEARS)
    assert date(2022, 6, 30) in by_month
    assert date(2022, 6, 30) in by_week

    days = [date(2022, 9, day) for day in (28, 29, 30)]
    parts = doubts(days, [[date(2022, 9, 30)], [date(2022, 9, 29)]])

    assert _listed(parts) == ([0.0, 0.0, 0.0], [0.0, 1.0, 0.0])


def test_of_a_change_over_two_expected_steps_half_is_in_doubt_between_them():
    days = [date(2022, 3, 1), date(2022, 5, 2), date(2022, 8, 1)]

    assert _listed(doubts(days, [[date(2022, 3, 31), date(2022, 6, 30)]])) == ([0.0, 0.5, 0.0], [0.0, 0.5, 0.0])


def _listed(parts: Doubts) -> tuple[list[float], list[float]]:
    ahead, behind = parts
    return ahead.tolist(), behind.tolist()


def test_a_merger_is_located_however_small_the_line():
    merger = date(2022, 11, 15)
    truth = {day: 1.4e6 if day >= merger else 1e6 for day in YEARS}
    vendor = Vendor({"BIG": dict.fromkeys(YEARS, 1e6), "X": truth})

    sampler, _ = sampled([line("BIG", price=1000), line("X", price=3)], vendor, 0.0005)

    assert counts(sampler, "X") == truth


def test_both_sides_of_a_jump_of_the_close_are_asked():
    jump = date(2022, 11, 15)
    truth = {day: 4e6 if day >= jump else 1e6 for day in YEARS}
    vendor = Vendor({"X": truth})

    sampler, _ = sampled([line("X", quartered_on=jump)], vendor)

    assert {date(2022, 11, 14), jump} <= set(vendor.days("X"))
    assert counts(sampler, "X") == truth


@pytest.mark.parametrize(("merger", "doubtful"), [(date(2023, 10, 16), False), (date(2023, 12, 20), True)])
def test_one_more_answer_tells_whether_a_last_count_that_jumps_stands(merger: date, doubtful: bool):
    """The line is too small to be asked for more; without that answer all dates since before the jump are in doubt."""
    truth = {day: 1.98e6 if day >= merger else 1e6 for day in YEARS}
    vendor = Vendor({"BIG": dict.fromkeys(YEARS, 1e6), "X": truth})

    sampler, _ = sampled([line("BIG", price=1000), line("X", price=0.1)], vendor)

    confirming = date(2023, 12, 19)
    assert vendor.days("X") == sorted([*first_days("X", YEARS, STEPS), confirming])
    history = sampler.history("X")
    assert history
    marked = [day for day in YEARS if any(one.doubtful for one in history.on(day).adjustments)]  # type: ignore[union-attr]
    assert marked == ([day for day in YEARS if day > confirming] if doubtful else [])


def test_a_line_that_counts_in_no_total_is_asked_no_more_than_its_first_round():
    vendor = Vendor({"GOOGL": quarterly(-0.006), "GOOG": quarterly(-0.006)})

    sampled([line("GOOGL"), line("GOOG", counted=False)], vendor)

    assert vendor.days("GOOG") == first_days("GOOG", YEARS, STEPS)
    assert len(vendor.days("GOOGL")) > len(vendor.days("GOOG"))


def test_a_line_is_asked_only_while_it_trades():
    days = YEARS[100:300]
    vendor = Vendor({"GEV": quarterly(0.003)})

    sampler, _ = sampled([line("GEV", days=days)], vendor)

    assert set(vendor.days("GEV")) <= set(days)
    assert sampler.history("TSLA") is None


def test_what_was_asked_in_vain_is_told_and_does_not_keep_the_run_going():
    truth = quarterly(-0.004)
    silent = [("X", day) for day in YEARS[1:400]]
    vendor = Vendor({"X": truth}, silent)

    sampler, precision = sampled([line("X", exact=True)], vendor)

    assert sampler.unanswered("X")
    assert set(sampler.unanswered("X")) <= {day for _, day in silent}
    assert precision.worst_error > 0.0005


def test_nothing_to_sample_is_no_error():
    sampler = Sampler([], [], lambda ticker, day: None, 0.0005)

    assert sampler.run(lambda requests: None) == Precision(0.0005, 0.0, None, 0, 0, 0, 0, 0)


def _precision(worst: float, day: date, answers: int) -> Precision:
    return Precision(
        tolerance=0.0005,
        worst_error=worst,
        worst_date=day,
        securities=3,
        answers=answers,
        steps_proven=2,
        steps_expected=1,
        calendars_disproved=0,
    )


def test_the_bound_of_several_batches_is_the_worst_of_them_wherever_it_stands():
    early, late = _precision(0.0004, date(2022, 3, 1), 10), _precision(0.0001, date(2024, 3, 1), 5)

    for batches in ([early, late], [late, early]):
        bound = worst_of(batches)
        assert bound is not None
        assert (bound.worst_error, bound.worst_date) == (0.0004, date(2022, 3, 1))
        assert (bound.answers, bound.steps_proven, bound.steps_expected) == (15, 4, 2)


def test_there_is_no_bound_for_every_date_where_a_batch_has_none():
    assert worst_of([_precision(0.0004, date(2022, 3, 1), 10), None]) is None
    assert worst_of([None]) is None
    assert worst_of([]) is None
