"""The system clock, running and frozen."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from mag7cli.core.clock import NEW_YORK, SystemClock, running_now
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


def test_a_running_time_is_the_same_for_every_process_and_goes_at_its_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    start = datetime(2024, 11, 3, 0, 30, tzinfo=NEW_YORK)  # two hours before clocks go back
    monkeypatch.setenv("MAG7_NOW", running_now(start, time.time() - 3, 3600))
    clock, another = SystemClock(), SystemClock()

    assert abs(clock.now() - another.now()) < timedelta(minutes=10)
    assert timedelta(hours=2) < clock.now().astimezone(UTC) - start.astimezone(UTC) < timedelta(hours=5)
    assert clock.now().utcoffset() == timedelta(hours=-5)
    began = clock.monotonic()
    clock.sleep(36)
    assert clock.monotonic() - began >= 36


@pytest.mark.parametrize("value", ["2024-12-13T09:30@1734100000x0", "soon@1734100000x2", "2024-12-13@nowx2"])
def test_a_running_time_that_cannot_be_read_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("MAG7_NOW", value)

    with pytest.raises(ConfigError, match="MAG7_NOW"):
        SystemClock()


def test_a_frozen_time_that_cannot_be_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAG7_NOW", "yesterday")

    with pytest.raises(ConfigError, match="MAG7_NOW='yesterday' is not a time"):
        SystemClock()
