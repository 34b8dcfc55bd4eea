"""The commands of docs/cloudshell.md, as far as they can be run on any Linux: the session that dies, and its memory."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulators.command_line import MAG7
from tests.simulators.small_index import KEY, environment, market, new_lake, quick_folder

from mag7cli.lake.layout import Lake
from mag7cli.vendors.sandbox.plan import PLANS
from mag7cli.vendors.sandbox.server import SandboxServer

PAGE = (Path(__file__).parents[3] / "docs" / "cloudshell.md").read_text(encoding="utf-8")
LOOP = re.search(r"`(until mag7 run .+?; done)`", PAGE)[1]
MEMORY_MB = 2_000


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder() as folder:
        yield folder


def test_every_block_is_valid_for_a_shell():
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) >= 3
    for block in [*blocks, LOOP]:
        checked = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True)
        assert (checked.returncode, checked.stderr) == (0, ""), block


def test_the_loop_goes_on_where_a_session_was_cut_and_ends_when_all_is_there(folder):
    new_lake(folder / "lake")
    loop = LOOP.replace("mag7 run", f"'{MAG7}' run -q --start 2024-06-24 --end 2024-06-27")
    loop = loop.replace("s3://my-bucket", "lake").replace("sleep 60", "echo later")
    with SandboxServer(market(), key=KEY, plan=PLANS["advanced"]) as server:
        env = environment(folder, server.url, MAG7_MAX_CALLS="15")
        ended = subprocess.run(["bash", "-c", loop], cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[:1] == ["later"]
    assert len(Lake.at(str(folder / "lake")).documents()) == 4


def test_the_whole_pipeline_fits_the_memory_of_a_session(folder):
    probe = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1000)"
    )
    new_lake(folder / "lake")
    words = ("run", "-q", "--lake", "lake", "--start", "2024-06-24", "--end", "2024-06-27")
    with SandboxServer(market(), key=KEY, plan=PLANS["advanced"]) as server:
        ended = subprocess.run(
            [sys.executable, "-c", probe, MAG7, *words],
            cwd=folder,
            env=environment(folder, server.url),
            capture_output=True,
            text=True,
        )
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) < MEMORY_MB / 2
