"""The pace in simulated time: any number of workers, any latencies, refusals; what the server sees is what counts."""

import heapq
from bisect import bisect_left
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from mag7cli.vendors.rate_limit import Pacer, Rate, Slot

Arrival = float


def simulate(
    rate: Rate, workers: int, latencies: list[float], calls: int, wake_up_late_s: float = 0.0
) -> list[Arrival]:
    """When the server sees each call, if so many workers make calls as fast as the pacer lets them.

    A call takes the next of `latencies`; the server sees it at the worst moment for a limit: right at its start for
    some calls and right at its end, less the shortest latency, for the others.
    """
    pacer = Pacer(rate)
    shortest = min(latencies)
    arrivals: list[Arrival] = []
    events: list[tuple[float, int, str, Slot]] = [(0.0, number, "ready", Slot()) for number in range(workers)]
    heapq.heapify(events)
    serial = workers
    while len(arrivals) < calls:
        now, _, what, slot = heapq.heappop(events)
        serial += 1
        if what == "ends":
            pacer.accepted(slot)
            pacer.finish(slot, now)
            heapq.heappush(events, (now, serial, "ready", Slot()))
            continue
        wait_s = pacer.ready_in(now)
        if wait_s > 0:
            heapq.heappush(events, (now + wait_s + wake_up_late_s, serial, "ready", slot))
            continue
        pacer.start(slot, now)
        takes_s = latencies[len(arrivals) % len(latencies)]
        arrivals.append(now if len(arrivals) % 2 else now + takes_s - shortest)
        heapq.heappush(events, (now + takes_s, serial, "ends", slot))
    return sorted(arrivals)


def most_in_a_window(arrivals: list[Arrival], period_s: float) -> int:
    """The greatest number of arrivals in any half-open window of a period."""
    return max(bisect_left(arrivals, start + period_s) - place for place, start in enumerate(arrivals))


RATES = st.builds(Rate, st.integers(1, 60), st.sampled_from([1.0, 10.0, 60.0]))
LATENCIES = st.lists(st.floats(0.001, 8.0), min_size=1, max_size=12)


@settings(deadline=None, max_examples=80)
@given(rate=RATES, workers=st.integers(1, 40), latencies=LATENCIES, late=st.floats(0.0, 0.3))
def test_no_window_at_any_place_holds_more_calls_than_the_plan_allows(
    rate: Rate, workers: int, latencies: list[float], late: float
) -> None:
    arrivals = simulate(rate, workers, latencies, calls=3 * (rate.calls or 1) + 30, wake_up_late_s=late)

    assert most_in_a_window(arrivals, rate.period_s) <= (rate.calls or 0)


@settings(deadline=None, max_examples=15)
@given(workers=st.integers(8, 40), wobble=st.floats(0.0, 0.005))
def test_98_percent_of_the_rate_are_used_when_calls_take_about_as_long_as_each_other(
    workers: int, wobble: float
) -> None:
    rate = Rate.parse("100/s")

    arrivals = simulate(rate, workers, [0.05, 0.05 + wobble, 0.05 + wobble / 2], calls=1000)

    assert (len(arrivals) - 1) / (arrivals[-1] - arrivals[0]) >= 0.98 * 100


@settings(deadline=None, max_examples=20)
@given(workers=st.integers(1, 8), latency=st.floats(0.01, 2.0))
def test_98_percent_of_the_free_plan_are_used(workers: int, latency: float) -> None:
    arrivals = simulate(Rate.parse("5/min"), workers, [latency], calls=300)

    assert (len(arrivals) - 1) / (arrivals[-1] - arrivals[0]) >= 0.98 * 5 / 60


@given(rate=RATES, place=st.integers(0, 63))
def test_who_stands_further_back_waits_longer(rate: Rate, place: int) -> None:
    pacer = Pacer(rate)
    pacer.start(Slot(), 0.0)

    assert pacer.ready_in(0.0, place + 1) > pacer.ready_in(0.0, place)


@given(rate=RATES, refusals=st.lists(st.one_of(st.none(), st.floats(0, 1e6)), min_size=1, max_size=12))
def test_refusals_only_slow_and_answers_bring_the_rate_back(rate: Rate, refusals: list[float | None]) -> None:
    pacer = Pacer(rate)
    now, spacings = 0.0, [pacer.spacing_s]
    for retry_after_s in refusals:
        slot = Slot()
        pacer.start(slot, now)
        now += 0.1 + pacer.refused(slot, now + 0.1, retry_after_s)
        pacer.finish(slot, now)
        spacings.append(pacer.spacing_s)

    for _ in range(12 * (rate.calls or 1)):
        pacer.accepted(Slot())

    assert all(later >= earlier for earlier, later in pairwise(spacings))
    assert pacer.spacing_s == spacings[0]
