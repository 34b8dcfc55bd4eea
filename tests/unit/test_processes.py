"""Work spread over forked processes; each case in a process of its own, because this one may have threads."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux only")

HEAD = """
import os, sys, time
from pathlib import Path
from mag7cli import processes
from mag7cli.errors import StoreError

os.cpu_count = lambda: 3
FOLDER = Path(sys.argv[1])
"""


def _command(code: str, folder: Path) -> list[str]:
    return [sys.executable, "-c", HEAD + textwrap.dedent(code), str(folder)]


def _run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(_command(code, folder), capture_output=True, text=True, timeout=60, check=False)


def test_every_task_is_done_once_and_in_several_processes(tmp_path: Path) -> None:
    done = _run(
        """
        with processes.spread(lambda task: (task, os.getpid()), range(10)) as results:
            found = list(results)
        print(sorted(task for task, _ in found) == list(range(10)), len({pid for _, pid in found}))
        """,
        tmp_path,
    )

    assert done.stdout.split() == ["True", "3"], done.stderr


def test_with_another_thread_running_nothing_is_forked(tmp_path: Path) -> None:
    done = _run(
        """
        import threading
        threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
        with processes.spread(lambda task: os.getpid(), range(10)) as results:
            print(set(results) == {os.getpid()})
        """,
        tmp_path,
    )

    assert done.stdout.split() == ["True"], done.stderr


def test_an_error_in_another_process_is_told_in_this_one_as_it_is(tmp_path: Path) -> None:
    done = _run(
        """
        def work(task):
            if task == 1:
                raise StoreError("the disk is full", hint="free some")
            return task
        try:
            with processes.spread(work, range(3)) as results:
                list(results)
        except StoreError as error:
            print(error, error.hint, sep="|")
        """,
        tmp_path,
    )

    assert (done.stdout, done.stderr) == ("the disk is full|free some\n", "")


def test_a_process_that_dies_has_its_tasks_done_again(tmp_path: Path) -> None:
    done = _run(
        """
        parent = os.getpid()
        def work(task):
            if task == 1 and os.getpid() != parent:
                os._exit(9)
            return task
        with processes.spread(work, range(6)) as results:
            print(sorted(results))
        """,
        tmp_path,
    )

    assert done.stdout == "[0, 1, 2, 3, 4, 5]\n", done.stderr


def test_a_killed_parent_leaves_no_process_that_writes(tmp_path: Path) -> None:
    code = """
        def work(task):
            for beat in range(1000):
                (FOLDER / str(os.getpid())).write_text(str(beat))
                time.sleep(0.01)
        with processes.spread(work, range(3)) as results:
            list(results)
        """
    with subprocess.Popen(_command(code, tmp_path)) as parent:
        deadline = time.monotonic() + 30
        while len(list(tmp_path.iterdir())) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        parent.kill()

    deadline = time.monotonic() + 30
    while any(_runs(int(found.name)) for found in tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(list(tmp_path.iterdir())) == 3
    assert not [found.name for found in tmp_path.iterdir() if _runs(int(found.name))]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that nobody has waited for yet has ended all the same.
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
