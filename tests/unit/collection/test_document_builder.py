"""The document of a date, made of prices, counts and what became of each line."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from typing import NamedTuple

import pytest

from mag7cli.collection.constituent_value import CountedShares, Roster, at_closes
from mag7cli.collection.document_builder import DayInputs, Profile, build
from mag7cli.core.clock import NEW_YORK
from mag7cli.lake import document as market_data
from mag7cli.lake.document import Document, FailedTicker
from mag7cli.lake.document_quality import date_quality
from mag7cli.market.records import Bar
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.shares.history import ShareCount
from mag7cli.shares.records import Adjustment

DAY = date(2024, 6, 7)


def count(shares: float, *adjustments: Adjustment, vendor: float | None = None) -> ShareCount:
    return ShareCount(shares, "weighted", DAY, vendor or shares, shares / 2, adjustments)


class Valued(NamedTuple):
    """A line with its count, at a close."""

    shares: CountedShares
    close_usd: float


def valued(ticker: str, close: float = 100.0, shares: float = 1e9, *, counted: bool = True) -> Valued:
    shares_of = CountedShares(ticker, f"{len(ticker):010d}", counted=counted, symbol=ticker, count=count(shares))
    return Valued(shares_of, close)


def other_shares(line: Valued, **changes: object) -> Valued:
    return line._replace(shares=replace(line.shares, **changes))  # type: ignore[arg-type]


def bar(line: Valued) -> Bar:
    close = line.close_usd
    return Bar(line.shares.symbol, DAY, close - 1, close + 2, close - 2, close, 1000.5, close)


SEVEN = tuple(valued(ticker, 100.0 + number) for number, ticker in enumerate(MAGNIFICENT_7))


def built(lines: Sequence[Valued] = SEVEN, **changes: object) -> Document:
    inputs = DayInputs(
        trading_date=DAY,
        collected_at=datetime(2024, 6, 7, 18, 0, tzinfo=NEW_YORK),
        source={"vendor": "polygon", "method": "grouped", "version": "1", "simulated": False},
        membership={"kind": "observed", "as_of": "2024-05-31"},
        valued=at_closes(Roster(tuple(line.shares for line in lines)), [line.close_usd for line in lines]),
        failed=(),
        not_listed=(),
        judged_by=("closes",),
        bars={line.shares.ticker: bar(line) for line in lines if line.shares.ticker in MAGNIFICENT_7},
        profiles={ticker: Profile(f"{ticker} Inc.", "usd", None, 1e11) for ticker in MAGNIFICENT_7},
    )
    return build(replace(inputs, **changes))  # type: ignore[arg-type]


def test_the_keys_of_the_original_are_all_there_and_survive_the_file():
    document = built()

    assert market_data.decode(market_data.encode(document), "here") == document
    assert list(document)[:6] == [
        "trading_date",
        "data_collection_time",
        "companies",
        "rankings",
        "concentration_metrics",
        "sp500_details",
    ]
    assert list(document["companies"]) == list(MAGNIFICENT_7)


def test_a_market_cap_is_close_times_shares_whatever_the_vendor_says():
    apple = built()["companies"]["AAPL"]

    assert apple["market_cap"] == 100e9
    assert apple["vendor_market_cap"] == 1e11
    assert apple["shares_outstanding"] == 1_000_000_000
    assert isinstance(apple["shares_outstanding"], int), "counts are written without a decimal point, as they were"


def test_a_second_line_of_a_company_is_in_the_gross_total_only():
    document = built([*SEVEN, valued("GOOG", 200.0, counted=False)])

    details = document["sp500_details"]
    assert details["gross_market_cap"] - details["total_market_cap"] == 200e9
    assert details["companies_count"] == 7
    assert details["processed_count"] == 8
    assert [line["ticker"] for line in details["constituents"] if not line["counted"]] == ["GOOG"]


def test_the_seven_are_ranked_by_size():
    document = built([*SEVEN, valued("JPM", 321.0)])

    ranking = document["rankings"]["by_market_cap"]
    assert [one["ticker"] for one in ranking] == list(reversed(MAGNIFICENT_7))
    assert sum(one["pct_of_mag7"] for one in ranking) == 100
    assert document["concentration_metrics"]
    assert document["concentration_metrics"]["mag7_pct_of_sp500"] == 100 * 721 / 1042


def test_without_one_of_the_seven_there_is_no_figure_and_the_reason_is_told():
    failed = [{"ticker": "TSLA", "reason": "no share count: the vendor gave no share count"}]

    document = built(SEVEN[:-1], failed=failed)

    assert document["concentration_metrics"] is None
    assert document["rankings"]["by_market_cap"] == []
    assert document["partial"] == "TSLA: no share count: the vendor gave no share count"
    assert document["sp500_details"]["failed_count"] == 1
    assert not date_quality(document).has_figure


def test_one_of_the_seven_that_is_in_no_list_is_told_as_such():
    assert built(SEVEN[1:])["partial"] == "AAPL: not among the constituents"


def test_another_line_that_failed_leaves_the_figure_and_is_listed():
    failure: FailedTicker = {"ticker": "JPM", "reason": "no price", "last_known_market_cap": 0.7e9}

    document = built(failed=[failure], not_listed=["GEV"])

    assert document["concentration_metrics"]
    assert document["sp500_details"]["failed_tickers"] == [failure]
    assert document["sp500_details"]["not_listed"] == ["GEV"]
    assert date_quality(document).status == "suspect"


@pytest.mark.parametrize("cap", [0.9e9, 321e9, None])
def test_without_a_thousandth_of_the_index_or_who_knows_how_much_there_is_no_figure(cap: float | None):
    failure: FailedTicker = {"ticker": "JPM", "reason": "no price"}
    if cap:
        failure["last_known_market_cap"] = cap

    document = built([*SEVEN, valued("KO", 80.0)], failed=[failure])

    assert (document["concentration_metrics"], document["rankings"]["by_market_cap"]) == (None, [])
    assert str(document["partial"]).startswith("1 line failed (JPM), ")
    assert str(document["partial"]).endswith(" % of the index")
    assert date_quality(document).partial_reason == document["partial"]


def test_a_correction_tells_from_to_reason_and_evidence():
    unsplit = Adjustment("share count in the units of another day", "24600000000 is already in the units after")
    nvidia = other_shares(SEVEN[4], count=count(2.46e9, unsplit, vendor=24.6e9))
    other = other_shares(valued("CMG"), count=count(2.7e7, unsplit, vendor=1.35e9))

    document = built([*SEVEN[:4], nvidia, *SEVEN[5:], other])

    told = {
        "field": "shares_outstanding",
        "from": 24_600_000_000,
        "to": 2_460_000_000,
        "reason": "share count in the units of another day",
        "evidence": "24600000000 is already in the units after (answer for 2024-06-07)",
    }
    assert document["companies"]["NVDA"]["corrections"] == [told]
    assert document["sp500_details"]["corrections"] == [
        {**told, "ticker": "CMG", "from": 1_350_000_000, "to": 27_000_000}
    ]
    assert document["doubts"] == []


def test_a_doubtful_count_makes_a_doubt_with_both_values():
    jump = Adjustment("unexplained jump in the share count: last known count used", "x10", doubtful=True)
    odd = other_shares(valued("CF"), count=count(1.8e8, jump, vendor=1.8e9))

    (doubt,) = built([*SEVEN, odd])["doubts"]

    assert (doubt["ticker"], doubt["kind"]) == ("CF", "shares_jump")
    assert (doubt["used"], doubt["other"]) == (180_000_000, 1_800_000_000)


def test_bars_are_stamped_with_midnight_in_new_york():
    trading = built()["companies"]["AAPL"]["trading_data"]

    assert trading
    assert trading["timestamp"] == datetime(2024, 6, 7, tzinfo=NEW_YORK).timestamp() * 1000
    assert trading["volume"] == 1000.5


# Each class at its own close


def alphabet(**own: float) -> list[Valued]:
    """The Mag 7, of whom Alphabet has a second line that trades at 110; 45 % of its shares are of the first class."""
    google = other_shares(SEVEN[2], cik="0001652044", class_shares=own.get("GOOGL"))
    other = other_shares(valued("GOOG", 110.0, counted=False), cik="0001652044", class_shares=own.get("GOOG"))
    return [*SEVEN[:2], google, *SEVEN[3:], other]


def test_with_the_counts_of_both_classes_each_has_its_own_close_beside_the_headline():
    document = built(alphabet(GOOGL=0.45e9, GOOG=0.48e9))
    metrics = document["concentration_metrics"]
    assert metrics
    google = next(row for row in document["sp500_details"]["constituents"] if row["ticker"] == "GOOGL")

    assert google["market_cap"] == 102e9
    assert google["market_cap_by_class"] == 0.45e9 * 102 + 0.48e9 * 110 + 0.07e9 * 102
    gained = google["market_cap_by_class"] - google["market_cap"]
    assert metrics["total_mag7_market_cap_by_class"] == metrics["total_mag7_market_cap"] + gained
    assert metrics["sp500_total_market_cap_by_class"] == metrics["sp500_total_market_cap"] + gained
    assert metrics["mag7_pct_by_class"] == 100.0


def test_without_the_count_of_one_class_there_is_no_second_value():
    document = built(alphabet(GOOGL=0.45e9))

    assert "mag7_pct_by_class" not in (document["concentration_metrics"] or {})
    assert not any("market_cap_by_class" in row for row in document["sp500_details"]["constituents"])


def test_a_doubt_says_of_what_sort_it_is_and_both_candidates():
    why = Adjustment("differs", "the cover", doubtful=True, kind="cover_page_differs", other=1.1e9)
    line = other_shares(SEVEN[0], count=count(1e9, why, vendor=2e9))

    (doubt,) = built([line, *SEVEN[1:]])["doubts"]

    assert (doubt["kind"], doubt["used"], doubt["other"]) == ("cover_page_differs", 1e9, 1.1e9)


def test_a_document_says_what_its_counts_were_held_against():
    assert built()["judged_by"] == ["closes"]


def test_totals_above_seventy_trillion_are_the_exact_sums_of_their_lines():
    others = [valued(f"L{number}", 100.01 + number / 100, 1_234_567_891.0) for number in range(490)]
    lines = [*(valued(ticker, 400.07, 7_654_321_987.0) for ticker in MAGNIFICENT_7), *others]

    document = built(lines)
    details, metrics = document["sp500_details"], document["concentration_metrics"]
    caps = [row["market_cap"] for row in details["constituents"]]

    assert metrics
    assert metrics["sp500_total_market_cap"] == details["gross_market_cap"] == sum(map(Fraction, caps)) > 2**46
    assert b'"total_market_cap":83414802284852.08,' in market_data.encode(document)
    assert market_data.decode(market_data.encode(document), "here") == document


def test_the_text_of_the_lines_is_that_of_their_rows():
    lines = [*alphabet(GOOGL=0.45e9, GOOG=0.48e9), valued("A.B", 1e-05, 1234.5), valued("ÄÖ", 1e16, 3.0)]
    document = built(lines)
    rows = list(document["sp500_details"]["constituents"])

    assert document["sp500_details"]["constituents"] == rows
    assert rows[0] == document["sp500_details"]["constituents"][0]
    as_rows = {**document, "sp500_details": {**document["sp500_details"], "constituents": rows}}
    assert market_data.encode(document) == market_data.encode(as_rows)  # type: ignore[typeddict-item]
    assert market_data.encode(built([])).count(b'"constituents":[]') == 1


def test_a_line_with_an_impossible_cap_leaves_the_others_as_they_are():
    every = at_closes(Roster(tuple(line.shares for line in SEVEN)), [line.close_usd for line in SEVEN])

    others = every.without({"AMZN"})

    assert [line.ticker for line in others.roster.lines] == [t for t in MAGNIFICENT_7 if t != "AMZN"]
    assert dict(zip(others.roster.places, zip(others.closes_usd, others.caps, strict=True), strict=True)) == {
        line.shares.ticker: (line.close_usd, line.close_usd * 1e11) for line in SEVEN if line.shares.ticker != "AMZN"
    }
