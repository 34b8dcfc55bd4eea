"""kill -9 at every step of writing: the next run ends in the bytes of a run that nobody disturbed.

A range, whose share counts are sampled, the few dates of an evening, and the old way: each run dies before
every system call that changes the lake and in the middle of every write, where many are of a kind at the first two and
the last. What that leaves is repaired by one rerun.
"""

import hashlib
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from tests.simulators.mortal import KILLED, TIMED_OUT, Mortal
from tests.simulators.small_index import (
    KEY,
    TEMPORARY,
    environment,
    leftovers,
    market,
    new_lake,
    quick_folder,
    tree,
    warm_up,
)

from mag7cli.tables.schema import TABLES
from mag7cli.vendors.sandbox.plan import PLANS
from mag7cli.vendors.sandbox.server import SandboxServer


@pytest.fixture(scope="module")
def mortal() -> Iterator[Mortal]:
    with (
        quick_folder() as folder,
        SandboxServer(market(), key=KEY, plan=PLANS["advanced"]) as server,
        Mortal(environment(folder, server.url), folder, warm_up(folder, *RANGE)) as runner,
    ):
        yield runner


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder() as folder:
        yield folder


RANGE = ("collect", "--start", "2024-06-20", "--end", "2024-06-27")
EVENING = ("collect", "--start", "2024-06-25", "--end", "2024-06-26")
DETAILS = ("collect", "--start", "2024-06-28", "--end", "2024-07-01", "--method", "details")


_NUMBERS = re.compile(r"[\d-]*\d")


def _state(root: Path) -> str:
    """What a rerun finds: the files, and that there are temporary ones, but not what they hold or who wrote them."""
    found = hashlib.sha256()
    for name, data in tree(root).items():
        known = name.rpartition("-")[2] if TEMPORARY in name else name
        held = b"" if known != name or name.endswith(".lock") else data
        found.update(f"{known}\0{hashlib.sha256(held).hexdigest()}\n".encode())
    return found.hexdigest()


def _points(steps: tuple[str, ...]) -> Iterator[tuple[int, bool]]:
    """Where to kill: in the middle of each write, and before each other step.

    Not between a write and its rename: what a temporary file holds is nobody's business. Of the steps that differ in
    their date alone, the first two and the last: at them none, one and all but one of the files of a kind are there.
    """
    of_a_kind: defaultdict[str, list[int]] = defaultdict(list)
    for number, kind in enumerate(_kinds(steps)):
        after_write = number > 0 and steps[number - 1].startswith("write ")
        if not after_write:
            of_a_kind[kind].append(number)
    for number in sorted({at for numbers in of_a_kind.values() for at in (*numbers[:2], numbers[-1])}):
        yield number, steps[number].startswith("write ")


def _kinds(steps: tuple[str, ...]) -> Iterator[str]:
    """Each step without dates and numbers; a write is of the kind of the file that was opened before."""
    path = ""
    for step in steps:
        name, _, target = step.partition(" ")
        path = path if name == "write" else target
        yield f"{name} {_NUMBERS.sub('', path)}"


def _sweep(mortal: Mortal, start: Path, words: tuple[str, ...], folder: Path) -> tuple[int, int]:
    """Kill a run at every step and repeat it; how many steps there were, and how many lakes there were to repair."""
    undisturbed = folder / "undisturbed"
    shutil.copytree(start, undisturbed)
    whole = mortal.run(*words, lake=undisturbed)
    assert whole.code == 0, whole.said
    assert leftovers(undisturbed) == []
    expected = tree(undisturbed)
    seen: set[str] = set()
    points = list(_points(whole.steps))
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

    assert points > 25
    assert repaired > 20


# The tables


@pytest.fixture(scope="module")
def collected(mortal: Mortal) -> Iterator[Path]:
    """A lake of one raw document, of a day with a split."""
    with quick_folder() as folder:
        new_lake(folder / "lake")
        assert mortal.run("collect", "--start", "2024-06-26", "--end", "2024-06-26", lake=folder / "lake").code == 0
        yield folder / "lake"


@pytest.fixture(scope="module")
def table_maker(mortal: Mortal, collected: Path) -> Iterator[Mortal]:
    """Runs the commands that need the heavy libraries, which it has imported."""
    with quick_folder() as folder:
        shutil.copytree(collected, folder / "lake")
        with Mortal(mortal.env, folder, ("transform", "--lake", str(folder / "lake"))) as runner:
            yield runner


@pytest.mark.slow
def test_a_transform_killed_at_any_step_is_completed_by_the_next(table_maker, collected, folder):
    points, repaired = _sweep(table_maker, collected, ("transform",), folder)

    assert points > 40
    assert repaired > 30


@pytest.mark.slow
def test_a_load_killed_at_any_moment_is_completed_by_the_next(table_maker, collected, folder):
    shutil.copytree(collected, folder / "start")
    assert table_maker.run("transform", lake=folder / "start").code == 0
    shutil.copytree(folder / "start", folder / "undisturbed")
    assert table_maker.run("load", lake=folder / "undisturbed").code == 0
    expected = _rows(folder / "undisturbed")

    killed = 0
    for moment in range(12):
        lake = folder / f"lake-{moment}"
        shutil.copytree(folder / "start", lake)
        killed += table_maker.run("load", lake=lake, die_after_s=0.004 + 0.012 * moment).code == TIMED_OUT
        again = table_maker.run("load", lake=lake)
        assert again.code == 0, again.said
        assert _rows(lake) == expected
        assert leftovers(lake) == []
    assert killed > 3


def _rows(lake: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of the warehouse."""
    with duckdb.connect(str(lake / "warehouse.duckdb"), read_only=True) as connection:
        return {
            table.name: sorted(connection.execute(f"SELECT * FROM {table.qualified_name}").fetchall(), key=repr)
            for table in TABLES
        }


@pytest.mark.slow
def test_the_whole_pipeline_killed_here_and_there_is_completed_by_the_next(table_maker, folder):
    new_lake(folder / "start")
    shutil.copytree(folder / "start", folder / "undisturbed")
    words = ("run", *EVENING[1:])
    whole = table_maker.run(*words, lake=folder / "undisturbed")
    assert whole.code == 0, whole.said
    expected = _made(folder / "undisturbed")

    for step in range(len(whole.steps) // 5, len(whole.steps), len(whole.steps) // 3):
        lake = folder / f"lake-{step}"
        shutil.copytree(folder / "start", lake)
        assert table_maker.run(*words, lake=lake, die_at=step).code == KILLED
        again = table_maker.run(*words, lake=lake)
        assert again.code == 0, again.said
        assert leftovers(lake) == [], step
        assert _made(lake) == expected, step
        assert _rows(lake) == _rows(folder / "undisturbed")
        nothing = table_maker.run(*words, lake=lake)
        assert "Nothing new" in nothing.said


def _made(lake: Path) -> dict[str, bytes]:
    """The tree but for the warehouse, whose pages lie as they fall, and the report, which names the lake's folder."""
    return {name: data for name, data in tree(lake).items() if "warehouse" not in name and "report" not in name}
