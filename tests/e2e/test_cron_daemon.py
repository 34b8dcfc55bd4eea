"""The printed crontab under a real cron daemon, in a mount namespace of its own: nothing of this machine is touched."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from tests.simulators.command_line import mag7
from tests.simulators.small_index import KEY, environment, market, new_lake

from mag7cli.lake import run_history
from mag7cli.lake.layout import Lake
from mag7cli.lake.run_history import RunRecord
from mag7cli.vendors.sandbox.plan import PLANS
from mag7cli.vendors.sandbox.server import SandboxServer

CRON, BUSYBOX, UNSHARE = (
    shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in ("cron", "busybox", "unshare")
)
# Debian's busybox is built without it, its busybox-static with it.
HAS_CROND = bool(BUSYBOX) and "crond" in subprocess.check_output([str(BUSYBOX), "--list"], text=True).split()
PATIENCE_S = 90
# The daemon reads its crontabs, its locks and its clock as ever; all of its folders are ours.
IN_OUR_FOLDERS = 'mount --bind "$1/spool" /var/spool && mount --bind "$1/run" /run && exec "$2" -f'

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="cron daemons want root")]
DAEMONS = [
    pytest.param("cron", marks=pytest.mark.skipif(not (CRON and UNSHARE), reason="needs cron and unshare")),
    pytest.param("busybox", marks=pytest.mark.skipif(not HAS_CROND, reason="needs a busybox with crond")),
]


@contextmanager
def daemon(name: str, folder: Path, crontab: str, env: Mapping[str, str]) -> Iterator[None]:
    """A cron that has this crontab of root's, and no other. Busybox's gives its jobs its own environment."""
    spool = folder / "spool" / "cron" / "crontabs"
    spool.mkdir(parents=True)
    (folder / "run").mkdir()
    (spool / "root").write_text(crontab, encoding="utf-8")
    (spool / "root").chmod(0o600)
    commands = {
        "cron": [str(UNSHARE), "--mount", "sh", "-c", IN_OUR_FOLDERS, "sh", str(folder), str(CRON)],
        "busybox": [str(BUSYBOX), "crond", "-f", "-c", str(spool)],
    }
    process = subprocess.Popen(
        commands[name],
        env={**env, "PATH": os.environ["PATH"]},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield
    finally:
        process.terminate()
        said = process.communicate(timeout=10)[1]
    if "mount" in said:
        pytest.skip(f"no folder can be bound here: {said.strip()}")


def wait_for_runs(lake: Lake) -> list[RunRecord]:
    end = time.monotonic() + PATIENCE_S
    while not (records := run_history.read(lake)) and time.monotonic() < end:
        time.sleep(0.5)
    return records


@pytest.mark.parametrize("name", DAEMONS)
def test_the_printed_line_runs_every_time_it_is_due(tmp_path: Path, name: str) -> None:
    (tmp_path / "key").write_text(KEY + "\n", encoding="utf-8")
    # Busybox's knows no % in a crontab, nor how one is escaped.
    folder = "a lake" if name == "busybox" else "100 % lake"
    lake = new_lake(tmp_path / folder)
    printed = mag7("service", "print", "cron", "--lake", folder, "--key-file", "key", cwd=tmp_path).stdout
    due, count = re.subn(r"^[\d*]+ [\d*]+ \* \* [\d*-]+ ", "* * * * * ", printed, flags=re.MULTILINE)
    assert count == 1
    with SandboxServer(market(), key=KEY, plan=PLANS["developer"]) as server:
        # What stands here is where the market of the test is, and its day: the key comes by the printed line.
        own = environment(tmp_path, server.url, MAG7_NOW="2024-06-29T06:00:00-04:00", MAG7_START="2024-06-26")
        there = {key: value for key, value in own.items() if key.startswith(("MAG7_", "POLYGON_BASE"))}
        lines = [f"{key}={value}\n" for key, value in there.items()]
        with daemon(name, tmp_path / "machine", "".join(lines) + due, there):
            records = wait_for_runs(lake)

    assert records, "the daemon ran nothing"
    assert (records[0].exit_code, records[0].error) == (0, None)
    assert list(lake.documents()) == [date(2024, 6, 26), date(2024, 6, 27), date(2024, 6, 28)]
    assert KEY not in printed
