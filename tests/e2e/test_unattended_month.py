"""A month of mornings under cron: holidays, outages, a revoked key, a full disk, a killed run, a red check, new clocks.

Each night `mag7 run -q` is started at 05:30 UTC, each morning `mag7 status --check` at eight. What both said is the
table of docs/unattended.md: nothing silent that should speak, nothing said twice. MAG7_WRITE_DOCS=1 writes it again.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from time import time as clock
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from tests.simulators.command_line import without_times
from tests.simulators.monitor import Monitor, monitor
from tests.simulators.mortal import Mortal
from tests.simulators.small_index import KEY, environment, market, new_lake, quick_folder, warm_up

from mag7cli.lake.document_quality import date_quality
from mag7cli.lake.layout import Lake
from mag7cli.lake.run_history import read
from mag7cli.market.calendar import sessions
from mag7cli.vendors.sandbox.misbehaviour import FaultRule
from mag7cli.vendors.sandbox.plan import PLANS
from mag7cli.vendors.sandbox.server import SandboxServer

PAGE = Path(__file__).parents[2] / "docs" / "unattended.md"
NEW_YORK = ZoneInfo("America/New_York")
NOBODY = "http://127.0.0.1:9"
DISK = 40_000
BEGIN, END = "<!-- month: written by tests/e2e/test_unattended_month.py -->\n", "<!-- end of month -->"


@dataclass(frozen=True, slots=True)
class Night:
    """A night of the crontab: what happened to the run, and in which exit code it must end."""

    morning: date
    event: str = ""
    exit_code: int = 0
    env: dict[str, str] = field(default_factory=dict)
    fault: FaultRule | None = None
    die_after_writes: int | None = None
    largest_file: int | None = None


def _outage(day: int, event: str) -> Night:
    return Night(date(2024, 3, day), event, 5, {"POLYGON_BASE_URL": NOBODY})


MONTH = (
    Night(date(2024, 3, 5)),
    _outage(6, "the vendor cannot be reached"),
    Night(date(2024, 3, 7), "the vendor is back"),
    Night(date(2024, 3, 8), "the run is killed half-way", -9, die_after_writes=6),
    Night(date(2024, 3, 9)),
    Night(date(2024, 3, 12), "New York has changed its clocks, the crontab has not"),
    *(_outage(day, f"five days without a network: day {n}") for n, day in enumerate((13, 14, 15, 16, 19), 1)),
    Night(date(2024, 3, 20), "the network is back"),
    Night(date(2024, 3, 21), "the key is revoked", 4, {"POLYGON_API_KEY": "revoked-key-of-somebody"}),
    Night(date(2024, 3, 22), "a new key"),
    Night(date(2024, 3, 23), "the disk is full", 1, largest_file=DISK),
    Night(date(2024, 3, 26), "there is room again"),
    Night(
        date(2024, 3, 27),
        "the vendor has no answer for a line",
        3,
        fault=FaultRule("/v3/reference/tickers/XOM", "status", status=400, times=1),
    ),
    Night(date(2024, 3, 28), "a document was changed by hand", 6),
    Night(date(2024, 3, 29), "it still is", 6),
    Night(date(2024, 3, 30), "it was collected again; Good Friday had no session"),
)


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    with quick_folder() as folder:
        new_lake(folder / "lake")
        yield folder


@dataclass(frozen=True, slots=True)
class Morning:
    """What somebody saw of a night."""

    night: Night
    exit_code: int
    mail: tuple[str, ...]
    check: str
    is_well: bool


def _now(day: date, at: time) -> str:
    return datetime.combine(day, at, NEW_YORK).isoformat()


def _cron_now(day: date) -> str:
    """05:30 UTC: 00:30 in New York in winter, 01:30 in summer. The clock runs fast, so that pauses are short."""
    local = datetime.combine(day, time(5, 30), ZoneInfo("UTC")).astimezone(NEW_YORK)
    return f"{local.isoformat()}@{clock():.3f}x500"


def _mornings(root: Path, ping_url: str) -> Iterator[Morning]:
    now = {"at": datetime(2024, 3, 30, tzinfo=NEW_YORK)}
    with SandboxServer(market(), key=KEY, plan=PLANS["developer"], clock=lambda: now["at"]) as server:
        env = environment(root, server.url, MAG7_PLAN="developer", MAG7_PING_URL=ping_url)
        with Mortal(env, root, warm_up(root, "run", "--start", "2024-02-26", "--end", "2024-02-27")) as runner:
            begun = ("run", "-q", "--start", "2024-02-26")
            first = runner.run(*begun, lake=root / "lake", env={"MAG7_NOW": _cron_now(date(2024, 3, 2))})
            assert (first.code, first.said) == (0, ""), first
            for night in MONTH:
                yield _morning(runner, server, root / "lake", night)


def _morning(runner: Mortal, server: SandboxServer, lake: Path, night: Night) -> Morning:
    if night.event.startswith("a document was changed"):
        _change(Lake.at(str(lake)), date(2024, 3, 25), factor=2)
    if night.event.startswith("it was collected again"):
        again = ("collect", "-q", "--force", "--start", "2024-03-25", "--end", "2024-03-25")
        assert runner.run(*again, lake=lake, env={"MAG7_NOW": _cron_now(date(2024, 3, 29))}).code == 0
    if night.fault:
        server.script.add(night.fault)
    ended = runner.run(
        *("run", "-q"),
        lake=lake,
        env={"MAG7_NOW": _cron_now(night.morning), "POLYGON_BASE_URL": server.url, "POLYGON_API_KEY": KEY, **night.env},
        die_at=night.die_after_writes,
        largest_file=night.largest_file,
    )
    words = ("status", "--check", "--max-behind", "0")
    checked = runner.run(*words, lake=lake, env={"MAG7_NOW": _now(night.morning, time(8))})
    said = [line for line in without_times(ended.said).splitlines() if line]
    return Morning(night, ended.code, tuple(_without_places(one, lake, server) for one in said),
                   _without_places(checked.said.strip(), lake, server), checked.code == 0)  # fmt: skip


def _change(lake: Lake, day: date, *, factor: int) -> None:
    """Somebody's slip: a total that is not the sum of its lines."""
    document: dict[str, Any] = orjson.loads(lake.store.read(lake.document_key(day)))
    document["concentration_metrics"]["sp500_total_market_cap"] *= factor
    lake.store.write(lake.document_key(day), orjson.dumps(document))


def _without_places(text: str, lake: Path, server: SandboxServer) -> str:
    text = text.replace(f" --lake {lake}", "").replace(str(lake), "lake").replace("SIMULATED. ", "")
    return re.sub(
        r"127\.0\.0\.1:\d+|127\.0\.0\.1", "api.polygon.io", text.replace(server.url, "https://api.polygon.io")
    )


def _table(mornings: list[Morning]) -> str:
    rows = [
        "| morning | what happened in the night | exit | what cron mailed | `mag7 status --check` at eight |",
        "|---|---|---|---|---|",
    ]
    for one in mornings:
        mail = "<br>".join(one.mail) or "–"
        code = "killed" if one.exit_code < 0 else one.exit_code
        rows.append(
            f"| {one.night.morning:%a %d %b} | {one.night.event or 'nothing'} | {code} | {mail} | {one.check} |"
        )
    return "\n".join(row.replace("\n", " ") for row in rows) + "\n"


@pytest.fixture(scope="module")
def job() -> Iterator[Monitor]:
    with monitor() as notes:
        yield notes


@pytest.fixture(scope="module")
def mornings(root: Path, job: Monitor) -> list[Morning]:
    return list(_mornings(root, job.url))


def test_each_night_ends_in_its_exit_code(mornings):
    assert [one.exit_code for one in mornings] == [night.exit_code for night in MONTH]


def test_nothing_is_silent_that_should_speak(mornings):
    for one in mornings:
        if one.exit_code > 0:
            assert one.mail[0].startswith("Error: "), one
        elif one.exit_code < 0:
            assert not one.is_well, one  # a dead process says nothing: the morning's check does


def test_nothing_speaks_that_should_be_silent(mornings):
    assert [one for one in mornings if not one.exit_code and (one.mail or not one.is_well)] == []


def test_nothing_is_said_twice(mornings):
    for one in mornings:
        assert len(one.mail) == len(set(one.mail)) <= 2, one
        assert "\n" not in one.check, one


def test_what_was_missed_is_caught_up_and_what_failed_is_taken_up(mornings, root):
    lake = Lake.at(str(root / "lake"))
    assert list(lake.documents()) == sessions(date(2024, 2, 26), date(2024, 3, 28))
    assert all(date_quality(lake.read_document(day)).has_figure for day in lake.documents())


def test_the_lake_remembers_the_nights(mornings, root):
    remembered = [one.exit_code for one in read(Lake.at(str(root / "lake")))]
    assert remembered == [0, *(night.exit_code for night in MONTH if night.exit_code >= 0)]


def test_a_monitor_hears_of_every_start_and_every_end_but_that_of_a_dead_process(mornings, job):
    ends = {0: "", -9: None}
    before = (Night(date(2024, 2, 28)), Night(date(2024, 3, 2)))  # what warms the process up, and the first run
    pairs = [["/start", ends.get(night.exit_code, "/fail")] for night in (*before, *MONTH)]
    expected = [f"/ping/uuid{path}" for pair in pairs for path in pair if path is not None]
    assert [path for path, _ in job.heard] == expected
    bodies = [body for path, body in job.heard if path.endswith("/fail")]
    assert any("401 Unknown API Key" in body for body in bodies)
    assert not [body for body in bodies if KEY in body or "revoked-key" in body]


def test_the_page_shows_this_month(mornings):
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    shown, _, after = rest.partition(END)
    if os.environ.get("MAG7_WRITE_DOCS"):
        PAGE.write_text(f"{before}{BEGIN}{_table(mornings)}{END}{after}", encoding="utf-8")
    else:
        assert shown == _table(mornings)
