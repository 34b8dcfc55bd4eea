"""A clock that moves only when somebody waits on it, and the waits that go with it."""

from datetime import UTC, datetime, timedelta

from mag7cli.vendors.rate_limit import Cancel


class FakeClock:
    """`mag7cli.core.clock.Clock`, standing at `start`; `sleep` moves it on. For one thread."""

    def __init__(self, start: datetime = datetime(2024, 12, 16, 22, 0, tzinfo=UTC)) -> None:
        self._start = start
        self.speed = 1.0
        self.elapsed = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return 1000.0 + self.elapsed

    def sleep(self, seconds: float) -> None:
        self.elapsed += seconds


class FakeWaits(Cancel):
    """A `Cancel` whose waits move a fake clock on; `waits` are the seconds of each."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self._clock.sleep(seconds)
        self.check()
