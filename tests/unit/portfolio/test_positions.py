"""Positions that are typed, merged and put together."""

from datetime import date

import pytest

from mag7cli.core.errors import UsageError
from mag7cli.portfolio.positions import Portfolio, Position, combined, merged, parse_option


@pytest.mark.parametrize("text", ["ivv=$10,000", "IVV=10000", "IVV=10_000.00", "IVV= 10,000 USD"])
def test_an_option_is_a_symbol_and_an_amount(text: str) -> None:
    assert parse_option(text, "fund") == Position("IVV", 10_000.0, "fund")


@pytest.mark.parametrize(
    "text", ["IVV", "=5", "IVV=", "IVV=0", "IVV=-1", "IVV=ten", "IVV=1.500", "IVV=1,5", "IVV=5%", "IVV=€5"]
)
def test_an_option_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_option(text, "fund")


def test_a_class_is_spelt_as_the_vendor_does() -> None:
    assert [parse_option(f"{text}=1", "stock").symbol for text in ("BRKB", "BRK/B", "brk-b")] == ["BRK.B"] * 3


def test_positions_of_one_symbol_are_merged_in_their_first_place() -> None:
    positions = [
        Position("IVV", 1.0, quantity=1.0),
        Position("NVDA", 2.0),
        Position("IVV", 3.0, quantity=3.0),
        Position("IVV", 4.0, "fund"),
        Position("IVV", 5.0, currency="EUR"),
    ]

    assert merged(positions) == (
        Position("IVV", 4.0, quantity=4.0),
        Position("NVDA", 2.0),
        Position("IVV", 4.0, "fund"),
        Position("IVV", 5.0, currency="EUR"),
    )


def test_lots_of_which_one_has_no_quantity_have_none() -> None:
    assert merged([Position("A", 1.0, quantity=1.0), Position("A", 2.0)]) == (Position("A", 3.0),)


def test_a_position_without_a_value_is_not_added_to_one_that_has_one() -> None:
    assert merged([Position("A", 1.0), Position("A", None)]) == (Position("A", 1.0), Position("A", None))


def test_accounts_are_put_together_and_are_of_the_oldest_day() -> None:
    first = Portfolio((Position("A", 1.0),), as_of=date(2026, 11, 20), rates={"EUR": 1.1}, warnings=("x",))
    second = Portfolio((Position("A", 2.0), Position("B", 1.0)), as_of=date(2026, 11, 19), skipped=("y",))

    whole = combined([first, second, Portfolio(())])

    assert whole.positions == (Position("A", 3.0), Position("B", 1.0))
    assert (whole.as_of, whole.rates, whole.warnings, whole.skipped) == (
        date(2026, 11, 19),
        {"EUR": 1.1},
        ("x",),
        ("y",),
    )
