"""Minute bars, in whatever order and however often they come, as the last price of each security in each phase.

Pure. What the book knows is a set, not a sequence: bars may be late, repeated, corrected, cut off and sent again, and
any order of the same bars ends in the same book. Of a minute that was sent twice the bar with the larger volume stands:
the vendor sends a minute again when it has learned of a late trade.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mag7cli.market.intraday import MINUTE_MS, MinuteBar, Snapshot, TradingHalt
from mag7cli.market.trading_hours import TradingHours, TradingPhase

_Rank = tuple[int, float, float, float]


@dataclass(frozen=True, slots=True)
class LastPrice:
    """The last price of a security: USD, and the end of the minute it is from, epoch milliseconds."""

    symbol: str
    usd: float
    at_ms: int


@dataclass(slots=True)
class StreamCounts:
    """What became of the bars: each is counted in one field, whatever the order.

    `minutes` is how many different minutes of securities are in the book, and `again` how many bars came for a minute
    that was there already, as a correction or a duplicate. `of_another_day` belong to no phase of the date, and
    `of_others` to securities that nobody follows.
    """

    minutes: int = 0
    again: int = 0
    of_another_day: int = 0
    of_others: int = 0

    @property
    def bars(self) -> int:
        """All bars that came."""
        return self.minutes + self.again + self.of_another_day + self.of_others


@dataclass(slots=True)
class _Security:
    """What is known of one security: its last bar by phase, its minutes as bits of a number, open, close and halt."""

    last: dict[TradingPhase, MinuteBar] = field(default_factory=dict)
    minutes: int = 0
    open_usd: tuple[int, float] | None = None
    close_usd: float | None = None
    halt: TradingHalt | None = None


class PriceBook:
    """The prices of one trading date.

    Args:
        hours: The hours of the date; bars outside of them are counted and left out.
        symbols: The securities to follow, in the vendor's spelling of the date.
    """

    def __init__(self, hours: TradingHours, symbols: Collection[str]) -> None:
        self.hours = hours
        self.counts = StreamCounts()
        self._securities = {symbol: _Security() for symbol in symbols}
        edges = (hours.pre_market_open, hours.open, hours.close, hours.after_hours_close)
        self._first_ms, self._open_ms, self._close_ms, self._last_ms = (_epoch_ms(edge) for edge in edges)
        self._latest_ms: int | None = None

    # What comes in

    def add(self, bar: MinuteBar) -> None:
        """Take in one bar."""
        security = self._securities.get(bar.symbol)
        phase = self._phase(bar.start_ms)
        if security is None:
            self.counts.of_others += 1
        elif phase is TradingPhase.CLOSED:
            self.counts.of_another_day += 1
        else:
            self._count(security, bar)
            self._fold(security, bar, phase)

    def add_all(self, bars: Iterable[MinuteBar]) -> None:
        """Take in bars."""
        for bar in bars:
            self.add(bar)

    def add_halt(self, halt: TradingHalt) -> None:
        """Take in a message that a security is halted or trades again; the newest one stands."""
        security = self._securities.get(halt.symbol)
        if security is not None and (security.halt is None or _halt_rank(halt) > _halt_rank(security.halt)):
            security.halt = halt

    def add_snapshot(self, snapshot: Snapshot, *, has_closed: bool) -> None:
        """Take in a snapshot: its last minute as if it had been sent, and the official close if the session is over."""
        security = self._securities.get(snapshot.symbol)
        if security is None:
            return
        if snapshot.minute is not None:
            self.add(snapshot.minute)
        is_of_the_day = snapshot.minute is not None and self._phase(snapshot.minute.start_ms) is not TradingPhase.CLOSED
        if has_closed and is_of_the_day and snapshot.day_close_usd is not None:
            security.close_usd = snapshot.day_close_usd

    # What is known

    @property
    def latest_ms(self) -> int | None:
        """The end of the newest minute of any security, epoch milliseconds; None before the first."""
        return self._latest_ms

    @property
    def has_closes(self) -> bool:
        """Whether the official closes are in."""
        return any(security.close_usd is not None for security in self._securities.values())

    def prices(self, phase: TradingPhase) -> Mapping[str, LastPrice]:
        """The last price of every security that traded in a phase; the official close where it is known."""
        return {
            symbol: self._price(symbol, security, bar, phase)
            for symbol, security in self._securities.items()
            if (bar := security.last.get(phase))
        }

    def opens(self) -> Mapping[str, float]:
        """The official open of every security that has one, USD."""
        return {symbol: entry.open_usd[1] for symbol, entry in self._securities.items() if entry.open_usd}

    def halted(self) -> Mapping[str, int]:
        """The securities of which a message says that they are halted, and since when, epoch milliseconds."""
        return {
            symbol: security.halt.at_ms
            for symbol, security in self._securities.items()
            if security.halt and security.halt.is_halted
        }

    # Folding

    def _phase(self, start_ms: int) -> TradingPhase:
        if not self._first_ms <= start_ms < self._last_ms:
            return TradingPhase.CLOSED
        if start_ms < self._open_ms:
            return TradingPhase.PRE_MARKET
        return TradingPhase.REGULAR if start_ms < self._close_ms else TradingPhase.AFTER_HOURS

    def _count(self, security: _Security, bar: MinuteBar) -> None:
        bit = 1 << (bar.start_ms - self._first_ms) // MINUTE_MS
        if security.minutes & bit:
            self.counts.again += 1
        else:
            security.minutes |= bit
            self.counts.minutes += 1

    def _fold(self, security: _Security, bar: MinuteBar, phase: TradingPhase) -> None:
        last = security.last.get(phase)
        if last is None or _rank(bar) > _rank(last):
            security.last[phase] = bar
        if phase is not TradingPhase.PRE_MARKET and bar.day_open_usd is not None:
            opened = (bar.start_ms, bar.day_open_usd)
            security.open_usd = max(security.open_usd, opened) if security.open_usd else opened
        self._latest_ms = max(self._latest_ms or 0, bar.end_ms)

    def _price(self, symbol: str, security: _Security, bar: MinuteBar, phase: TradingPhase) -> LastPrice:
        if phase is TradingPhase.REGULAR and security.close_usd is not None:
            return LastPrice(symbol, security.close_usd, self._close_ms)
        return LastPrice(symbol, bar.close_usd, bar.end_ms)


def _rank(bar: MinuteBar) -> _Rank:
    """Newer minutes first, then more volume; the rest only makes the order of equals the same every time."""
    return bar.start_ms, bar.volume, bar.day_volume or 0.0, bar.close_usd


def _halt_rank(halt: TradingHalt) -> tuple[int, bool]:
    return halt.at_ms, halt.is_halted


def _epoch_ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
