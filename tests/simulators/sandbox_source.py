"""The simulated market as a `vendor.MarketDataSource` in memory: the server's answers without a server."""

import threading
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime

from mag7cli.core.clock import NEW_YORK
from mag7cli.core.errors import NotYetAvailableError, PlanError
from mag7cli.market.records import Bar, Split, TickerDetails
from mag7cli.vendors.base import VendorStatus
from mag7cli.vendors.sandbox.market import Market
from mag7cli.vendors.sandbox.plan import PLANS, Plan, noon_after


class SandboxSource:
    """What the vendor would say at `now`, by default noon after the market's last day, under a plan.

    Raises what a source over HTTP raises for the same question; calls are counted by kind as there, one a question.
    """

    name = "sandbox"
    simulated = True

    def __init__(self, market: Market, *, now: datetime | None = None, plan: Plan = PLANS["advanced"]) -> None:
        self._market = market
        self._now = now or noon_after(market.end)
        self._plan = plan
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def version(self) -> str:
        """The seed: it decides every answer."""
        return f"seed {self._market.seed}"

    def details(self, symbol: str, on: date) -> TickerDetails:
        """What the vendor reports of `symbol` for `on`, faults included. Raises TickerNotFoundError."""
        self._count("details")
        return self._market.details(symbol, on, known_until=self._plan.last_day(self._now))

    def grouped_bars(self, on: date) -> Mapping[str, Bar]:
        """The unadjusted bars of everything that traded `on`. Raises PlanError, NotYetAvailableError."""
        self._count("grouped")
        self._require_served(on)
        return self._market.grouped_bars(on) if on <= self._plan.last_day(self._now) else {}

    def bars(self, symbol: str, start: date, end: date) -> list[Bar]:
        """The unadjusted bars of one symbol, clipped to the plan's window. Raises PlanError if it is all outside."""
        self._count("bars")
        first = self._plan.first_day(self._now)
        if end < first:
            raise PlanError(f"bars of {symbol} until {end}: the plan's history starts on {first}", status=403)
        return self._market.bars(symbol, max(start, first), min(end, self._plan.last_day(self._now)))

    def splits(self, start: date, end: date) -> list[Split]:
        """The vendor's list of splits, newest first, duplicates and wrong rows included."""
        self._count("splits")
        return self._market.splits(start, end)

    def splits_with_factors(self, start: date, end: date) -> list[Split]:
        """The same rows; those of a market without faults of its own have no factor that says otherwise."""
        self._count("splits")
        return self._market.splits(start, end)

    def status(self) -> VendorStatus:
        """The simulated clock."""
        self._count("status")
        return VendorStatus(self._now.isoformat())

    def calls(self) -> Mapping[str, int]:
        """Questions asked so far, by kind."""
        with self._lock:
            return dict(self._counts)

    def close(self) -> None:
        """Nothing is open."""

    def _count(self, kind: str) -> None:
        with self._lock:
            self._counts[kind] += 1

    def _require_served(self, on: date) -> None:
        """Raises PlanError for a date before the plan's history, NotYetAvailableError for an unfinished day."""
        if on < self._plan.first_day(self._now):
            raise PlanError(f"{on} is older than the plan's history", status=403)
        if self._plan.end_of_day and on >= self._now.astimezone(NEW_YORK).date():
            raise NotYetAvailableError(f"{on} is served from midnight on", status=403)
