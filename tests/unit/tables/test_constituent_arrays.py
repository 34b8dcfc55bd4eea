"""The guard compares a line with itself, wherever it stands in the list of the date before."""

from datetime import date

import numpy as np
import pytest

from mag7cli.tables.constituent_arrays import ConstituentArrays, LineNames

BEFORE, DAY = date(2024, 6, 20), date(2024, 6, 21)
CLOSES = {"AAPL": 210.0, "MSFT": 445.0, "NVR": 7_600.0, "T": 18.0}


def arrays(day: date, *tickers: str, names: LineNames | None = None, **closes: float) -> ConstituentArrays:
    own = names or LineNames(tickers)
    prices = np.array([{**CLOSES, **closes}[ticker] for ticker in own.tickers])
    return ConstituentArrays(day, own, prices, np.full(len(prices), 1e9))


@pytest.mark.parametrize(
    ("before", "stepped"),
    [
        (("AAPL", "MSFT", "NVR"), []),
        (("NVR", "AAPL", "MSFT"), []),
        (("AAPL", "MSFT", "NVR", "T"), []),
        (("AAPL", "MSFT", "T"), ["NVR"]),
        (("T",), ["AAPL", "MSFT", "NVR"]),
    ],
)
def test_a_line_is_held_against_its_own_close_of_the_date_before(before: tuple[str, ...], stepped: list[str]) -> None:
    assert arrays(DAY, "AAPL", "MSFT", "NVR").stepped_since(arrays(BEFORE, *before)) == stepped


def test_where_the_names_are_those_of_the_date_before_a_step_is_seen_too() -> None:
    earlier = arrays(BEFORE, "AAPL", "MSFT", "NVR")

    assert arrays(DAY, names=earlier.names, NVR=76_000.0).stepped_since(earlier) == ["NVR"]
