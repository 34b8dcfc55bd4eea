"""Run the Glue job's script on real Spark, as Glue would, and hold its tables against those of one process.

An environment of Python 3.11 gets pyspark from the index and mag7 from the job's own zip of wheels, without an index;
the lake is that of `mag7 demo`. Needs Java and a network, hence is no test.
"""

import argparse
import shutil
import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path

from mag7cli.deployment import glue_job
from mag7cli.lake.layout import Lake
from mag7cli.tables.transform import transform

# The Spark of Glue 5.1. Source: AWS Glue developer guide, "Glue versions".
PYSPARK = "pyspark==3.5.6"


def main() -> int:
    """Make everything below one folder, and say how long each way took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("spark-out"), help="where everything goes")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="a Python 3.11, as Glue's")
    options = parser.parse_args()
    folder = options.out.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    raw = _documents(folder / "demo")
    python, script = _environment(folder, options.python)

    shutil.copytree(raw, folder / "alone" / "raw")
    started = time.perf_counter()
    transform(Lake.at(str(folder / "alone")))
    print(f"one process of this machine, with its helpers: {time.perf_counter() - started:.1f} s")

    shutil.copytree(raw, folder / "spark" / "raw")
    started = time.perf_counter()
    subprocess.run([python, script, "--JOB_NAME", "try", "--lake", str(folder / "spark")], cwd=folder, check=True)
    print(f"{PYSPARK} on this machine, with its start: {time.perf_counter() - started:.1f} s")
    return _compared(folder / "alone", folder / "spark")


def _documents(lake: Path) -> Path:
    subprocess.run([sys.executable, "-m", "mag7cli", "demo", "--quiet", "--lake", str(lake)], check=True)
    return lake / "raw"


def _environment(folder: Path, python: Path) -> tuple[Path, Path]:
    """The Python of the environment, and the script."""
    code = glue_job.build(folder / "mag7.gluewheels.zip")
    with zipfile.ZipFile(code.wheels) as archive:
        archive.extractall(folder)
    (folder / "transform.py").write_bytes(code.script)
    if python == Path(sys.executable):
        venv.create(folder / "venv", with_pip=True)
    else:
        subprocess.run([python, "-m", "venv", folder / "venv"], check=True)
    pip = [folder / "venv" / "bin" / "python", "-m", "pip", "install", "--quiet"]
    wheels = folder / "wheels"
    subprocess.run(
        [*pip, "--no-index", f"--find-links={wheels}", f"--requirement={wheels / 'requirements.txt'}"], check=True
    )
    subprocess.run([*pip, PYSPARK, "boto3"], check=True)
    return folder / "venv" / "bin" / "python", folder / "transform.py"


def _compared(alone: Path, spark: Path) -> int:
    tables = {path.relative_to(alone): path.read_bytes() for path in alone.rglob("*.parquet")}
    others = {path.relative_to(spark): path.read_bytes() for path in spark.rglob("*.parquet")}
    different = sorted(str(name) for name in tables.keys() | others.keys() if tables.get(name) != others.get(name))
    print(f"{len(tables)} files of tables, {len(different)} differ", *different[:5])
    return 1 if different or not tables else 0


if __name__ == "__main__":
    sys.exit(main())
