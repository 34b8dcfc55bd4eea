"""What a market data vendor can be asked, and the shape of its answers; knows nothing of HTTP.

Two real sides: `polygon.PolygonSource` over HTTP, and `sandbox.source.SandboxSource` in memory.
Symbols here are the vendor's spelling on the date asked for (`FB` before 2022-06-09, `BRK.B`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Bar:
    """One session of one security: unadjusted prices in USD, `volume` in shares (the vendor's may be fractional).

    `vwap_usd` is None where the vendor gives none.
    """

    symbol: str
    trading_date: date
    open_usd: float
    high_usd: float
    low_usd: float
    close_usd: float
    volume: float
    vwap_usd: float | None


@dataclass(frozen=True, slots=True)
class TickerDetails:
    """What the vendor said of a security for one date; every field it may leave out is None.

    `weighted_shares` counts all classes of the company, `share_class_shares` this line's class only.
    `market_cap_usd` is the vendor's own, of the whole company.
    `security_type` is the vendor's code: CS common stock, ETF, ADRC.
    """

    symbol: str
    on: date
    name: str
    cik: str | None
    composite_figi: str | None
    security_type: str | None
    currency: str | None
    market_cap_usd: float | None
    weighted_shares: int | None
    share_class_shares: int | None
    description: str | None
    list_date: date | None


@dataclass(frozen=True, slots=True)
class Split:
    """`split_from` old shares became `split_to` new ones before the open of `execution_date`."""

    symbol: str
    execution_date: date
    split_from: float
    split_to: float

    @property
    def ratio(self) -> float:
        """New shares for one old share: 10.0 for ten for one, 0.125 for a reverse split one for eight."""
        return self.split_to / self.split_from


@dataclass(frozen=True, slots=True)
class SymbolChange:
    """The security trades as `symbol` from `first_day` on."""

    symbol: str
    first_day: date


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

    def symbol_changes(self, symbol: str) -> list[SymbolChange]:
        """The symbols under which the security traded, oldest first."""
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
