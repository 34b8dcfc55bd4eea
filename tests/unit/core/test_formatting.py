from decimal import Decimal

import pytest

from mag7cli.core import formatting


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (3_652_000_000_000, "$3.65 T"),
        (Decimal("17394218000000.00"), "$17.39 T"),
        (999_960_000_000, "$1.00 T"),
        (12_400_000, "$12.40 M"),
        (2500, "$2,500.00"),
        (-1_500_000_000, "-$1.50 B"),
        (0, "$0.00"),
        (None, "–"),
    ],
)
def test_money_is_shown_in_its_largest_fitting_unit(amount, shown):
    assert formatting.usd(amount) == shown


def test_a_change_has_its_sign_and_zero_has_none():
    assert [formatting.change(value) for value in (0.414, -1.2, 0.001, -0.001, None)] == [
        "+0.41",
        "-1.20",
        "0.00",
        "0.00",
        "–",
    ]


def test_counts_have_their_thousands_apart_and_agree_with_their_noun():
    assert formatting.count(1005) == "1,005"
    assert formatting.counted(1, "date") == "1 date"
    assert formatting.counted(1005, "date") == "1,005 dates"
    assert formatting.counted(2, "company", "companies") == "2 companies"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (3725, "1 h 02 min"), (200_000, "2 d 7 h"), (-1, "0 s")],
)
def test_a_duration_has_its_two_largest_units(seconds, shown):
    assert formatting.duration(seconds) == shown


@pytest.mark.parametrize(
    ("octets", "shown"), [(999, "999 B"), (1000, "1.0 kB"), (71_200_000, "71 MB"), (5e15, "5000 TB")]
)
def test_a_size_is_in_decimal_units(octets, shown):
    assert formatting.size(octets) == shown


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (33.2846, 33.2646, 33.3046, "33.28 % ± 0.03"),
        (33.2846, 33.2846, 33.2846, "33.28 % ± 0.01"),
        (33.28, 33.26, 33.30, "33.28 % ± 0.02"),
        (33.28, 33.1049, 33.8951, "33.10 to 33.90 %"),
        (33.28, 33.20, 33.28, "33.20 to 33.28 %"),
        (33.2846, None, None, "33.28 %"),
    ],
)
def test_a_percentage_is_shown_with_its_bound_which_is_never_cut(
    value: float, low: float | None, high: float | None, text: str
) -> None:
    assert formatting.pct_within(value, low, high) == text
