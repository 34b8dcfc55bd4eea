"""A lake comes back from its raw folder alone, as docs/lake.md says, and what may be removed is made again."""

import re
import shlex
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest
from tests.simulators.answering import AnsweringSource, StandingClock
from tests.simulators.cloud import Cloud
from tests.simulators.small_index import market, new_lake
from tests.simulators.terminal import in_pipe

import mag7cli as mag7
from mag7cli.lake.layout import Lake

PAGE = Path(__file__).parents[2] / "docs" / "lake.md"
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
FOLDER_BLOCK, S3_BLOCK = _BLOCK.findall(PAGE.read_text(encoding="utf-8"))[-2:]

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


def obey(block: str) -> None:
    """Run the commands of a page one after another in the current folder: mag7 in this process, others as they are."""
    for call in re.split(r"\n|&&", block.strip()):
        program, *words = shlex.split(call)
        if program == "mag7":
            ended = in_pipe(words)
            assert ended.code == 0, ended
        else:
            subprocess.run([program, *words], check=True, capture_output=True)


def test_a_lake_is_restored_from_its_raw_folder(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = lake.store.local_root
    assert root is not None
    monkeypatch.chdir(tmp_path)
    Path("lake").symlink_to(root)

    obey(FOLDER_BLOCK)

    assert tables(Path("restored")) == tables(root)
    assert mag7.summary(Lake.at("restored")) == mag7.summary(lake)


@pytest.mark.skipif(shutil.which("aws") is None, reason="the AWS CLI is not installed")
def test_a_lake_in_s3_is_restored_into_a_folder_and_into_another_bucket(
    lake: Lake, cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = lake.store.local_root
    assert root is not None
    monkeypatch.chdir(tmp_path)
    raw = {f"lake/{path.relative_to(root)}": path.read_bytes() for path in (root / "raw").rglob("*") if path.is_file()}
    cloud.put_quickly(raw)
    cloud.s3.create_bucket(Bucket=f"{cloud.bucket}-new")

    obey(S3_BLOCK.replace("NEW-BUCKET", f"{cloud.bucket}-new").replace("BUCKET", cloud.bucket))

    assert tables(Path("restored")) == tables(root)
    restored = Lake.at(f"s3://{cloud.bucket}-new/lake")
    keys = [key for key in tables(root) if key.endswith(".parquet")]
    assert {key: restored.store.read(key) for key in keys} == tables(root)
    assert mag7.summary(restored) == mag7.summary(lake)


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
