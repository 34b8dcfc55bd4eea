"""kill -9 at every step of writing: the next run ends in the bytes of a run that nobody disturbed.

A range, whose share counts are sampled, the few dates of an evening, and the way of the original: each run dies before
every system call that changes the lake and in the middle of every write. What that leaves is repaired by one rerun.
"""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulators.mortal import KILLED, Mortal
from tests.simulators.small_index import KEY, TEMPORARY, environment, leftovers, market, new_lake, quick_folder, tree

from mag7cli.sandbox.plan import PLANS
from mag7cli.sandbox.server import SandboxServer


@pytest.fixture(scope="module")
def mortal() -> Iterator[Mortal]:
    with (
        quick_folder() as folder,
        SandboxServer(market(), key=KEY, plan=PLANS["advanced"]) as server,
        Mortal(environment(folder, server.url), folder, (*RANGE, "--plan-only", "--lake", str(folder))) as runner,
    ):
        yield runner


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder() as folder:
        yield folder


RANGE = ("collect", "--start", "2024-06-20", "--end", "2024-06-27")
EVENING = ("collect", "--start", "2024-06-25", "--end", "2024-06-26")
DETAILS = ("collect", "--start", "2024-06-28", "--end", "2024-07-01", "--method", "details")


def _state(root: Path) -> str:
    """What a rerun finds: the files, and that there are temporary ones, but not what they hold or who wrote them."""
    found = hashlib.sha256()
    for name, data in tree(root).items():
        known = name.rpartition("-")[2] if TEMPORARY in name else name
        held = b"" if known != name or name.endswith(".lock") else data
        found.update(f"{known}\0{hashlib.sha256(held).hexdigest()}\n".encode())
    return found.hexdigest()


def _sweep(mortal: Mortal, start: Path, words: tuple[str, ...], folder: Path) -> tuple[int, int]:
    """Kill a run at every step and repeat it; how many steps there were, and how many lakes there were to repair."""
    undisturbed = folder / "undisturbed"
    shutil.copytree(start, undisturbed)
    whole = mortal.run(*words, lake=undisturbed)
    assert whole.code == 0, whole.said
    assert leftovers(undisturbed) == []
    expected = tree(undisturbed)
    seen: set[str] = set()
    points = [(step, within) for step, told in enumerate(whole.steps) for within in (False, True)
              if not within or told.startswith("write ")]  # fmt: skip
    for step, within in points:
        lake = folder / "lake"
        shutil.copytree(start, lake)
        killed = mortal.run(*words, lake=lake, die_at=step, within=within)
        assert killed.code == KILLED, killed.said
        assert len(killed.steps) == step + 1
        if (state := _state(lake)) not in seen:
            seen.add(state)
            again = mortal.run(*words, lake=lake)
            what = f"killed at {killed.steps[-1]}"
            assert again.code == 0, f"{what}: {again.said}"
            assert leftovers(lake) == [], what
            found = tree(lake)
            assert {name for name in {*found, *expected} if found.get(name) != expected.get(name)} == set(), what
        shutil.rmtree(lake)
    return len(points), len(seen)


@pytest.mark.parametrize("words", [RANGE, EVENING, DETAILS], ids=["range", "evening", "details"])
def test_a_collection_killed_at_any_step_is_completed_by_the_next(mortal, folder, words):
    new_lake(folder / "start")

    points, repaired = _sweep(mortal, folder / "start", words, folder)

    assert points > 40
    assert repaired > 20
