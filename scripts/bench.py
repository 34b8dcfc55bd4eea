"""Measures what docs/performance.md claims: one table of ratios, each pair side by side in one run.

Run: python scripts/bench.py [--quick] [--write]. Needs 2 GB of memory, and nothing from outside.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))

from measuring import Row, Skipped, environment, read_row

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "performance.md"
BEGIN, END = "<!-- bench: written by scripts/bench.py --write -->", "<!-- /bench -->"
# The programs in their order, each of which works on what those before it left, and what makes each of them quick.
PROGRAMS = {
    "calling": ("--calls", "300"),
    "collecting": ("--dates", "250"),
    "transforming": ("--rounds", "1"),
    "loading": ("--rounds", "1"),
    "starting": ("--rounds", "7"),
    "evening": ("--dates", "250", "--rounds", "1"),
    "exposing": ("--rounds", "1"),
    "following": ("--seconds", "5"),
}
PACKAGES = ("typer", "polygon-api-client", "orjson", "pyarrow", "pandas", "duckdb")


def machine() -> str:
    """What it was measured on."""
    cpu = next(line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name"))
    memory_kb = int(next(line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal")))
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{os.cpu_count()} cores of {cpu}, {memory_kb / 1024**2:.0f} GB, files in memory; "
        f"{platform.system()} {platform.release().partition('-')[0]}, "
        f"{platform.python_implementation()} {platform.python_version()}; {packages}; "
        f"load before the run {os.getloadavg()[0]:.1f}"
    )


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def measured(folder: str, *, quick: bool) -> Iterator[Row | Skipped]:
    """The rows of every program, as it finds them."""
    for name, quicker in PROGRAMS.items():
        print(f"{name} …", file=sys.stderr, flush=True)
        command = [sys.executable, str(HERE / "benchmarks" / f"{name}.py"), folder, *(quicker if quick else ())]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment(_own())) as program:
            assert program.stdout
            yield from map(read_row, program.stdout)
        if program.returncode:
            yield Skipped(name, f"the program ended with {program.returncode}")


def _own() -> dict[str, str]:
    """The options of the benchmarks themselves."""
    return {name: value for name, value in os.environ.items() if name.startswith("MAG7_BENCH_")}


def table(rows: Sequence[Row | Skipped]) -> str:
    """The rows as Markdown."""
    head = ("| what | mag7 | against | | ratio | goal |", "|---|--:|---|--:|--:|---|")
    return "\n".join((*head, *map(_line, rows)))


def _line(row: Row | Skipped) -> str:
    if isinstance(row, Skipped):
        return f"| {row.what} | | not measured: {row.why} | | | |"
    theirs = "" if row.theirs is None else _figure(row.theirs, row.unit)
    ratio = "" if row.ratio is None else f"{row.ratio:.{2 if row.ratio >= 0.1 else 4}f}"
    return f"| {row.what} | {_figure(row.ours, row.unit)} | {row.against} | {theirs} | {ratio} | {_goal(row)} |"


def _goal(row: Row) -> str:
    if row.is_met is None:
        return ""
    bound = f"≤ {row.at_most:g}" if row.at_most is not None else f"≥ {row.at_least:g}"
    return bound if row.is_met else f"{bound}: **missed**"


def _figure(value: float, unit: str) -> str:
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


def write(text: str) -> None:
    """Put the table into the page, between its marks."""
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def main() -> None:
    """Run the themes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a quarter of the dates and fewer rounds: about a minute")
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE.name}")
    options = parser.parse_args()
    described = machine()
    place = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="mag7-bench-", dir=place) as folder:
        rows = list(measured(folder, quick=options.quick))
    text = f"{described}.\n\n{table(rows)}"
    print(text)
    if options.write:
        write(text)


if __name__ == "__main__":
    main()
