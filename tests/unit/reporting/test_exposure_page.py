"""The page of somebody's own money, as text."""

from datetime import date

from mag7cli.portfolio.exposure import expose
from mag7cli.portfolio.fund_file import FundHolding, FundHoldings
from mag7cli.portfolio.positions import Position
from mag7cli.portfolio.securities import Security
from mag7cli.reporting.exposure_page import render

FUND = FundHoldings(
    "A fund",
    date(2026, 11, 20),
    (
        FundHolding(Security("NVDA"), "stock", 0.5, "Tech"),
        FundHolding(
            Security("EVIL", "<script>alert(1)</script> Inc", country="Germany", exchange="Xetra"), "stock", 0.4
        ),
    ),
    0.1,
)


def test_the_page_has_the_range_the_unknown_and_the_index_beside_it() -> None:
    answer = expose([Position("A&B", 1_000.0), Position("CASH", -100.0, "cash")], {"A&B": FUND}, index=FUND)

    page = render(answer, as_of=date(2026, 11, 20), files=["mine.csv"])

    assert "50.00 to 60.00&nbsp;%" in page
    assert "$100.00 is owed or sold short: 55.56&nbsp;% of the $900.00 left net." in page
    assert "$100.00 in A&amp;B: 10.00&nbsp;% of A&amp;B is not in its holdings file." in page
    assert "in the S&amp;P 500, holdings of 2026-11-20" in page
    assert "Read from mine.csv by mag7" in page


def test_nothing_of_a_file_becomes_markup_and_nothing_is_asked_for() -> None:
    page = render(expose([Position("F", 1.0)], {"F": FUND}), as_of=None, files=["<b>.csv"])

    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; Inc (DE)" in page
    assert "&lt;b&gt;.csv" in page
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "")
