"""The two sides of `MarketDataSource` agree: over HTTP from the sandbox's server, and in memory from its market."""

from collections.abc import Callable, Iterator
from datetime import date, datetime

import pytest
from tests.simulators.fake_clock import FakeClock, FakeWaits
from tests.simulators.invented_market import invented_market
from tests.simulators.sandbox_source import SandboxSource

from mag7cli.core.clock import NEW_YORK
from mag7cli.core.errors import MarketDataError, NotYetAvailableError, PlanError, RateLimitError, TickerNotFoundError
from mag7cli.vendors import subscription
from mag7cli.vendors.base import MarketDataSource
from mag7cli.vendors.polygon import PolygonSource, open_source
from mag7cli.vendors.rate_limit import Rate
from mag7cli.vendors.sandbox.market import Market
from mag7cli.vendors.sandbox.plan import PLANS
from mag7cli.vendors.sandbox.server import SandboxServer

BEFORE_THE_RENAME = date(2022, 6, 1)
SATURDAY = date(2022, 6, 4)
AFTER_IT = date(2022, 6, 15)

Ask = Callable[[MarketDataSource], object]


@pytest.fixture(scope="module")
def market() -> Market:
    return invented_market(7, lines=20)


@pytest.fixture(scope="module")
def server(market: Market) -> Iterator[SandboxServer]:
    with SandboxServer(market, plan=PLANS["advanced"]) as running:
        yield running


def environ_for(server: SandboxServer) -> dict[str, str]:
    return {"POLYGON_API_KEY": "sandbox", "POLYGON_BASE_URL": server.url}


@pytest.fixture
def over_http(server: SandboxServer) -> Iterator[PolygonSource]:
    source = open_source(environ_for(server), rate=Rate.parse("unlimited"))
    yield source
    source.close()


QUESTIONS: dict[str, Ask] = {
    "details of one of the Mag 7": lambda source: source.details("AAPL", AFTER_IT),
    "details under the old symbol": lambda source: source.details("FB", BEFORE_THE_RENAME),
    "details on a Saturday": lambda source: source.details("NVDA", SATURDAY),
    "a day of the market": lambda source: dict(source.grouped_bars(AFTER_IT)),
    "a Saturday of the market": lambda source: dict(source.grouped_bars(SATURDAY)),
    "a range across a rename": lambda source: source.bars("META", BEFORE_THE_RENAME, AFTER_IT),
    "splits": lambda source: sorted(source.splits(date(2021, 1, 1), AFTER_IT), key=repr),
    "the clock": lambda source: source.status(),
}


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_both_sides_answer_alike(market: Market, over_http: PolygonSource, ask: Ask) -> None:
    in_memory = SandboxSource(market)

    assert ask(over_http) == ask(in_memory)


REFUSED: dict[str, Ask] = {
    "an unknown symbol": lambda source: source.details("NOSUCH", AFTER_IT),
    "a symbol before its time": lambda source: source.details("META", date(2021, 2, 1)),
    "a range before the plan's history": lambda source: source.bars("AAPL", date(1999, 1, 4), date(1999, 2, 1)),
    "a day before the plan's history": lambda source: source.grouped_bars(date(1999, 1, 4)),
}


@pytest.mark.parametrize("ask", REFUSED.values(), ids=REFUSED.keys())
def test_both_sides_refuse_alike(market: Market, over_http: PolygonSource, ask: Ask) -> None:
    refusals = []
    for source in (over_http, SandboxSource(market)):
        with pytest.raises(MarketDataError) as refused:
            ask(source)
        refusals.append(type(refused.value))

    assert refusals[0] is refusals[1]
    assert refusals[0] in (TickerNotFoundError, PlanError)


def test_simulated_answers_are_known_as_such(over_http: PolygonSource) -> None:
    over_http.status()

    assert over_http.simulated


def test_the_free_plans_rate_is_kept_without_a_single_429(market: Market) -> None:
    clock = FakeClock()
    with SandboxServer(market, plan=PLANS["basic"], monotonic=clock.monotonic) as server:
        source = open_source(environ_for(server), plan="basic", clock=clock, cancel=FakeWaits(clock))
        for _ in range(30):
            source.details("AAPL", AFTER_IT)
        source.close()

    assert {request.status for request in server.requests} == {200}
    assert clock.elapsed == pytest.approx(29 * 12, rel=0.02)


@pytest.mark.parametrize("plan", ["basic", "starter"])
def test_the_last_session_of_a_plan_is_one_that_the_vendor_serves(market: Market, plan: str) -> None:
    evening, midnight = datetime(2022, 12, 29, 23, 59, tzinfo=NEW_YORK), datetime(2022, 12, 30, tzinfo=NEW_YORK)
    for now in (evening, midnight):
        with SandboxServer(market, plan=PLANS[plan], now=now) as server:
            source = open_source(environ_for(server), rate=Rate.parse("unlimited"))
            assert source.grouped_bars(subscription.plan(plan).last_session(now))
            source.close()


def test_the_free_plan_does_not_serve_a_session_before_midnight(market: Market) -> None:
    with SandboxServer(market, plan=PLANS["basic"], now=datetime(2022, 12, 29, 19, 0, tzinfo=NEW_YORK)) as server:
        source = open_source(environ_for(server), rate=Rate.parse("unlimited"))

        with pytest.raises(NotYetAvailableError):
            source.grouped_bars(date(2022, 12, 29))
        source.close()


def test_a_pace_above_the_plan_is_slowed_down_by_the_vendor_and_goes_on(market: Market) -> None:
    clock = FakeClock()
    with SandboxServer(market, plan=PLANS["basic"], monotonic=clock.monotonic) as server:
        source = open_source(environ_for(server), rate=Rate.parse("10/min"), clock=clock, cancel=FakeWaits(clock))
        for _ in range(30):
            source.details("AAPL", AFTER_IT)
        source.close()

        refused = [request.status for request in server.requests].count(429)
    assert 0 < refused <= 10


def test_a_rate_declared_far_too_high_ends_in_a_hint(market: Market) -> None:
    clock = FakeClock()
    with SandboxServer(market, plan=PLANS["basic"], monotonic=clock.monotonic) as server:
        source = open_source(environ_for(server), rate=Rate.parse("unlimited"), clock=clock, cancel=FakeWaits(clock))

        for _ in range(5):
            source.details("AAPL", AFTER_IT)
        with pytest.raises(RateLimitError) as refused:
            source.details("AAPL", AFTER_IT)
        source.close()

    assert "--rate" in str(refused.value.hint)
