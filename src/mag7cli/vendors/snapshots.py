"""Snapshots, asked for again and again, in the place of a stream: for plans that have the one and not the other."""

import time
from collections.abc import Callable, Sequence

from mag7cli.core.errors import RateLimitError, VendorUnavailableError
from mag7cli.vendors.base import Received, SnapshotSource, StreamNotice


class SnapshotStream:
    """The last minute of some symbols, once every `every_s` seconds; behind `vendors.base.MinuteStream`.

    Args:
        source: Asked for snapshots; it keeps the plan's rate.
        symbols: In the vendor's spelling of the day.
        every_s: Seconds from one call to the next.
        monotonic: Seconds that never go backwards.
        sleep: Waits seconds.
    """

    simulated = False

    def __init__(
        self,
        source: SnapshotSource,
        symbols: Sequence[str],
        *,
        every_s: float,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._source, self._symbols, self._every_s = source, tuple(symbols), every_s
        self._monotonic, self._sleep = monotonic, sleep
        self._ask_at = monotonic()
        self._is_connected = False

    def receive(self, timeout_s: float) -> Received:
        """The last minutes, if it is time to ask; else wait, at most so long."""
        wait_s = self._ask_at - self._monotonic()
        if wait_s > 0:
            self._sleep(min(wait_s, timeout_s))
            if wait_s > timeout_s:
                return Received()
        self._ask_at = self._monotonic() + self._every_s
        try:
            snapshots = self._source.snapshots(self._symbols)
        except (VendorUnavailableError, RateLimitError) as error:
            self._is_connected = False
            return Received(notices=(StreamNotice("lost", str(error)),))
        notices = () if self._is_connected else (StreamNotice("connected", "snapshots"),)
        self._is_connected = True
        bars = [snapshot.minute for snapshot in snapshots if snapshot.minute]
        return Received(bars, (), notices)

    def restart(self, reason: str) -> None:
        """Ask at the next opportunity."""
        self._ask_at = self._monotonic()

    def close(self) -> None:
        """Nothing is open."""
