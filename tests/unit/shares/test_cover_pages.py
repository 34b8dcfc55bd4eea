"""Cover pages: which one speaks for a date, what is not known of it, and that the shipped table is sound."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from mag7cli.market.symbology import MAGNIFICENT_7, company_cik
from mag7cli.shares.cover_pages import (
    ClassCount,
    CoverPage,
    cover_of,
    merge_cover_pages,
    read_cover_pages,
    shipped_cover_pages,
    write_cover_pages,
)


def cover(period_end: str, shares: float | None = 100.0, *, company: str = "NVDA", accession: str = "x") -> CoverPage:
    end = date.fromisoformat(period_end)
    return CoverPage(
        company=company,
        cik="0001045810",
        period_end=end,
        as_of=end + timedelta(days=20),
        accession=accession,
        precision=1.0,
        classes=(ClassCount("common", company, shares),),
    )


QUARTERS = [cover("2021-01-31"), cover("2021-05-02"), cover("2021-10-31")]


@pytest.mark.parametrize(
    ("day", "period_end"),
    [
        ("2021-01-30", None),
        ("2021-01-31", "2021-01-31"),
        ("2021-05-01", "2021-01-31"),
        ("2021-05-02", "2021-05-02"),
        ("2021-07-24", "2021-05-02"),
        ("2021-07-26", None),
        ("2021-10-31", "2021-10-31"),
        ("2022-02-01", None),
    ],
)
def test_a_cover_speaks_for_its_quarter_and_no_longer(day: str, period_end: str | None):
    found = cover_of(QUARTERS, date.fromisoformat(day))

    assert (found.period_end.isoformat() if found else None) == period_end


def test_a_class_that_is_not_known_leaves_the_sum_unknown():
    google = shipped_cover_pages()["GOOGL"][0]

    assert google.shares is None
    assert google.listed == {"GOOGL": 300_737_081, "GOOG": 327_556_472}


def test_all_classes_are_added_and_so_is_their_rounding():
    google = shipped_cover_pages()["GOOGL"][-1]

    assert google.shares == 12_230_000_000
    assert google.rounding == 1_500_000


def test_a_table_is_read_as_it_was_written():
    covers = [one for company in shipped_cover_pages().values() for one in company]

    assert read_cover_pages(write_cover_pages(covers)) == shipped_cover_pages()


def test_the_lake_s_own_row_stands_against_the_shipped_one():
    ours = {"NVDA": [cover("2021-05-02", 200.0), cover("2021-08-01")]}

    merged = merge_cover_pages({"NVDA": QUARTERS}, ours)["NVDA"]

    assert [one.period_end.isoformat() for one in merged] == ["2021-01-31", "2021-05-02", "2021-08-01", "2021-10-31"]
    assert merged[1].shares == 200.0


def test_what_is_no_table_of_cover_pages_says_so():
    with pytest.raises(ValueError, match="not a table of cover pages"):
        read_cover_pages("a,b\n1,2\n")


@pytest.mark.parametrize("company", sorted(shipped_cover_pages()))
def test_the_shipped_covers_are_sound(company: str):
    covers = shipped_cover_pages()[company]

    assert company in MAGNIFICENT_7
    assert all(one.cik == company_cik(company) for one in covers)
    assert all(timedelta(0) < one.as_of - one.period_end < timedelta(days=45) for one in covers)
    assert all(one.accession for one in covers)
    assert len({one.accession for one in covers}) == len(covers)
    assert all(before.period_end < after.period_end for before, after in pairwise(covers))


def test_neighbouring_covers_of_a_company_differ_by_what_its_splits_and_awards_explain():
    """A typing error of one digit among the first three would show here."""
    for company, covers in shipped_cover_pages().items():
        for before, after in pairwise(covers):
            for ticker, shares in after.listed.items():
                if after.period_end - before.period_end < timedelta(days=105) and ticker in before.listed:
                    limit = 0.13 if company == "TSLA" else 0.03
                    assert shares == pytest.approx(before.listed[ticker], rel=limit), (ticker, after.as_of)
