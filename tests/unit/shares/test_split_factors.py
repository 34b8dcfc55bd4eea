"""What the adjustment factors of the vendor's second list of splits say of the ratios beside them."""

from datetime import date

from mag7cli.market.records import Split
from mag7cli.shares.split_adjustment import splits_of_factors


def _with_factor(day: str, split_from: float, split_to: float, factor: float | None, symbol: str = "XMPL") -> Split:
    return Split(symbol, date.fromisoformat(day), split_from, split_to, factor=factor)


def test_factors_that_agree_with_their_ratios_say_nothing_more() -> None:
    rows = [
        _with_factor("2021-07-20", 1, 4, 0.025),
        _with_factor("2024-06-10", 1, 10, 0.1),
        _with_factor("2024-06-10", 8, 1, 8.0, "RVRS"),
        _with_factor("2027-01-04", 1, 2, 0.5),  # announced, and in no factor before
    ]

    assert splits_of_factors(rows, date(2026, 11, 27)) == []


def test_a_factor_tells_the_ratio_of_a_row_that_has_it_wrong_or_upside_down() -> None:
    rows = [
        _with_factor("2021-07-20", 4, 1, 0.025),
        _with_factor("2024-06-10", 1, 20, 0.1),
        _with_factor("2022-01-03", 1, 3, None, "NONE"),
    ]

    told = splits_of_factors(rows, date(2026, 11, 27))

    assert sorted(told, key=lambda split: split.execution_date) == [
        Split("XMPL", date(2021, 7, 20), 1, 4),
        Split("XMPL", date(2024, 6, 10), 1, 10),
    ]


def test_a_reverse_split_is_told_by_its_factor() -> None:
    assert splits_of_factors([_with_factor("2026-06-29", 1, 2, 2.0)], date(2026, 11, 27)) == [
        Split("XMPL", date(2026, 6, 29), 2, 1)
    ]
