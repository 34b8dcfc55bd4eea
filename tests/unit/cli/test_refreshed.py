"""What `mag7 collect --refresh` prints, and the dates that it takes."""

from datetime import date
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from mag7cli.cli import app
from mag7cli.cli.options import DateRange, parse_date_range
from mag7cli.cli.refreshed import refresh_plan_result, refresh_result
from mag7cli.collection.collector import CollectResult
from mag7cli.collection.document_changes import DateChange, LineChange
from mag7cli.collection.refresh import RefreshResult, Refusal
from mag7cli.vendors.rate_limit import Rate

DAY = date(2024, 7, 24)
CHANGE = DateChange(
    DAY, 33.28, 33.2741, (LineChange("XOM", "close_price", 113.1, 115.4), LineChange("T", "market_cap", None, 1e12))
)
RESULT = RefreshResult(
    dates=(DAY,),
    changes=(CHANGE,),
    refusals=(Refusal("NVDA", DAY, "price", "1080.4 in place of 108.04, x10: no correction is so large"),),
    calls={"grouped": 1, "details": 27},
    collected=CollectResult(),
)


def test_each_value_has_its_before_and_after_and_each_date_its_share() -> None:
    result = refresh_result(RESULT)

    assert result.grid.rows == [
        [DAY, "XOM", "close_price", "113.1", "115.4"],
        [DAY, "T", "market_cap", "none", "1,000,000,000,000"],
    ]
    assert [line.text for line in (result.text or ())[1:]] == [  # type: ignore[union-attr]
        "2024-07-24: the Mag 7 were 33.2800 %, are 33.2741 %.",
        "Asked again about 1 date with 28 calls: 1 date changed.",
        "Kept the old price of NVDA on 2024-07-24: 1080.4 in place of 108.04, x10: no correction is so large",
        "mag7 transform brings the tables up to date.",
    ]
    assert result.document["changes"][0]["lines"][0] == {
        "ticker": "XOM", "field": "close_price", "before": 113.1, "after": 115.4,
    }  # fmt: skip


def test_a_plan_says_calls_and_time() -> None:
    result = refresh_plan_result(Rate.parse("5/min"), {"grouped": 1, "details": 27, "splits": 1})

    assert result.document["total_calls"] == 29


def test_a_day_or_a_range() -> None:
    assert parse_date_range("2024-07-24") == DateRange(DAY, DAY)
    assert parse_date_range("2024-07-01..2024-07-24") == DateRange(date(2024, 7, 1), DAY)


@pytest.mark.parametrize("text", ["2024-07-24..2024-07-01", "2024-07", "..", "2024-07-01..", "a..b"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_date_range(text)


@pytest.mark.parametrize(("typed", "is_refused"), [((), False), (("--end", "2024-12-31"), True)])
def test_dates_of_the_configuration_are_no_contradiction_as_typed_ones_are(
    tmp_path: Path, typed: tuple[str, ...], is_refused: bool
) -> None:
    words = ["collect", "--lake", str(tmp_path), "--refresh", "2024-07-24", "--dry-run", *typed]
    ended = CliRunner().invoke(app, words, env={"MAG7_START": "2021-01-04", "MAG7_END": "2024-12-31"})

    assert ended.exit_code == 2
    assert ("--refresh has its own dates" in ended.output) == is_refused
    assert ("there is no lake at" in ended.output) != is_refused
