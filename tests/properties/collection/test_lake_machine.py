"""Any sequence of runs, deaths and repairs on one lake, against a second lake on which nothing ever died.

Each run is done once on the second lake. On the first it dies at some write, and is repeated; then both must be the
same bytes. A model keeps which dates were asked for: none may be lost, and none be there that was not asked for.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.simulators.invented_market import invented_market
from tests.simulators.sandbox_source import SandboxSource
from tests.simulators.small_index import holdings_file, leftovers, quick_folder, tree

from mag7cli.collection.collector import collect
from mag7cli.collection.worklist import CollectOptions
from mag7cli.core.errors import MarketDataError, VendorUnavailableError
from mag7cli.lake.layout import Lake
from mag7cli.lake.store import LocalStore
from mag7cli.market.records import Bar, Split, TickerDetails
from mag7cli.tables.transform import transform
from mag7cli.vendors.base import VendorStatus
from mag7cli.vendors.sandbox.market import Market
from mag7cli.warehouse.duckdb_load import load

FIRST, LAST = date(2024, 2, 1), date(2024, 4, 30)


@cache
def market(seed: int) -> Market:
    return invented_market(seed, lines=12, start=date(2024, 1, 2), end=date(2024, 6, 28))


class Died(BaseException):
    """The process is dead: nothing catches this, and nothing is written after it."""


class MortalStore(LocalStore):
    """A folder whose user dies before, or after, one of the next writes; in between, a temporary file is left."""

    def __init__(self, root: Path, die_at: int | None = None, *, after: bool = False) -> None:
        super().__init__(root)
        self._left = die_at
        self._after = after
        self.is_dead = False

    def write(self, key: str, data: bytes, *, durable: bool = False) -> None:
        self._live(lambda: LocalStore.write(self, key, data, durable=durable))

    def delete(self, key: str) -> None:
        self._live(lambda: LocalStore.delete(self, key))

    def _live(self, act: Callable[[], None]) -> None:
        if self.is_dead:
            raise Died
        if self._left == 0:
            self.is_dead = True
            if self._after:
                act()
            raise Died
        if self._left is not None:
            self._left -= 1
        act()


@dataclass(frozen=True)
class Failing:
    """The vendor, which has no answer to some questions, always the same ones for one `salt`; none without."""

    source: SandboxSource
    salt: int | None
    name = "sandbox"
    simulated = True

    @property
    def version(self) -> str:
        return self.source.version

    def _may_fail(self, *question: object) -> None:
        if self.salt is not None and sum(map(ord, f"{self.salt}{question}")) % 6 == 0:
            raise VendorUnavailableError(f"no answer to {question}")

    def details(self, symbol: str, on: date) -> TickerDetails:
        self._may_fail("details", symbol, on)
        return self.source.details(symbol, on)

    def grouped_bars(self, on: date) -> Mapping[str, Bar]:
        self._may_fail("grouped", on)
        return self.source.grouped_bars(on)

    def bars(self, symbol: str, start: date, end: date) -> list[Bar]:
        self._may_fail("bars", symbol)
        found = self.source.bars(symbol, start, end)
        return [] if self.salt and symbol.startswith("M") else found  # a hole that nothing tells from silence

    def splits(self, start: date, end: date) -> list[Split]:
        return self.source.splits(start, end)

    def splits_with_factors(self, start: date, end: date) -> list[Split]:
        return self.source.splits_with_factors(start, end)

    def status(self) -> VendorStatus:
        return self.source.status()

    def calls(self) -> Mapping[str, int]:
        return self.source.calls()

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class StandingClock:
    moment: datetime
    speed: float = 1.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody waits here")


ranges = st.tuples(st.integers(0, 55), st.sampled_from([1, 1, 2, 5, 6, 9]))
deaths = st.none() | st.tuples(st.integers(0, 12) | st.integers(8, 40), st.booleans())
salts = st.none() | st.integers(0, 9)


class TwoLakes(RuleBasedStateMachine):
    """`folder / "tried"` is where runs die; `folder / "spared"` is where they do not."""

    def __init__(self) -> None:
        super().__init__()
        self._context = quick_folder()
        self.folder = self._context.__enter__()
        self.begun: set[date] = set()
        self.asked: set[date] = set()
        self.lost: set[date] = set()
        self.now = datetime(2024, 7, 1, 12, tzinfo=UTC)

    def teardown(self) -> None:
        self._context.__exit__(None, None, None)

    @property
    def tried(self) -> Path:
        return self.folder / "tried"

    @property
    def spared(self) -> Path:
        return self.folder / "spared"

    @initialize(seed=st.integers(0, 5), method=st.sampled_from(["grouped", "grouped", "details"]))
    def begin(self, seed: int, method: str) -> None:
        self.market = market(seed)
        self.days = [day for day in self.market.sessions if FIRST <= day <= LAST]
        self.method = method
        self.put_list(date(2024, 1, 31), drop=0)

    def put_list(self, as_of: date, drop: int) -> None:
        tickers = [line.ticker for line in self.market.constituents]
        kept = [*tickers[:8], *tickers[8 + drop :]]
        for root in (self.tried, self.spared):
            Lake.at(str(root)).write_holdings(as_of, holdings_file(as_of, kept))

    # What people do

    @rule(within=ranges, death=deaths, salt=salts, force=st.booleans())
    def collect(self, within: tuple[int, int], death: tuple[int, bool] | None, salt: int | None, force: bool) -> None:
        days = self.days[within[0] : within[0] + within[1]]
        self.begun.update(days)
        if days and self.run_on_both(CollectOptions(days[0], days[-1], force=force), death, salt):
            self.asked.update(days)
            self.lost.difference_update(days)

    @rule(death=deaths, salt=salts)
    def retry_failed(self, death: tuple[int, bool] | None, salt: int | None) -> None:
        self.run_on_both(CollectOptions(FIRST, LAST, retry_failed=True), death, salt)

    @rule(as_of=st.sampled_from([date(2024, 2, 15), date(2024, 3, 8), date(2024, 4, 1)]), drop=st.integers(0, 2))
    def new_list(self, as_of: date, drop: int) -> None:
        self.put_list(as_of, drop)

    @rule()
    def a_day_goes_by(self) -> None:
        self.now += timedelta(days=1)

    @precondition(lambda self: self.asked)
    @rule(which=st.integers(0, 100), damaged=st.booleans())
    def a_document_is_lost(self, which: int, damaged: bool) -> None:
        day = sorted(self.asked)[which % len(self.asked)]
        for root in (self.tried, self.spared):
            path = root / Lake.document_key(day)
            if damaged and path.exists():
                path.write_bytes(path.read_bytes()[:100])
            else:
                path.unlink(missing_ok=True)
        self.lost.add(day)

    @rule()
    def transform(self) -> None:
        for root in (self.tried, self.spared):
            transform(Lake.at(str(root)))

    @rule()
    def load(self) -> None:
        self.transform()
        readable = self.documents().keys()
        result = load(Lake.at(str(self.tried)))
        assert result.rows["failed_collections"] >= len(readable)
        complete = [day for day, document in self.documents().items() if document["concentration_metrics"]]
        assert result.rows["concentration_metrics"] == len(complete)

    # How it is done

    def run_on_both(self, options: CollectOptions, death: tuple[int, bool] | None, salt: int | None) -> bool:
        """One run on each lake; True if it got through to its end."""
        options = replace(options, method=self.method, refresh=3, workers=1)  # type: ignore[arg-type]
        ended = self.run(self.spared, options, salt)
        if death:
            store = MortalStore(self.tried, death[0], after=death[1])
            with suppress(Died):
                self.run(self.tried, options, salt, store)
        # A run that was forced begins again at its first date; any other goes on where it stopped.
        again = self.run(self.tried, options, salt)
        assert again == ended
        return ended is None

    def run(
        self, root: Path, options: CollectOptions, salt: int | None, store: LocalStore | None = None
    ) -> type[MarketDataError] | None:
        """The kind of error that a run ends in; None for one that does not."""
        source = Failing(SandboxSource(self.market), salt)
        try:
            collect(Lake(store or LocalStore(root)), source, options, StandingClock(self.now))
        except MarketDataError as error:
            return type(error)
        return None

    def documents(self) -> dict:
        lake = Lake.at(str(self.tried))
        return {day: lake.read_document(day) for day in lake.documents() if day not in self.lost}

    # What must be true at any time

    @invariant()
    def both_lakes_are_the_same_bytes(self) -> None:
        tried, spared = tree(self.tried), tree(self.spared)
        names = {name for name in {*tried, *spared} if tried.get(name) != spared.get(name)} - {"warehouse.duckdb"}
        assert names == set()

    @invariant()
    def no_date_is_lost_and_none_was_not_asked_for(self) -> None:
        there = set(Lake.at(str(self.tried)).documents())
        assert self.asked - self.lost <= there <= self.asked | self.begun
        if self.asked:
            assert leftovers(self.tried) == []


TwoLakes.TestCase.settings = settings(
    max_examples=25, stateful_step_count=8, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip


@pytest.mark.slow
class TestTwoLakes(TwoLakes.TestCase):
    """Hypothesis runs the machine."""
