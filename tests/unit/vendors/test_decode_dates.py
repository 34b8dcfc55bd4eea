"""Which trading date a daily bar is of, by its time in New York; a time at night is not guessed about."""

from datetime import date, datetime

import pytest

from mag7cli.core.clock import NEW_YORK
from mag7cli.vendors.polygon import decode

FRIDAY, MONDAY = date(2026, 12, 11), date(2026, 12, 14)


def _page(moment: str, **changes: object) -> decode.Body:
    epoch_ms = int(datetime.fromisoformat(moment).replace(tzinfo=NEW_YORK).timestamp() * 1000)
    row = {"o": 1.0, "h": 2.0, "l": 0.5, "c": 1.5, "v": 10.5, "t": epoch_ms, **changes}
    return {"ticker": "AAPL", "adjusted": False, "resultsCount": 1, "results": [row]}


@pytest.mark.parametrize("moment", ["2026-12-11T00:00", "2026-12-11T16:00", "2026-12-11T19:59"])
def test_a_bar_of_the_day_is_of_that_day(moment: str) -> None:
    (bar,) = decode.bars(_page(moment), "AAPL", FRIDAY, MONDAY)

    assert bar.trading_date == FRIDAY


# Under the exchanges' plans a trade of Sunday 21:00 is Monday's; a bar that began with it would be dated Sunday.
@pytest.mark.parametrize("moment", ["2026-12-11T20:00", "2026-12-13T21:00", "2026-12-11T23:59"])
def test_a_daily_bar_that_begins_at_night_is_refused_not_dated(moment: str) -> None:
    with pytest.raises(decode.ShapeError, match="after the day's last trade"):
        decode.bars(_page(moment), "AAPL", FRIDAY, MONDAY)
    with pytest.raises(decode.ShapeError, match="after the day's last trade"):
        decode.grouped(_page(moment, T="AAPL"), MONDAY)
