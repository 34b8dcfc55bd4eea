"""The system clock, running and frozen."""

from datetime import datetime, timedelta

import pytest

from mag7cli.core.clock import NEW_YORK, SystemClock
from mag7cli.core.errors import ConfigError


def test_the_wall_clock_carries_its_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAG7_NOW", raising=False)

    assert abs(SystemClock().now() - datetime.now(NEW_YORK)) < timedelta(minutes=1)


def test_mag7_now_freezes_the_wall_clock_but_not_the_stopwatch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAG7_NOW", "2024-12-13T23:00:00Z")
    clock = SystemClock()
    started = clock.monotonic()

    clock.sleep(0.001)

    assert clock.now() == datetime(2024, 12, 13, 18, 0, tzinfo=NEW_YORK)
    assert clock.now().utcoffset() == timedelta(hours=-5)
    assert clock.monotonic() > started


def test_a_time_without_an_offset_is_new_york_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAG7_NOW", "2024-07-01 18:00")

    assert SystemClock().now().isoformat() == "2024-07-01T18:00:00-04:00"


def test_a_frozen_time_that_cannot_be_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAG7_NOW", "yesterday")

    with pytest.raises(ConfigError, match="MAG7_NOW='yesterday' is not a time"):
        SystemClock()
