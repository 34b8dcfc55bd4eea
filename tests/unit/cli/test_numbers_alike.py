"""A number of four digits looks the same in the table of every command: 1,005."""

from dataclasses import replace
from datetime import date

import pytest

from mag7cli.cli.collect import plan_result
from mag7cli.cli.load import load_result
from mag7cli.cli.output import Grid, csv_text
from mag7cli.cli.refreshed import refresh_plan_result
from mag7cli.collection.estimate import CollectPlan
from mag7cli.vendors.rate_limit import Rate
from mag7cli.warehouse.duckdb_load import LoadResult

DAY = date(2024, 12, 13)
PLAN = CollectPlan(
    start=DAY,
    end=DAY,
    dates=(DAY,),
    present=0,
    securities=503,
    calls={"details": 14084},
    is_estimate=True,
    raw_bytes=1,
    seconds=1.0,
)
RATE = Rate.parse("5/min")


@pytest.mark.parametrize(
    "result",
    [
        plan_result(RATE, PLAN),
        refresh_plan_result(RATE, {"details": 14084}),
        load_result(LoadResult("here", (), (), {"details": 14084})),
    ],
    ids=["collect --dry-run", "collect --refresh --dry-run", "load"],
)
def test_thousands_are_apart_for_people_and_not_for_programs(result):
    (grid,) = [block for block in result.text if isinstance(block, Grid)]
    assert grid.cells()[1:] == [["details", "14,084"]]
    assert "details,14084" in csv_text(result.grid)


def test_calls_for_series_alone_are_told_where_no_date_is_to_collect():
    result = plan_result(RATE, replace(PLAN, dates=(), present=1, calls={"bars": 2}))
    assert [block.text for block in result.text] == [
        "2024-12-13 to 2024-12-13: 0 dates to collect, 1 there already",
        "2 calls for the series beside the index",
    ]
