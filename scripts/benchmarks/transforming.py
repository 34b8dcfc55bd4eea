"""What `mag7 transform` takes, against the least that it could, and against others' ways over the same documents.

Works on copies of `<folder>/lake`, which `collecting.py` made.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from measuring import BASE_PYTHON, MAG7, Row, Skipped, builds, emit, emptied, in_turns, run

HERE = Path(__file__).parent
RAW = Path("raw") / "magnificent7"
FEW = 250
SPARK_PYTHON = "MAG7_BENCH_SPARK_PYTHON"
POLARS_PYTHON = "MAG7_BENCH_POLARS_PYTHON"


def transform(lake: Path, mag7: Sequence[str] = (MAG7,)) -> list[str]:
    """The command that brings a lake's tables up to date."""
    return [*mag7, "transform", "--lake", str(lake), "-q"]


def copied(lake: Path, to: Path, most: int | None = None) -> Path:
    """Another lake with the documents of the first so many dates, and no tables."""
    emptied(to)
    for day in sorted((lake / RAW).iterdir())[:most]:
        shutil.copytree(day, to / RAW / day.name)
    if (lake / "raw" / "reference").exists():
        shutil.copytree(lake / "raw" / "reference", to / "raw" / "reference")
    return to


def stretched(lake: Path, to: Path) -> Path:
    """Another lake with every document twice: as it is, and eight years earlier with nothing else changed."""
    copied(lake, to)
    for day in sorted((lake / RAW).iterdir()):
        was = day.name.removeprefix("trading_date=")
        now = f"{int(was[:4]) - 8}{was[4:]}"
        if not now.endswith("-02-29"):
            document = (day / "market_data.json").read_bytes().replace(was.encode(), now.encode())
            earlier = to / RAW / f"trading_date={now}"
            earlier.mkdir()
            (earlier / "market_data.json").write_bytes(document)
    return to


def anew(lake: Path, mag7: Sequence[str] = (MAG7,)) -> Callable[[], float]:
    """The whole process over a lake without tables; its seconds."""

    def timed() -> float:
        for zone in ("processed", "analytics"):
            shutil.rmtree(lake / zone, ignore_errors=True)
        return run(transform(lake, mag7)).wall_s

    return timed


def elsewhere(python: str, program: str, lake: Path, out: Path) -> Callable[[], float]:
    """A program of this folder over a lake; its seconds, less those that it says were not its work."""

    def timed() -> float:
        ran = run([python, str(HERE / program), str(lake), str(emptied(out))])
        first = ran.stdout.partition("\n")[0]
        return ran.wall_s - float(first or 0)

    return timed


def against_others(lake: Path, folder: Path, rounds: int) -> None:
    """All dates, both layouts: the floor, DuckDB, pandas, and polars and Spark if there are such."""
    dates = len(list((lake / RAW).iterdir()))
    what = f"transform {dates:,} dates x 503 lines, both layouts"
    run(transform(lake))
    # Each build in a lake of its own, since the tables of one are none of the other's; the documents are the same.
    others = {name: anew(copied(lake, folder / name), mag7) for name, mag7 in builds().items() if name != "ours"}
    polars = os.environ.get(POLARS_PYTHON)
    found = in_turns(
        {
            "floor": elsewhere(sys.executable, "floor.py", lake, folder / "floor"),
            "ours": anew(lake),
            **others,
            "duckdb": elsewhere(sys.executable, "duckdb_pipeline.py", lake, folder / "duckdb"),
            **({"polars": elsewhere(polars, "polars_pipeline.py", lake, folder / "polars")} if polars else {}),
            "pandas": elsewhere(sys.executable, "plain_pandas.py", lake, folder / "pandas"),
        },
        rounds,
    )
    floor = "parse the same documents, write the same bytes"
    emit(Row(what, found["ours"], "s", floor, found["floor"], at_most=2.5))
    if "base" in found:
        emit(Row(what, found["ours"], "s", "the other build, the same documents", found["base"], at_most=1.4))
    else:
        emit(Skipped(f"{what}, against another build", f"{BASE_PYTHON} does not name a Python that has one"))
    emit(Row(what, found["ours"], "s", "DuckDB's SQL, six of the nine tables", found["duckdb"], at_most=0.7))
    if polars:
        emit(Row(what, found["ours"], "s", "polars, six of the nine tables", found["polars"], at_most=0.7))
    else:
        emit(Skipped(f"{what}, against polars", f"{POLARS_PYTHON} does not name a Python that has polars and orjson"))
    emit(Row(what, found["ours"], "s", "plain pandas, six of the nine tables", found["pandas"], at_most=0.45))
    spark = os.environ.get(SPARK_PYTHON)
    if not spark:
        emit(Skipped(what + ", against Spark SQL", f"{SPARK_PYTHON} does not name a Python that has pyspark"))
        return
    took = elsewhere(spark, "spark_sql.py", lake, folder / "spark")()
    emit(
        Row(
            what,
            found["ours"],
            "s",
            "Spark SQL, six of the nine tables, without Java's start, once",
            took,
            at_most=0.03,
        )
    )


def small_changes(lake: Path, rounds: int) -> None:
    """Nothing new, and one new date, beside a program that does nothing."""
    run(transform(lake))
    last = max((lake / RAW).iterdir())
    document = (last / "market_data.json").read_bytes()

    def one_new_date() -> float:
        shutil.rmtree(last)
        run(transform(lake))
        last.mkdir()
        (last / "market_data.json").write_bytes(document)
        return run(transform(lake)).wall_s * 1000

    bare = [sys.executable, "-c", "import typer, orjson, numpy, pyarrow.parquet"]
    found = in_turns(
        {
            "one": one_new_date,
            "none": lambda: run(transform(lake)).wall_s * 1000,
            "hello": lambda: run([MAG7, "--version"]).wall_s * 1000,
            "imports": lambda: run(bare).wall_s * 1000,
        },
        rounds,
    )
    dates = len(list((lake / RAW).iterdir()))
    emit(Row(f"transform one new date of {dates:,}", found["one"], "ms", "import Arrow and end", found["imports"]))
    emit(Row(f"transform {dates:,} dates, nothing new", found["none"], "ms", "mag7 --version", found["hello"]))


def growth(lake: Path, folder: Path, rounds: int) -> None:
    """Memory and time as the number of dates grows."""
    dates = len(list((lake / RAW).iterdir()))
    if dates > FEW:
        few = run(transform(copied(lake, folder / "few", FEW)))
        all_ = run(transform(copied(lake, folder / "copy")))
        emit(Row(f"transform {dates:,} dates: peak memory", all_.peak_mb, "MB", f"{FEW} dates", few.peak_mb, 1.3))
    double = stretched(lake, folder / "double")
    more = len(list((double / RAW).iterdir()))
    found = in_turns({"once": anew(lake), "twice": anew(double)}, rounds)
    once, twice = found["once"] / dates * 1000, found["twice"] / more * 1000
    emit(Row(f"transform {more:,} dates: time a date", twice, "ms", f"{dates:,} dates", once, at_most=1.2))


def main() -> None:
    """Transform the collected lake."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    lake = options.folder / "lake"
    against_others(lake, options.folder, options.rounds)
    small_changes(lake, options.rounds)
    growth(lake, options.folder, max(1, options.rounds // 2))


if __name__ == "__main__":
    main()
