"""What a vendor says while the market is open: minute bars, halts, snapshots. Pure records; knows no wire format.

Instants are epoch milliseconds, UTC, as on the wire: ten thousand of them a second are compared.
"""

from dataclasses import dataclass
from typing import Final

MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class MinuteBar:
    """One minute of one security: unadjusted USD, volume in shares.

    `day_volume` is the volume of the day so far, and `day_open_usd` the official open, None where the vendor gives
    none. A vendor that learns of a late trade sends the minute again, with a larger volume.
    """

    symbol: str
    start_ms: int
    close_usd: float
    volume: float
    day_volume: float | None = None
    day_open_usd: float | None = None

    @property
    def end_ms(self) -> int:
        """The instant to which the bar's close belongs, at the latest."""
        return self.start_ms + MINUTE_MS


@dataclass(frozen=True, slots=True)
class TradingHalt:
    """A message that trading in a security is halted, or goes on, from an instant on."""

    symbol: str
    at_ms: int
    is_halted: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where a security stands: its last minute and its day so far, unadjusted USD.

    `minute` is None for one that has not traded today; `day_close_usd` is the official close once there is one.
    """

    symbol: str
    minute: MinuteBar | None
    day_open_usd: float | None
    day_close_usd: float | None
    previous_close_usd: float | None
