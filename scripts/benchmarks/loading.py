"""What `mag7 validate`, `load` and `report` take over the lake that the benchmarks before this one filled."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from measuring import MAG7, Row, emit, in_turns, run

HERE = Path(__file__).parent
# The simulated vendor is wrong on purpose, so that a check may find something.
FINDINGS = 6
MILLION = 1_000_000


def rows_of(lake: Path) -> int:
    """The rows of all tables."""
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(path).num_rows for path in (lake / "analytics").rglob("*.parquet"))


def timed(words: list[str], warehouse: Path) -> Callable[[], float]:
    """A whole process that finds no warehouse; its seconds."""

    def measure() -> float:
        warehouse.unlink(missing_ok=True)
        return run(words, fails_with=FINDINGS).wall_s

    return measure


def against_duckdb(command: str, least: str, words: str, folder: Path, rounds: int) -> None:
    """A command over the lake beside the least that DuckDB takes, both scaled to a million rows."""
    lake, database = folder / "lake", folder / "plain.duckdb"
    scale = MILLION / rows_of(lake)
    bare = [sys.executable, str(HERE / "plain_duckdb.py"), least, str(lake), str(database)]
    rivals = {"ours": [MAG7, command, "--lake", str(lake), "-q"], "bare": bare}
    found = in_turns({name: timed(rival, lake / "warehouse.duckdb") for name, rival in rivals.items()}, rounds)
    emit(Row(f"{command}: a million rows", found["ours"] * scale, "s", words, found["bare"] * scale))


def main() -> None:
    """Time the commands as whole processes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    against_duckdb("validate", "read", "read each row of both layouts with DuckDB", options.folder, options.rounds)
    against_duckdb("load", "load", "copy the flat files into DuckDB", options.folder, options.rounds)
    page = options.folder / "report.html"
    took = run([MAG7, "report", "--lake", str(options.folder / "lake"), "--out", str(page), "-q"])
    emit(Row("report", took.wall_s, "s", f"one file of {page.stat().st_size / 1e6:.1f} MB"))


if __name__ == "__main__":
    main()
