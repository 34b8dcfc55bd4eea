"""What every benchmark shares: rows of the table, programs timed as a whole, and rivals that take turns.

Imports nothing heavy: the peak memory that Linux reports of a program is at least that of the one that started it.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

MAG7 = str(Path(sys.executable).with_name("mag7"))
BASE_PYTHON = "MAG7_BENCH_BASE_PYTHON"
"""Names the Python of an environment with another build, such as one of an earlier commit."""
_MEGABYTE = 1024


def builds() -> dict[str, list[str]]:
    """How each build is called: ours, and the other one if there is one."""
    base = os.environ.get(BASE_PYTHON)
    return {"ours": [MAG7], **({"base": [base, "-m", "mag7cli"]} if base else {})}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: `ours` and `theirs` in `unit`; `at_most` and `at_least` bound their ratio.

    Without `theirs` there is no ratio, and `against` is a remark.
    """

    what: str
    ours: float
    unit: str
    against: str = ""
    theirs: float | None = None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours over theirs."""
        return self.ours / self.theirs if self.theirs else None

    @property
    def is_met(self) -> bool | None:
        """Whether the ratio keeps its bound; None if it has none."""
        if self.ratio is None or (self.at_most is None and self.at_least is None):
            return None
        above = self.at_least is None or self.ratio >= self.at_least
        return above and (self.at_most is None or self.ratio <= self.at_most)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line that could not be measured here, and why."""

    what: str
    why: str


def emit(row: Row | Skipped) -> None:
    """Hand a row to `scripts/bench.py`."""
    print(json.dumps(asdict(row)), flush=True)


def read_row(line: str) -> Row | Skipped:
    """The row in a line that `emit` printed."""
    fields: dict[str, Any] = json.loads(line)
    return Skipped(**fields) if "why" in fields else Row(**fields)


@dataclass(frozen=True, slots=True)
class Ran:
    """A program that ended well: its time, its CPU time with that of its children, the most memory any of them had."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    stdout: str


def run(command: Sequence[str], environ: Mapping[str, str] | None = None, *, fails_with: int = 0) -> Ran:
    """Run a program to its end. Raises RuntimeError with its words if it fails, unless with the code given."""
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        with subprocess.Popen(
            command, env=environment(environ), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        ) as process:
            assert process.stdout
            said = process.stdout.read().decode()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        wall_s = time.perf_counter() - started
        if process.returncode not in (0, fails_with):
            errors.seek(0)
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{errors.read().decode()}")
    return Ran(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / _MEGABYTE, said)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours without the options of mag7, and with compiled modules kept, as an installed program has them."""
    left_out = ("MAG7_", "POLYGON_", "MASSIVE_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {**kept, **(extra or {})}


def in_turns(rivals: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median of each rival, measured in turns, so that what disturbs the machine disturbs them alike.

    A first round, in which files get into memory, does not count.
    """
    measured: dict[str, list[float]] = {name: [] for name in rivals}
    for round_ in range(rounds + 1):
        for name, measure in rivals.items():
            value = measure()
            if round_:
                measured[name].append(value)
    return {name: statistics.median(values) for name, values in measured.items()}


def emptied(folder: Path) -> Path:
    """The folder, with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
