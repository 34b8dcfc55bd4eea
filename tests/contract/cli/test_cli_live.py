"""`mag7 live` as people and programs meet it: a simulated vendor on the loopback, a clock that runs faster."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.simulators.command_line import MAG7, Ended, environment, mag7, mag7_in_terminal
from tests.simulators.live_market import DAY, LiveMarket, document, live_market
from tests.simulators.terminal import on_terminal

from mag7cli.lake.layout import Lake
from mag7cli.lake.lock import locked
from mag7cli.live.points import LivePoints
from mag7cli.vendors.sandbox.stream import StreamFault

KEY = "k3y-of-thirty-two-characters-0123"
LINE = re.compile(
    r"2022-11-25 \d\d:\d\d \d\d\.\d\d % of the S&P 500 is seven companies, [+-]?\d\.\d\d points since the close of "
    r"2022-11-23(, [+-]?\d\.\d\d since the open)?; \d+ of \d+ companies traded(, the oldest price .* old \(.*\))?; "
    r"regular session; early close today; .*intraday, unofficial; SIMULATED"
)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    Lake.at(str(tmp_path / "lake")).write_document(date(2022, 11, 23), document())
    return tmp_path / "lake"


@pytest.fixture
def vendor() -> Iterator[LiveMarket]:
    """The last minutes before an early close, on the plan with a stream at once."""
    with live_market(start="12:50", speed=400, key=KEY) as market:
        yield market


def run(vendor: LiveMarket, lake: Path, *words: str) -> Ended:
    return mag7("live", "--lake", str(lake), *words, cwd=lake.parent, env=environment(lake.parent, vendor.environ))


def kept(lake: Path, day: date = DAY) -> list[Any]:
    return list(LivePoints(Lake.at(str(lake))).read(day))


def test_until_the_close_it_writes_a_line_a_minute_keeps_each_and_can_be_reviewed(
    vendor: LiveMarket, lake: Path
) -> None:
    ended = run(vendor, lake, "--until", "close")

    assert (ended.code, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert all(LINE.fullmatch(line) for line in lines), lines
    assert "official closes" in lines[-1]
    records = kept(lake)
    assert 1 <= len(records) <= len(lines)
    assert records[-1]["has_closes"]
    assert sorted(path.name for path in (lake / "live").rglob("*.parquet")) == ["companies.parquet", "points.parquet"]

    Lake.at(str(lake)).write_document(DAY, document(at_close=True))
    review = mag7("live", "--review", str(DAY), "--lake", str(lake), "--format", "json", cwd=lake.parent)
    figures = json.loads(review.stdout)
    assert review.code == 0
    assert abs(figures["difference_of_prices"]) < 0.001
    assert figures["difference"] == pytest.approx(figures["difference_of_prices"] + figures["difference_of_counts"])
    assert figures["is_within"]
    assert figures["kept"]["session_minutes"] == 210
    text = mag7("live", "--review", str(DAY), "--lake", str(lake), cwd=lake.parent).stdout
    assert "The live share is of official closes." in text
    assert "SIMULATED" in text

    rows = mag7("sql", "SELECT count(*) n FROM live.points", "--lake", str(lake), "--format", "csv", cwd=lake.parent)
    assert rows.stdout == f"n\n{len(records)}\n"


def test_programs_get_an_object_a_line(vendor: LiveMarket, lake: Path) -> None:
    ended = run(vendor, lake, "--until", "close", "--interval", "2m", "--format", "json")

    points = [json.loads(line) for line in ended.stdout.splitlines()]
    assert {point["schema_version"] for point in points} == {1}
    assert {point["kind"] for point in points} == {"intraday, unofficial"}
    assert all(point["is_simulated"] for point in points)
    assert all(0 < point["low_pct"] <= point["share_pct"] <= point["high_pct"] < 100 for point in points)
    assert len(points[-1]["companies"]) == 7


def test_once_is_one_figure_and_keeps_nothing(vendor: LiveMarket, lake: Path) -> None:
    ended = run(vendor, lake, "--once", "--group", "AAPL,MSFT", "--format", "json")

    assert ended.code == 0
    point = json.loads(ended.stdout)
    assert point["group"] == "AAPL,MSFT"
    assert [company["ticker"] for company in point["companies"]] in (["AAPL", "MSFT"], ["MSFT", "AAPL"])
    assert not (lake / "live").exists()


def test_one_figure_of_a_snapshot_says_so_and_complains_of_no_connection(vendor: LiveMarket, lake: Path) -> None:
    ended = run(vendor, lake, "--once")

    assert ended.code == 0
    assert "; from one snapshot; intraday, unofficial; SIMULATED" in ended.stdout
    assert "no connection" not in ended.stdout


@pytest.mark.parametrize(
    ("group", "message"),
    [
        ("NOPE", "NOPE was no line of the index since 2021"),
        ("AAPL,NOPE", "NOPE was no line of the index since 2021"),
        ("AAPL,PLTR", "--group: PLTR was not in the index at the close of 2022-11-23"),
    ],
)
def test_a_group_with_a_stranger_is_refused_by_name(vendor: LiveMarket, lake: Path, group: str, message: str) -> None:
    ended = run(vendor, lake, "--group", group)

    assert (ended.code, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"Error: {message}\n")


def test_a_lake_that_lacks_the_last_session_is_told(vendor: LiveMarket, tmp_path: Path) -> None:
    Lake.at(str(tmp_path / "old")).write_document(date(2022, 11, 22), document(date(2022, 11, 23)))

    ended = run(vendor, tmp_path / "old", "--once")

    assert ended.code == 0
    assert "the last close in the lake is of 2022-11-22, not of 2022-11-23" in ended.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--interval", "0"), "--interval '0' is not a time"),
        (("--review", "2030-01-01"), "no minute of 2030-01-01 was kept"),
        (("--review", "2022-11-26"), "no minute of 2022-11-26 was kept"),
    ],
)
def test_what_cannot_be_is_said_of_what_was_typed(lake: Path, words: tuple[str, str], message: str) -> None:
    ended = mag7("live", *words, "--lake", str(lake), cwd=lake.parent)

    assert (ended.code, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"Error: {message}")


def test_the_largest_are_those_of_the_last_close(vendor: LiveMarket, lake: Path) -> None:
    point = json.loads(run(vendor, lake, "--once", "--group", "top3", "--without", "NVDA", "--format", "json").stdout)

    rows = document(date(2022, 11, 25))["sp500_details"]["constituents"]
    caps = {row["ticker"]: float(row["market_cap"]) for row in rows if row["counted"] and row["ticker"] != "NVDA"}
    assert point["without"] == "NVDA"
    assert point["sp500_cap_usd"] == pytest.approx(sum(caps.values()), rel=0.1)
    assert {company["ticker"] for company in point["companies"]} == set(sorted(caps, key=caps.__getitem__)[-3:])
    assert run(vendor, lake, "--once", "--group", "NOSUCH").code == 2


def test_the_screen_fits_a_terminal_of_any_width(
    vendor: LiveMarket, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(lake.parent)
    for name, value in environment(lake.parent, {**vendor.environ, "TERM": "xterm", "NO_COLOR": "1"}).items():
        monkeypatch.setenv(name, value)
    for columns in (40, 60, 80, 200):
        monkeypatch.setenv("COLUMNS", str(columns))
        shown = on_terminal(["live", "--once", "--lake", "lake"], columns)
        assert shown.code == 0, shown
        assert max(len(row.rstrip()) for row in shown.text.splitlines()) <= columns
        assert re.search(r"\d\d\.\d\d %\sof\sthe\sS&P", shown.text)
        assert "SIMULATED" in shown.text
        assert "…" not in shown.text


def test_a_terminal_has_one_screen(vendor: LiveMarket, lake: Path) -> None:
    ended = mag7_in_terminal("live", "--once", "--lake", str(lake), cwd=lake.parent, env=vendor.environ)

    assert ended.code == 0
    assert "of the S&P 500 is seven companies, at" in ended.stderr
    assert "last trade" in ended.stderr
    assert "early close today" in ended.stderr
    assert "Regular session; " in ended.stderr
    assert "unofficial; SIMULATED." in " ".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", ended.stderr).split())


@pytest.mark.parametrize("words", [("--once",), ("--until", "close")])
def test_on_a_day_without_a_session_it_says_when_the_next_one_opens(lake: Path, words: tuple[str, ...]) -> None:
    saturday = {"MAG7_NOW": "2022-11-26T11:00:00-05:00", "POLYGON_API_KEY": KEY}

    ended = mag7("live", *words, "--lake", str(lake), cwd=lake.parent, env=environment(lake.parent, saturday))

    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout == (
        "2022-11-26 11:00 the market is closed; the pre-market opens Monday 2022-11-28 at 04:00, "
        "the session at 09:30 New York\n"
    )


def test_the_free_plan_says_that_it_has_neither(lake: Path) -> None:
    with live_market(start="12:50", plan="basic", key=KEY) as vendor:
        ended = run(vendor, lake, "--once")

    assert ended.code == 4
    assert "neither a stream nor snapshots" in ended.stderr
    assert ended.stdout == ""


def test_a_key_that_the_vendor_does_not_know_is_refused(vendor: LiveMarket, lake: Path) -> None:
    vendor.environ["POLYGON_API_KEY"] = "another"

    ended = run(vendor, lake, "--until", "close")

    assert ended.code == 4
    assert ended.stderr.count("\n") <= 3
    assert "another" not in ended.stderr.replace("another --lake", "")


def test_a_stream_that_the_plan_does_not_have_after_all_is_replaced_by_snapshots(lake: Path) -> None:
    with live_market(start="12:50", speed=400, plan="developer", key=KEY) as vendor:
        vendor.stream._is_in_plan = False
        ended = run(vendor, lake, "--until", "close")

    assert ended.code == 0
    assert "following by snapshots instead" in ended.stderr
    assert "from snapshots" in ended.stdout
    assert "15 minutes delayed" in ended.stdout


def test_without_share_counts_there_is_nothing_to_follow(vendor: LiveMarket, tmp_path: Path) -> None:
    (tmp_path / "empty" / "raw").mkdir(parents=True)
    ended = run(vendor, tmp_path / "empty", "--once")

    assert ended.code == 1
    assert "no date with a figure" in ended.stderr


def test_a_lake_of_a_simulated_market_does_not_follow_a_real_one(
    vendor: LiveMarket, lake: Path, tmp_path: Path
) -> None:
    real = document()
    real["source"]["simulated"] = False
    Lake.at(str(tmp_path / "real")).write_document(date(2022, 11, 23), real)

    ended = run(vendor, tmp_path / "real", "--once")

    assert ended.code == 2
    assert "the lake is of a real market, the vendor is a simulated one" in ended.stderr


def test_a_run_on_the_lake_holds_nothing_up_but_a_second_one_of_these_does(vendor: LiveMarket, lake: Path) -> None:
    with locked(Lake.at(str(lake)), "mag7 run"), locked(LivePoints(Lake.at(str(lake))).lake, "mag7 live"):
        second = run(vendor, lake, "--until", "close")
        once = run(vendor, lake, "--once")

    assert (second.code, once.code) == (7, 0)
    assert "mag7 live" in second.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 130), (signal.SIGINT, 130)])
def test_however_it_ends_the_minutes_that_it_showed_are_kept(lake: Path, number: int, code: int) -> None:
    with live_market(start="11:00", speed=300, key=KEY) as vendor:
        process = subprocess.Popen(
            [MAG7, "live", "--lake", str(lake), "--format", "json"],
            env=environment(lake.parent, vendor.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        shown = [json.loads(process.stdout.readline()) for _ in range(4)]
        process.send_signal(number)
        rest, _ = process.communicate(timeout=20)

    assert process.returncode == code
    shown += [json.loads(line) for line in rest.splitlines() if line.endswith("}")]
    there = {datetime.fromisoformat(record["minute"]) for record in kept(lake)}
    assert {datetime.fromisoformat(point["minute"]) for point in shown} <= there


def test_it_ends_when_its_reader_has_had_enough(lake: Path) -> None:
    with live_market(start="11:00", speed=300, key=KEY) as vendor:
        reader = f"{MAG7} live --lake {lake} | head -2"
        ended = subprocess.run(
            ["bash", "-c", reader], env=environment(lake.parent, vendor.environ), capture_output=True, timeout=20
        )

    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.count(b"\n") == 2
    assert len(kept(lake)) >= 2


def test_the_key_is_in_no_file_no_output_and_no_page(lake: Path) -> None:
    with live_market(start="12:55", speed=300, key=KEY, faults=(StreamFault(540 - 3, "abort"),)) as vendor:
        ended = run(vendor, lake, "--until", "close", "--serve", "0", "-vv")

    assert ended.code == 0
    assert KEY not in ended.stdout + ended.stderr
    assert "http://127.0.0.1:" in ended.stderr
    for folder, _, names in os.walk(lake.parent):
        assert not any(KEY.encode() in (Path(folder) / name).read_bytes() for name in names)
