"""What `mag7 validate`, `load` and `report` take over the lake that the benchmarks before this one filled."""

import argparse
from pathlib import Path

from measuring import MAG7, Row, Skipped, emit, has_command, in_turns, run

MILLION = 1_000_000


def rows_of(lake: Path) -> int:
    """The rows of all tables."""
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(path).num_rows for path in (lake / "analytics").rglob("*.parquet"))


def main() -> None:
    """Time the commands as whole processes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    lake = options.folder / "lake"
    rows = rows_of(lake)
    at = ["--lake", str(lake)]
    for command in ("validate", "load"):
        if not has_command(command):
            emit(Skipped(f"mag7 {command}", "this version has no such command"))
            continue
        words = [MAG7, command, *at, "-q"]
        took = in_turns({"ours": lambda words=words: run(words, fails_with=6).wall_s}, options.rounds)["ours"]
        emit(Row(f"mag7 {command}: a million rows", took / rows * MILLION, "s", f"{took:.2f} s for {rows:,} rows"))
    if not has_command("report"):
        emit(Skipped("mag7 report", "this version has no such command"))
        return
    out = options.folder / "report"
    took = run([MAG7, "report", *at, "--out", str(out), "-q"])
    size = sum(path.stat().st_size for path in out.rglob("*")) if out.is_dir() else out.stat().st_size
    emit(Row("mag7 report", took.wall_s, "s", f"{size / 1e6:.1f} MB"))


if __name__ == "__main__":
    main()
