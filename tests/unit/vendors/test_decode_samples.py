"""The decoder reads a whole answer of each endpoint, with every key that the vendor sends and mag7 does not need."""

from datetime import date
from pathlib import Path

from mag7cli.market.records import Split
from mag7cli.vendors.polygon import decode

SAMPLES = Path(__file__).parents[2] / "data" / "vendor"
MONDAY, TUESDAY = date(2023, 3, 6), date(2023, 3, 7)


def page(name: str) -> decode.Body:
    return decode.body((SAMPLES / name).read_bytes())


def test_details() -> None:
    details = decode.details(page("ticker_details.json"), "XMPL", MONDAY)

    assert (details.market_cap_usd, details.weighted_shares, details.share_class_shares) == (4.025e9, 10**8, 99_500_000)
    assert (details.cik, details.security_type, details.list_date) == ("0009999901", "CS", date(2001, 2, 3))


def test_details_without_market_cap_have_the_class_shares_only() -> None:
    details = decode.details(page("ticker_details_without_market_cap.json"), "XMPL", MONDAY)

    assert (details.market_cap_usd, details.weighted_shares, details.share_class_shares) == (None, None, 99_500_000)


def test_bars_of_a_range_are_of_new_yorks_dates() -> None:
    bars = decode.bars(page("range_of_daily_bars.json"), "XMPL", MONDAY, TUESDAY)

    assert [(bar.trading_date, bar.close_usd) for bar in bars] == [(MONDAY, 40.25), (TUESDAY, 40.25)]


def test_bars_of_a_whole_market() -> None:
    assert decode.grouped(page("grouped_daily_bars.json"), MONDAY)["XMPL"].close_usd == 40.25


def test_splits_of_both_versions() -> None:
    forward, reverse = Split("XMPL", TUESDAY, 1, 4), Split("XMPM", date(2015, 6, 8), 10, 1)

    assert decode.splits(page("splits_v3.json"), date(2015, 1, 1), TUESDAY) == [forward, reverse]
    assert decode.splits(page("splits_v1.json"), TUESDAY, TUESDAY) == [forward]


def test_the_clock_and_the_next_page() -> None:
    assert decode.status(page("market_status.json")).server_time == "2023-03-06T16:48:08-05:00"
    assert decode.next_url(page("ticker_list_first_page.json")) is not None
