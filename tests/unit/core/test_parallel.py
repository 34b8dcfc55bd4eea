"""Calls at once, answers in order: what is one call's own failure, what ends the run, and how fast it ends."""

import threading
import time

import pytest

from mag7cli.core.errors import (
    AuthenticationError,
    InterruptedRunError,
    MalformedResponseError,
    MarketDataError,
    PlanError,
    RateLimitError,
    StoppedEarlyError,
    TickerNotFoundError,
    VendorUnavailableError,
)
from mag7cli.core.parallel import each
from mag7cli.vendors.rate_limit import Cancel


def test_answers_come_in_the_order_of_the_items_however_long_each_takes():
    def work(item: int) -> int:
        time.sleep(0.02 if item % 3 == 0 else 0.0)
        return item * item

    found = list(each(work, range(40), workers=8, stop=Cancel()))

    assert found == [(item, item * item) for item in range(40)]


def test_as_many_calls_are_under_way_as_there_are_workers_and_no_more():
    under_way, most, lock = 0, 0, threading.Lock()

    def work(_: int) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.01)
        with lock:
            under_way -= 1

    list(each(work, range(30), workers=5, stop=Cancel()))

    assert most == 5


@pytest.mark.parametrize("kind", [MalformedResponseError, TickerNotFoundError, VendorUnavailableError, MarketDataError])
def test_one_call_s_failure_is_its_own_answer(kind):
    def work(item: int) -> int:
        if item == 3:
            raise kind("item 3")
        return item

    found = dict(each(work, range(6), workers=2, stop=Cancel()))

    assert isinstance(found.pop(3), kind)
    assert found == {item: item for item in range(6) if item != 3}


@pytest.mark.parametrize("error", [AuthenticationError("no"), PlanError("no"), StoppedEarlyError("enough")])
def test_what_concerns_the_whole_run_ends_it(error):
    done: list[int] = []
    stop = Cancel()

    def work(item: int) -> int:
        if item == 3:
            raise error
        done.append(item)
        return item

    with pytest.raises(type(error)):
        list(each(work, range(1000), workers=2, stop=stop))

    assert len(done) < 20
    assert stop.requested


def test_a_bug_in_a_call_is_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        list(each(lambda item: 1 // item, [1, 0, 2], workers=2, stop=Cancel()))


def failing_from(first: int, kind: type[MarketDataError]):
    def work(item: int) -> int:
        if item >= first:
            raise kind(f"item {item}")
        return item

    return work


@pytest.mark.parametrize("kind", [VendorUnavailableError, RateLimitError])
def test_eight_failures_in_a_row_are_an_outage_if_the_vendor_is_silent(kind):
    with pytest.raises(kind, match="item 12"):
        list(each(failing_from(5, kind), range(1000), workers=1, stop=Cancel()))


def test_failures_in_a_row_are_their_own_if_the_vendor_still_answers():
    asked: list[int] = []

    def is_outage() -> bool:
        asked.append(1)
        return False

    found = list(
        each(failing_from(5, VendorUnavailableError), range(30), workers=4, stop=Cancel(), is_outage=is_outage)
    )

    assert sum(isinstance(answer, VendorUnavailableError) for _, answer in found) == 25
    assert len(asked) == 3


def test_refusals_that_are_no_outage_never_end_a_run():
    found = list(each(failing_from(0, MalformedResponseError), range(50), workers=4, stop=Cancel()))

    assert len(found) == 50


def test_a_stop_from_outside_does_not_wait_for_calls_under_way():
    stop, release = Cancel(), threading.Event()
    threading.Timer(0.1, stop.request).start()
    begun = time.monotonic()

    with pytest.raises(InterruptedRunError):
        list(each(lambda _: release.wait(30), range(4), workers=2, stop=stop))

    assert time.monotonic() - begun < 5
    release.set()


def test_items_are_taken_only_a_little_ahead():
    taken: list[int] = []

    def items():
        for item in range(1000):
            taken.append(item)
            yield item

    answers = each(lambda item: item, items(), workers=3, stop=Cancel())
    next(answers)
    answers.close()

    assert len(taken) <= 7


def test_who_stops_listening_early_ends_no_run():
    stop = Cancel()
    answers = each(lambda item: item, range(100), workers=3, stop=stop)
    next(answers)
    answers.close()

    assert not stop.requested


def test_no_thread_is_left_when_all_is_answered():
    before = set(threading.enumerate())
    list(each(lambda item: item, range(20), workers=6, stop=Cancel()))
    deadline = time.monotonic() + 5
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.01)

    assert set(threading.enumerate()) - before == set()
