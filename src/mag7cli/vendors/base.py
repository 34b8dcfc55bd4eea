"""What a market data vendor can be asked; knows nothing of HTTP.

Two real sides: `vendors.polygon.PolygonSource` over HTTP, and the tests' `SandboxSource` in memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from mag7cli.market.records import Bar, Split, TickerDetails


@dataclass(frozen=True, slots=True)
class VendorStatus:
    """The vendor's own clock: `server_time` in ISO 8601 with offset."""

    server_time: str


class MarketDataSource(Protocol):
    """The vendor. Every method may raise `MarketDataError`; none returns an empty answer for a fault.

    Safe to share between threads.
    """

    @property
    def name(self) -> str:
        """The vendor, as documents name their source."""
        ...

    @property
    def version(self) -> str:
        """What speaks with the vendor, and its version."""
        ...

    @property
    def simulated(self) -> bool:
        """True if the answers are of a simulated market; known for certain after the first answer."""
        ...

    def details(self, symbol: str, on: date) -> TickerDetails:
        """What was known of `symbol` for `on`. Raises TickerNotFoundError if it was not active then."""
        ...

    def grouped_bars(self, on: date) -> Mapping[str, Bar]:
        """The unadjusted bars of every security that traded `on`; empty if the market was closed."""
        ...

    def bars(self, symbol: str, start: date, end: date) -> list[Bar]:
        """The unadjusted daily bars of one symbol, oldest first, both ends included; empty if it never traded.

        The vendor may clip the range to the plan's window without a word: compare the first bar with `start`.
        """
        ...

    def splits(self, start: date, end: date) -> list[Split]:
        """All splits of the market executed from `start` to `end`, in the vendor's order, duplicates too."""
        ...

    def status(self) -> VendorStatus:
        """The vendor's clock; the cheapest call that proves the key."""
        ...

    def calls(self) -> Mapping[str, int]:
        """HTTP requests sent so far, by kind (`details`, `grouped`, `bars`, `splits`, …), retries included."""
        ...

    def close(self) -> None:
        """Let go of connections. Calls that are under way fail; a later one connects again."""
        ...
