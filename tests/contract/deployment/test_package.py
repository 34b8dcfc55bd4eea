"""The functions' package: from the versions that are installed here, and started with nothing else on the path."""

import json
import os
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from mag7cli.core.errors import Mag7Error
from mag7cli.deployment import package
from mag7cli.deployment.package import DISTRIBUTIONS, Package, is_unused, pack
from mag7cli.deployment.roles import FUNCTIONS

# What the runtime brings itself.
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3")


def copy(names: tuple[str, ...], folder: Path) -> Path:
    """The installed distributions, as pip would unpack their wheels; by links, since they are large."""
    for name in names:
        for file in metadata.distribution(name).files or ():
            source, target = Path(file.locate()), folder / file
            if ".." not in file.parts and source.is_file() and "__pycache__" not in file.parts:
                target.parent.mkdir(parents=True, exist_ok=True)
                if not target.exists():
                    target.symlink_to(source)
    return folder


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Package:
    folder = tmp_path_factory.mktemp("package")
    return pack(copy(DISTRIBUTIONS, folder / "wheels"), folder / "functions.zip", "x86_64", level=0)


@pytest.fixture(scope="module")
def runtime(packed: Package, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What a function's path is: the unpacked zip file, and the boto3 of the runtime."""
    task = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(packed.path) as archive:
        archive.extractall(task)
    return [task, copy(RUNTIME, tmp_path_factory.mktemp("runtime"))]


def started(runtime: list[Path], program: str) -> subprocess.CompletedProcess[str]:
    """A program in a Python that sees the function's path and nothing of this environment."""
    paths = "; ".join(f"sys.path.insert(0, {str(path)!r})" for path in reversed(runtime))
    return subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", f"import sys; {paths}\n{program}"],
        capture_output=True,
        text=True,
        env={"AWS_DEFAULT_REGION": "us-east-1", "PATH": ""},
    )


def test_every_handler_of_the_template_is_there_with_what_it_imports(runtime: list[Path]) -> None:
    done = started(
        runtime,
        "from mag7cli.deployment import functions\n"
        f"assert all(callable(getattr(functions, name.lower())) for name in {FUNCTIONS!r})\n"
        "import polygon, pyarrow.parquet, pyarrow.dataset, duckdb, orjson, tenacity, certifi, boto3\n"
        "import mag7cli.collection.request, mag7cli.vendors.polygon.client, mag7cli.tables.spread\n"
        "import mag7cli.tables.year_files, mag7cli.warehouse.glue_catalog, mag7cli.reporting.write\n"
        "import mag7cli.analytics.summary, mag7cli.reporting.page, mag7cli.warehouse.engines.duckdb\n"
        "print(sorted({'pandas', 'typer', 'rich', 'yaml', 'exchange_calendars'} & set(sys.modules)))",
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_a_function_of_the_package_answers_an_event(runtime: list[Path], tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    lake.mkdir()
    done = started(
        runtime,
        f"import os, json; os.environ.update(MAG7_LAKE={str(lake)!r}, MAG7_PLAN='developer')\n"
        "from mag7cli.deployment import functions\n"
        "class Context:\n    def get_remaining_time_in_millis(self): return 60000\n"
        "event = {'start': '2024-01-02', 'end': '2024-01-05'}\n"
        "print(json.dumps(functions.dates(event, Context())))\n"
        "print(json.dumps(functions.transform({}, Context())))",
    )

    assert done.returncode == 0, done.stderr
    dates, tables = map(json.loads, done.stdout.splitlines())
    assert dates["dates"] == ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]
    assert tables == {"dates": 0, "failed": {"count": 0, "dates": []}}


def test_the_same_content_makes_the_same_bytes(tmp_path: Path) -> None:
    folder = tmp_path / "wheels"
    folder.mkdir()
    (folder / "one.py").write_text("x = 1\n")
    first = pack(folder, tmp_path / "first.zip", "arm64")
    os.utime(folder / "one.py", (1, 1))
    second = pack(folder, tmp_path / "second.zip", "arm64")
    (folder / "one.py").write_text("x = 2\n")
    third = pack(folder, tmp_path / "third.zip", "arm64")

    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.key == second.key != third.key
    assert first.key.startswith("functions/mag7-arm64-")


def test_a_level_is_how_hard_it_is_compressed(packed: Package, tmp_path: Path) -> None:
    assert packed.zip_bytes > packed.unzipped_bytes  # level 0

    sizes = [pack(tmp_path / "no wheels", tmp_path / f"{level}.zip", "arm64", level=level) for level in (0, 1, 9)]

    assert sizes[0].zip_bytes > sizes[1].zip_bytes > sizes[2].zip_bytes


def test_what_is_never_imported_is_left_out_and_what_is_linked_stays() -> None:
    assert is_unused("pyarrow/libarrow_flight.so.2600")
    assert is_unused("pyarrow/libarrow_python.so.2600.1.0")
    assert is_unused("mag7cli/cli/app.py")
    assert not is_unused("pyarrow/libarrow_substrait.so.2600")
    assert not is_unused("pyarrow/libarrow_python.so.2600")
    assert not is_unused("websockets/client.py")


def test_a_package_over_the_limit_is_refused_before_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "UNZIPPED_LIMIT_BYTES", 1_000)

    with pytest.raises(Mag7Error, match="MiB unzipped"):
        pack(tmp_path, tmp_path / "functions.zip", "arm64")

    assert not (tmp_path / "functions.zip").exists()


def test_a_wheel_that_pip_cannot_get_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)

    with pytest.raises(Mag7Error, match="pip cannot get the wheels of the functions: ERROR"):
        package.build(tmp_path / "functions.zip")
