"""Numbers of several countries, and what cannot be told apart."""

import pytest

from mag7cli.market.numerals import decimal_mark, to_number


@pytest.mark.parametrize(
    ("text", "mark", "value"),
    [
        ("1,234,567.89", ".", 1_234_567.89),
        ("1.234.567,89", ",", 1_234_567.89),
        ("8’000’000.00", ".", 8_000_000.0),
        ("8'000'000", ".", 8_000_000.0),
        ("8 000 000,5", ",", 8_000_000.5),
        ("-58’000", ".", -58_000.0),
        ("(1,000)", ".", -1_000.0),
        ("$5.00", ".", 5.0),
        ("7,15%", ",", 7.15),
        (".5", ".", 0.5),
    ],
)
def test_a_number_is_read_with_its_marks(text: str, mark: str, value: float) -> None:
    assert to_number(text, mark) == value


@pytest.mark.parametrize("text", ["", "-", ".", "1,23,456.0", "1.234,5", "twelve", "1e5", "’000", "()"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert to_number(text, ".") is None


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["8.000.000,00", "80,00"], ","),
        (["8,000,000.00", "80.00"], "."),
        (["1,234", "7,15"], ","),
        (["1,234"], "."),  # one thousand or one and a quarter: the commoner reading
        (["12", "13"], "."),
        (["7,15", "7.15", "8.25"], "."),
        ([], "."),
    ],
)
def test_the_decimal_mark_is_that_of_the_numbers_that_have_one_meaning(texts: list[str], mark: str) -> None:
    assert decimal_mark(texts) == mark
