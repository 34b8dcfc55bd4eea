"""A vendor in memory that counts what it is asked, has no answer where it is told to, and shows who asked."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from tests.simulators.sandbox_source import SandboxSource

from mag7cli.core.clock import NEW_YORK
from mag7cli.core.errors import MarketDataError
from mag7cli.market.records import Bar, Split, TickerDetails
from mag7cli.vendors.calls import VendorCalls
from mag7cli.vendors.rate_limit import Cancel
from mag7cli.vendors.sandbox.market import Market


class StandingClock:
    """`clock.Clock` at one moment, on which nobody waits."""

    speed = 1.0

    def __init__(self, now: datetime = datetime(2025, 1, 2, 8, tzinfo=NEW_YORK)) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody waits here")


class AnsweringSource(SandboxSource):
    """A simulated market; `questions` are what it was asked, `fails` decides what gets an error instead."""

    def __init__(self, market: Market) -> None:
        super().__init__(market)
        self.questions: list[tuple[Any, ...]] = []
        self.fails: Callable[[tuple[Any, ...]], MarketDataError | None] = lambda question: None

    def _asked(self, *question: Any) -> None:
        self.questions.append(question)
        error = self.fails(question)
        if error:
            raise error

    def details(self, symbol: str, on: date) -> TickerDetails:
        self._asked("details", symbol, on)
        return super().details(symbol, on)

    def grouped_bars(self, on: date) -> Mapping[str, Bar]:
        self._asked("grouped", on)
        return super().grouped_bars(on)

    def bars(self, symbol: str, start: date, end: date) -> list[Bar]:
        self._asked("bars", symbol, start, end)
        return super().bars(symbol, start, end)

    def splits(self, start: date, end: date) -> list[Split]:
        self._asked("splits", start, end)
        return super().splits(start, end)

    def splits_with_factors(self, start: date, end: date) -> list[Split]:
        self._asked("splits_with_factors", start, end)
        return super().splits_with_factors(start, end)

    def asking(self, workers: int = 1) -> VendorCalls:
        """How a test asks it."""
        return VendorCalls(self, Cancel(), workers)

    def asked(self, kind: str) -> list[tuple[Any, ...]]:
        """The questions of one kind."""
        return [question[1:] for question in self.questions if question[0] == kind]
