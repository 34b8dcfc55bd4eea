"""`scripts/measure_truth.py` measures what it says, and the table of the methodology keeps the promises around it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "methodology.md"
BEGIN, END = "<!-- truth: written by scripts/measure_truth.py --write -->\n", "<!-- end of truth -->"


def rows_of(table: str) -> list[dict[str, str]]:
    head, _, *rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.strip().splitlines()]
    return [dict(zip(head, row, strict=True)) for row in rows]


def is_kept(row: dict[str, str]) -> bool:
    """No wrong cap of the Mag 7, no date outside its bound, no unflagged fault, few alarms."""
    unflagged = row["of them unflagged until then, and after"]
    alarms_per_1000 = 1000 * int(row["false alarms"]) / float(row["name-years"].replace(",", ""))
    nothing = (row["wrong caps of the Mag 7"], row["dates outside the printed bound"], unflagged) == ("0", "0", "0, 0")
    return nothing and alarms_per_1000 < 0.5


def test_a_market_that_is_drawn_anew_keeps_the_promises() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "measure_truth.py"), "--lines", "24", "3016"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)

    (row,) = rows_of(ended.stdout)
    assert (row["seed"], row["dates"]) == ("3016", "1,005")
    assert is_kept(row), row


def test_the_table_has_eight_markets_of_the_index_s_size_that_keep_them() -> None:
    rows = rows_of(PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0])

    assert len({row["seed"] for row in rows}) == 8
    assert all(int(row["lines"]) >= 503 and row["dates"] == "1,005" for row in rows)
    assert [row for row in rows if not is_kept(row)] == []
    errors = [row["worst error of the share until then, and after"].split(", ") for row in rows]
    assert max(float(error) for both in errors for error in both) < 0.002
