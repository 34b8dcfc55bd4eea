"""The code of the functions as one zip file: what they import, from the wheels of the runtime, and nothing else.

The same installed versions give the same content, and its `digest` names it, so that an unchanged package is not
uploaded again. Source of the limits: AWS Lambda developer guide, "Lambda quotas" (250 MiB unzipped, layers included).
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import translate
from importlib import metadata
from pathlib import Path
from typing import Final, Literal

from mag7cli.core.errors import Mag7Error, UsageError
from mag7cli.core.extras import install_command
from mag7cli.core.packaged_data import folder as data_folder
from mag7cli.core.whole_files import replacing

Architecture = Literal["arm64", "x86_64"]

RUNTIME_PYTHON: Final = "3.13"
"""The Python of the functions: the newest whose wheels every dependency has published."""

UNZIPPED_LIMIT_BYTES: Final = 250 * 2**20

DISTRIBUTIONS: Final = (
    "polygon-api-client",
    "certifi",
    "urllib3",
    "websockets",  # `import polygon` imports it
    "tenacity",
    "orjson",
    "numpy",
    "pyarrow",
    "duckdb",
    "tzdata",  # the runtime's Amazon Linux has no time zones
)
"""What the functions import beyond the runtime's own boto3; pandas, the calendars, rich and typer stay out."""

_PLATFORMS: Final[Mapping[Architecture, tuple[str, ...]]] = {
    "arm64": ("manylinux_2_34_aarch64", "manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"),
    "x86_64": ("manylinux_2_34_x86_64", "manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
}

# Whatever the functions never import. libarrow_substrait must stay: pyarrow's own library is linked against it.
_UNUSED: Final = (
    "bin/*",
    "*/__pycache__/*",
    "*.pyi",
    "*.pyx",
    "*.pxd",
    "*.pxi",
    "*.h",
    "*.hpp",
    "*.a",
    "*/py.typed",
    "*.dist-info/RECORD",
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
    "*.dist-info/direct_url.json",
    "*.dist-info/sboms/*",
    "_duckdb-stubs/*",
    "adbc_driver_duckdb/*",
    "duckdb/experimental/*",
    "mag7cli/cli/*",
    "numpy/*/tests/*",
    "numpy/f2py/*",
    "numpy/tests/*",
    "numpy/typing/tests/*",
    "pyarrow/_azurefs.*",
    "pyarrow/_dataset_orc.*",
    "pyarrow/_dataset_parquet_encryption.*",
    "pyarrow/_flight.*",
    "pyarrow/_gcsfs.*",
    "pyarrow/_hdfs.*",
    "pyarrow/_orc.*",
    "pyarrow/_parquet_encryption.*",
    "pyarrow/_pyarrow_cpp_tests.*",
    "pyarrow/_s3fs.*",
    "pyarrow/_substrait.*",
    "pyarrow/include/*",
    "pyarrow/libarrow_azurefs*",
    "pyarrow/libarrow_flight*",
    "pyarrow/libarrow_gcsfs*",
    "pyarrow/libarrow_orc*",
    "pyarrow/libarrow_python_flight*",
    "pyarrow/libarrow_python_parquet_encryption*",
    "pyarrow/libarrow_s3*",
    # pip writes symbolic links as copies; the linker asks for the name with the version.
    "pyarrow/libarrow_python.so",
    "pyarrow/libarrow_python.so.*.*",
    "pyarrow/src/*",
    "pyarrow/tests/*",
)
_UNUSED_NAME: Final = re.compile("|".join(map(translate, _UNUSED)))
_OLDEST_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE: Final = 0o100644 << 16
_CHUNK_BYTES: Final = 2**20


@dataclass(frozen=True, slots=True)
class Package:
    """A zip file for functions of one architecture; `digest` is that of its content, whoever compressed it."""

    path: Path
    architecture: Architecture
    digest: str
    zip_bytes: int
    unzipped_bytes: int
    versions: Mapping[str, str]

    @property
    def key(self) -> str:
        """The name of the object that holds it: another content has another name."""
        return f"functions/mag7-{self.architecture}-{self.digest[:16]}.zip"


def build(out: Path, architecture: Architecture = "arm64", extra_files: Mapping[str, bytes] | None = None) -> Package:
    """Make the package from the wheels of the versions that are installed here.

    Args:
        out: The zip file to write, replaced if it is there.
        architecture: Of the functions.
        extra_files: What else is to be in it, by name: what was made here because its maker does not fit in there.

    Raises:
        Mag7Error: pip cannot get a wheel, or the package is over the limit of the service.
        StoreError: the file cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="mag7-package-") as folder:
        install_wheels(Path(folder), architecture)
        for name, content in (extra_files or {}).items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return pack(Path(folder), out, architecture)


def opened(path: Path, architecture: Architecture) -> Package:
    """A package that was made before. Raises UsageError if it is none, or over the limit."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (OSError, zipfile.BadZipFile) as error:
        raise UsageError(f"--package {path} is no zip file: {error}", hint="mag7 deploy package makes one") from error
    if "mag7cli/deployment/functions.py" not in {entry.filename for entry in entries}:
        raise UsageError(f"--package {path} has no functions in it", hint="mag7 deploy package makes one")
    digest = hashlib.sha256()
    for entry in sorted(entries, key=lambda entry: entry.filename):
        digest.update(f"{entry.filename}\0{entry.file_size}\0{entry.CRC}".encode())
    return Package(
        path=path,
        architecture=architecture,
        digest=digest.hexdigest(),
        zip_bytes=path.stat().st_size,
        unzipped_bytes=sum(entry.file_size for entry in entries),
        versions={},
    )


def install_wheels(folder: Path, architecture: Architecture) -> None:
    """Unpack the runtime's wheels into `folder`, in the versions that are installed here. Raises Mag7Error."""
    get_wheels(
        *("install", "--no-compile", f"--target={folder}"),
        distributions=DISTRIBUTIONS,
        python=RUNTIME_PYTHON,
        architecture=architecture,
        purpose="the functions",
    )


def get_wheels(
    *words: str, distributions: Iterable[str], python: str, architecture: Architecture, purpose: str
) -> None:
    """Let pip get wheels of another machine, in the versions that are installed here.

    Args:
        words: The command of pip, and its options.
        distributions: Of which distributions; what they need does not come by itself.
        python: For which Python, such as `3.13`.
        architecture: For which processor.
        purpose: Whose wheels they are, for the error.

    Raises:
        Mag7Error: pip cannot get one, or one is not installed here.
    """
    platforms = [f"--platform={platform}" for platform in _PLATFORMS[architecture]]
    command = [
        sys.executable, "-m", "pip", *words, "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps",
        "--only-binary=:all:", "--implementation=cp", f"--python-version={python}", *platforms, *pins(distributions),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - this interpreter's pip
    if done.returncode:
        reason = next((text for text in done.stderr.splitlines() if text.startswith("ERROR")), done.stderr.strip())
        raise Mag7Error(
            f"pip cannot get the wheels of {purpose}: {reason}",
            hint="pip needs the network or an index of its own, and `python -m pip` must be there",
        )


def pins(distributions: Iterable[str] = DISTRIBUTIONS) -> list[str]:
    """Distributions, by default those of the package, at the version that is installed here. Raises Mag7Error."""
    return [f"{name}=={version}" for name, version in versions(distributions).items()]


def versions(distributions: Iterable[str] = DISTRIBUTIONS) -> dict[str, str]:
    """The versions that are installed here, by distribution. Raises Mag7Error if one is missing."""
    try:
        return {name: metadata.version(name) for name in distributions}
    except metadata.PackageNotFoundError as error:
        raise Mag7Error(f"{error.name} is not installed here", hint=install_command("deploy")) from error


def pack(folder: Path, out: Path, architecture: Architecture, *, level: int = 6) -> Package:
    """Zip the unpacked wheels in `folder` and this program, without what the functions never import.

    Args:
        folder: Where the wheels were unpacked.
        out: The zip file to write, replaced if it is there.
        architecture: Of the wheels.
        level: How hard to compress, 0 to 9.

    Raises:
        Mag7Error: the content is over the limit of the service.
        StoreError: the file cannot be written.
    """
    files = dict(sorted(_files(folder)))
    size = sum(path.stat().st_size for path in files.values())
    if size > UNZIPPED_LIMIT_BYTES:
        raise Mag7Error(f"{out}: {size / 2**20:.0f} MiB unzipped, a function takes {UNZIPPED_LIMIT_BYTES // 2**20}")
    write_zip(out, ((name, path.read_bytes()) for name, path in files.items()), level=level)
    return Package(
        path=out,
        architecture=architecture,
        digest=_digest(files),
        zip_bytes=out.stat().st_size,
        unzipped_bytes=size,
        versions=versions(),
    )


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file that the functions need, by its name in the package."""
    yield from _used_files((folder, ""))
    yield from program_files()


def program_files() -> Iterator[tuple[str, Path]]:
    """The files of this program, without its command line, by their names below the folder of the packages."""
    yield from _used_files((Path(__file__).parents[1], "mag7cli/"), (data_folder(), "mag7cli/data/"))


def _used_files(*sources: tuple[Path, str]) -> Iterator[tuple[str, Path]]:
    for root, prefix in sources:
        for name, path in _below(root, prefix):
            if not is_unused(name):
                yield name, path


def _below(root: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    for parent, _, names in os.walk(root):
        for name in names:
            path = Path(parent, name)
            yield prefix + path.relative_to(root).as_posix(), path


def is_unused(name: str) -> bool:
    """True for a file that no function imports."""
    return _UNUSED_NAME.match(name) is not None


def write_zip(
    out: Path, contents: Iterable[tuple[str, bytes]], *, level: int = 6, compression: int = zipfile.ZIP_DEFLATED
) -> None:
    """All or nothing, and without times or owners, so that the same content makes the same bytes. Raises StoreError."""
    with replacing(out, make_folder=True) as stream, zipfile.ZipFile(stream, "w") as archive:
        for name, data in contents:
            entry = zipfile.ZipInfo(name, _OLDEST_ZIP_TIME)
            entry.compress_type, entry.external_attr, entry.create_system = compression, _REGULAR_FILE, 3
            archive.writestr(entry, data, compresslevel=level)


def _digest(files: Mapping[str, Path]) -> str:
    digest = hashlib.sha256()
    for name, path in files.items():
        digest.update(f"{name}\0{path.stat().st_size}\0".encode())
        for chunk in _chunks(path):
            digest.update(chunk)
    return digest.hexdigest()


def _chunks(path: Path) -> Iterable[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
