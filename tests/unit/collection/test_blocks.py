"""A long range is sampled and written a block of dates at a time: the same figures, in the memory of one block."""

import threading
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from weakref import WeakSet

import pytest
from tests.simulators.answering import AnsweringSource, StandingClock
from tests.simulators.small_index import market, new_lake, tree

from mag7cli.collection import batches, estimate
from mag7cli.collection.bar_files import BarFiles
from mag7cli.collection.collector import CollectResult, collect
from mag7cli.collection.known_bars import KnownBars
from mag7cli.collection.worklist import CollectOptions, worklist
from mag7cli.core.errors import MarketDataError
from mag7cli.lake.layout import Lake
from mag7cli.market.calendar import sessions
from mag7cli.market.records import Bar
from mag7cli.shares import sampler
from mag7cli.shares.sampler import Sampler
from mag7cli.vendors.rate_limit import Rate

START, END = date(2024, 1, 2), date(2024, 8, 30)
DATES = sessions(START, END)
IN_BLOCKS = CollectOptions(START, END, block_dates=50)
AT_ONCE = CollectOptions(START, END)


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, CollectResult]:
    lake = new_lake(tmp_path_factory.mktemp("at-once"))
    return lake, collect(lake, AnsweringSource(market()), AT_ONCE, StandingClock())


@pytest.fixture(scope="module")
def in_blocks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, CollectResult, AnsweringSource]:
    lake, source = new_lake(tmp_path_factory.mktemp("in-blocks")), AnsweringSource(market())
    return lake, collect(lake, source, IN_BLOCKS, StandingClock()), source


def sizes(lake: Lake, start: date, end: date) -> list[int]:
    return [len(part.dates) for part in worklist(lake, CollectOptions(start, end)).parts]


def test_all_since_2021_is_one_block_for_years_and_twenty_years_are_five(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)

    assert sizes(lake, date(2021, 1, 4), date(2026, 12, 31)) == [1506]
    assert sizes(lake, date(2021, 1, 4), date(2028, 11, 30)) == [1988]
    assert sizes(lake, date(2008, 12, 15), date(2028, 12, 1)) == [1000, 1000, 1000, 1000, 1022]


def test_blocks_follow_each_other_and_none_is_an_evening(
    in_blocks: tuple[Lake, CollectResult, AnsweringSource],
) -> None:
    lake, result, _ = in_blocks
    known = batches.read(lake)

    assert [len(batch.dates) for batch in known] == [50, 50, 68]
    assert tuple(day for batch in known for day in batch.dates) == tuple(DATES) == result.written


def test_each_figure_is_that_of_one_block_within_the_bounds_of_both(
    at_once: tuple[Lake, CollectResult], in_blocks: tuple[Lake, CollectResult, AnsweringSource]
) -> None:
    for day in DATES:
        one, other = (lake.read_document(day)["concentration_metrics"] for lake in (at_once[0], in_blocks[0]))
        assert one
        assert other
        total, of_blocks = float(one["sp500_total_market_cap"]), float(other["sp500_total_market_cap"])
        assert of_blocks == pytest.approx(total, rel=2 * AT_ONCE.tolerance)
        assert other["total_mag7_market_cap"] == one["total_mag7_market_cap"], "the seven are known to the day"


def test_the_bound_is_that_of_the_worst_block(
    at_once: tuple[Lake, CollectResult], in_blocks: tuple[Lake, CollectResult, AnsweringSource]
) -> None:
    for result in (at_once[1], in_blocks[1]):
        assert result.precision
        assert result.precision.worst_error <= AT_ONCE.tolerance
        assert result.precision.securities == 12
    assert in_blocks[1].is_clean


def test_the_bars_of_a_line_are_asked_for_once_for_all_blocks(
    in_blocks: tuple[Lake, CollectResult, AnsweringSource],
) -> None:
    asked = in_blocks[2].asked("bars")

    assert len({symbol for symbol, _, _ in asked}) == len(asked)
    assert {end for _, _, end in asked} == {END}


def test_a_block_has_the_bars_of_its_own_weeks_in_memory(
    tmp_path: Path, in_blocks: tuple[Lake, CollectResult, AnsweringSource]
) -> None:
    whole = KnownBars(in_blocks[0])
    part = KnownBars(in_blocks[0])
    part.look_at(DATES[50], DATES[99])

    assert part.closes("AAPL", DATES[50:100]) == whole.closes("AAPL", DATES[50:100])
    assert len(part._lines["AAPL"].days) == 50
    assert part.span("AAPL") == whole.span("AAPL")
    # All that lies outside is there for who looks at it.
    assert part.close("AAPL", DATES[0]) == whole.close("AAPL", DATES[0])
    assert part.bar("MSFT", DATES[-1]) == whole.bar("MSFT", DATES[-1])


@pytest.mark.parametrize("ends", [(1, 0), (0, -2), (50, 99), (0, -1)])
def test_some_days_of_a_file_are_those_of_the_whole_file(
    in_blocks: tuple[Lake, CollectResult, AnsweringSource], ends: tuple[int, int]
) -> None:
    files = BarFiles(in_blocks[0])
    whole, since, until = files.line("NVDA"), DATES[ends[0]], DATES[ends[1]]
    some = files.line("NVDA", since, until)

    assert whole
    assert some
    assert some.bars.between(since, until) == whole.bars.between(since, until)
    assert some.covers == whole.covers


def test_the_longer_answers_are_the_fewer_are_under_way(
    tmp_path: Path, in_blocks: tuple[Lake, CollectResult, AnsweringSource]
) -> None:
    at_once: list[int] = []
    lock = threading.Lock()

    class Counting(AnsweringSource):
        under_way = 0

        def bars(self, symbol: str, start: date, end: date) -> list[Bar]:
            with lock:
                self.under_way += 1
                at_once.append(self.under_way)
            time.sleep(0.005)
            try:
                return super().bars(symbol, start, end)
            finally:
                with lock:
                    self.under_way -= 1

    lake = new_lake(tmp_path)
    collect(lake, Counting(market()), replace(IN_BLOCKS, workers=7), StandingClock())

    assert max(at_once) == 2
    assert tree(tmp_path) == tree(Path(in_blocks[0].store.uri("")))


def test_the_estimate_is_of_the_blocks(tmp_path: Path, in_blocks: tuple[Lake, CollectResult, AnsweringSource]) -> None:
    told = estimate.plan(new_lake(tmp_path), IN_BLOCKS, StandingClock(), Rate(None))
    done = in_blocks[1].calls

    assert told.calls["bars"] == done["bars"]
    assert sum(done.values()) == pytest.approx(told.total_calls, rel=0.15)


def test_a_sampler_is_gone_before_the_documents_of_its_block_and_before_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive: WeakSet[Sampler] = WeakSet()
    before: list[int] = []

    class Watched(Sampler):
        def __init__(self, *what, **more) -> None:
            before.append(len(alive))
            super().__init__(*what, **more)
            alive.add(self)

    class WatchedLake(Lake):
        def write_document(self, day: date, document) -> bytes:
            assert not alive, "what sampled is of no use to the documents"
            return super().write_document(day, document)

    monkeypatch.setattr(sampler, "Sampler", Watched)
    lake = WatchedLake(new_lake(tmp_path).store)

    collect(lake, AnsweringSource(market()), IN_BLOCKS, StandingClock())

    assert before == [0, 0, 0]


class DyingSource(AnsweringSource):
    """A vendor whose connection ends for good after so many questions."""

    def __init__(self, questions: int) -> None:
        super().__init__(market())
        self.answers = questions
        self.fails = lambda question: self._end() if len(self.questions) > questions else None

    @staticmethod
    def _end() -> MarketDataError:
        raise KeyboardInterrupt


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_run_that_ended_in_any_block_is_gone_on_with_as_if_it_had_not(
    tmp_path: Path, in_blocks: tuple[Lake, CollectResult, AnsweringSource], share: float
) -> None:
    whole, _, undisturbed = in_blocks
    lake = new_lake(tmp_path)
    first = DyingSource(int(share * len(undisturbed.questions)))
    with pytest.raises(KeyboardInterrupt):
        collect(lake, first, IN_BLOCKS, StandingClock())
    second = AnsweringSource(market())

    collect(lake, second, IN_BLOCKS, StandingClock())

    assert tree(tmp_path) == tree(Path(whole.store.uri("")))
    twice = set(first.questions[: first.answers]) & set(second.questions)
    assert not twice, twice
