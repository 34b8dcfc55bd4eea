"""Fixtures that more than one folder of tests uses, and how many tests run at once."""

import gc
import os

import pytest

from mag7cli.core.processes import cores

pytest_plugins = ["tests.simulators.cloud"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """`-n auto`: half as many workers again as cores, since a fifth of the time passes in waits; None leaves it be."""
    return None if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS") else max(2, cores() * 3 // 2)


def pytest_collection_finish() -> None:
    """Let no collection of garbage look at the modules and tests again: they stay until the end."""
    gc.freeze()
