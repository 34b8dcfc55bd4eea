"""The rate's words, the budget, the cancellation and the limiter, on a clock that does not run."""

import threading
import time
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from tests.simulators.fake_clock import FakeClock, FakeWaits

from mag7cli.core.clock import SystemClock, running_now
from mag7cli.core.errors import InterruptedRunError, StoppedEarlyError, UsageError
from mag7cli.vendors.rate_limit import MAX_HOLD_S, Budget, Cancel, Rate, RateLimiter


def limiter_on(clock: FakeClock, rate: str, budget: Budget | None = None) -> tuple[RateLimiter, FakeWaits]:
    waits = FakeWaits(clock)
    return RateLimiter(Rate.parse(rate), clock, cancel=waits, budget=budget), waits


def call(limiter: RateLimiter, clock: FakeClock, takes_s: float = 0.05) -> float:
    """Make one call that is answered; when it started."""
    with limiter.slot() as slot:
        clock.sleep(takes_s)
        limiter.accepted(slot)
    return slot.started


@pytest.mark.parametrize(
    ("text", "calls", "period_s"),
    [
        ("5/min", 5, 60.0),
        ("100/s", 100, 1.0),
        (" 300 / h ", 300, 3600.0),
        ("10/30s", 10, 30.0),
        ("UNLIMITED", None, 1.0),
    ],
)
def test_a_rate_is_read_as_people_write_it(text: str, calls: int | None, period_s: float) -> None:
    assert Rate.parse(text) == Rate(calls, period_s)


@pytest.mark.parametrize(
    "text", ["", "5", "5/", "/min", "five/min", "-5/min", "5/fortnight", "5/min/min", "0.5/s", "5/0s", "0/min"]
)
def test_what_is_no_rate_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        Rate.parse(text)

    assert "5/min" in str(refused.value.hint)


@pytest.mark.parametrize("text", ["5/min", "100/s", "300/h", "10/30s", "unlimited"])
def test_a_rate_is_written_as_it_is_read(text: str) -> None:
    assert str(Rate.parse(text)) == text


def test_the_time_for_many_calls_is_what_the_limiter_then_takes() -> None:
    clock = FakeClock()
    limiter, _ = limiter_on(clock, "5/min")

    first, *_, last = [call(limiter, clock) for _ in range(30)]

    assert last - first == pytest.approx(limiter.rate.seconds_for(30), rel=0.01)


def test_calls_start_a_twelfth_of_a_minute_apart_on_the_free_plan() -> None:
    clock = FakeClock()
    limiter, _ = limiter_on(clock, "5/min")

    starts = [call(limiter, clock) for _ in range(4)]

    assert [round(later - earlier, 2) for earlier, later in pairwise(starts)] == [12.12] * 3


def test_an_unlimited_rate_never_waits() -> None:
    clock = FakeClock()
    limiter, waits = limiter_on(clock, "unlimited")

    for _ in range(100):
        call(limiter, clock, takes_s=0.0)

    assert waits.waits == []


def test_a_slow_call_counts_until_a_period_after_its_answer() -> None:
    """The server may have seen the first call only just before it answered, 50 seconds after it was sent."""
    clock = FakeClock()
    limiter, _ = limiter_on(clock, "2/min")

    call(limiter, clock, takes_s=1.0)
    answered_at = call(limiter, clock, takes_s=51.0) + 51.0
    call(limiter, clock, takes_s=1.0)
    fourth = call(limiter, clock, takes_s=1.0)

    assert fourth >= answered_at - 1.0 + 60.0


def test_a_429_with_retry_after_holds_every_call_that_long() -> None:
    clock = FakeClock()
    limiter, _ = limiter_on(clock, "100/s")
    with limiter.slot() as slot:
        limiter.penalise(slot, 17.0)

    assert call(limiter, clock) == pytest.approx(slot.started + 17.0)


def test_a_429_without_retry_after_holds_a_period_then_two_then_four() -> None:
    clock = FakeClock()
    limiter, _ = limiter_on(clock, "100/s")
    starts = []
    for _ in range(4):
        with limiter.slot() as slot:
            limiter.penalise(slot)
        starts.append(slot.started)

    assert [later - earlier for earlier, later in pairwise(starts)] == pytest.approx([1, 2, 4])


def test_no_retry_after_holds_longer_than_ten_minutes() -> None:
    clock = FakeClock()
    limiter, _ = limiter_on(clock, "100/s")
    with limiter.slot() as slot:
        limiter.penalise(slot, 86_400.0)

    assert call(limiter, clock) - slot.started == pytest.approx(MAX_HOLD_S)


def test_calls_refused_together_slow_the_pace_once() -> None:
    clock = FakeClock()
    limiter, _ = limiter_on(clock, "10/s")
    with limiter.slot() as first, limiter.slot() as second, limiter.slot() as third:
        for slot in (first, second, third):
            limiter.penalise(slot, 1.0)

    start, following = call(limiter, clock), call(limiter, clock)

    assert following - start == pytest.approx(0.1 * 1.01 * 2, rel=0.05)


def test_answers_win_the_full_rate_back() -> None:
    clock = FakeClock()
    limiter, _ = limiter_on(clock, "10/s")
    with limiter.slot() as slot:
        limiter.penalise(slot, 1.0)

    starts = [call(limiter, clock) for _ in range(80)]
    gaps = [later - earlier for earlier, later in pairwise(starts)]

    assert gaps[0] == pytest.approx(0.2, rel=0.05)
    assert gaps[-1] == pytest.approx(0.101, rel=0.05)


def test_max_calls_stops_before_the_next_call() -> None:
    clock = FakeClock()
    limiter, _ = limiter_on(clock, "100/s", Budget(clock, max_calls=2))
    call(limiter, clock)
    call(limiter, clock)

    with pytest.raises(StoppedEarlyError, match="--max-calls 2"):
        call(limiter, clock)


def test_max_duration_stops_without_waiting_for_a_turn_that_comes_too_late() -> None:
    clock = FakeClock()
    limiter, _ = limiter_on(clock, "1/min", Budget(clock, max_duration_s=30))
    call(limiter, clock)

    with pytest.raises(StoppedEarlyError, match="--max-duration of 30 s"):
        call(limiter, clock)

    assert clock.elapsed < 1


def test_max_duration_stops_a_pause_that_would_outlast_it() -> None:
    clock = FakeClock()
    limiter, waits = limiter_on(clock, "100/s", Budget(clock, max_duration_s=30))

    with pytest.raises(StoppedEarlyError):
        limiter.wait(31)

    assert waits.waits == []


def test_a_budget_without_limits_is_never_used_up() -> None:
    budget = Budget(FakeClock())

    for _ in range(1000):
        budget.spend()

    assert budget.left_s() == float("inf")


def test_threads_together_spend_no_more_than_the_budget() -> None:
    clock = SystemClock()
    limiter = RateLimiter(Rate.parse("unlimited"), clock, budget=Budget(clock, max_calls=100))
    made: list[float] = []

    def work() -> None:
        try:
            while True:
                with limiter.slot() as slot:
                    made.append(slot.started)
        except StoppedEarlyError:
            return

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 100


def test_a_cancelled_run_ends_all_waits_at_once() -> None:
    cancel = Cancel()
    limiter = RateLimiter(Rate.parse("1/h"), SystemClock(), cancel=cancel)
    with limiter.slot():
        pass
    ended: list[float] = []

    def wait_for_a_turn() -> None:
        with pytest.raises(InterruptedRunError), limiter.slot():
            pass
        ended.append(time.monotonic())

    threads = [threading.Thread(target=wait_for_a_turn) for _ in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    asked_at = time.monotonic()
    cancel.request()
    for thread in threads:
        thread.join(5)

    assert len(ended) == 8
    assert max(ended) - asked_at < 1.0


def test_a_cancelled_run_makes_no_more_calls() -> None:
    cancel = Cancel()
    limiter = RateLimiter(Rate.parse("unlimited"), SystemClock(), cancel=cancel)
    cancel.request()
    cancel.request()  # twice: a second Ctrl-C

    with pytest.raises(InterruptedRunError), limiter.slot():
        pytest.fail("a call was made")


def test_a_wait_that_nobody_cancels_lasts_as_long_as_it_should() -> None:
    before = time.monotonic()

    Cancel().wait(0.05)

    assert time.monotonic() - before >= 0.05


def test_on_a_clock_that_runs_fast_waits_are_as_short() -> None:
    clock = SystemClock(running_now(datetime(2024, 3, 5, tzinfo=UTC), time.time(), 600))
    limiter = RateLimiter(Rate.parse("1/min"), clock)
    before = time.monotonic()

    for _ in range(3):
        with limiter.slot():
            pass
    limiter.wait(60)

    assert 0.3 <= time.monotonic() - before < 10


def test_whoever_gives_up_waiting_leaves_the_queue_to_the_others() -> None:
    """The first in the queue is cancelled by its own budget; the second must still get its turn."""
    clock = SystemClock()
    limiter = RateLimiter(Rate.parse("1/1s"), clock, budget=Budget(clock, max_duration_s=0.5))
    with limiter.slot():
        pass
    with pytest.raises(StoppedEarlyError), limiter.slot():
        pass

    assert not limiter._queue
