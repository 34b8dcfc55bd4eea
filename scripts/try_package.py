"""Build the sdist, from it the wheel, and try both as a user gets them: in an environment that has nothing else.

    python scripts/try_package.py [--python 3.11 --python 3.14 …] [DIST]

The wheel is installed by the package's name, as from an index; with `--python` the sdist too, by `uv tool install`.
Needs the dependency groups `build` and `release`; for other interpreters than its own `lock` too, for uv finds them.
The environment is made in a temporary folder, away from the checkout, so that whatever the wheel lacks is missed. The
runs are those of someone who has no key and no network.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
DEMO = ("demo", "--start", "2024-12-02", "--end", "2024-12-13", "--lake", "lake")
RUNS = (
    ("--version",),
    ("tickers", "--quiet"),
    ("dates", "--start", "2024-12-02", "--end", "2024-12-13"),
    DEMO,
    ("show", "--lake", "lake"),
    ("sql", "--name", "latest_ranking", "--lake", "lake"),
    ("explain", "2024-12-13", "--lake", "lake"),
    ("service", "print", "systemd"),
)


def run(*command: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> str:
    """What a command prints. Ends the script if it fails."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAG7_", "PYTHON", "POLYGON_"))
    } | dict(env or {})
    ended = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit {ended.returncode}\n{ended.stdout}{ended.stderr}")
    return ended.stdout


def build(folder: Path) -> Path:
    """The wheel, made from the sdist; both are checked as an index would."""
    for old in folder.glob("mag7cli-*"):
        old.unlink()
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder)
    files = sorted(folder.glob("mag7cli-*"))
    run(sys.executable, "-m", "twine", "check", "--strict", *files)
    for path in files:
        print(f"{path.name}: {path.stat().st_size / 1e3:,.0f} kB")
    return next(path for path in files if path.suffix == ".whl")


def make_environment(folder: Path, python: str | None) -> Path:
    """An empty environment of an interpreter, by default of this one; its own python."""
    if python:
        run(sys.executable, "-m", "uv", "venv", "--quiet", "--python", python, folder / "venv", cwd=folder)
    else:
        venv.create(folder / "venv")
    return folder / "venv" / "bin" / "python"


def try_wheel(wheel: Path, folder: Path, python: str | None) -> None:
    """Install the package by name from where the wheel is, with the locked versions, and run what needs its data."""
    started = time.monotonic()
    interpreter = make_environment(folder, python)
    pip = (sys.executable, "-m", "pip", "--python", interpreter)
    options = ("--quiet", "--disable-pip-version-check", "--no-compile", "--constraint", ROOT / "constraints.txt")
    _, release, *_ = wheel.name.split("-")
    run(*pip, "install", *options, "--find-links", wheel.parent, f"mag7cli=={release}", cwd=folder)
    named = run(interpreter, "-c", "import platform; print(platform.python_version())", cwd=folder).strip()
    print(f"Python {named}: installed in {time.monotonic() - started:.0f} s, {megabytes(folder / 'venv'):.0f} MB")
    for words in RUNS:
        called = time.monotonic()
        output = run(folder / "venv" / "bin" / "mag7", *words, cwd=folder)
        rows, seconds = output.splitlines(), time.monotonic() - called
        print(f"mag7 {' '.join(words)}: {rows[0] if rows else 'nothing'} ({len(rows)} lines, {seconds:.1f} s)")
    print(f"{wheel.name} installs and runs on Python {named} ({time.monotonic() - started:.0f} s)")


def try_tool(sdist: Path, folder: Path, python: str) -> None:
    """Install the sdist as a tool of uv's, and call it."""
    own = {"UV_TOOL_DIR": str(folder / "tools"), "UV_TOOL_BIN_DIR": str(folder / "bin")}
    words = ("tool", "install", "--quiet", "--python", python, "--constraints", ROOT / "constraints.txt")
    run(sys.executable, "-m", "uv", *words, sdist, cwd=folder, env=own)
    print(f"uv tool install {sdist.name}: {run(folder / 'bin' / 'mag7', '--version', cwd=folder).strip()}")


def megabytes(folder: Path) -> float:
    """What the files of a folder come to."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()) / 1e6


def main() -> None:
    """Build, and try the wheel on each interpreter."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("dist", nargs="?", type=Path, default=ROOT / "dist", metavar="DIST")
    options.add_argument("--python", action="append", metavar="VERSION")
    chosen = options.parse_args()
    wheel = build(chosen.dist.resolve())
    for python in chosen.python or (None,):
        with tempfile.TemporaryDirectory(prefix="mag7-package-") as folder:
            try_wheel(wheel, Path(folder), python)
            if python:
                try_tool(next(wheel.parent.glob("mag7cli-*.tar.gz")), Path(folder), python)


if __name__ == "__main__":
    main()
