"""The page of `mag7 live --serve` in a real Chromium: it fills itself, refreshes itself, and says when it is old.

Needs Playwright and a Chromium on the machine. Skipped without one, but failing then if MAG7_REQUIRE_BROWSER is 1.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.e2e.test_report_in_browser import browser as browser
from tests.simulators.live_market import DAY, document

from mag7cli.live.follow import FeedStatus, LiveUpdate, Question
from mag7cli.live.page_server import PageServer
from mag7cli.live.prices import PriceBook
from mag7cli.live.share import live_point
from mag7cli.market.intraday import MinuteBar
from mag7cli.market.trading_hours import TradingPhase, trading_hours

pytestmark = pytest.mark.browser

HOURS = trading_hours(DAY)


def update_at(minute: int, scale: float) -> LiveUpdate:
    """A point some minutes after the open, every price moved by the same."""
    base = Question(document(), HOURS).baseline()
    book = PriceBook(HOURS, base.symbols)
    start = HOURS.open + timedelta(minutes=minute)
    for constituent in base.constituents:
        move = scale if constituent.ticker in base.group else 1.0
        book.add(MinuteBar(constituent.symbol, round(start.timestamp() * 1000), constituent.close_usd * move, 1.0))
    now = start + timedelta(seconds=65)
    point = live_point(base, book, TradingPhase.REGULAR, now)
    assert point is not None
    status = FeedStatus("stream", "realtime", True, now, "", 0, 0)
    return LiveUpdate(point, base, status)


def shows(page: Any, place: str, text: str) -> None:
    """Wait until a part of the page shows a text."""
    page.locator(f"{place}:has-text('{text}')").wait_for(timeout=5_000)


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


def test_it_shows_what_came_and_what_comes(page: Any) -> None:
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.clock.install()
    with PageServer(0) as server:
        page.goto(server.url)
        shows(page, "#share", "waiting")

        first, second = update_at(1, 1.01), update_at(2, 1.02)
        server.show(first)
        page.clock.run_for(6_000)
        shows(page, "#share", f"{first.point.share_pct:.2f} %")
        server.show(second)
        page.clock.run_for(6_000)
        shows(page, "#share", f"{second.point.share_pct:.2f} %")

        assert page.locator("#companies tr").count() == 7
        assert page.locator("#simulated").is_visible()
        assert "at 09:33 New York on 2022-11-25" in page.locator("#subject").text_content()
        assert "intraday, unofficial" in page.locator("#caveats").text_content()
        assert len(page.locator("#trend polyline").get_attribute("points").split()) == 2
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert problems == []


def test_it_says_that_it_is_old_when_the_session_is_over(page: Any) -> None:
    page.clock.install()
    with PageServer(0) as server:
        server.show(update_at(1, 1.01))
        page.goto(server.url)
        shows(page, "#companies", "TSLA")
    page.clock.run_for(6_000)

    shows(page, "#connection", "what is shown is old")


def test_a_lost_connection_of_the_vendor_is_said(page: Any) -> None:
    lost = update_at(1, 1.01)
    with PageServer(0) as server:
        server.show(replace(lost, status=replace(lost.status, is_connected=False, reason="503")))
        page.goto(server.url)
        shows(page, "#caveats", "no connection to the vendor")
