"""Splits without a trusted list: every fault of the list, with every fault of the counts, in windows of every length.

Whatever the list and the counts do, a figure is right or it is marked as doubtful; and where at most one witness is
wrong it is right. The answers are those that a collection asks for: the dates of the window, a neighbour on each side,
and what would decide a question. Closes are known of the same dates.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import product

import pytest

from mag7cli.market.calendar import sessions
from mag7cli.market.records import Split
from mag7cli.shares.close_moves import CloseHistory
from mag7cli.shares.history import SecurityFacts, ShareHistory
from mag7cli.shares.records import ShareObservation
from mag7cli.shares.split_evidence import neighbours

SPLIT_DAY = date(2024, 6, 10)
SESSIONS = sessions(date(2023, 9, 1), date(2025, 3, 31))
ROW = SESSIONS.index(SPLIT_DAY)
ROW_OF = {day: index for index, day in enumerate(SESSIONS)}
RATIOS = {"ten for one": (1, 10), "three for two": (2, 3), "one for eight": (8, 1)}

Rows = Callable[[float, float], list[Split]]


def row(old: float, new: float, sessions_off: int = 0) -> Split:
    return Split("X", SESSIONS[ROW + sessions_off], old, new)


LIST_FAULTS: Mapping[str, Rows] = {
    "right": lambda old, new: [row(old, new)],
    "missing": lambda old, new: [],
    "a day early": lambda old, new: [row(old, new, -1)],
    "a day late": lambda old, new: [row(old, new, 1)],
    "a wrong ratio": lambda old, new: [row(old, 2 * new)],
    "nearly the right ratio": lambda old, new: [row(old, new * (1.25 if new > old else 0.8))],
    "inverted": lambda old, new: [row(new, old)],
    "twice": lambda old, new: [row(old, new), row(old, new, 1)],
    "twice on one day": lambda old, new: [row(old, new), row(old, 2 * new)],
}

NEVER = 99
# By how many sessions each field's count is early (negative) or late.
COUNT_FAULTS: Mapping[str, tuple[int, int]] = {
    "right": (0, 0),
    "a session early": (-1, -1),
    "four sessions early": (-4, -4),
    "a session late": (1, 1),
    "eight sessions late": (8, 8),
    "weighted early": (-1, 0),
    "weighted late": (3, 0),
    "class early": (0, -1),
    "class late": (0, 3),
    "one early, one late": (-1, 3),
    "weighted missing": (NEVER, 1),
}

# First and last session of the window, counted from the split's.
WINDOWS = [
    *((one, one) for one in (-4, -1, 0, 1, 7, 12)),
    (-4, -1), (-1, 0), (0, 2), (1, 8), (-5, 4), (-12, -1), (0, 14), (-15, 15),
]  # fmt: skip

CLASSES = {"one class": 1.0, "several classes": 0.45}


@cache
def true_shares(ratio: str) -> Mapping[date, float]:
    old, new = RATIOS[ratio]
    steps = [date(2023, 9, 29), date(2023, 12, 29), date(2024, 3, 28), date(2024, 6, 28), date(2024, 9, 30)]
    return {
        day: round(
            80_000_000 * (1 - 0.004 * sum(day >= step for step in steps)) * (new / old if day >= SPLIT_DAY else 1)
        )
        for day in SESSIONS
    }


@cache
def true_closes(ratio: str) -> Mapping[date, float]:
    """Rises and falls by up to 2 % a day."""
    old, new = RATIOS[ratio]
    level = 400.0
    closes = {}
    for index, day in enumerate(SESSIONS):
        level *= math.exp(0.02 * math.sin(2.4 * index) * math.cos(0.7 * index))
        closes[day] = round(level * (old / new if day >= SPLIT_DAY else 1), 2)
    return closes


@dataclass
class Vendor:
    """Answers with the fault of each field; knows no day after `today`."""

    ratio: str
    delays: tuple[int, int]
    class_part: float
    today: date
    answers: dict[date, ShareObservation] = field(default_factory=dict)

    def ask(self, days: Iterable[date]) -> bool:
        """True if something was asked that was not known."""
        fresh = {
            session for day in days if day <= self.today and (session := _session_until(day))
        } - self.answers.keys()
        self.answers.update({day: self._answer(day) for day in fresh})
        return bool(fresh)

    def _answer(self, day: date) -> ShareObservation:
        weighted, own = (self._told(day, delay) for delay in self.delays)
        close = true_closes(self.ratio)[day] if weighted else None
        return ShareObservation(day, weighted, own and round(own * self.class_part), close)

    def _told(self, day: date, delay: int) -> float | None:
        old, new = RATIOS[self.ratio]
        count, row = true_shares(self.ratio)[day], ROW_OF[day]
        if delay == NEVER:
            # Missing in the weeks around the split.
            return None if abs(row - ROW) < 16 else count
        if ROW + delay <= row < ROW:
            return round(count * new / old)
        return round(count * old / new) if ROW <= row < ROW + delay else count


def _session_until(day: date) -> date | None:
    index = bisect_right(SESSIONS, day)
    return SESSIONS[index - 1] if index else None


def read(vendor: Vendor, rows: Sequence[Split], window: Sequence[date]) -> ShareHistory:
    """The history as a collection reads it: it asks for the window, its neighbours, and what decides a question."""
    around = neighbours(window[0], window[-1])
    margins = [session for day in around if day <= vendor.today and (session := _session_until(day))]
    facts = SecurityFacts(rows, CloseHistory.of({day: true_closes(vendor.ratio)[day] for day in (*margins, *window)}))
    vendor.ask([*window, *around])
    while True:
        found = ShareHistory(vendor.answers.values(), facts)
        if not vendor.ask(day for question in found.questions for day in question.deciding_dates):
            return found


@dataclass(frozen=True)
class Outcome:
    """The dates of a window whose figure is wrong, and those that are marked."""

    wrong: list[date]
    marked: list[date]


@cache
def outcome(ratio: str, rows: str, counts: str, window: tuple[int, int], classes: str, *, live: bool) -> Outcome:
    days = SESSIONS[ROW + window[0] : ROW + window[1] + 1]
    vendor = Vendor(ratio, COUNT_FAULTS[counts], CLASSES[classes], days[-1] if live else SESSIONS[-1])
    found = read(vendor, LIST_FAULTS[rows](*RATIOS[ratio]), days)
    wrong, marked = [], []
    for day in days:
        count = found.on(day)
        assert count
        if abs(count.shares / true_shares(ratio)[day] - 1) > 0.01:
            wrong.append(day)
        if any(one.doubtful for one in count.adjustments):
            marked.append(day)
    return Outcome(wrong, marked)


def cases() -> Iterator[tuple[str, str, tuple[int, int], str]]:
    yield from product(LIST_FAULTS, COUNT_FAULTS, WINDOWS, CLASSES)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("live", [False, True], ids=["later", "on the day"])
def test_no_figure_is_wrong_without_a_mark(ratio: str, live: bool) -> None:
    unmarked = []
    for case in cases():
        found = outcome(ratio, *case, live=live)
        if set(found.wrong) - set(found.marked):
            unmarked.append(case)

    assert unmarked == []


@pytest.mark.parametrize("ratio", RATIOS)
def test_once_the_days_after_are_known_every_figure_is_right_and_none_is_marked(ratio: str) -> None:
    """Whatever the list says; but not if weeks have no whole-company count."""
    decided = [case for case in cases() if case[1] != "weighted missing"]
    found = {case: outcome(ratio, *case, live=False) for case in decided}

    assert {case: one for case, one in found.items() if one.wrong or one.marked} == {}


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("counts", ["right", "a session early", "a session late"])
def test_with_a_right_list_nothing_after_is_needed(ratio: str, counts: str) -> None:
    found = [outcome(ratio, "right", counts, window, kind, live=True) for window in WINDOWS for kind in CLASSES]

    assert not any(one.wrong or one.marked for one in found)


# What looks like a split and is none


def fallen(to: float, *, until: date, asked: Sequence[date]) -> ShareHistory:
    """A close that falls to a part of itself on a day, and a count that stays."""
    closes = {day: 100.0 * (to if day >= SPLIT_DAY else 1) for day in SESSIONS if day <= until}
    answers = [ShareObservation(day, 80e6, 80e6, closes[day]) for day in asked if day <= until]
    return ShareHistory(answers, SecurityFacts((), CloseHistory.of(closes)))


def doubted(found: ShareHistory, day: date) -> bool:
    count = found.on(day)
    assert count
    return any(one.doubtful for one in count.adjustments)


@pytest.mark.parametrize(
    "to", [0.5, 0.66, 0.1, 8.10 / 16.00], ids=["a spin-off", "bad news", "a collapse", "First Republic, 2023-04-25"]
)
def test_a_fall_that_the_counts_do_not_follow_is_no_split_once_they_had_the_time_to(to: float) -> None:
    found = fallen(to, until=SESSIONS[-1], asked=SESSIONS[ROW - 30 : ROW + 30 : 5])

    assert not any(doubted(found, day) for day in SESSIONS[ROW - 20 : ROW + 20])


@pytest.mark.parametrize("to", [0.5, 0.66, 0.1])
def test_until_then_the_days_from_the_fall_on_are_in_doubt(to: float) -> None:
    found = fallen(to, until=SESSIONS[ROW + 4], asked=SESSIONS[ROW - 30 : ROW + 5])

    assert [day for day in SESSIONS[ROW - 20 : ROW + 5] if doubted(found, day)] == SESSIONS[ROW : ROW + 5]
    assert found.questions[0].deciding_dates == (date(2024, 5, 30), date(2024, 6, 24))


@pytest.mark.parametrize("to", [0.73, 0.85, 1.3])
def test_ordinary_news_is_never_asked_about(to: float) -> None:
    assert not fallen(to, until=SESSIONS[ROW + 4], asked=SESSIONS[ROW - 30 : ROW + 5]).questions


def test_two_counts_that_contradict_each_other_for_good_are_a_question() -> None:
    closes = {day: 100.0 if day < SPLIT_DAY else 50.0 for day in SESSIONS}
    answers = [ShareObservation(day, 80e6 * (2 if day >= SPLIT_DAY else 1), 40e6, closes[day]) for day in SESSIONS]

    found = ShareHistory(answers, SecurityFacts((), CloseHistory.of(closes)))

    assert "contradict each other" in found.questions[0].evidence
    assert doubted(found, SESSIONS[-1])
    assert not doubted(found, SESSIONS[ROW - 1])


def test_a_list_that_the_counts_deny_for_good_is_a_question() -> None:
    closes = {day: 100.0 if day < SPLIT_DAY else 50.0 for day in SESSIONS}
    answers = [ShareObservation(day, 80e6, 80e6, closes[day]) for day in SESSIONS]

    found = ShareHistory(answers, SecurityFacts([row(1, 2)], CloseHistory.of(closes)))

    assert "the share counts deny" in found.questions[0].evidence


def test_a_split_that_is_not_as_listed_says_so_on_its_day() -> None:
    closes = {day: 100.0 if day < SPLIT_DAY else 50.0 for day in SESSIONS}
    answers = [ShareObservation(day, *[80e6 * (2 if day >= SPLIT_DAY else 1)] * 2, closes[day]) for day in SESSIONS]

    count = ShareHistory(answers, SecurityFacts((), CloseHistory.of(closes))).on(SPLIT_DAY)

    assert count
    assert [one.reason for one in count.adjustments] == ["split not as it is listed"]
    assert "none is listed" in count.adjustments[0].evidence
