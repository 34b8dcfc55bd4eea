"""What a collection is said to cost, against what it then costs, on the market of five hundred lines."""

from datetime import date
from functools import cache
from pathlib import Path

import pytest
from tests.simulators.answering import AnsweringSource, StandingClock
from tests.simulators.small_index import quick_folder

from mag7cli.collection.collector import collect
from mag7cli.collection.estimate import CollectPlan, plan
from mag7cli.collection.worklist import CollectOptions, Method
from mag7cli.lake.layout import Lake
from mag7cli.vendors.rate_limit import Rate
from mag7cli.vendors.sandbox.market import Market

PAID = Rate(None)


@cache
def market() -> Market:
    return Market()


@pytest.fixture
def lake():
    with quick_folder() as folder:
        yield Lake.at(str(folder / "lake"))


def planned(lake: Lake, options: CollectOptions, rate: Rate = PAID) -> CollectPlan:
    return plan(lake, options, StandingClock(), rate)


def carried_out(lake: Lake, options: CollectOptions) -> dict[str, int]:
    return dict(collect(lake, AnsweringSource(market()), options, StandingClock()).calls)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(2024, 12, 2), date(2024, 12, 31)),
        (date(2024, 4, 15), date(2024, 5, 20)),
        (date(2024, 9, 3), date(2024, 11, 29)),
        (date(2021, 9, 20), date(2021, 11, 12)),
    ],
)
def test_the_estimate_is_within_a_tenth_of_what_the_run_does(lake, start, end):
    options = CollectOptions(start, end)

    told = planned(lake, options)
    done = carried_out(lake, options)

    assert told.is_estimate
    assert told.calls["grouped"] == done["grouped"]
    assert sum(done.values()) == pytest.approx(told.total_calls, rel=0.1)
    written = sum(info.size for info in lake.store.list("raw/"))
    assert written == pytest.approx(told.raw_bytes, rel=0.5)


@pytest.mark.parametrize(
    ("method", "start", "end"),
    [
        ("grouped", date(2024, 12, 30), date(2024, 12, 31)),
        ("details", date(2024, 12, 30), date(2024, 12, 31)),
        ("details", date(2021, 8, 31), date(2021, 9, 2)),
    ],
    ids=["evening", "details", "details with frozen counts"],
)
def test_where_nothing_is_sampled_the_plan_is_exact(lake, method: Method, start, end):
    options = CollectOptions(start, end, method)

    told = planned(lake, options)

    assert not told.is_estimate or method == "grouped"
    # A line that was not listed has no price, and is asked for once instead of on every date.
    assert sum(carried_out(lake, options).values()) == pytest.approx(told.total_calls, rel=0.02)


def test_the_free_plan_s_evening_is_at_most_thirty_calls(lake):
    first = CollectOptions(date(2024, 12, 26), date(2024, 12, 27))
    carried_out(lake, first)

    told = planned(lake, CollectOptions(date(2024, 12, 26), date(2024, 12, 30), refresh=20), Rate.parse("5/min"))

    assert told.calls == {"grouped": 1, "details": 28}
    assert told.present == 2
    assert told.seconds == pytest.approx(28 * 12, rel=0.02)


def test_a_plan_asks_nobody_and_counts_only_what_is_missing(lake):
    options = CollectOptions(date(2024, 12, 2), date(2024, 12, 13))
    carried_out(lake, options)
    assert planned(lake, options).total_calls == 0

    lake.store.delete(lake.document_key(date(2024, 12, 4)))
    told = planned(lake, options)

    assert told.dates == (date(2024, 12, 4),)
    assert told.total_calls == 0
    assert carried_out(lake, options) == {}


def test_a_plan_writes_nothing_but_its_memory(lake, tmp_path: Path):
    place = Lake.at(str(tmp_path / "lake"))
    planned(place, CollectOptions(date(2024, 12, 2), date(2024, 12, 13)))

    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
