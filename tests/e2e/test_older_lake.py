"""A lake that mag7 0.1.0 made opens unchanged: its raw documents are read as they are, its figures stay what they were.

`tests/data/lake-0.1.0` was written by that version from a simulated index of twelve securities on three dates, by
`collect` and `transform`. One of them, Chipotle, splits 50 for 1 on the second date, and the vendor lists no split.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.simulators.command_line import mag7
from tests.simulators.small_index import MEMORIES

LAKE_0_1_0 = Path(__file__).parents[1] / "data" / "lake-0.1.0"
DATES = ("2024-06-25", "2024-06-26", "2024-06-27")

# mag7_pct_of_sp500, total_mag7_market_cap, sp500_total_market_cap, as 0.1.0 wrote them.
FIGURES = {
    "2024-06-25": (71.81320787109121, 15_255_759_809_861.2, 21_243_668_486_786.1),
    "2024-06-26": (88.1880813042299, 15_213_504_597_618.82, 17_251_202_625_823.67),
    "2024-06-27": (88.39745195742104, 15_110_610_774_091.26, 17_093_943_817_939.1),
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the lake on which today's `transform` has run."""
    folder = tmp_path_factory.mktemp("older")
    shutil.copytree(LAKE_0_1_0, folder / "lake")
    ended = mag7("transform", cwd=folder)
    assert (ended.code, ended.stderr) == (0, ""), ended.stderr
    return folder / "lake"


def test_it_can_be_looked_at_as_it_is(tmp_path: Path) -> None:
    shutil.copytree(LAKE_0_1_0, tmp_path / "lake")

    ended = mag7("show", cwd=tmp_path)

    assert ended.code == 0, ended.stderr
    assert f"{FIGURES[DATES[-1]][0]:.2f} % of the S&P 500" in ended.stdout
    assert "Bound of the share: unknown." in ended.stdout
    assert mag7("validate", cwd=tmp_path).code == 0


def document(lake: Path, *words: str) -> Any:
    """What a command prints as JSON."""
    ended = mag7(*words, "--format", "json", cwd=lake.parent)
    assert ended.code == 0, ended.stderr
    return json.loads(ended.stdout)


def contents(root: Path, zone: str) -> Mapping[str, bytes]:
    files = (path for path in sorted((root / zone).rglob("*")) if path.is_file())
    return {name: path.read_bytes() for path in files if (name := str(path.relative_to(root))) not in MEMORIES}


def tables(root: Path, zone: str) -> dict[str, pa.Table]:
    return {
        str(path.relative_to(root)): pq.read_table(path, partitioning=None) for path in (root / zone).rglob("*.parquet")
    }


def test_no_raw_file_is_touched(lake: Path) -> None:
    assert contents(lake, "raw") == contents(LAKE_0_1_0, "raw")


@pytest.mark.parametrize("zone", ["processed", "analytics"])
def test_the_tables_keep_their_rows(lake: Path, zone: str) -> None:
    """Columns may be added to a table; those that were there keep their name, type and values.

    But for the doubt about Chipotle's count, which 0.1.0 told of the day of the split alone.
    """
    today = tables(lake, zone)
    for name, table in tables(LAKE_0_1_0, zone).items():
        if "daily_summary" in name:
            assert undoubted(today[name]) == undoubted(table), name
        elif "data_quality" in name:
            rows = today[name].select(table.column_names).to_pylist()
            assert [row for row in rows if "since " not in row["reason"]] == table.to_pylist()
        else:
            assert today[name].select(table.column_names).equals(table), name


def undoubted(summary: pa.Table) -> Any:
    """The rows of the summary without what a doubt changes, and without what 0.1.0 did not have."""
    known = pq.read_table(LAKE_0_1_0 / "analytics" / "daily_summary" / "2024.parquet").column_names
    return summary.select(
        [name for name in summary.column_names if name in known and name not in ("status", "doubts_count")]
    ).to_pylist()


def test_the_checks_find_what_they_found_on_every_date_that_inherits_it(lake: Path) -> None:
    checks = document(lake, "validate")
    suspect = next(check for check in checks["checks"] if check["name"] == "suspect_dates")

    assert checks["failed"] == 0
    assert [(row["trading_date"], row["ticker"]) for row in suspect["rows"]] == [(day, "CMG") for day in DATES[1:]]


@pytest.mark.parametrize("trading_date", DATES)
def test_the_figures_stay(lake: Path, trading_date: str) -> None:
    share, mag7_total, index_total = FIGURES[trading_date]

    shown = document(lake, "show", trading_date)

    assert (shown["share_pct"], shown["mag7_cap_usd"], shown["sp500_cap_usd"]) == (share, mag7_total, index_total)
    assert (shown["low_pct"], shown["high_pct"]) == (None, None)


def test_that_no_bound_is_known_is_said(lake: Path) -> None:
    assert "Bound of the share: unknown." in mag7("show", cwd=lake.parent).stdout
    assert (
        "Bound of the share: unknown, the document carries none." in mag7("explain", DATES[0], cwd=lake.parent).stdout
    )


def test_a_figure_is_explained_from_the_same_inputs(lake: Path) -> None:
    explained = document(lake, "explain", "2024-06-27", "MSFT")

    security = explained["lines"][0]
    assert (security["close_price"], security["shares_outstanding"]) == (473.52, 7_424_688_930)
    assert explained["mag7_pct_of_sp500"] == FIGURES["2024-06-27"][0]
    assert explained["gross_market_cap"] == 19_090_596_206_940.7


def test_its_dates_are_complete_but_for_the_one_with_the_split_and_what_inherits_its_count(lake: Path) -> None:
    status = document(lake, "status")

    assert (status["first"], status["last"], status["complete"]) == (DATES[0], DATES[-1], 1)
    assert status["suspect"] == list(DATES[1:])
    assert (status["partial"], status["failed"], status["gaps"]) == ({}, {}, [])
    assert status["simulated"] is True
