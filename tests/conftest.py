"""Fixtures that more than one folder of tests uses, how many tests run at once, and what every test would pay for."""

import gc
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest

from mag7cli.core.processes import cores

pytest_plugins = ["tests.simulators.cloud"]

_MEMORY = Path("/dev/shm")
_ROOM_OF_A_RUN = 2 << 30
_OBJECTS_BETWEEN_COLLECTIONS = 50_000


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """`-n auto`: half as many workers again as cores, since a fifth of the time passes in waits; None leaves it be."""
    return None if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS") else max(2, cores() * 3 // 2)


def pytest_configure() -> None:
    """Look for garbage as seldom as `mag7` does, start none of NumPy's threads, and keep files in memory."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if "TMPDIR" not in os.environ and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ROOM_OF_A_RUN:
        tempfile.tempdir = str(_MEMORY)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Import first what no other worker imports first.

    To rewrite the assertions of all tests takes longer than to import them, and is needed once: the workers, which all
    begin with files that were never imported here, would do it at the same time.
    """
    worker: dict[str, object] = getattr(session.config, "workerinput", {})
    if not worker:
        return
    number, count = int(str(worker["workerid"])[2:]), int(str(worker["workercount"]))
    folders = [Path(argument.partition("::")[0]) for argument in session.config.args]
    for path in sorted({path for folder in folders for path in folder.rglob("test_*.py")})[number::count]:
        sys.path.insert(0, str(path.parent))
        # What an import fails with is told where the tests are collected, which imports it again.
        with suppress(Exception, pytest.skip.Exception):
            import_module(path.stem)
        sys.path.remove(str(path.parent))


def pytest_collection_finish() -> None:
    """Let no collection of garbage look at the modules and tests again: they stay until the end."""
    gc.freeze()
