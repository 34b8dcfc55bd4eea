"""Ctrl-C and SIGTERM end a run within a second wherever it is, with exit code 130, and lose nothing.

And what cron sees: silence when all is well, one line when it is not.
"""

import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.simulators.command_line import MAG7, without_times
from tests.simulators.mortal import Mortal
from tests.simulators.small_index import KEY, environment, leftovers, market, new_lake, quick_folder, tree, warm_up

from mag7cli.lake.layout import LOCK
from mag7cli.vendors.sandbox.misbehaviour import FaultRule
from mag7cli.vendors.sandbox.plan import PLANS
from mag7cli.vendors.sandbox.server import SandboxServer

COLLECT = ("collect", "--start", "2024-06-20", "--end", "2024-06-27")
EVENING = ("collect", "--start", "2024-06-25", "--end", "2024-06-26")

# An idle machine takes a third of this; one that runs the tests on all its cores may not.
SOON_S = 3.0


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(market(), key=KEY, plan=PLANS["advanced"]) as server:
        yield server


Ended = tuple[int, str, float]
"""The exit code, what was said, and how long it took from the signal on."""


def interrupted(number: int, folder: Path, env: dict[str, str], begun: "SandboxServer | Path") -> Ended:
    """A run that gets a signal once a call was made, or soon after it wrote a file."""
    process = subprocess.Popen(
        [MAG7, *COLLECT, "--lake", str(folder / "lake")], cwd=folder, env=env,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 20
    while not (begun.exists() if isinstance(begun, Path) else begun.requests) and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.5 if isinstance(begun, Path) else 0.1)
    sent = time.monotonic()
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    return process.returncode, without_times(said), time.monotonic() - sent


def check_interrupted(ended: Ended, lake: Path) -> None:
    code, said, took = ended
    assert code == 130, said
    assert said.splitlines()[-2:] == [
        "Error: interrupted", "Hint: run the same command again: it goes on where it stopped",
    ]  # fmt: skip
    assert took < SOON_S
    assert leftovers(lake) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_calls_that_hang_ends_the_run_at_once(folder, number):
    new_lake(folder / "lake")
    hang = FaultRule("/", "hang", times=None, delay_s=60)
    with SandboxServer(market(), key=KEY, plan=PLANS["advanced"], faults_script=[hang]) as server:
        ended = interrupted(number, folder, environment(folder, server.url), server)

    check_interrupted(ended, folder / "lake")


def test_a_signal_during_the_wait_for_the_plan_ends_the_run_at_once(folder):
    new_lake(folder / "lake")
    with SandboxServer(market(), key=KEY, plan=PLANS["advanced"]) as server:
        ended = interrupted(signal.SIGINT, folder, environment(folder, server.url, MAG7_RATE="1/min"), server)

        check_interrupted(ended, folder / "lake")
        assert len([name for name in tree(folder / "lake") if "/bars/" in name]) == 1


def test_a_signal_while_no_connection_comes_about_ends_the_run_at_once(folder):
    new_lake(folder / "lake")
    with ExitStack() as stack:
        deaf = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # its queue is full: further connections are neither accepted nor refused
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(deaf.getsockname())
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"

        ended = interrupted(signal.SIGINT, folder, environment(folder, url), folder / "lake" / LOCK)

    check_interrupted(ended, folder / "lake")


@pytest.fixture(scope="module")
def runner(server: SandboxServer) -> Iterator[Mortal]:
    with quick_folder() as folder, Mortal(environment(folder, server.url), folder, warm_up(folder, *COLLECT)) as runner:
        yield runner


@pytest.mark.parametrize("words", [COLLECT, EVENING], ids=["range", "evening"])
def test_a_signal_at_any_step_of_writing_loses_nothing(runner, folder, words):
    new_lake(folder / "start")
    shutil.copytree(folder / "start", folder / "undisturbed")
    steps = len(runner.run(*words, lake=folder / "undisturbed").steps)
    expected = tree(folder / "undisturbed")
    for step in range(0, steps, 7):
        lake = folder / f"lake-{step}"
        shutil.copytree(folder / "start", lake)
        ended = runner.run(*words, lake=lake, die_at=step, signals=[signal.SIGINT])
        assert ended.code == 130, (step, ended.said)
        assert "Traceback" not in ended.said
        assert runner.run(*words, lake=lake).code == 0
        assert leftovers(lake) == [], step
        assert tree(lake) == expected, step


def test_a_second_signal_kills_and_even_that_loses_nothing(runner, folder):
    new_lake(folder / "start")
    shutil.copytree(folder / "start", folder / "undisturbed")
    told = runner.run(*COLLECT, lake=folder / "undisturbed").steps
    step = next(number for number, name in enumerate(told) if "market_data.json" in name)
    shutil.copytree(folder / "start", folder / "lake")

    ended = runner.run(*COLLECT, lake=folder / "lake", die_at=step, signals=[signal.SIGINT, signal.SIGINT])

    assert ended.code == -signal.SIGINT
    assert runner.run(*COLLECT, lake=folder / "lake").code == 0
    assert tree(folder / "lake") == tree(folder / "undisturbed")


# Cron


def as_cron(folder: Path, env: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    """No terminal, no input, nothing in the environment but what the crontab sets."""
    return subprocess.run(
        [MAG7, *words], cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )


def bare(server: SandboxServer) -> dict[str, str]:
    """Not even HOME or PATH."""
    kept = ("POLYGON_API_KEY", "POLYGON_BASE_URL", "MAG7_NOW", "MAG7_PLAN", "MAG7_RATE")
    return {name: value for name, value in environment(Path("/"), server.url).items() if name in kept}


def test_under_cron_success_is_silent_and_so_is_nothing_new(folder, server):
    new_lake(folder / "lake")

    for _ in range(2):
        ended = as_cron(folder, bare(server), *EVENING, "--lake", "lake", "-q")
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert leftovers(folder / "lake") == []


def test_under_cron_a_failure_is_one_line_and_a_hint(folder, server):
    new_lake(folder / "lake")
    env = {**bare(server), "POLYGON_API_KEY": "another-key-that-nobody-knows"}

    ended = as_cron(folder, env, *EVENING, "--lake", "lake", "-q")

    assert ended.returncode == 4
    assert ended.stdout == ""
    said = without_times(ended.stderr)
    assert re.fullmatch(r"Error: .+ 401 .+\nHint: check POLYGON_API_KEY: .+\n", said), ended.stderr


def test_under_cron_a_failure_is_one_json_line_on_demand(folder, server):
    new_lake(folder / "lake")
    env = {**bare(server), "POLYGON_API_KEY": "another-key-that-nobody-knows"}

    ended = as_cron(folder, env, *EVENING, "--lake", "lake", "-q", "--log-format", "json")

    assert ended.returncode == 4
    (line,) = ended.stderr.splitlines()
    assert '"code":4' in line.replace(" ", "")


def test_all_three_streams_may_be_closed(folder, server):
    new_lake(folder / "lake")
    line = f'exec "{MAG7}" {" ".join(EVENING)} --lake lake -q <&- >&- 2>&-'

    ended = subprocess.run(["/bin/sh", "-c", line], cwd=folder, env=bare(server), timeout=60)

    assert ended.returncode == 0
    assert len([name for name in tree(folder / "lake") if name.endswith("market_data.json")]) == 2


def test_what_nohup_ignores_stays_ignored(folder):
    new_lake(folder / "lake")
    line = f'trap "" INT; exec "{MAG7}" {" ".join(EVENING)} --lake lake -q'
    with SandboxServer(market(), key=KEY, plan=PLANS["advanced"], latency_s=0.1) as server:
        process = subprocess.Popen(["/bin/sh", "-c", line], cwd=folder, env=bare(server), stdin=subprocess.DEVNULL)
        while not server.requests:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
