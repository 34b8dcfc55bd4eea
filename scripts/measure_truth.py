"""Hold collections of drawn markets against their truth: the table of docs/methodology.md.

Each market is drawn by its seed: other names, splits, renames, share classes and fiscal calendars, and a vendor with
every fault. Nothing was tuned to these; the tests draw others.

Run: make truth, or python scripts/measure_truth.py [--write] [--lines 503] [SEED …]. Some twenty seconds a market.
"""

import argparse
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.simulators.invented_market import invented_market
from tests.simulators.judged_run import JudgedRun, judged, tables_of
from tests.simulators.small_index import quick_folder

from mag7cli.lake.layout import Lake

PAGE = Path(__file__).parents[1] / "docs" / "methodology.md"
BEGIN, END = "<!-- truth: written by scripts/measure_truth.py --write -->\n", "<!-- end of truth -->"
SEEDS = range(3001, 3009)
FIRST, LAST = date(2021, 1, 4), date(2024, 12, 31)
HEAD = (
    "seed",
    "lines",
    "dates",
    "counts frozen until",
    "wrong caps of the Mag 7",
    "worst error of the share until then, and after",
    "dates outside the printed bound",
    "half of the bound, median and worst",
    "wrong answers of the vendor",
    "of them unflagged until then, and after",
    "false alarms",
    "name-years",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a collection of four years came to.

    `wrong_caps` are those of the Mag 7 that are not right to the cent, on any date. Until `frozen_until` the vendor's
    counts did not honour their date; None for a vendor whose always do.
    """

    seed: int
    lines: int
    dates: int
    frozen_until: date | None
    wrong_caps: int
    worst_points: tuple[float, float]
    outside: int
    median_width: float
    worst_width: float
    wrong_answers: int
    unflagged: tuple[int, int]
    false_alarms: int
    name_years: float

    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        return (
            str(self.seed),
            str(self.lines),
            f"{self.dates:,}",
            str(self.frozen_until or "–"),
            str(self.wrong_caps),
            f"{self.worst_points[0]:.4f}, {self.worst_points[1]:.4f}",
            str(self.outside),
            f"{self.median_width:.3f}, {self.worst_width:.3f}",
            f"{self.wrong_answers:,}",
            f"{self.unflagged[0]}, {self.unflagged[1]}",
            str(self.false_alarms),
            f"{self.name_years:,.0f}",
        )


def measured(seed: int, lines: int) -> Measured:
    """Draw a market, collect its four years by the default method, and hold every date against the truth."""
    market = invented_market(seed, lines=lines, start=FIRST, end=LAST)
    with quick_folder() as folder, tables_of(market, folder / "data"):
        return _of(seed, judged(market, Lake.at(str(folder / "lake")), market.start, market.end))


def _of(seed: int, run: JudgedRun) -> Measured:
    widths = list(run.half_widths().values())
    frozen = {day for day in run.documents if day < run.honoured_from}
    errors = run.pct_errors(run.documents)
    wrong = set(run.wrong_answers())
    unflagged = [day for ticker, day in wrong if not run.flags.get((ticker, day))]
    return Measured(
        seed=seed,
        lines=len(run.market.blueprint.securities),
        dates=len(run.documents),
        frozen_until=run.market.blueprint.known_faults.frozen_until,
        wrong_caps=len(run.cap_errors(run.documents)),
        worst_points=(
            max((errors[day] for day in frozen), default=0.0),
            max(error for day, error in errors.items() if day not in frozen),
        ),
        outside=len(run.outside_bounds(run.documents)),
        median_width=statistics.median(widths),
        worst_width=max(widths),
        wrong_answers=len(wrong),
        unflagged=(sum(day in frozen for day in unflagged), sum(day not in frozen for day in unflagged)),
        false_alarms=len(run.false_alarms),
        name_years=run.name_years,
    )


def table(rows: Sequence[Measured]) -> Iterator[str]:
    """The rows as Markdown."""
    yield f"| {' | '.join(HEAD)} |"
    yield f"|{'---:|' * len(HEAD)}"
    for row in rows:
        yield f"| {' | '.join(row.cells())} |"


def write(rows: Sequence[Measured]) -> None:
    """Put the table into the page in place of the one that is there."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + BEGIN + "\n".join(table(rows)) + "\n" + END + after, encoding="utf-8")


def main() -> None:
    """Measure each seed, say so as it goes, and print the table or write it."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("seeds", nargs="*", type=int, metavar="SEED")
    options.add_argument("--lines", type=int, default=503)
    options.add_argument("--write", action="store_true")
    chosen = options.parse_args()
    rows = []
    for seed in chosen.seeds or SEEDS:
        rows.append(measured(seed, chosen.lines))
        print(rows[-1], file=sys.stderr, flush=True)
    if chosen.write:
        write(rows)
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main()
