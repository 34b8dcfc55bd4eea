"""Alphabet with each class at its own close."""

from decimal import Decimal

from mag7cli.shares.class_prices import ListedClass, market_cap_by_class


def test_each_listed_class_has_its_own_close_and_what_is_unlisted_that_of_the_counted_one():
    cap = market_cap_by_class(100.0, ListedClass(10.0, 45.0), [ListedClass(11.0, 48.0)])

    assert cap == Decimal("1048.00")


def test_with_one_close_for_all_it_is_the_headline_s():
    assert market_cap_by_class(12_241e6, ListedClass(189.82, 5_843e6), [ListedClass(189.82, 5_534e6)]) == Decimal(
        "2323586620000.00"
    )


def test_classes_that_have_more_shares_than_the_company_value_nothing():
    assert market_cap_by_class(100.0, ListedClass(10.0, 60.0), [ListedClass(11.0, 48.0)]) is None


def test_a_cent_is_rounded_half_to_even():
    assert market_cap_by_class(1.0, ListedClass(0.125, 1.0), []) == Decimal("0.12")
