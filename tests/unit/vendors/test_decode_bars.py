"""A range of bars: the rows as they come, in whichever of the two ways they are read, or an error."""

from datetime import date, datetime
from typing import Any

import pytest

from mag7cli.core.clock import NEW_YORK
from mag7cli.market.records import Bar
from mag7cli.vendors.polygon.decode import ShapeError, bars

MONDAY, TUESDAY = date(2024, 6, 3), date(2024, 6, 4)
NO_VWAP = {"vw": None}


def row(day: date, **changes: Any) -> dict[str, Any]:
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=NEW_YORK).timestamp()) * 1000
    values = {"o": 9, "h": 11.0, "l": 8.0, "c": 10.0, "v": 1000, "vw": 9.5, "t": midnight, "n": 7}
    return {**values, **changes}


def page(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"ticker": "KO", "adjusted": False, "resultsCount": len(rows), "results": list(rows)}


def test_a_row_without_a_vwap_is_a_bar_like_the_others():
    missing = row(TUESDAY)
    del missing["vw"]

    assert bars(page(row(MONDAY), missing), "KO", MONDAY, TUESDAY) == [
        Bar("KO", MONDAY, 9.0, 11.0, 8.0, 10.0, 1000.0, 9.5),
        Bar("KO", TUESDAY, 9.0, 11.0, 8.0, 10.0, 1000.0, None),
    ]


@pytest.mark.parametrize("changes", [{}, NO_VWAP], ids=["with vwap", "without"])
@pytest.mark.parametrize("days", [(TUESDAY, MONDAY), (MONDAY, MONDAY)], ids=["falling", "twice"])
def test_rows_that_are_not_in_order_are_refused(days, changes):
    with pytest.raises(ShapeError, match="order of their dates"):
        bars(page(*(row(day, **changes) for day in days)), "KO", MONDAY, TUESDAY)


@pytest.mark.parametrize("changes", [{}, NO_VWAP], ids=["with vwap", "without"])
@pytest.mark.parametrize(
    "wrong",
    [{"c": 0}, {"l": -1.0}, {"o": True}, {"h": "11"}, {"v": -1}, {"vw": 0}, {"t": 1.5}, {"t": -1}, {"t": None}],
    ids=str,
)
def test_a_row_that_cannot_be_true_is_refused(wrong, changes):
    with pytest.raises(ShapeError):
        bars(page(row(MONDAY, **changes), row(TUESDAY, **wrong)), "KO", MONDAY, TUESDAY)


def test_a_volume_may_be_zero_and_a_bar_may_not_be_of_another_day():
    assert bars(page(row(MONDAY, v=0)), "KO", MONDAY, TUESDAY)[0].volume == 0.0
    with pytest.raises(ShapeError, match="from 2024-06-03 to 2024-06-04"):
        bars(page(row(MONDAY), row(TUESDAY)), "KO", TUESDAY, TUESDAY)
