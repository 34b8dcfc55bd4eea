"""The Spark job's wheels: installed as Glue does, and started with nothing of this environment on the path."""

import shutil
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import pytest
from tests.simulators import raw_documents

from mag7cli.deployment import glue_job
from mag7cli.deployment.glue_job import DISTRIBUTIONS, JobCode, pack, write_wheel
from mag7cli.lake.layout import Lake
from mag7cli.tables.transform import transform

# Of Spark what the job asks for: a context that maps a collection, pickled on the way as between driver and executor.
_PYSPARK = """
import pickle

class _Rows(list):
    def map(self, work):
        return _Rows(pickle.loads(pickle.dumps(work))(pickle.loads(pickle.dumps(row))) for row in self)

    def collect(self):
        return list(self)

class SparkContext:
    _active_spark_context = None

    def parallelize(self, rows, slices):
        assert slices == len(rows)
        return _Rows(rows)

SparkContext._active_spark_context = SparkContext()
"""


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake.at(str(tmp_path / "lake"))
    raw_documents.fill(lake, raw_documents.days(6, date(2023, 12, 27)))
    return lake


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> JobCode:
    folder = tmp_path_factory.mktemp("glue")
    write_wheel(folder)
    return pack(folder, folder / "mag7.gluewheels.zip")


@pytest.fixture(scope="module")
def installed(code: JobCode, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pip makes of the zip of wheels, besides a pyspark."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(code.wheels) as archive:
        archive.extractall(folder)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile",
         f"--find-links={folder / 'wheels'}", f"--requirement={folder / 'wheels' / 'requirements.txt'}",
         f"--target={folder / 'packages'}"],
        check=True,
    )  # fmt: skip
    (folder / "packages" / "pyspark").mkdir()
    (folder / "packages" / "pyspark" / "__init__.py").write_text(_PYSPARK)
    (folder / "packages" / "pyspark" / "sql.py").write_text("SparkSession = None\n")
    return folder / "packages"


def _run(installed: Path, script: bytes, lake: Lake) -> subprocess.CompletedProcess[str]:
    needed = {Path(__import__(name).__file__).parent.parent for name in DISTRIBUTIONS}
    path = "; ".join(f"sys.path.append({str(folder)!r})" for folder in needed)
    arguments = ["transform.py", "--JOB_NAME", "mag7-transform", "--lake", lake.store.uri("")]
    program = f"import sys; sys.path.insert(0, {str(installed)!r}); {path}; sys.argv = {arguments!r}\n{script.decode()}"
    return subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True)


def test_the_job_makes_the_bytes_of_one_process(lake: Lake, code: JobCode, installed: Path, tmp_path: Path) -> None:
    alone = Lake.at(str(tmp_path / "alone"))
    shutil.copytree(tmp_path / "lake", tmp_path / "alone")
    transform(alone)

    done = _run(installed, code.script, lake)

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    tables = sorted(path.relative_to(tmp_path / "alone") for path in (tmp_path / "alone").rglob("*.parquet"))
    assert {path.parts[-1] for path in tables} >= {"2023.parquet", "2024.parquet", "part-0.parquet"}
    assert all((tmp_path / "lake" / path).read_bytes() == (tmp_path / "alone" / path).read_bytes() for path in tables)
    assert "0 were unchanged" in done.stderr
    again = _run(installed, code.script, lake)
    assert "made 0 dates" in again.stderr


def test_a_job_whose_documents_made_no_rows_fails(lake: Lake, code: JobCode, installed: Path) -> None:
    lake.store.write(Lake.document_key(date(2023, 12, 28)), b"{}")

    done = _run(installed, code.script, lake)

    assert done.returncode == 1
    assert "1 documents made no rows" in done.stderr


def test_the_same_content_makes_the_same_names(code: JobCode, tmp_path: Path) -> None:
    write_wheel(tmp_path)
    again = pack(tmp_path, tmp_path / "again.gluewheels.zip")

    assert (again.wheels_key, again.script_key) == (code.wheels_key, code.script_key)
    assert code.wheels_key.endswith(".gluewheels.zip")


def test_the_command_line_stays_out_of_the_wheel(code: JobCode) -> None:
    with zipfile.ZipFile(code.wheels) as archive:
        (wheel,) = [name for name in archive.namelist() if name.endswith(".whl")]
        assert archive.read("wheels/requirements.txt").decode().startswith("mag7cli==")
        with archive.open(wheel) as file, zipfile.ZipFile(file) as content:
            names = content.namelist()
    assert not [name for name in names if name.startswith("mag7cli/cli/")]
    assert {"mag7cli/deployment/glue_job.py", "mag7cli/data/stock_awards.csv"} <= set(names)


def test_wheels_that_pip_cannot_get_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(glue_job.Mag7Error, match="pip cannot get the wheels of the Spark job: ERROR"):
        glue_job.build(tmp_path / "mag7.gluewheels.zip")
