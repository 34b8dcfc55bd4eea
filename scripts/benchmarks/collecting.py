"""What a collection takes: calls and time against the console pipeline's method on one simulated server, CPU, memory.

Leaves the lake that it collected in `<folder>/lake`, for the benchmarks after it.
"""

import argparse
import json
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import original
from measuring import BASE_PYTHON, MAG7, Ran, Row, Skipped, builds, emit, emptied, environment, in_turns, run

START = "2021-01-04"
ENDS = {250: "2021-12-30", 1005: "2024-12-31"}
# For the whole range; a short one has to learn the same companies. Calls; CPU and memory beside the other build.
GOALS = {250: (None, None, None), 1005: (0.0155, 0.6, 0.5)}
NOW = "2025-01-02T12:00:00-05:00"
# Dates on which every symbol that the console pipeline asks for is listed: it never looked for the names of before.
ORIGINAL_DATES = [f"2024-12-{day:02}" for day in (2, 3, 4, 5, 6, 9, 10, 11, 12, 13)]
LATENCY_MS = 20
KEY = "sandbox"
_INCOMPLETE = 3  # the exit code where some line has no price


@contextmanager
def sandbox(latency_ms: int = LATENCY_MS, mag7: Sequence[str] = (MAG7,)) -> Iterator[str]:
    """A build's simulated vendor in a process of its own; its address."""
    command = [*mag7, "sandbox", "serve", "--port", "0", "--plan", "advanced", "--latency", str(latency_ms)]
    with subprocess.Popen(
        [*command, "--format", "json", "-q"], stdout=subprocess.PIPE, text=True, env=environment()
    ) as server:
        assert server.stdout
        said = ""
        while not said.rstrip().endswith("}"):
            said += server.stdout.readline()
        try:
            yield json.loads(said)["url"]
        finally:
            server.terminate()


def collect(url: str, lake: Path, *words: str, mag7: Sequence[str] = (MAG7,)) -> Ran:
    """Collect into a lake with as many calls at once as the command makes by itself."""
    variables = {"POLYGON_BASE_URL": url, "POLYGON_API_KEY": KEY, "MAG7_NOW": NOW}
    command = [*mag7, "collect", "--lake", str(lake), "--plan", "advanced", "--rate", "unlimited", "--format", "json"]
    return run([*command, *words], variables, fails_with=_INCOMPLETE)


def against_the_original(url: str, folder: Path, dates: int) -> None:
    """The default method over the whole range, against the console pipeline's sequence over ten dates, scaled."""
    tickers = run([MAG7, "tickers", "--as-of", ORIGINAL_DATES[0], "--format", "csv"]).stdout.split()[1:]
    theirs = original.collect(url, KEY, tickers, ORIGINAL_DATES)
    ours = collect(url, emptied(folder / "lake"), "--start", START, "--end", ENDS[dates])
    calls = sum(json.loads(ours.stdout)["calls"].values())
    scale = dates / len(ORIGINAL_DATES)
    what = f"collect {dates:,} dates"
    asked = f"{theirs.calls // len(ORIGINAL_DATES)} calls a date, as the console pipeline asks"
    paced = f"{asked}, ten dates at once, without its pauses"
    emit(Row(f"{what}: calls", calls, "calls", asked, theirs.calls * scale, GOALS[dates][0]))
    emit(Row(f"{what}: time, answers after {LATENCY_MS} ms", ours.wall_s, "s", paced, theirs.wall_s * scale))
    emit(Row(f"{what}: CPU", ours.cpu_s, "s", f"{asked}, answers thrown away", theirs.cpu_s * scale))
    emit(Row(f"{what}: CPU a date", ours.cpu_s / dates * 1000, "ms"))
    emit(Row(f"{what}: peak memory", ours.peak_mb, "MB"))
    days = ("--start", ORIGINAL_DATES[0], "--end", ORIGINAL_DATES[-1])
    details = collect(url, emptied(folder / "by-details"), *days, "--method", "details")
    emit(Row(f"collect {len(ORIGINAL_DATES)} dates --method details: time", details.wall_s, "s", paced, theirs.wall_s))


def again(url: str, folder: Path, dates: int, rounds: int) -> None:
    """A run that finds nothing to do, beside one that does nothing."""
    days = ("--start", START, "--end", ENDS[dates])
    rivals = {
        "ours": lambda: collect(url, folder / "lake", *days).wall_s * 1000,
        "bare": lambda: run([MAG7, "--version"]).wall_s * 1000,
    }
    found = in_turns(rivals, rounds)
    emit(Row(f"collect {dates:,} dates, nothing new", found["ours"], "ms", "mag7 --version", found["bare"]))


def against_the_other_build(folder: Path, dates: int, rounds: int) -> None:
    """CPU and memory of the whole range beside another build, answers at once, from the vendor that both were made for:
    the other build's, to which a line's former name may be unknown.
    """
    what, days = f"collect {dates:,} dates, answers at once", ("--start", START, "--end", ENDS[dates])
    if len(builds()) == 1:
        emit(Skipped(f"{what}, against another build", f"{BASE_PYTHON} does not name a Python that has one"))
        return
    ran: dict[str, list[Ran]] = {name: [] for name in builds()}
    with sandbox(0, builds()["base"]) as url:
        for _ in range(rounds):
            for name, mag7 in builds().items():
                ran[name].append(collect(url, emptied(folder / "beside"), *days, mag7=mag7))
    cpu, memory = (
        {name: statistics.median(getattr(each, of) for each in runs) for name, runs in ran.items()}
        for of in ("cpu_s", "peak_mb")
    )
    _, cpu_goal, memory_goal = GOALS[dates]
    emit(Row(f"{what}: CPU", cpu["ours"], "s", "the other build", cpu["base"], cpu_goal))
    emit(Row(f"{what}: peak memory", memory["ours"], "MB", "the other build", memory["base"], memory_goal))


def main() -> None:
    """Collect, in the order in which the later ones need the earlier."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dates", type=int, choices=ENDS, default=1005)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with sandbox() as url:
        against_the_original(url, options.folder, options.dates)
        again(url, options.folder, options.dates, options.rounds)
    against_the_other_build(options.folder, options.dates, max(1, options.rounds // 2))


if __name__ == "__main__":
    main()
