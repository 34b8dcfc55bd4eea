"""A disk that is full, a folder that cannot be written, clocks that jump, files that a power cut or a hand has damaged.

Each is told in one line with the documented exit code, loses nothing, and is over once its cause is gone.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from tests.simulators.mortal import Death, Mortal
from tests.simulators.small_index import KEY, environment, leftovers, market, new_lake, quick_folder, tree, warm_up

from mag7cli.vendors.sandbox.plan import PLANS
from mag7cli.vendors.sandbox.server import SandboxServer

COLLECT = ("collect", "--start", "2024-06-20", "--end", "2024-06-27")
DAY = "2024-06-24"
DOCUMENT = f"raw/magnificent7/trading_date={DAY}/market_data.json"
NOBODY = 65534


@pytest.fixture(scope="module")
def runner() -> Iterator[Mortal]:
    with (
        quick_folder() as folder,
        SandboxServer(market(), key=KEY, plan=PLANS["advanced"]) as server,
        Mortal(environment(folder, server.url), folder, warm_up(folder, *COLLECT)) as runner,
    ):
        yield runner


@pytest.fixture(scope="module")
def collected(runner: Mortal) -> Iterator[Path]:
    """A lake after a run that nobody disturbed."""
    with quick_folder() as folder:
        new_lake(folder)
        assert runner.run(*COLLECT, lake=folder).code == 0
        yield folder


@pytest.fixture
def lake(collected: Path) -> Iterator[Path]:
    """A copy of that lake to damage."""
    with quick_folder() as folder:
        shutil.copytree(collected, folder / "lake")
        yield folder / "lake"


@pytest.fixture
def empty_lake() -> Iterator[Path]:
    with quick_folder() as folder:
        new_lake(folder / "lake")
        yield folder / "lake"


def check_one_line(ended: Death, code: int, *told: str) -> None:
    """An error is one line, and one with a hint: never a traceback."""
    assert ended.code == code, ended.said
    errors = [line for line in ended.said.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, ended.said
    assert "Traceback" not in ended.said
    for words in told:
        assert words in ended.said


# The disk


@pytest.mark.parametrize("room", [400, 900, 3000, 9500])
def test_a_full_disk_says_so_and_loses_nothing(runner, empty_lake, collected, room):
    full = runner.run(*COLLECT, lake=empty_lake, largest_file=room)
    check_one_line(full, 1, "cannot be written", "Hint: the disk is full")
    assert leftovers(empty_lake) == []

    assert runner.run(*COLLECT, lake=empty_lake).code == 0
    assert tree(empty_lake) == tree(collected)


@pytest.mark.skipif(not Path("/proc/mounts").exists() or os.geteuid() != 0, reason="only root can be another user")
def test_a_folder_that_may_not_be_written_says_what_to_check(runner, lake, collected):
    for folder in (lake.parent, lake):
        folder.chmod(0o755)
    refused = runner.run(*COLLECT, "--force", lake=lake, user=NOBODY)

    check_one_line(refused, 1, "cannot be written: Permission denied", "Hint: check the folder's owner")
    assert tree(lake) == tree(collected)


@pytest.mark.skipif(not Path("/proc/mounts").exists() or os.geteuid() != 0, reason="only root can be another user")
def test_a_lake_that_may_not_be_written_can_be_looked_at(runner, lake):
    for folder in (lake.parent, lake):
        folder.chmod(0o755)
    (lake / "raw/reference/collected.json").unlink(missing_ok=True)

    for words in (("status",), (*COLLECT, "--plan-only")):
        looked = runner.run(*words, lake=lake, user=NOBODY)
        assert looked.code == 0, looked.said


def test_a_lake_that_is_a_file_is_one_line(runner, tmp_path):
    (tmp_path / "lake").write_text("not a folder")

    check_one_line(runner.run(*COLLECT, lake=tmp_path / "lake"), 1, str(tmp_path / "lake"))


# Files


DAMAGES = {
    "empty": lambda data: b"",
    "truncated": lambda data: data[: len(data) // 2],
    "zeros": lambda data: bytes(len(data)),
    "not text": lambda data: b"\xff\xfe" + data,
    "null": lambda data: b"null\n",
    "a list": lambda data: b"[1, 2]\n",
    "another object": lambda data: b'{"unexpected": true}\n',
}


def damage(lake: Path, name: str, kind: str) -> Path:
    path = lake / name
    path.write_bytes(DAMAGES[kind](path.read_bytes()))
    return path


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_document_is_collected_again(runner, lake, collected, kind):
    damage(lake, DOCUMENT, kind)

    mended = runner.run(*COLLECT, lake=lake)

    assert mended.code == 0, mended.said
    assert "Collected 1 date," in mended.said
    assert tree(lake) == tree(collected)


PAID_FOR = (
    "raw/reference/splits.json",
    "raw/reference/source.json",
    f"raw/reference/bars/date={DAY}.json",
    "raw/reference/details/month=2024-06.json",
)


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("name", PAID_FOR)
def test_a_damaged_answer_is_named_and_deleting_it_mends_the_lake(runner, lake, collected, name, kind):
    path = damage(lake, name, kind)
    (lake / DOCUMENT).unlink()
    before = tree(lake)

    refused = runner.run(*COLLECT, lake=lake)
    check_one_line(refused, 1, str(path), "delete it")
    assert tree(lake) == before
    path.unlink()
    assert runner.run(*COLLECT, lake=lake).code == 0

    assert tree(lake) == tree(collected)


def test_a_damaged_holdings_file_is_named(runner, lake):
    path = damage(lake, "raw/holdings/as_of=2024-06-03/IVV_holdings.csv", "zeros")
    (lake / DOCUMENT).unlink()

    check_one_line(runner.run(*COLLECT, lake=lake), 1, str(path))


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("name", ["raw/reference/collected.json", ".mag7.lock"])
def test_a_damaged_memory_is_made_again(runner, lake, collected, name, kind):
    (lake / name).write_bytes(b'[["2024-06-24", "1-2-3", 0, null]]\n')
    damage(lake, name, kind)
    (lake / DOCUMENT).unlink()

    mended = runner.run(*COLLECT, lake=lake)

    assert mended.code == 0, mended.said
    assert tree(lake) == tree(collected)
    assert leftovers(lake) == []


@pytest.mark.parametrize("kind", DAMAGES)
def test_without_its_batch_a_date_is_valued_on_its_own(runner, lake, collected, kind):
    damage(lake, "raw/reference/batches.json", kind)
    (lake / DOCUMENT).unlink()

    alone = runner.run(*COLLECT, lake=lake)

    assert alone.code == 0, alone.said
    assert "Collected 1 date," in alone.said
    told, expected = (orjson.loads((root / DOCUMENT).read_bytes()) for root in (lake, collected))
    assert told["concentration_metrics"] == expected["concentration_metrics"]


def test_what_a_power_cut_leaves_is_cleared_and_a_stranger_s_file_is_not(runner, lake, collected):
    gone = "4194299"  # beyond the highest process number
    half = (lake / DOCUMENT).read_bytes()[:1000]
    for name in (f"raw/magnificent7/trading_date={DAY}/.mag7-tmp-{gone}-7-market_data.json",
                 f"raw/reference/.mag7-tmp-{gone}-7-splits.json", f".mag7-tmp-{gone}-7-.mag7.lock"):  # fmt: skip
        (lake / name).write_bytes(half)
    (lake / ".mag7.lock").write_bytes(b"")
    (lake / DOCUMENT).unlink()
    (lake / "raw/notes.txt").write_text("mine")

    assert runner.run(*COLLECT, lake=lake).code == 0

    assert tree(lake) == {**tree(collected), "raw/notes.txt": b"mine"}


# The clock


@pytest.mark.parametrize("now", ["2024-06-28T12:00:00-04:00", "2031-03-01T09:00:00-05:00"])
def test_a_clock_that_jumps_loses_no_date(runner, lake, collected, now):
    (lake / DOCUMENT).unlink()

    jumped = runner.run(*COLLECT, lake=lake, env={"MAG7_NOW": now})

    assert jumped.code == 0, jumped.said
    documents = {name for name in tree(collected) if name.endswith("market_data.json")}
    assert documents <= tree(lake).keys()
    again = runner.run(*COLLECT, "--force", lake=lake)
    assert again.code == 0, again.said
    assert {name: data for name, data in tree(lake).items() if name in documents} == {
        name: data for name, data in tree(collected).items() if name in documents
    }


def test_a_clock_before_the_range_asks_to_come_back_later(runner, lake, collected):
    early = runner.run(*COLLECT, lake=lake, env={"MAG7_NOW": "2024-06-21T08:00:00-04:00"})

    check_one_line(early, 5, "run again then")
    assert tree(lake) == tree(collected)


if sys.platform != "linux":
    pytest.skip("needs forks and process limits", allow_module_level=True)
