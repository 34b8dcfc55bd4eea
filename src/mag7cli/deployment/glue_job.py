"""What the Glue job runs, and the wheels that it installs: `mag7 transform --engine spark`, on executors of AWS.

Source: AWS Glue developer guide, "Using Python libraries with AWS Glue", appendix on the zip of wheels (Glue 5.0 and
later): a file `*.gluewheels.zip` with `wheels/requirements.txt` and the wheels, installed without an index.
"""

import hashlib
import logging
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from mag7cli.core.errors import Mag7Error
from mag7cli.deployment.package import get_wheels, program_files, write_zip

DISTRIBUTIONS: Final = ("orjson", "numpy", "pyarrow")
"""What a transform imports beside boto3, which Glue brings."""

SCRIPT: Final = """\
import sys

from mag7cli.deployment.glue_job import main

main(sys.argv)
"""
"""The job's script: everything else is in the wheels."""

_GLUE_PYTHON: Final = "3.11"

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str]) -> None:
    """Bring the tables of the lake up to date on the executors of the job; other arguments are Glue's own.

    Args:
        arguments: Of the job, with `--lake` and its address among them.

    Raises:
        Mag7Error: The lake cannot be read or written, or a document made no rows: the job is seen to fail.
    """
    from mag7cli import library
    from mag7cli.lake.layout import Lake

    lake = Lake.at(arguments[arguments.index("--lake") + 1])
    result = library.transform(lake, engine="spark")
    _log.warning("made %d dates, %d were unchanged", len(result.written), len(result.unchanged))
    if result.failed:
        raise Mag7Error(f"{len(result.failed)} documents made no rows, the first: {result.failed[0].key}")


@dataclass(frozen=True, slots=True)
class JobCode:
    """The script and the wheels of a job, named by their content."""

    script: bytes
    wheels: Path
    digest: str

    @property
    def script_key(self) -> str:
        """The object of the script."""
        return f"glue/transform-{hashlib.sha256(self.script).hexdigest()[:16]}.py"

    @property
    def wheels_key(self) -> str:
        """The object of the wheels, with the ending by which Glue knows them."""
        return f"glue/mag7-{self.digest[:16]}.gluewheels.zip"


def build(out: Path) -> JobCode:
    """Make the zip of wheels from the versions that are installed here.

    Args:
        out: The zip file to write, replaced if it is there; its name ends in `.gluewheels.zip`.

    Raises:
        Mag7Error: pip cannot get a wheel.
        StoreError: The file cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="mag7-glue-") as folder:
        get_wheels(
            *("download", f"--dest={folder}"),
            distributions=DISTRIBUTIONS,
            python=_GLUE_PYTHON,
            architecture="x86_64",
            purpose="the Spark job",
        )
        write_wheel(Path(folder))
        return pack(Path(folder), out)


def write_wheel(folder: Path) -> Path:
    """Put this program into `folder` as a wheel that asks for nothing but `DISTRIBUTIONS`.

    Its own wheel would ask for the command line's libraries, too, which Glue would have to install.
    Source of the form: the packaging user guide, "Binary distribution format".
    """
    version = metadata.version("mag7cli")
    info = f"mag7cli-{version}.dist-info"
    texts = {
        f"{info}/METADATA": "".join(
            f"{text}\n" for text in ("Metadata-Version: 2.1", "Name: mag7cli", f"Version: {version}", *_requirements())
        ),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: mag7\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    contents = {name: path.read_bytes() for name, path in sorted(program_files())}
    contents |= {name: text.encode() for name, text in texts.items()}
    record = "".join(f"{name},,\n" for name in (*contents, f"{info}/RECORD"))
    wheel = folder / f"mag7cli-{version}-py3-none-any.whl"
    write_zip(wheel, [*contents.items(), (f"{info}/RECORD", record.encode())])
    return wheel


def _requirements() -> Iterator[str]:
    yield from (f"Requires-Dist: {name}" for name in DISTRIBUTIONS)


def pack(folder: Path, out: Path) -> JobCode:
    """Zip the wheels of a folder as Glue reads them. Raises StoreError."""
    wheels = {path.name: path.read_bytes() for path in sorted(folder.glob("*.whl"))}
    requirements = "".join(f"{name.split('-')[0]}=={name.split('-')[1]}\n" for name in wheels)
    contents = [("wheels/requirements.txt", requirements.encode())]
    contents += [(f"wheels/{name}", data) for name, data in wheels.items()]
    write_zip(out, contents, compression=zipfile.ZIP_STORED)
    return JobCode(SCRIPT.encode(), out, hashlib.sha256(out.read_bytes()).hexdigest())
