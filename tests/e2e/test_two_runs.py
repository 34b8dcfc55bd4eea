"""Two runs at once, in processes and on S3: one works, the other says who does."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import orjson
import pytest
from tests.simulators.cloud import Cloud
from tests.simulators.command_line import MAG7, mag7
from tests.simulators.small_index import KEY, environment, leftovers, market, new_lake, tree

from mag7cli.core.errors import LockedError
from mag7cli.lake.layout import LOCK, Lake
from mag7cli.lake.lock import holder_of, locked
from mag7cli.lake.s3 import S3Store
from mag7cli.vendors.sandbox.plan import PLANS
from mag7cli.vendors.sandbox.server import SandboxServer

COLLECT = ("collect", "--start", "2024-06-20", "--end", "2024-06-21")


@pytest.fixture
def slow_vendor() -> Iterator[SandboxServer]:
    with SandboxServer(market(), key=KEY, plan=PLANS["advanced"], latency_s=0.05) as server:
        yield server


def begin(lake: Path, server: SandboxServer, cwd: Path) -> "subprocess.Popen[bytes]":
    """A run that holds the lake and is busy asking."""
    process = subprocess.Popen(
        [MAG7, *COLLECT, "--lake", str(lake)], cwd=cwd, env=environment(cwd, server.url, MAG7_WORKERS="1"),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 20
    while not server.requests and time.monotonic() < deadline:
        time.sleep(0.01)
    return process


def test_the_second_run_is_refused_and_names_the_first(tmp_path, slow_vendor):
    new_lake(tmp_path / "lake")
    first = begin(tmp_path / "lake", slow_vendor, tmp_path)
    try:
        second = mag7(*COLLECT, "--lake", "lake", cwd=tmp_path, env=environment(tmp_path, slow_vendor.url))
        assert second.code == 7
        assert f"held by 'mag7 collect' (process {first.pid} on {socket.gethostname()}, since 20" in second.stderr
        assert second.stdout == ""
        # Looking is not working.
        assert mag7("status", "--lake", str(tmp_path / "lake"), cwd=tmp_path).code == 0
    finally:
        assert first.wait(30) == 0
    assert leftovers(tmp_path / "lake") == []


def test_a_killed_run_s_lake_is_taken_over(tmp_path, slow_vendor):
    new_lake(tmp_path / "lake")
    first = begin(tmp_path / "lake", slow_vendor, tmp_path)
    os.kill(first.pid, signal.SIGKILL)
    first.wait(10)
    assert holder_of(Lake.at(str(tmp_path / "lake"))).pid == first.pid

    slow_vendor.latency_s = 0.0
    again = mag7(*COLLECT, "--lake", str(tmp_path / "lake"), cwd=tmp_path, env=environment(tmp_path, slow_vendor.url))

    assert again.code == 0, again.stderr
    assert leftovers(tmp_path / "lake") == []
    assert len([name for name in tree(tmp_path / "lake") if name.endswith("market_data.json")]) == 2


# On S3

# A name and a boot: what the lease calls a machine.
HERE = f"{socket.gethostname()}/{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}"


def test_on_s3_the_second_is_refused_and_the_lease_is_given_back(cloud: Cloud):
    lake, other = Lake(S3Store.at(cloud.lake)), Lake(S3Store.at(cloud.lake))

    with locked(lake, "mag7 collect"), pytest.raises(LockedError, match="'mag7 collect'"), locked(other, "mag7 run"):
        pass

    assert not lake.store.exists(LOCK)
    with locked(other, "mag7 run"):
        assert holder_of(lake).what == "mag7 run"


@pytest.mark.parametrize(("host", "pid", "age"), [("a-session-that-died", 12, 301.0), (HERE, 4_194_299, 1.0)])
def test_on_s3_a_lease_that_nobody_renews_is_taken_over(cloud: Cloud, host, pid, age):
    lake = Lake(S3Store.at(cloud.lake))
    lease = {"host": host, "pid": pid, "born": "1", "token": "t", "what": "mag7 run", "since": 0.0,
             "renewed": time.time() - age}  # fmt: skip
    lake.store.write(LOCK, orjson.dumps(lease))

    with locked(lake, "mag7 collect"):
        assert holder_of(lake).pid == os.getpid()


def test_on_s3_one_of_two_takers_gets_the_lease(cloud: Cloud, monkeypatch):
    lake, other = Lake(S3Store.at(cloud.lake)), Lake(S3Store.at(cloud.lake))
    lease = {"host": "gone", "pid": 1, "born": "1", "token": "t", "what": "mag7 run", "since": 0.0, "renewed": 0.0}
    lake.store.write(LOCK, orjson.dumps(lease))
    replace = S3Store.replace
    faster = ExitStack()

    def overtaken(store: S3Store, key: str, data: bytes, version: str) -> None:
        """The other one was faster, between our look and our write."""
        monkeypatch.setattr(S3Store, "replace", replace)
        faster.enter_context(locked(other, "the faster one"))
        replace(store, key, data, version)

    monkeypatch.setattr(S3Store, "replace", overtaken)
    with faster, pytest.raises(LockedError, match="the faster one"), locked(lake, "mag7 collect"):
        pass
