"""A session of the simulated market minute by minute: from the day's bar to the trades that could have made it.

Deterministic: the same bars, date and seed give the same minutes. The regular session walks from the day's open to a
last trade near the close; the closing auction, which sets the official close, differs from it by some hundredths of a
percent. Before and after it some securities trade now and then.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mag7cli.market.intraday import MINUTE_MS
from mag7cli.market.records import Bar
from mag7cli.market.trading_hours import TradingHours, trading_hours

_WALK_SD: Final = 0.0004
_AUCTION_SD: Final = 0.0003
_THIN_PART: Final = 0.1
_THIN_RATE: Final = 0.2
_OUTSIDE_PART: Final = 0.3
_OUTSIDE_RATE: Final = 0.05
_SHARES_A_TRADE: Final = 80


@dataclass(frozen=True, slots=True)
class Oddities:
    """What is odd about a session: `untraded` symbols never trade, `halted` ones not between two minutes of the
    regular session, of which messages tell.
    """

    untraded: Collection[str] = ()
    halted: Mapping[str, tuple[int, int]] = field(default_factory=dict)


class SimulatedSession:
    """The minutes of one date. Minutes are counted from the opening of the pre-market.

    Args:
        bars: The day's bars by symbol, whose close is the official one.
        on: A session of the exchange.
        seed: Another number is another way from the open to the close.
        oddities: What is odd about the day.
    """

    def __init__(self, bars: Mapping[str, Bar], on: date, seed: int, oddities: Oddities | None = None) -> None:
        self.hours = trading_hours(on)
        self.bars = {symbol: bars[symbol] for symbol in sorted(bars)}
        self.oddities = oddities or Oddities()
        self.first_ms = round(self.hours.pre_market_open.timestamp() * 1000)
        self.open_minute = _minutes(self.hours, self.hours.open)
        self.close_minute = _minutes(self.hours, self.hours.close)
        self.minutes = _minutes(self.hours, self.hours.after_hours_close)
        self._rows = {symbol: row for row, symbol in enumerate(self.bars)}
        rng = np.random.default_rng([seed, on.toordinal()])
        self._prices = self._draw_prices(rng)
        self._volumes = self._draw_volumes(rng)
        self._day_volumes = np.cumsum(self._volumes, axis=1)

    def minute_at(self, moment: datetime) -> int:
        """How many minutes of the date are over; negative before it."""
        return int((round(moment.timestamp() * 1000) - self.first_ms) // MINUTE_MS)

    def message(self, symbol: str, minute: int) -> dict[str, Any] | None:
        """The stream's message of a symbol for a minute; None if it did not trade in it."""
        row = self._rows.get(symbol)
        if row is None or not 0 <= minute < self.minutes or not self._volumes[row, minute]:
            return None
        close, volume = float(self._prices[row, minute]), float(self._volumes[row, minute])
        start_ms = self.first_ms + minute * MINUTE_MS
        message = {
            "ev": "AM",
            "sym": symbol,
            "v": volume,
            "av": float(self._day_volumes[row, minute]),
            "vw": close,
            "o": close,
            "c": close,
            "h": close,
            "l": close,
            "a": close,
            "z": _SHARES_A_TRADE,
            "s": start_ms,
            "e": start_ms + MINUTE_MS,
        }
        return message | ({"op": self.bars[symbol].open_usd} if minute >= self.open_minute else {})

    def halt_messages(self, symbol: str, minute: int) -> list[dict[str, Any]]:
        """The messages that a symbol is halted or trades again in a minute."""
        first, last = self.oddities.halted.get(symbol, (-1, -1))
        code = {self.open_minute + first: 17, self.open_minute + last: 18}.get(minute) if first >= 0 else None
        if code is None:
            return []
        at_ms = self.first_ms + minute * MINUTE_MS
        return [{"ev": "LULD", "T": symbol, "h": 0.0, "l": 0.0, "i": [code], "z": 3, "t": at_ms, "q": minute}]

    def snapshot(self, symbol: str, minute: int) -> dict[str, Any] | None:
        """The vendor's snapshot of a symbol before a minute begins; None for one that it does not know."""
        if symbol not in self._rows:
            return None
        traded = np.flatnonzero(self._volumes[self._rows[symbol], : max(minute, 0)])
        bar = self.message(symbol, int(traded[-1])) if traded.size else None
        body: dict[str, Any] = {"ticker": symbol, "day": {}, "min": {}, "prevDay": {}, "updated": 0}
        if bar is None:
            return body
        names = {"v": "v", "av": "av", "vw": "vw", "o": "o", "c": "c", "h": "h", "l": "l", "t": "s"}
        body |= {"min": {name: bar[source] for name, source in names.items()}, "updated": bar["e"] * 1_000_000}
        if "op" in bar:
            body["day"] = {"o": bar["op"], "c": self._day_close(symbol, minute, bar["c"]), "v": bar["av"]}
        return body

    def _day_close(self, symbol: str, minute: int, last: float) -> float:
        return self.bars[symbol].close_usd if minute > self.close_minute else last

    # Drawing

    def _draw_prices(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """The last price of each minute: flat at the open before it, a bridge through the session, flat after it."""
        opened = np.array([bar.open_usd for bar in self.bars.values()])
        closed = np.array([bar.close_usd for bar in self.bars.values()])
        last = closed * np.exp(rng.normal(0, _AUCTION_SD, len(closed)))
        count = self.close_minute - self.open_minute
        walk = np.cumsum(rng.normal(0, _WALK_SD, (len(opened), count)), axis=1)
        part = np.arange(1, count + 1) / count
        path = np.log(opened)[:, None] + walk + part * (np.log(last / opened) - walk[:, -1])[:, None]
        before = np.repeat(opened[:, None], self.open_minute, axis=1)
        after = np.repeat(closed[:, None], self.minutes - self.close_minute, axis=1)
        outside = np.exp(rng.normal(0, _WALK_SD, (len(opened), self.minutes)))
        prices = np.hstack([before, np.exp(path), after])
        prices[:, : self.open_minute] *= outside[:, : self.open_minute]
        prices[:, self.close_minute :] *= outside[:, self.close_minute :]
        return np.maximum(np.round(prices, 2), 0.01)

    def _draw_volumes(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Shares traded in each minute; zero is no trade, and no message."""
        shape = (len(self.bars), self.minutes)
        rate = np.full(shape, _OUTSIDE_RATE) * (rng.random(shape[0]) < _OUTSIDE_PART)[:, None]
        regular = np.where(rng.random(shape[0]) < _THIN_PART, _THIN_RATE, 1.0)
        rate[:, self.open_minute : self.close_minute] = regular[:, None]
        traded = rng.random(shape) < rate
        # Everything trades in the opening auction and in the minute before the closing one.
        traded[:, [self.open_minute, self.close_minute - 1]] = True
        for symbol, (first, stop) in self.oddities.halted.items():
            traded[self._rows[symbol], self.open_minute + first : self.open_minute + stop] = False
        for symbol in self.oddities.untraded:
            traded[self._rows[symbol]] = False
        return np.asarray(np.where(traded, np.round(rng.lognormal(6, 1, shape), 3) + 1, 0.0))


def _minutes(hours: TradingHours, moment: datetime) -> int:
    return int((moment - hours.pre_market_open) / timedelta(minutes=1))
