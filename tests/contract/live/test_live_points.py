"""The minutes of a session in the lake: kept one by one, merged, read from both, whatever cut them off."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.simulators.cloud import Cloud

from mag7cli.core.clock import NEW_YORK
from mag7cli.core.errors import LockedError, StoreError
from mag7cli.lake.layout import Lake
from mag7cli.lake.lock import locked
from mag7cli.live.points import LivePoints, add_live_tables, latest_record
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.reporting import fragments
from mag7cli.warehouse.engines.duckdb import DuckDbEngine

DAY = date(2024, 12, 13)
OPEN = datetime(2024, 12, 13, 9, 30, tzinfo=NEW_YORK)


def entry(minute: int, share: float = 33.3, **changes: Any) -> dict[str, Any]:
    """A record as `mag7 live` writes it, of a minute after the open."""
    moment = OPEN + timedelta(minutes=minute)
    company = {"ticker": "AAPL", "name": "Apple", "price_usd": 248.13, "market_cap_usd": 3.7e12, "pct_of_sp500": 6.6}
    record = {
        "trading_date": DAY.isoformat(),
        "minute": moment.isoformat(),
        "taken_at": (moment + timedelta(seconds=5)).isoformat(),
        "phase": "regular",
        "group": "AAPL,MSFT",
        "share_pct": share,
        "low_pct": share - 0.1,
        "high_pct": share + 0.1,
        "since_close": 0.1,
        "since_open": None,
        "untraded": ["NVR", "BRK.B"],
        "halted": [],
        "has_closes": False,
        "close_date": "2024-12-12",
        "is_simulated": True,
        "companies": [{**company, "since_close": 0.01, "traded_at": moment.isoformat()}],
    }
    return record | changes


@pytest.fixture(params=["local", "s3"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    if request.param == "local":
        return Lake.at(str(tmp_path / "lake"))
    cloud: Cloud = request.getfixturevalue("cloud")
    return Lake.at(cloud.lake)


def shares(points: LivePoints) -> list[float]:
    return [record["share_pct"] for record in points.read(DAY)]


def test_minutes_are_read_as_they_come_and_the_same_after_the_merge(lake: Lake) -> None:
    points = LivePoints(lake)
    for minute in range(3):
        points.append(entry(minute, 33.0 + minute))
    before = points.read(DAY)

    assert points.merge(DAY) == 3
    after = points.read(DAY)

    assert [record["share_pct"] for record in before] == [33.0, 34.0, 35.0] == [r["share_pct"] for r in after]
    assert [datetime.fromisoformat(record["minute"]) for record in after] == [
        datetime.fromisoformat(record["minute"]) for record in before
    ]
    assert after[0]["untraded"] == ["NVR", "BRK.B"]
    assert after[0]["companies"][0]["price_usd"] == 248.13
    assert points.dates() == [DAY]
    assert {info.key.rpartition("/")[2] for info in points.lake.store.list("")} == {
        "companies.parquet",
        "points.parquet",
    }


def test_a_minute_that_comes_again_counts_once_and_minutes_after_a_merge_are_added(lake: Lake) -> None:
    points = LivePoints(lake)
    points.append(entry(1, 1.0))
    points.append(entry(0, 2.0))
    points.append(entry(1, 3.0))
    points.merge(DAY)
    points.append(entry(2, 4.0))
    points.append(entry(0, 5.0))

    assert shares(points) == [5.0, 3.0, 4.0]
    points.merge(DAY)
    assert shares(points) == [5.0, 3.0, 4.0]


def test_merging_nothing_is_nothing(lake: Lake) -> None:
    points = LivePoints(lake)

    assert points.merge(DAY) == 0
    assert points.read(DAY) == []
    assert points.dates() == []


def test_what_earlier_dates_have_left_is_merged(lake: Lake) -> None:
    points = LivePoints(lake)
    points.append(entry(0))

    points.merge_before(DAY)
    assert any(not info.key.endswith(".parquet") for info in points.lake.store.list(""))
    points.merge_before(DAY + timedelta(days=1))
    assert all(info.key.endswith(".parquet") for info in points.lake.store.list(""))


def test_a_line_that_a_dead_process_left_half_written_costs_only_itself(tmp_path: Path) -> None:
    points = LivePoints(Lake.at(str(tmp_path)))
    points.append(entry(0, 1.0))
    points.append(entry(1, 2.0))
    path = tmp_path / "live" / f"trading_date={DAY}" / "points.jsonl"
    for cut in (1, 10, 300):
        whole = path.read_bytes()
        path.write_bytes(whole[:-cut])
        assert shares(points) in ([1.0], [1.0, 2.0])
        points.append(entry(2, 3.0))
        assert shares(points)[-1] == 3.0
        path.write_bytes(whole)


@pytest.mark.parametrize("killed_after", [1, 2, 3])
def test_a_merge_that_is_killed_at_any_write_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_after: int
) -> None:
    points = LivePoints(Lake.at(str(tmp_path)))
    for minute in range(3):
        points.append(entry(minute, float(minute)))
    steps = [0]

    def dying(step: Callable[..., None]) -> Callable[..., None]:
        def run(*arguments: Any, **options: Any) -> None:
            steps[0] += 1
            if steps[0] == killed_after:
                raise KeyboardInterrupt
            step(*arguments, **options)

        return run

    store = points.lake.store
    monkeypatch.setattr(store, "write", dying(store.write))
    monkeypatch.setattr(store, "delete", dying(store.delete))
    with pytest.raises(KeyboardInterrupt):
        points.merge(DAY)
    monkeypatch.undo()

    assert shares(points) == [0.0, 1.0, 2.0]
    assert points.merge(DAY) == 3
    assert shares(points) == [0.0, 1.0, 2.0]


def test_the_zone_has_a_lock_of_its_own(tmp_path: Path) -> None:
    lake = Lake.at(str(tmp_path))
    zone = LivePoints(lake).lake

    with locked(lake, "mag7 run"), locked(zone, "mag7 live"), pytest.raises(LockedError, match="mag7 live"):
        locked(zone, "mag7 live").__enter__()


def test_a_disk_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "live").write_text("in the way")

    with pytest.raises(StoreError, match="cannot be written"):
        LivePoints(Lake.at(str(tmp_path))).append(entry(0))


def test_sql_has_the_minutes_apart_from_the_closes(lake: Lake) -> None:
    points = LivePoints(lake)
    points.append(entry(0, 33.0))
    points.merge(DAY)
    points.append(entry(1, 34.0))
    engine = DuckDbEngine.over_lake(lake)

    add_live_tables(engine, lake)
    rows = engine.query("SELECT trading_date, max(share_pct), count(*) FROM live.points GROUP BY 1").values
    times = engine.query("SELECT minute, new_york_time, taken_at FROM live.points ORDER BY minute").values
    companies = engine.query("SELECT ticker, count(*) FROM live.companies GROUP BY 1").values
    closes = engine.query("SELECT count(*) FROM market_data.concentration_metrics").values

    assert rows == ((DAY, 34.0, 2),)
    assert times[0] == (datetime(2024, 12, 13, 14, 30), "09:30", datetime(2024, 12, 13, 14, 30, 5))  # noqa: DTZ001
    assert companies == (("AAPL", 2),)
    assert closes == ((0,),)
    engine.close()


def test_the_report_has_the_newest_minute_after_the_last_close_apart_from_the_closes(tmp_path: Path) -> None:
    lake = Lake.at(str(tmp_path))
    points = LivePoints(lake)
    group = ",".join(MAGNIFICENT_7)
    points.append(entry(0, 33.0, group=group))
    points.append(entry(90, 34.5, group=group, low_pct=34.5, high_pct=34.5))
    points.append(entry(91, 12.0))

    shown = fragments.intraday_fact(latest_record(lake, DAY - timedelta(days=1)))

    assert 'id="intraday">34.50&nbsp;%</span>' in shown
    assert "at 11:00 New York" in shown
    assert "intraday, unofficial" in shown
    assert latest_record(lake, DAY) is None
    assert fragments.intraday_fact(None) == ""
