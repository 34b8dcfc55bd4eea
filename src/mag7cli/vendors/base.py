"""What a market data vendor can be asked; knows nothing of HTTP.

Two real sides: `vendors.polygon.PolygonSource` over HTTP, and the tests' `SandboxSource` in memory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

from mag7cli.market.intraday import MinuteBar, Snapshot, TradingHalt
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

    def bars(self, symbol: str, start: date, end: date) -> Sequence[Bar]:
        """The unadjusted daily bars of one symbol, oldest first, both ends included; empty if it never traded.

        The vendor may clip the range to the plan's window without a word: compare the first bar with `start`.
        """
        ...

    def splits(self, start: date, end: date) -> list[Split]:
        """All splits of the market executed from `start` to `end`, in the vendor's order, duplicates too."""
        ...

    def splits_with_factors(self, start: date, end: date) -> list[Split]:
        """The same splits by the vendor's other list, a second witness: each with its adjustment factor."""
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


@dataclass(frozen=True, slots=True)
class StreamNotice:
    """What became of a stream's connection: it stands, it was lost, or the account has too many of them open."""

    kind: Literal["connected", "lost", "limit"]
    reason: str


@dataclass(frozen=True, slots=True)
class Received:
    """What came from a stream in one step; `rejected` is how many messages could not be true."""

    bars: Sequence[MinuteBar] = ()
    halts: Sequence[TradingHalt] = ()
    notices: Sequence[StreamNotice] = ()
    rejected: int = 0


class SnapshotSource(Protocol):
    """A vendor that can say where securities stand during the session."""

    def snapshots(self, symbols: Sequence[str]) -> list[Snapshot]:
        """Where they stand; one that the vendor does not know is left out.

        Raises PlanError if the plan has no snapshots, MarketDataError for what else goes wrong.
        """
        ...


class MinuteStream(Protocol):
    """Minute bars as they come. For one thread.

    Two real sides: `vendors.polygon.stream.PolygonStream` over a WebSocket, and `vendors.snapshots.SnapshotStream` for
    plans that have no stream.
    """

    @property
    def simulated(self) -> bool:
        """True if the bars are of a simulated market; known for certain after the first connection."""
        ...

    def receive(self, timeout_s: float) -> Received:
        """Wait at most so long for the next messages; a lost connection is a notice, and is made again.

        Raises AuthenticationError, PlanError for what no second try can help.
        """
        ...

    def restart(self, reason: str) -> None:
        """Give up the connection, if there is one; the next `receive` makes another."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...
