"""The page's server: loopback, four addresses, and only for a browser that asks this machine by name."""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from mag7cli.core.clock import NEW_YORK
from mag7cli.core.errors import UsageError
from mag7cli.live.follow import MarketClosed
from mag7cli.live.page_server import PageServer

NOW = datetime(2024, 12, 14, 11, 0, tzinfo=NEW_YORK)


@pytest.fixture
def page() -> Iterator[PageServer]:
    with PageServer(0) as server:
        yield server


def get(url: str, host: str | None = None) -> tuple[int, bytes, dict[str, str]]:
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, b"", {}


def test_the_page_and_its_parts_are_there_and_nothing_else(page: PageServer) -> None:
    for path in ("", "live.css", "live.js", "state.json"):
        status, body, headers = get(page.url + path)
        assert (status, bool(body)) == (200, True)
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    for path in ("../page_server.py", "assets/live.html", "state"):
        assert get(page.url + path)[0] == 404


def test_before_anything_came_there_is_no_point_and_a_closed_market_says_when_it_opens(page: PageServer) -> None:
    assert json.loads(get(page.url + "state.json")[1]) == {"latest": None, "series": []}

    page.show(MarketClosed(NOW, NOW + timedelta(days=2), NOW + timedelta(days=2, hours=5)))

    assert json.loads(get(page.url + "state.json")[1])["latest"]["phase"] == "closed"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::2]"])
def test_a_page_from_elsewhere_cannot_have_a_browser_read_it(page: PageServer, host: str) -> None:
    assert get(page.url + "state.json", host)[0] == 403


def test_it_answers_get_only_and_this_machine_only(page: PageServer) -> None:
    request = urllib.request.Request(page.url, data=b"x", method="POST")
    with pytest.raises(urllib.error.HTTPError, match="501"):
        urllib.request.urlopen(request, timeout=5)
    assert page.url.startswith("http://127.0.0.1:")


def test_a_port_that_is_taken_is_one_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="--serve"):
            PageServer(taken.getsockname()[1])
