"""A lake comes back from its raw folder alone, as docs/lake.md says, and what may be removed is made again."""

import subprocess
from datetime import date
from pathlib import Path

import pytest
from tests.simulators.answering import AnsweringSource, StandingClock
from tests.simulators.command_line import mag7 as command
from tests.simulators.small_index import market, new_lake

import mag7cli as mag7
from mag7cli.lake.layout import Lake

REQUEST = mag7.CollectRequest(start=date(2024, 6, 24), end=date(2024, 6, 28), plan="advanced", rate="unlimited")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = new_lake(tmp_path_factory.mktemp("kept") / "lake")
    assert mag7.run(lake, request=REQUEST, vendor=AnsweringSource(market()), clock=StandingClock()).exit_code == 0
    return lake


def tables(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for zone in ("processed", "analytics")
        for path in sorted((folder / zone).rglob("*.parquet"))
    }


def test_a_lake_is_restored_from_its_raw_folder(lake: Lake, tmp_path: Path) -> None:
    root = lake.store.local_root
    assert root is not None
    archive, restored = tmp_path / "mag7-raw.tar.gz", tmp_path / "restored"
    restored.mkdir()
    subprocess.run(["tar", "-czf", archive, "-C", root, "raw"], check=True)
    subprocess.run(["tar", "-xzf", archive, "-C", restored], check=True)

    for words in ("transform", "validate", "verify"):
        ended = command(words, "--lake", "restored", cwd=tmp_path)
        assert ended.code == 0, ended

    assert tables(restored) == tables(root)
    assert mag7.summary(Lake.at(str(restored))) == mag7.summary(lake)


@pytest.mark.parametrize("folder", ["processed", "analytics", "state", "warehouse.duckdb", "report.html"])
def test_what_can_be_made_again_may_go(lake: Lake, tmp_path: Path, folder: str) -> None:
    root = lake.store.local_root
    assert root is not None
    subprocess.run(["cp", "-r", root, tmp_path / "lake"], check=True)
    before = tables(tmp_path / "lake")
    subprocess.run(["rm", "-r", "-f", tmp_path / "lake" / folder], check=True)

    mag7.transform(Lake.at(str(tmp_path / "lake")))

    assert tables(tmp_path / "lake") == before
    assert mag7.verify(Lake.at(str(tmp_path / "lake"))).is_sound
