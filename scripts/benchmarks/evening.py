"""What an evening takes: `mag7 run` with one new date, and with nothing new, by this build and by another one.

MAG7_BENCH_BASE_PYTHON names the Python of an environment with the other build, such as one of an earlier commit. Both
collect from the simulated vendor of this build, each into a lake of its own.
"""

import argparse
import os
import shlex
import shutil
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from collecting import ENDS, KEY, START, sandbox
from measuring import BASE_PYTHON, Ran, Row, Skipped, builds, emit, emptied, run

# The date before the last of each range.
EVES = {250: "2021-12-29", 1005: "2024-12-30"}
STAGES = ("validate", "load", "report", "show")
FIRST_ROWS = "the first rows of all constituents by mag7 sql"


def brought_up(mag7: Sequence[str], url: str, lake: Path, end: str) -> Ran:
    """`mag7 run` until a date, as on the day after it."""
    variables = {"POLYGON_BASE_URL": url, "POLYGON_API_KEY": KEY, "MAG7_NOW": f"{end}T23:30:00-05:00"}
    options = ["--plan", "advanced", "--rate", "unlimited", "--start", START, "--end", end]
    return run([*mag7, "run", "--lake", str(lake), "-q", *options], variables)


def copied(lake: Path, to: Path) -> Path:
    """The lake with files of the same versions; what is written in place is a copy."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(lake, to, copy_function=os.link)
    warehouse = to / "warehouse.duckdb"
    warehouse.unlink()
    shutil.copy(lake / warehouse.name, warehouse)
    return to


def evenings(url: str, folder: Path, dates: int, rounds: int) -> dict[str, dict[str, list[Ran]]]:
    """The runs of each build, in turns: an evening, nothing new, and each stage alone."""
    ran: dict[str, dict[str, list[Ran]]] = {name: {} for name in builds()}
    for name, mag7 in builds().items():
        brought_up(mag7, url, emptied(folder / name), EVES[dates])
    for _ in range(rounds):
        for name, mag7 in builds().items():
            for what, each in _evening(mag7, url, copied(folder / name, folder / "evening"), ENDS[dates]):
                ran[name].setdefault(what, []).append(each)
    return ran


def _evening(mag7: Sequence[str], url: str, lake: Path, end: str) -> Iterator[tuple[str, Ran]]:
    yield "run", brought_up(mag7, url, lake, end)
    yield "nothing new", brought_up(mag7, url, lake, end)
    for stage in STAGES:
        yield stage, run([*mag7, stage, "--lake", str(lake), "-q"])
    statement = "SELECT * FROM market_data.sp500_constituents"
    yield (
        FIRST_ROWS,
        run(["bash", "-c", f"{shlex.join([*mag7, 'sql', statement, '--lake', str(lake), '-q'])} | head -2"]),
    )


def emit_rows(ran: dict[str, dict[str, list[Ran]]], dates: int) -> None:
    """CPU and memory of an evening by both builds."""
    goals = {"run": (0.25, 0.4), "nothing new": (1.0, None), FIRST_ROWS: (0.1, 0.2)}
    for what in ("run", "nothing new", *STAGES, FIRST_ROWS):
        cpu_goal, memory_goal = goals.get(what, (None, None))
        title = f"evening, one new date of {dates:,}: mag7 run" if what == "run" else f"the lake after it: {what}"
        cpu, memory = (
            {name: statistics.median(getattr(each, of) for each in by[what]) for name, by in ran.items()}
            for of in ("cpu_s", "peak_mb")
        )
        emit(Row(f"{title}, CPU", cpu["ours"], "s", "the other build", cpu.get("base"), cpu_goal))
        emit(Row(f"{title}, peak memory", memory["ours"], "MB", "the other build", memory.get("base"), memory_goal))


def main() -> None:
    """Run evenings of both builds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dates", type=int, choices=EVES, default=1005)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if not os.environ.get(BASE_PYTHON):
        emit(Skipped("evening, against another build", f"{BASE_PYTHON} does not name a Python that has one"))
    with sandbox() as url:
        emit_rows(evenings(url, options.folder / "evenings", options.dates, options.rounds), options.dates)


if __name__ == "__main__":
    main()
