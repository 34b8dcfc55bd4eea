"""Figures that can be read in two ways, and what settles them."""

import pytest

from mag7cli.core.numerals import parse
from mag7cli.portfolio.figures import Evidence, TwoReadingsError, settle

NOTHING = Evidence()


def read(needed: str = "amount", evidence: Evidence = NOTHING, **columns: str) -> dict[str, list[float | None]]:
    numerals = {role: [parse(cell) for cell in cells.split()] for role, cells in columns.items()}
    return {role: list(values) for role, values in settle(numerals, evidence, needed.split()).items()}


def test_a_column_follows_its_own_numbers_that_can_be_read_in_one_way() -> None:
    assert read(amount="1.500 2,5")["amount"] == [1500.0, 2.5]
    assert read(amount="1.500 2.5")["amount"] == [1.5, 2.5]


def test_a_column_that_proves_nothing_follows_the_others() -> None:
    assert read("quantity price", quantity="10.000", price="200,00") == {"quantity": [10_000.0], "price": [200.0]}


def test_columns_of_two_conventions_are_each_read_by_their_own() -> None:
    assert read(quantity="5.0000", amount="767,81") == {"quantity": [5.0], "amount": [767.81]}


def test_the_product_settles_what_the_columns_do_not() -> None:
    columns = read("quantity price amount", quantity="23,000", price="541,249", amount="12448,73")
    assert columns == {"quantity": [23.0], "price": [541.249], "amount": [12448.73]}
    assert read(quantity="1,000", price="2,000", amount="2,000,000")["quantity"] == [1000.0]


def test_the_product_beats_the_convention_of_other_columns() -> None:
    columns = read(quantity="5.000", price="175.50", amount="877,50")
    assert columns == {"quantity": [5.0], "price": [175.5], "amount": [877.5]}


def test_what_nothing_settles_is_refused_with_both_readings() -> None:
    with pytest.raises(TwoReadingsError) as refused:
        read("quantity price", quantity="23,000 10,000", price="541,249 150,250")

    assert (refused.value.roles, refused.value.first, refused.value.second) == (("quantity", "price"), 23_000.0, 23.0)


def test_columns_that_contradict_themselves_are_refused_where_it_matters() -> None:
    with pytest.raises(TwoReadingsError):
        read(amount="1.5 1,5 1,500")
    assert read(amount="1.5 1,5")["amount"] == [1.5, 1.5]


def test_an_open_column_that_nobody_needs_has_no_values_where_it_is_open() -> None:
    assert read(quantity="1,500 3", amount="10.50 20,50") == {"quantity": [None, 3.0], "amount": [10.5, 20.5]}


def test_a_declared_mark_settles_what_is_open_and_nothing_else() -> None:
    assert read(evidence=Evidence(declared="comma"), amount="1,500 2.25")["amount"] == [1500.0, 2.25]
    assert read(evidence=Evidence(declared="comma"), amount="1,500")["amount"] == [1.5]


def test_money_in_a_file_of_commas_has_no_three_decimals() -> None:
    assert read(evidence=Evidence(delimiter=","), amount="10,000 2,500")["amount"] == [10_000.0, 2500.0]
    for amount, delimiter in (("10,000", ";"), ("10.000", ",")):
        with pytest.raises(TwoReadingsError):
            read(evidence=Evidence(delimiter=delimiter), amount=amount)
