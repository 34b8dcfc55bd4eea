"""Written numbers, each with what it means by a decimal point and by a decimal comma."""

import pytest

from mag7cli.core.numerals import commonest_mark, dollars, is_nothing, marks, number, parse


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [
        ("1500", 1500.0, 1500.0),
        ("1,500", 1500.0, 1.5),
        ("1.500", 1.5, 1500.0),
        ("23,000", 23000.0, 23.0),
        ("1,234.56", 1234.56, None),
        ("1.234,56", None, 1234.56),
        ("1'234.56", 1234.56, None),
        ("8’000’000", 8_000_000.0, 8_000_000.0),
        ("1 234,56", None, 1234.56),
        ("1\u202f234,5", None, 1234.5),
        ("12,34,567.00", 1_234_567.0, None),
        ("1,234,567", 1_234_567.0, None),
        ("1.234.567", None, 1_234_567.0),
        ("0.600", 0.6, None),
        ("1234.567", 1234.567, None),
        ("541,25", None, 541.25),
        ("-5", -5.0, -5.0),
        ("(5.50)", -5.5, None),
        ("5,50-", None, -5.5),
        ("−5.5", -5.5, None),
        ("$1,499.98", 1499.98, None),
        ("-$400.00", -400.0, None),
        ("$10,000", 10_000.0, None),
        ("$10.000", 10.0, 10_000.0),
        ("EUR 10,000", 10_000.0, 10.0),
        ("EUR 877.50", 877.5, None),
        ("767,81 €", None, 767.81),
        ("10_000", 10_000.0, 10_000.0),
        ("+1.0%", 1.0, None),
    ],
)
def test_a_number_has_a_value_by_each_decimal_mark(text: str, point: float | None, comma: float | None) -> None:
    numeral = parse(text)

    assert numeral is not None
    assert (numeral.point, numeral.comma) == (point, comma)


@pytest.mark.parametrize(
    "text", ["", "--", "NVDA", "12/31/2026", "1,23,4.5.6", "5)", "-(5)", "10:00", "1.2.3", "2 CALL", "142.8M"]
)
def test_what_is_no_number_has_none(text: str) -> None:
    assert parse(text) is None


def test_the_currency_beside_a_number_is_reported_as_it_is_written() -> None:
    assert [parse(text).currency for text in ("$5", "5 EUR", "US$5", "£5", "5")] == ["$", "EUR", "US$", "£", None]


def test_only_numbers_that_can_be_read_in_one_way_prove_a_mark() -> None:
    assert marks(parse(text) for text in ("1,500", "1500", "x")) == set()
    assert marks(parse(text) for text in ("1,500", "1,5")) == {"comma"}
    assert marks(parse(text) for text in ("1.5", "1,5")) == {"point", "comma"}


def test_a_number_is_read_by_the_mark_that_fits_it() -> None:
    assert parse("1,500").value("point") == 1500.0
    assert parse("1,500").value("comma") == 1.5
    assert parse("1.5").value("comma") == 1.5
    assert not number(1.5).is_open


@pytest.mark.parametrize("text", ["", " -- ", "N/A", "n.a.", "null", "—"])
def test_words_for_nothing(text: str) -> None:
    assert is_nothing(text)


# By one decimal mark, as a whole file has it


@pytest.mark.parametrize(
    ("text", "mark", "value"),
    [
        ("1,234,567.89", "point", 1_234_567.89),
        ("1.234.567,89", "comma", 1_234_567.89),
        ("8’000’000.00", "point", 8_000_000.0),
        ("8'000'000", "point", 8_000_000.0),
        ("8 000 000,5", "comma", 8_000_000.5),
        ("-58’000", "point", -58_000.0),
        ("(1,000)", "point", -1_000.0),
        ("$5.00", "point", 5.0),
        ("7,15%", "comma", 7.15),
        (".5", "point", 0.5),
    ],
)
def test_a_number_is_read_by_one_mark_alone(text: str, mark: str, value: float) -> None:
    assert dollars(text, mark) == value


@pytest.mark.parametrize("text", ["", "-", ".", "1,23,45.0", "1.234,5", "twelve", "1e5", "’000", "()", "EUR 5"])
def test_what_is_no_number_of_dollars_is_none(text: str) -> None:
    assert dollars(text, "point") is None


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["8.000.000,00", "80,00"], "comma"),
        (["8,000,000.00", "80.00"], "point"),
        (["1,234", "7,15"], "comma"),
        (["1,234"], "point"),  # one thousand or one and a quarter: the commoner reading
        (["12", "13"], "point"),
        (["7,15", "7.15", "8.25"], "point"),
        ([], "point"),
    ],
)
def test_the_decimal_mark_is_that_of_the_numbers_that_have_one_meaning(texts: list[str], mark: str) -> None:
    assert commonest_mark(texts) == mark
