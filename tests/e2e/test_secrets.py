"""The key is nowhere but in the header of a request, and a list of tickers is never more than a list of tickers.

Everything that runs wrote is searched: lakes, logs, streams, tracebacks, command lines, the addresses the server saw.
"""

import os
import stat
import subprocess
import time
import traceback
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.simulators.command_line import MAG7, mag7
from tests.simulators.mortal import Mortal
from tests.simulators.small_index import (
    KEY,
    TICKERS,
    environment,
    holdings_file,
    market,
    new_lake,
    quick_folder,
    warm_up,
)

from mag7cli.collection.collector import collect
from mag7cli.collection.worklist import CollectOptions
from mag7cli.core.clock import SystemClock
from mag7cli.lake.layout import Lake
from mag7cli.tables.schema import TABLE
from mag7cli.vendors.polygon import ApiKey, PolygonSource, decode
from mag7cli.vendors.rate_limit import Rate, RateLimiter
from mag7cli.vendors.sandbox.misbehaviour import FaultKind, FaultRule
from mag7cli.vendors.sandbox.plan import PLANS
from mag7cli.vendors.sandbox.server import SandboxServer

COLLECT = ("collect", "--start", "2024-06-20", "--end", "2024-06-27")
TALKATIVE = ("-vv", "--log-format", "json")

SPELLINGS = (KEY.encode(), quote(KEY).encode(), b64encode(KEY.encode()), KEY[::-1].encode(), KEY.encode("utf-16-le"))


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder() as folder:
        yield folder


def leaks(folder: Path, said: Iterable[str] = ()) -> list[str]:
    """Where the key is found, or a piece of it long enough to be worth stealing."""
    files = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    told = {f"said[{number}]": text.encode() for number, text in enumerate(said)}
    pieces = (*SPELLINGS, KEY[5:21].encode())
    return [where for where, data in {**files, **told}.items() if any(piece in data for piece in pieces)]


def test_the_search_would_find_it(folder):
    (folder / "x").write_bytes(b"..." + KEY.encode() + b"...")

    assert leaks(folder, [f"?apiKey={KEY}"]) == [str(folder / "x"), "said[0]"]


# Faults that pass, so that a run meets all of them and every attempt is logged.
PASSING: tuple[FaultKind, ...] = (
    "reset", "cut_body", "html200", "truncated_json", "wrong_content", "empty_results", "wrong_type_json",
)  # fmt: skip


@pytest.mark.slow
def test_no_trace_of_the_key_after_a_run_with_every_fault(folder):
    new_lake(folder / "lake")
    faults = [FaultRule(f"grouped/locale/us/market/stocks/2024-06-{20 + n}", kind) for n, kind in
              enumerate(("reset", "cut_body"))]  # fmt: skip
    faults += [FaultRule(f"/v3/reference/tickers/{ticker}", kind) for ticker, kind in
               zip(TICKERS, PASSING, strict=False)]  # fmt: skip
    faults += [FaultRule("/v3/reference/tickers/XOM", "status", status=status, retry_after="0")
               for status in (429, 500, 503)]  # fmt: skip
    with SandboxServer(market(), key=KEY, plan=PLANS["advanced"], faults_script=faults) as server:
        env = environment(folder, server.url)
        run = mag7(*COLLECT, "--lake", "lake", *TALKATIVE, cwd=folder, env=env)
        later = [
            mag7(*words, "--lake", "lake", *TALKATIVE, cwd=folder, env=env)
            for words in (("run", *COLLECT[1:]), ("status",))
        ]
        seen = [request.target for request in server.requests]

    assert run.code == 0, run.stderr
    assert sum(request.fault is not None for request in server.requests) >= 12
    assert "attempt 1 of 5 failed" in run.stderr
    said = [text for ended in (run, *later) for text in (ended.stdout, ended.stderr)]
    assert leaks(folder, [*said, *seen]) == []
    assert {request.auth for request in server.requests} == {"bearer"}


ENDINGS = {
    "an unknown key": ({"POLYGON_API_KEY": f"{KEY}-changed"}, 4),
    "nobody listens": ({"POLYGON_BASE_URL": "http://127.0.0.1:9"}, 5),
    "no such host": ({"POLYGON_BASE_URL": "https://no-such-host.invalid"}, 5),
    "a key in the address": ({"POLYGON_BASE_URL": f"https://user:{KEY}@api.polygon.io"}, 2),
    "a key in the query": ({"POLYGON_BASE_URL": f"https://api.polygon.io/?apiKey={KEY}"}, 2),
    "an address without encryption": ({"POLYGON_BASE_URL": "http://api.polygon.io"}, 2),
    "a key that is no header": ({"POLYGON_API_KEY": f"{KEY}\nX-Other: 1"}, 2),
    "a command that fails": ({"POLYGON_API_KEY": "", "MAG7_API_KEY_COMMAND": f"sh -c 'echo {KEY} >&2; exit 3'"}, 2),
}


@pytest.fixture(scope="module")
def runner() -> Iterator[tuple[Mortal, SandboxServer]]:
    with (
        quick_folder() as folder,
        SandboxServer(market(), key=KEY, plan=PLANS["advanced"]) as server,
        Mortal(environment(folder, server.url), folder, warm_up(folder, *COLLECT)) as runner,
    ):
        yield runner, server


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_trace_of_the_key_after_a_run_that_ends_badly(runner, folder, ending):
    new_lake(folder / "lake")
    changed, code = ENDINGS[ending]

    ended = runner[0].run(*COLLECT, "--max-duration", "1s", *TALKATIVE, lake=folder / "lake", env=changed)

    assert ended.code == code, ended.said
    assert leaks(folder, [ended.said]) == []


def test_no_trace_of_the_key_in_the_traceback_of_a_bug(folder, monkeypatch):
    """What a bug in the reading of an answer would print, with what a debugger shows of the values it passed."""
    new_lake(folder / "lake")

    def broken(page: decode.Body, *_: object) -> None:
        raise ZeroDivisionError(repr(page)[:200])

    monkeypatch.setattr(decode, "grouped", broken)
    with SandboxServer(market(), key=KEY, plan=PLANS["advanced"]) as server:
        clock = SystemClock()
        source = PolygonSource(ApiKey(KEY), base_url=server.url, limiter=RateLimiter(Rate(None), clock), clock=clock)
        with closing(source), pytest.raises(ZeroDivisionError) as caught:
            collect(Lake.at(str(folder / "lake")), source, CollectOptions(date(2024, 6, 20), date(2024, 6, 21)), clock)
        shown = traceback.TracebackException.from_exception(caught.value, capture_locals=False)

    assert leaks(folder, ["".join(shown.format())]) == []


def test_the_key_is_on_no_command_line_while_a_run_works(folder):
    new_lake(folder / "lake")
    with SandboxServer(market(), key=KEY, plan=PLANS["advanced"], latency_s=0.1) as server:
        env = environment(folder, server.url, MAG7_API_KEY_COMMAND=f"cat {folder / 'key'}")
        del env["POLYGON_API_KEY"]
        (folder / "key").write_text(KEY)
        process = subprocess.Popen(
            [MAG7, *COLLECT, "--lake", "lake", "-q"], cwd=folder, env=env, stdout=subprocess.DEVNULL
        )
        while not server.requests and process.poll() is None:
            time.sleep(0.01)
        lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if _is_ours(path, process.pid)]
        assert process.wait(30) == 0
    (folder / "key").unlink()

    assert lines
    assert not [line for line in lines if KEY.encode() in line]
    assert leaks(folder) == []


def _is_ours(path: Path, pid: int) -> bool:
    """True for the run and what it has started."""
    try:
        fields = (path.parent / "stat").read_text().rpartition(")")[2].split()
        return path.parent.name == str(pid) or fields[1] == str(pid)
    except OSError:
        return False


@pytest.mark.parametrize(("mask", "file_mode", "folder_mode"), [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700)])
def test_files_are_as_open_as_the_user_s_mask_says(folder, mask, file_mode, folder_mode):
    before = os.umask(mask)
    try:
        with SandboxServer(market(), key=KEY, plan=PLANS["advanced"]) as server:
            new_lake(folder / "lake")
            assert mag7(*COLLECT, "--lake", "lake", cwd=folder, env=environment(folder, server.url)).code == 0
    finally:
        os.umask(before)

    found = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in (folder / "lake").rglob("*")}
    assert found == {(False, file_mode), (True, folder_mode)}


# Tickers


HOSTILE = (
    "../../x", "A'; DROP TABLE x", "=cmd|calc!A0", "A/B", "..", "<b>x</b>", "%2e%2e", "a\\b", "${HOME}", "@SUM(1)",
    "x\ny", "a;b", "\u202eabc", "AAPL/../../../x",
)  # fmt: skip


@pytest.mark.parametrize("first", ["2024-06-24", "2024-05-20"], ids=["asked by days", "asked by lines"])
def test_no_ticker_is_a_path_a_formula_or_sql(runner, folder, first):
    hostile = "".join(f'"{ticker}","{ticker} CO","Sector","Equity","1000","1.00","10","100"\n' for ticker in HOSTILE)
    lake = folder / "around" / "lake"
    Lake.at(str(lake)).write_holdings(date(2024, 6, 3), holdings_file() + hostile.encode())
    mortal, server = runner
    seen = len(server.requests)

    range_ = ("--start", first, "--end", "2024-06-26")
    for words in (("collect", *range_), ("transform",), ("load",), ("validate",), ("status",)):
        ended = mortal.run(*words, lake=lake)
        assert ended.code == 0, (words, ended.said)

    outside = [path for path in folder.rglob("*") if path.is_file() and not path.is_relative_to(lake)]
    assert outside == []
    asked = [request.target for request in server.requests[seen:]]
    assert not [target for target in asked if ".." in target or "DROP" in target or "%" in target]
    rows = mortal.run(
        "sql", f"SELECT COUNT(DISTINCT ticker) FROM {TABLE['sp500_constituents'].qualified_name}", lake=lake
    )
    assert rows.code == 0, rows.said
    assert str(len(TICKERS)) in rows.said
