"""Work spread over processes: what they are given is in a module of its own, which each of them imports."""

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

WORK = """
import os, time
from pathlib import Path
from mag7cli.core.errors import StoreError

def whose(share):
    for task in share:
        yield task, os.getpid()

def fail_on_one(share):
    if 1 in share:
        raise StoreError("the disk is full", hint="free some")
    return share

def die_elsewhere(parent, share):
    if 1 in share and os.getpid() != parent:
        os._exit(9)
    return share

def beat(folder, share):
    for number in range(1000):
        (Path(folder) / str(os.getpid())).write_text(str(number))
        time.sleep(0.01)
"""
HEAD = """
import os, sys
from functools import partial
import work
from mag7cli.core import processes
from mag7cli.core.errors import StoreError
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "work.py").write_text(WORK, encoding="utf-8")
    return tmp_path


def _start(code: str, folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", HEAD + textwrap.dedent(code), str(folder)],
        # Buffered, whatever the one who runs the tests has set: a result that is not flushed is then lost.
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]), "PYTHONUNBUFFERED": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _output(code: str, folder: Path) -> tuple[str, str]:
    with _start(code, folder) as process:
        return process.communicate(timeout=60)


def test_every_task_is_done_once_and_in_several_processes(folder: Path) -> None:
    out, err = _output(
        """
        with processes.spread(work.whose, [range(4), range(4, 7), range(7, 10)]) as results:
            found = list(results)
        print(sorted(task for task, _ in found) == list(range(10)), len({pid for _, pid in found}))
        """,
        folder,
    )

    assert (out, err) == ("True 3\n", "")


def test_one_share_is_done_in_this_process(folder: Path) -> None:
    out, err = _output(
        """
        with processes.spread(work.whose, [range(10)]) as results:
            print({pid for _, pid in results} == {os.getpid()})
        """,
        folder,
    )

    assert (out, err) == ("True\n", "")


def test_an_error_in_another_process_is_told_in_this_one_as_it_is(folder: Path) -> None:
    out, err = _output(
        """
        try:
            with processes.spread(work.fail_on_one, [[0], [1], [2]]) as results:
                list(results)
        except StoreError as error:
            print(error, error.hint, sep="|")
        """,
        folder,
    )

    assert (out, err) == ("the disk is full|free some\n", "")


def test_a_process_that_dies_has_its_tasks_done_again(folder: Path) -> None:
    out, err = _output(
        """
        with processes.spread(partial(work.die_elsewhere, os.getpid()), [[0, 3], [1, 4], [2, 5]]) as results:
            print(sorted(results))
        """,
        folder,
    )

    assert (out, err) == ("[0, 1, 2, 3, 4, 5]\n", "")


@pytest.mark.parametrize("how", ["a file", "stdin"])
def test_a_script_without_a_main_guard_is_not_run_again(folder: Path, how: str) -> None:
    script = HEAD + textwrap.dedent(
        """
        print("started")
        with processes.spread(work.whose, [[0, 1], [2, 3]]) as results:
            print(len({pid for _, pid in results}))
        """
    )
    (folder / "script.py").write_text(script, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, str(folder / "script.py") if how == "a file" else "-"],
        # Buffered, whatever the one who runs the tests has set: a result that is not flushed is then lost.
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]), "PYTHONUNBUFFERED": ""},
        input=script, capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert (ran.stdout, ran.stderr) == ("started\n2\n", "")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process ends when its share is done")
def test_a_killed_parent_leaves_no_process_that_writes(folder: Path) -> None:
    beats = folder / "beats"
    beats.mkdir()
    code = """
        with processes.spread(partial(work.beat, sys.argv[1] + "/beats"), [[0], [1], [2]]) as results:
            list(results)
        """
    with _start(code, folder) as parent:
        _wait(lambda: len(list(beats.iterdir())) == 3)
        parent.kill()

    pids = [int(found.name) for found in beats.iterdir()]
    assert len(pids) == 3
    _wait(lambda: not any(map(_runs, pids)))
    assert not [pid for pid in pids if _runs(pid)]


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not until() and time.monotonic() < deadline:
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        # A process that nobody has waited for yet has ended all the same.
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
