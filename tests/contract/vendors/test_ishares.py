"""The issuer's site over real HTTP: what it is asked, how often, and what of its answers is believed."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.simulators.fake_clock import FakeClock
from tests.simulators.http_script import Cut, Hangs, Resets, Says, ScriptedServer

from mag7cli.core.errors import HoldingsFormatError, NoHoldingsError, UsageError, VendorUnavailableError
from mag7cli.vendors.ishares import DEFAULT_URL, HoldingsSite, days_to_ask

if TYPE_CHECKING:
    from tests.simulators.http_script import _Handler

PATH = "/get-fund-document"
FRIDAY = date(2022, 6, 10)
THURSDAY = date(2022, 6, 9)
PAGE = b"<!DOCTYPE html><html><head><title>Invented fund</title></head></html>"


def file_of(day: date) -> bytes:
    return (
        f'\ufeffInvented Fund\nFund Holdings as of,"{day:%b %d, %Y}"\n\u00a0\n'
        "Ticker,Name,Asset Class,Weight (%),Price\n"
        '"META","META PLATFORMS INC CLASS A","Equity","60.00","160.00"\n'
        '"BRKB","BERKSHIRE HATHAWAY INC CLASS B","Equity","40.00","270.27"\n'
        '\u00a0\n"An invented footer."'
    ).encode()


TEMPLATE = (
    b'\xef\xbb\xbfInvented Fund\nFund Holdings as of,"-"\n\nTicker,Name,Asset Class,Weight (%),Price\n\n"Footer."'
)


@dataclass(frozen=True)
class Archive:
    """Answers with the file of the day that is asked for; without one with the empty template, as the issuer does."""

    days: frozenset[date]

    def play(self, handler: "_Handler") -> None:
        asked = parse_qs(urlsplit(handler.path).query)["asOfDate"][0]
        day = date(int(asked[:4]), int(asked[4:6]), int(asked[6:]))
        Says(file_of(day) if day in self.days else TEMPLATE).play(handler)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "MAG7_HOLDINGS_URL"):
        monkeypatch.delenv(name, raising=False)
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def site(server: ScriptedServer, clock: FakeClock) -> HoldingsSite:
    return HoldingsSite(f"{server.url}{PATH}?component=holdings&portfolioId=1", clock=clock)


def asked_days(server: ScriptedServer) -> list[str]:
    return [seen.query.get("asOfDate", "latest") for seen in server.requests]


def test_the_file_of_a_day_comes_with_its_bytes_as_they_were(server: ScriptedServer, site: HoldingsSite) -> None:
    server.on(PATH, Says(file_of(FRIDAY)))

    holdings, data = site.download(FRIDAY)

    assert (holdings.as_of, holdings.tickers) == (FRIDAY, ["META", "BRK.B"])
    assert data == file_of(FRIDAY)


def test_the_day_is_added_to_the_configured_address_and_the_client_looks_like_a_browser(
    server: ScriptedServer, site: HoldingsSite
) -> None:
    server.on(PATH, Says(file_of(FRIDAY)))

    site.download(FRIDAY)

    seen = server.requests[0]
    assert seen.query == {"component": "holdings", "portfolioId": "1", "asOfDate": "20220610"}
    assert seen.headers["User-Agent"].startswith("Mozilla/5.0")


def test_without_a_day_the_latest_is_asked_for(server: ScriptedServer, site: HoldingsSite) -> None:
    server.on(PATH, Says(file_of(FRIDAY)))

    assert site.download().holdings.as_of == FRIDAY
    assert asked_days(server) == ["latest"]


def test_the_address_comes_from_the_environment_where_none_is_given(
    server: ScriptedServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on(PATH, Says(file_of(FRIDAY)))
    monkeypatch.setenv("MAG7_HOLDINGS_URL", f"{server.url}{PATH}?asOfDate=19990101")

    HoldingsSite(clock=clock).download(FRIDAY)

    assert asked_days(server) == ["20220610"]


def test_the_built_in_address_is_the_one_that_works() -> None:
    parts = urlsplit(DEFAULT_URL)

    assert parts.hostname == "www.blackrock.com"
    assert parse_qs(parts.query)["portfolioId"] == ["239726"]


@pytest.mark.parametrize("url", ["IVV", "ftp://example.com/x", "file:///etc/passwd", "https://"])
def test_an_address_that_is_none_is_refused_before_anything_is_asked(url: str) -> None:
    with pytest.raises(UsageError, match="is not an address of holdings files"):
        HoldingsSite(url)


def test_a_day_off_is_told_as_such(server: ScriptedServer, site: HoldingsSite) -> None:
    server.on(PATH, Says(TEMPLATE))

    with pytest.raises(NoHoldingsError, match="holdings of 2022-06-11: the issuer has no holdings for that date"):
        site.download(date(2022, 6, 11))
    assert len(server.requests) == 1


def test_a_file_of_another_day_is_refused(server: ScriptedServer, site: HoldingsSite) -> None:
    server.on(PATH, Says(file_of(THURSDAY)))

    with pytest.raises(HoldingsFormatError, match="holdings of 2022-06-10: what came are of 2022-06-09"):
        site.download(FRIDAY)


def test_a_web_page_with_status_200_is_refused_and_not_asked_for_again(
    server: ScriptedServer, site: HoldingsSite
) -> None:
    server.on(PATH, Says(PAGE, headers={"Content-Type": "text/csv"}))

    with pytest.raises(HoldingsFormatError, match="is a web page") as refused:
        site.download(FRIDAY)
    assert refused.value.hint == "save the file with a browser, then: mag7 tickers FILE"
    assert len(server.requests) == 1


def test_a_refusal_is_not_asked_for_again(server: ScriptedServer, site: HoldingsSite) -> None:
    server.on(PATH, Says(PAGE, 403))

    with pytest.raises(HoldingsFormatError, match="answered 403 instead of a holdings file"):
        site.download(FRIDAY)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "fault", [Says(b"", 503), Says(b"", 429), Resets(), Cut(file_of(FRIDAY)[:80])], ids=["503", "429", "reset", "cut"]
)
def test_what_may_pass_is_asked_for_again_after_a_growing_wait(
    fault: Says, server: ScriptedServer, site: HoldingsSite, clock: FakeClock
) -> None:
    server.on(PATH, fault, fault, Says(file_of(FRIDAY)))

    assert site.download(FRIDAY).holdings.as_of == FRIDAY
    assert clock.elapsed == 4.0 + 8.0


def test_the_wait_that_the_site_asks_for_is_kept_within_reason(
    server: ScriptedServer, site: HoldingsSite, clock: FakeClock
) -> None:
    server.on(
        PATH,
        Says(b"", 429, {"Retry-After": "30"}),
        Says(b"", 429, {"Retry-After": "86400"}),
        Says(file_of(FRIDAY)),
    )

    site.download(FRIDAY)

    assert clock.elapsed == 30.0 + 120.0


def test_a_site_that_stays_down_ends_in_one_line(server: ScriptedServer, site: HoldingsSite) -> None:
    server.on(PATH, Says(b"", 503))

    with pytest.raises(VendorUnavailableError, match=r"127\.0\.0\.1: answered 503 \(asked 4 times\)") as failed:
        site.download(FRIDAY)
    assert (failed.value.status, len(server.requests)) == (503, 4)


def test_a_site_that_is_not_there_is_told_without_the_librarys_words(clock: FakeClock) -> None:
    with ScriptedServer() as gone:
        url = gone.url

    with pytest.raises(VendorUnavailableError, match=r"^127\.0\.0\.1: cannot be reached \(asked 4 times\)$"):
        HoldingsSite(url, clock=clock).download(FRIDAY)


def test_a_proxy_that_is_not_there_is_told_without_its_password(
    server: ScriptedServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer() as gone:
        proxy = gone.url.replace("http://", "http://user:tell-nobody@")
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    with pytest.raises(
        VendorUnavailableError, match=r"^issuer\.test: the proxy did not let the request through"
    ) as told:
        HoldingsSite("https://issuer.test/file", clock=clock).download(FRIDAY)
    assert "tell-nobody" not in str(told.value)


def test_a_site_that_falls_silent_is_not_waited_for(
    server: ScriptedServer, site: HoldingsSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mag7cli.vendors.ishares._SILENCE_S", 0.05)
    server.on(PATH, Hangs())

    with pytest.raises(VendorUnavailableError, match=r"no answer in time \(asked 4 times\)$"):
        site.download(FRIDAY)


def test_requests_keep_two_seconds_apart(server: ScriptedServer, site: HoldingsSite, clock: FakeClock) -> None:
    server.on(PATH, Archive(frozenset({THURSDAY, FRIDAY})))

    site.download(THURSDAY)
    site.download(FRIDAY)

    assert clock.elapsed == 2.0


def test_a_history_asks_for_its_days_and_for_sessions_before_a_gap(server: ScriptedServer, site: HoldingsSite) -> None:
    days = [date(2022, 4, 29), date(2022, 5, 31)]
    server.on(PATH, Archive(frozenset({date(2022, 4, 29), date(2022, 5, 26)})))

    found = [download.holdings.as_of for download in site.history(days)]

    assert found == [date(2022, 4, 29), date(2022, 5, 26)]
    assert asked_days(server) == ["20220429", "20220531", "20220527", "20220526"]


def test_a_history_does_not_ask_for_what_is_kept(server: ScriptedServer, site: HoldingsSite) -> None:
    days = [date(2022, 4, 29), date(2022, 5, 31)]
    server.on(PATH, Archive(frozenset({date(2022, 4, 29)})))

    assert list(site.history(days, known=days)) == []
    assert server.requests == []


def test_a_history_that_was_interrupted_behind_a_gap_asks_only_for_the_gap(
    server: ScriptedServer, site: HoldingsSite
) -> None:
    server.on(PATH, Archive(frozenset()))

    assert list(site.history([date(2022, 5, 31)], known=[date(2022, 5, 26)])) == []
    assert asked_days(server) == ["20220531", "20220527"]


def test_a_hole_in_the_archive_is_logged_and_the_rest_goes_on(
    server: ScriptedServer, site: HoldingsSite, caplog: pytest.LogCaptureFixture
) -> None:
    server.on(PATH, Archive(frozenset({FRIDAY})))

    with caplog.at_level(logging.WARNING):
        found = [download.holdings.as_of for download in site.history([date(2022, 4, 29), FRIDAY])]

    assert found == [FRIDAY]
    assert len(server.requests) == 7
    assert "no holdings of 2022-04-29, nor of the 5 sessions before" in caplog.text


def test_a_history_gives_each_file_before_it_asks_for_the_next(server: ScriptedServer, site: HoldingsSite) -> None:
    server.on(PATH, Archive(frozenset({THURSDAY, FRIDAY})))

    first = next(site.history([THURSDAY, FRIDAY]))

    assert first.holdings.as_of == THURSDAY
    assert asked_days(server) == ["20220609"]


def test_the_days_of_a_history_are_the_last_sessions_of_its_months_and_one_before_them() -> None:
    assert days_to_ask(date(2021, 1, 1), date(2021, 4, 15), "month") == [
        date(2020, 12, 31),
        date(2021, 1, 29),
        date(2021, 2, 26),
        date(2021, 3, 31),
        date(2021, 4, 15),
    ]


def test_a_history_can_be_by_week_or_by_quarter() -> None:
    assert days_to_ask(date(2021, 1, 4), date(2021, 12, 31), "quarter") == [
        date(2021, 1, 4),
        date(2021, 3, 31),
        date(2021, 6, 30),
        date(2021, 9, 30),
        date(2021, 12, 31),
    ]
    weeks = days_to_ask(date(2021, 1, 1), date(2021, 1, 22), "week")
    assert weeks == [date(2020, 12, 31), date(2021, 1, 8), date(2021, 1, 15), date(2021, 1, 22)]
