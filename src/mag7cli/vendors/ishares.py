"""The issuer's web site, asked for a fund's holdings file of a day: one at a time, slowly, and never taken on trust.

The site answers 200 for everything: a file, a template without holdings for a day off, a page for a browser. So what
came is parsed and its day compared before anybody gets it. Knows nothing of the lake: whoever asks, keeps it.
"""

import logging
import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from mag7cli.core.clock import Clock, SystemClock
from mag7cli.core.errors import (
    HoldingsFormatError,
    MarketDataError,
    NoHoldingsError,
    UsageError,
    VendorUnavailableError,
)
from mag7cli.market import calendar
from mag7cli.market.holdings_file import Holdings, parse

if TYPE_CHECKING:
    import requests

URL_VARIABLE: Final = "MAG7_HOLDINGS_URL"

# Undocumented; several authors read it from 2026-07 on, for days from 2010 to 2026-10. The `.ajax` address of the older
# tutorials has answered with the product page since 2026-07. 239726 is IVV.
DEFAULT_URL: Final = (
    "https://www.blackrock.com/varnish-api/blk-one01-product-data/product-data/api/v1/get-fund-document"
    "?appType=PRODUCT_PAGE&appSubType=ISHARES&targetSite=us-ishares&locale=en_US&userType=individual"
    "&component=holdings&portfolioId=239726"
)

Every = Literal["week", "month", "quarter"]

_log = logging.getLogger(__name__)

# Without the look of a browser the site sends a page that asks for one.
_HEADERS: Final = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
    "Accept": "text/csv,*/*;q=0.8",
}
_CONNECT_S: Final = 10.0
_SILENCE_S: Final = 30.0
_WHOLE_S: Final = 120.0
_LARGEST: Final = 32 << 20  # IVV's file has 90 kB, the whole product page 2 MB
_SPACING_S: Final = 2.0  # nobody was refused at this pace
_ATTEMPTS: Final = 4
_REDIRECTS: Final = 3
_LONGEST_WAIT_S: Final = 120.0
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})

# The archive has no file for single days here and there.
_SESSIONS_BACK: Final = 5

_BY_HAND: Final = "save the file with a browser, then: mag7 tickers FILE"
_LATER: Final = f"try again later, or {_BY_HAND}"
_BROKEN: Final = "the connection broke"


class Download(NamedTuple):
    """A holdings file as it came, and what is in it."""

    holdings: Holdings
    data: bytes


class HoldingsSite:
    """The issuer's site. `url` is the address without a day (MAG7_HOLDINGS_URL, else the built-in one).

    Requests are two seconds apart; what may pass is asked again, four times in all. For one thread.
    """

    def __init__(self, url: str | None = None, *, clock: Clock | None = None) -> None:
        self._url = _checked(url or os.environ.get(URL_VARIABLE) or DEFAULT_URL)
        self._clock = clock or SystemClock()
        self._next_s = 0.0
        self._session: requests.Session | None = None

    def download(self, as_of: date | None = None) -> Download:
        """The holdings of a day, of the latest one without a day.

        Raises NoHoldingsError if the issuer has none for that day, HoldingsFormatError for anything but a holdings
        file of that day, VendorUnavailableError if the site did not answer.
        """
        data = self._get(_address(self._url, as_of))
        name = f"{urlsplit(self._url).hostname}, holdings of {as_of or 'the latest day'}"
        holdings = _parsed(data, name)
        if holdings.as_of is None or (as_of and holdings.as_of != as_of):
            problem = f"are of {holdings.as_of}" if holdings.as_of else "have no day"
            raise HoldingsFormatError(f"{name}: what came {problem}", hint=_BY_HAND)
        return Download(holdings, data)

    def latest(self, address: str | None = None) -> bytes:
        """What an address of any issuer answers, by default this site's, as it came and unread; paced like the rest.

        Raises HoldingsFormatError for a refusal, VendorUnavailableError if nobody answered, UsageError for no address.
        """
        return self._get(self._url if address is None else _checked(address))

    def history(self, days: Iterable[date], known: Collection[date] = ()) -> Iterator[Download]:
        """The files of `days`; where a day has none, the one of the latest of the five sessions before that has one.

        Files of `known` days are not asked for again. Each file is given as soon as it is there, so that a run that
        ends early has lost nothing. Raises as `download` does, but a gap in the issuer's archive is only logged.
        """
        have = set(known)
        for day in days:
            download = self._latest_by(day, have)
            if download and download.holdings.as_of:
                have.add(download.holdings.as_of)
                yield download

    def _latest_by(self, day: date, have: Collection[date]) -> Download | None:
        """The file of a day or of a session shortly before, None if one of those is there already or none has any."""
        session = calendar.session_on_or_before(day)
        for _ in range(1 + _SESSIONS_BACK):
            if session in have:
                return None
            try:
                return self.download(session)
            except NoHoldingsError:
                _log.info("the issuer has no holdings of %s", session)
            session = calendar.previous_session(session)
        _log.warning("the issuer has no holdings of %s, nor of the %d sessions before", day, _SESSIONS_BACK)
        return None

    def _get(self, address: str) -> bytes:
        """The body, asked for again where that may help."""
        from mag7cli.vendors.retry import Retry

        retry = Retry(_ATTEMPTS, (_NotServedError,), pause=_pause_s, wait=self._clock.sleep)
        return retry(lambda: self._get_once(address))

    def _get_once(self, address: str) -> bytes:
        import requests

        self._keep_apart()
        host = urlsplit(address).hostname
        try:
            status, headers, data = self._exchange(address)
        except (requests.RequestException, OSError) as error:
            raise _NotServedError(f"{host}: {_words(error)}", hint=_LATER) from error
        if status in _PASSING:
            refusal = _NotServedError(f"{host}: answered {status}", hint=_LATER, status=status)
            refusal.retry_after = headers.get("Retry-After")
            raise refusal
        if status != 200:
            raise HoldingsFormatError(
                f"{host}: answered {status} instead of a holdings file", hint=f"{_BY_HAND} (or set {URL_VARIABLE})"
            )
        return data

    def _exchange(self, address: str) -> tuple[int, Mapping[str, str], bytes]:
        if self._session is None:
            self._session = _new_session(address)
        with self._session.get(address, stream=True, timeout=(_CONNECT_S, _SILENCE_S)) as response:
            return response.status_code, response.headers, _read(response)

    def _keep_apart(self) -> None:
        wait_s = self._next_s - self._clock.monotonic()
        if self._next_s and wait_s > 0:
            self._clock.sleep(wait_s)
        self._next_s = self._clock.monotonic() + _SPACING_S


class _NotServedError(VendorUnavailableError):
    """A failure that may pass. `retry_after` is the header of that name."""

    retry_after: str | None = None


def days_to_ask(first: date, last: date, every: Every) -> list[date]:
    """The last session of each week, month or quarter up to `last`, oldest first, and before them the one by `first`.

    That one comes first because a trading date uses the latest file on or before it. Raises CalendarError.
    """
    ends = [list(group)[-1] for _, group in groupby(calendar.sessions(first, last), key=_PERIODS[every])]
    return sorted({calendar.session_on_or_before(first), *ends})


_PERIODS: Final = {
    "week": lambda day: day.isocalendar()[:2],
    "month": lambda day: (day.year, day.month),
    "quarter": lambda day: (day.year, (day.month - 1) // 3),
}


def _parsed(data: bytes, name: str) -> Holdings:
    """What came, read; the hint is for somebody who just tried to download it."""
    try:
        return parse(data, name)
    except NoHoldingsError:
        raise
    except HoldingsFormatError as error:
        raise HoldingsFormatError(str(error), hint=_BY_HAND) from error


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            f"{url!r} is not an address of holdings files", hint=f"unset {URL_VARIABLE} for the built-in one"
        )
    return url


def _address(url: str, as_of: date | None) -> str:
    """The address with the day in the query, as the site wants it: asOfDate=20241206."""
    if as_of is None:
        return url
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "asOfDate"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("asOfDate", f"{as_of:%Y%m%d}")])))


def _new_session(address: str) -> "requests.Session":
    """A connection to the site, through the proxy that the environment names for it.

    The environment is read here and not by requests, which would also send what ~/.netrc has for the host.
    """
    import certifi
    import requests

    session = requests.Session()
    session.trust_env = False
    session.proxies = requests.utils.get_environ_proxies(address)
    session.verify = os.environ.get("SSL_CERT_FILE") or os.environ.get("REQUESTS_CA_BUNDLE") or certifi.where()
    session.max_redirects = _REDIRECTS
    session.headers.update(_HEADERS)
    return session


def _read(response: "requests.Response") -> bytes:
    """The whole body; raises OSError if it is too slow or has no end."""
    deadline = time.monotonic() + _WHOLE_S
    chunks: list[bytes] = []
    for chunk in response.iter_content(1 << 16):
        chunks.append(chunk)
        if time.monotonic() > deadline:
            raise TimeoutError("the answer came too slowly")
        if sum(map(len, chunks)) > _LARGEST:
            raise OSError("the answer has no end")
    return b"".join(chunks)


def _pause_s(error: MarketDataError, attempts: int) -> float:
    """Seconds before the next attempt: what the site asks for within reason, else 4, 8, 16."""
    header = getattr(error, "retry_after", None)
    if header and header.strip().isdigit():
        return min(float(header), _LONGEST_WAIT_S)
    return 2.0 * 2.0**attempts


def _words(error: BaseException) -> str:
    """The failure in a person's words, not in the library's own: those may show the password of a proxy."""
    from urllib3 import exceptions

    words = {
        exceptions.ProxyError: "the proxy did not let the request through",
        exceptions.SSLError: "no secure connection",
        exceptions.NewConnectionError: "cannot be reached",
        exceptions.ConnectTimeoutError: "cannot be reached in time",
        exceptions.ReadTimeoutError: "no answer in time",
        TimeoutError: "the answer came too slowly",
    }
    causes = _causes(error)
    return next((text for kind, text in words.items() if any(isinstance(cause, kind) for cause in causes)), _BROKEN)


def _causes(error: BaseException) -> list[BaseException]:
    """The error and those that it arose from: requests wraps what urllib3 says, which wraps what the socket says."""
    chain = [error]
    while cause := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(cause)
    return chain
