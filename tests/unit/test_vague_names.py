"""`scripts/count_vague_names.py` counts what it says it counts."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "count_vague_names.py"
CODE = """
import json as found

def total(prices, lines):
    "One line."
    one = sum(prices)
    return [line for line in lines if line.one] + [one]

def empty(): pass
"""


def count(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "module.py").write_text(CODE, encoding="utf-8")
    return subprocess.run([sys.executable, str(SCRIPT), str(folder), *options], capture_output=True, text=True)


def test_stored_names_and_arguments_are_counted_and_nothing_else(tmp_path: Path) -> None:
    ended = count(tmp_path)

    assert "vague names: 75.0 % of 4 bindings (3)\n" in ended.stdout  # prices, lines, one, line
    assert "lines of 2 functions: median 2.5, p90 " in ended.stdout
    assert "max 4\n" in ended.stdout


def test_a_limit_is_kept_or_fails(tmp_path: Path) -> None:
    assert count(tmp_path, "--limit", "80").returncode == 0
    assert count(tmp_path, "--limit", "70").returncode == 1


def test_each_vague_name_can_be_listed(tmp_path: Path) -> None:
    rows = count(tmp_path, "--list").stdout.splitlines()[:3]

    assert sorted(row.rpartition(" ")[2] for row in rows) == ["line", "lines", "one"]
    assert all(str(tmp_path / "module.py") in row for row in rows)
