"""Market data from Polygon.io (Massive) over HTTP: every request paced, repeated where that can help, and judged.

How requests are spelt is `client`'s, what a refusal means `faults`', what a body means `decode`'s. The client, urllib3
and tenacity are imported with the first request: a run that finds nothing to ask does not wait for them.
"""

import logging
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, TypeVar

from mag7cli.core.clock import Clock
from mag7cli.core.errors import MalformedResponseError, MarketDataError, TickerNotFoundError
from mag7cli.market.bar_series import BarSeries, joined
from mag7cli.market.intraday import Snapshot
from mag7cli.market.records import Bar, Split, TickerDetails
from mag7cli.vendors.base import VendorStatus
from mag7cli.vendors.polygon import decode, faults
from mag7cli.vendors.polygon.decode import Body
from mag7cli.vendors.polygon.key import ApiKey
from mag7cli.vendors.polygon.wire import BASE_URL, HttpAnswer, NoAnswerError, Timeouts, check_base_url
from mag7cli.vendors.rate_limit import RateLimiter, Slot

if TYPE_CHECKING:
    from mag7cli.vendors.polygon.client import ClientName, VendorClient
    from mag7cli.vendors.retry import Retry

logger = logging.getLogger(__name__)

T = TypeVar("T")
Send = Callable[["VendorClient"], HttpAnswer]

_SYMBOL: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,9}(\.[A-Za-z]{1,4}){0,2}")
_MOST_PAGES: Final = 1_000
_SIMULATED_HEADER: Final = "X-Mag7-Simulated"


@dataclass(frozen=True, slots=True)
class Question:
    """A request in the words of an error message, and the kind under which it is counted."""

    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class _Connection:
    client: "VendorClient"
    retry: "Retry"


class PolygonSource:
    """The vendor behind `vendor.MarketDataSource`. Safe to share between threads.

    Every request passes `limiter`; it is asked again at most `max_attempts` times in all if that can help. `client` is
    one of the vendor's two clients by name, by default the one that is installed.
    `environ` gives the proxy and the certificates (HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE, REQUESTS_CA_BUNDLE).
    Raises ConfigError for an address to which the key would not be safe.
    """

    name = "polygon"

    def __init__(
        self,
        key: ApiKey,
        *,
        limiter: RateLimiter,
        clock: Clock,
        base_url: str = BASE_URL,
        timeouts: Timeouts = Timeouts(),  # noqa: B008  frozen
        max_attempts: int = 5,
        workers: int = 32,
        environ: Mapping[str, str] | None = None,
        jitter: Callable[[], float] = random.random,
        client: "ClientName | None" = None,
    ) -> None:
        self.simulated = False
        self._client_name = client
        self._key = key
        self._limiter = limiter
        self._clock = clock
        self._base_url = check_base_url(base_url)
        self._timeouts = timeouts
        self._max_attempts = max_attempts
        self._workers = workers
        self._environ = dict(environ or {})
        self._jitter = jitter
        self._lock = threading.Lock()
        self._decoding = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._made: _Connection | None = None

    @property
    def version(self) -> str:
        """The vendor's client and its version."""
        return self._connection().client.version

    def details(self, symbol: str, on: date) -> TickerDetails:
        """What was known of `symbol` for `on`; weekends and holidays answer for the session before."""
        question = Question("details", f"details of {_checked(symbol)} for {on}")
        return self._ask(
            question, lambda client: client.details(symbol, on), lambda page: decode.details(page, symbol, on)
        )

    def grouped_bars(self, on: date) -> Mapping[str, Bar]:
        """The unadjusted bars of every security that traded `on`; empty if the market was closed."""
        question = Question("grouped", f"bars of the whole market for {on}")
        return self._ask(question, lambda client: client.grouped(on), lambda page: decode.grouped(page, on))

    def bars(self, symbol: str, start: date, end: date) -> BarSeries:
        """The unadjusted daily bars of one symbol, oldest first, both ends included."""
        question = Question("bars", f"bars of {_checked(symbol)} from {start} to {end}")
        return joined(
            self._ask_pages(
                question,
                lambda client: client.bars(symbol, start, end),
                lambda page: [decode.bars(page, symbol, start, end)],
            )
        )

    def splits(self, start: date, end: date) -> list[Split]:
        """All splits of the market with an execution date from `start` to `end`, in the vendor's order."""
        question = Question("splits", f"splits from {start} to {end}")
        try:
            return self._ask_pages(
                question, lambda client: client.splits(start, end), lambda page: decode.splits(page, start, end)
            )
        except MarketDataError as error:
            if error.status not in (404, 410):
                raise
            logger.info("%s; asking its successor", error)
        return self.splits_with_factors(start, end)

    def splits_with_factors(self, start: date, end: date) -> list[Split]:
        """The same by the list's successor, each row with its adjustment factor."""
        question = Question("splits", f"splits from {start} to {end}, with factors")
        return self._ask_pages(
            question, lambda client: client.splits_v1(start, end), lambda page: decode.splits(page, start, end)
        )

    def snapshots(self, symbols: Sequence[str]) -> list[Snapshot]:
        """Where securities stand at this moment, or a quarter of an hour ago, as the plan has it."""
        question = Question("snapshots", f"snapshots of {len(symbols)} symbols")
        checked = [_checked(symbol) for symbol in symbols]
        return self._ask(question, lambda client: client.snapshots(checked), decode.snapshots)

    def status(self) -> VendorStatus:
        """The vendor's clock; the cheapest call that proves the key."""
        return self._ask(Question("status", "the vendor's clock"), lambda client: client.status(), decode.status)

    def calls(self) -> Mapping[str, int]:
        """HTTP requests sent so far, by kind, retries included."""
        with self._lock:
            return dict(self._counts)

    def close(self) -> None:
        """Let go of the connections; the next request makes new ones."""
        with self._lock:
            connection, self._made = self._made, None
        if connection:
            connection.client.close()

    # One question, and the pages of one

    def _ask(self, question: Question, send: Send, meaning: Callable[[Body], T]) -> T:
        """The answer to one request, asked again where that can help."""
        connection = self._connection()
        return connection.retry(lambda: self._attempt(question, lambda: send(connection.client), meaning))

    def _ask_pages(self, question: Question, send: Send, meaning: Callable[[Body], list[T]]) -> list[T]:
        """The rows of all pages."""
        collected: list[T] = []
        seen: set[str] = set()
        while True:
            rows, following = self._ask(question, send, lambda page: (meaning(page), decode.next_url(page)))
            collected += rows
            if following is None:
                return collected
            if following in seen or len(seen) == _MOST_PAGES:
                raise MalformedResponseError(f"{question.words}: the pages have no end", status=200)
            seen.add(following)
            send = _next_page(following)

    def _attempt(self, question: Question, send: Callable[[], HttpAnswer], meaning: Callable[[Body], T]) -> T:
        """One request and what its answer means. Raises MarketDataError."""
        answer = self._exchange(question, send)
        error = faults.refusal(answer, question.words, self._key.scrub)
        if error is not None:
            raise error
        try:
            # What is decoded takes many times the memory of the body, and two at once are no faster.
            with self._decoding:
                return meaning(decode.body(answer.data))
        except decode.ShapeError as shape:
            # Not chained: the vendor's text is scrubbed in this message, but not in the other.
            raise faults.malformed(answer, question.words, self._key.scrub(str(shape))) from None

    def _exchange(self, question: Question, send: Callable[[], HttpAnswer]) -> HttpAnswer:
        """One request at its turn; the limiter learns from the answer. Raises MarketDataError if none comes."""
        with self._limiter.slot() as slot:
            with self._lock:
                self._counts[question.kind] += 1
            try:
                answer = send()
            except NoAnswerError as failure:
                raise faults.no_answer(failure, question.words) from None
            self._learn(slot, answer)
        if _SIMULATED_HEADER in answer.headers:
            self.simulated = True
        logger.debug("%s: status %d, %d bytes", question.words, answer.status, len(answer.data))
        return answer

    def _learn(self, slot: Slot, answer: HttpAnswer) -> None:
        """Tell the limiter what the vendor's answer says of the pace."""
        if answer.status == 429:
            self._limiter.penalise(slot, faults.retry_after_s(answer.headers, self._clock.now()))
            return
        self._limiter.accepted(slot)
        if answer.status == 503 and (pause_s := faults.retry_after_s(answer.headers, self._clock.now())):
            self._limiter.hold(pause_s)

    def _connection(self) -> _Connection:
        """The client and its retries, made with the first request."""
        with self._lock:
            if self._made is None:
                self._made = self._connect()
            return self._made

    def _connect(self) -> _Connection:
        from mag7cli.vendors.polygon.client import VendorClient
        from mag7cli.vendors.polygon.transport import Transport
        from mag7cli.vendors.retry import Retry, full_jitter

        transport = Transport(
            self._key, self._base_url, timeouts=self._timeouts, connections=self._workers, environ=self._environ
        )
        retry = Retry(self._max_attempts, faults.RETRIED, pause=full_jitter(self._jitter), wait=self._limiter.wait)
        return _Connection(VendorClient(transport, self._base_url, self._client_name), retry)


def _next_page(address: str) -> Send:
    return lambda client: client.next_page(address)


def _checked(symbol: str) -> str:
    """The symbol, if it can be one: it becomes a part of a path. Raises TickerNotFoundError."""
    if _SYMBOL.fullmatch(symbol) is None:
        raise TickerNotFoundError(
            f"{symbol!r} cannot be a symbol of the vendor", hint="share classes are written with a dot: BRK.B"
        )
    return symbol
