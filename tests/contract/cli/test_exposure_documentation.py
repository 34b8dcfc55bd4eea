"""`docs/exposure.md` lists the layouts that are tested, and nothing else."""

import re
from pathlib import Path

from mag7cli.core import packaged_data

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "exposure.md").read_text(encoding="utf-8")


def _rows(heading: str) -> dict[str, str]:
    """The rows of the first table below a heading, by the code in their first cell."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    return {match[1]: match[2] for match in re.finditer(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE)}


def test_every_layout_of_a_broker_is_a_row_with_its_status_and_its_month():
    rows = _rows("Exports of brokers")
    layouts = packaged_data.read("broker_layouts")

    assert list(rows) == [layout["layout"] for layout in layouts]
    for layout in layouts:
        status = "refused: a history" if layout["holds"] == "history" else "read"
        assert f"| {status}" in rows[layout["layout"]]
        assert rows[layout["layout"]].endswith(f"| {layout['seen']}")
        assert layout["source"]


def test_every_file_of_a_fund_that_is_tested_is_a_row():
    assert set(_rows("Files of funds")) == {path.stem for path in (ROOT / "tests" / "data" / "funds").iterdir()}
