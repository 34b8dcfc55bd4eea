"""The vendor's stream of minute bars over a WebSocket, for as long as the caller asks; the only door to `websockets`.

The vendor's own clients are not used: they end without an error when the server closes, try a refused handshake for
ever without a word, spend six connections in an instant where one is allowed, and end at the first message that they
cannot read (docs/vendor.md has what was measured). Here a lost connection is a notice and is made again after a pause;
what no second try can help is raised.
"""

import logging
import random
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from mag7cli.core.errors import AuthenticationError, MarketDataError, PlanError
from mag7cli.vendors.base import Received, StreamNotice
from mag7cli.vendors.polygon.key import ApiKey
from mag7cli.vendors.polygon.stream_messages import Frame, StatusMessage, parse
from mag7cli.vendors.polygon.wire import check_stream_url, is_loopback

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

_log = logging.getLogger(__name__)

# What `websockets` would log at debug level is every frame, the one with the key among them.
_SILENCE: Final = logging.getLogger(f"{__name__}.frames")
_SILENCE.propagate = False
_SILENCE.setLevel(logging.CRITICAL)

_OPEN_S: Final = 10.0
_HANDSHAKE_S: Final = 10.0
_CLOSE_S: Final = 1.0
_LARGEST_FRAME: Final = 1 << 24  # a minute of the whole market is 2 MB in one frame
_FIRST_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 3.0
# The account's limit counts connections; trying fast takes them from whoever has them.
_LIMIT_PAUSE_S: Final = 60.0
# The server accepts key and subscription before it closes a connection too many: only what lasts is a success.
_STABLE_AFTER_S: Final = 10.0
_SIMULATED_HEADER: Final = "X-Mag7-Simulated"

_OF_THE_PLAN: Final = ("plan", "entitled", "not authorized", "upgrade", "access")
_CERTIFICATES: Final = "behind a proxy that signs for others, name its certificates in SSL_CERT_FILE"


class _LostError(Exception):
    """The connection is over, or never stood; `is_limit` if the account has too many of them."""

    def __init__(self, reason: str, *, is_limit: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_limit = is_limit


class PolygonStream:
    """The minute bars, halts and resumptions of some symbols.

    Args:
        key: Sent in the first message, to the host of `url` only.
        url: Such as wss://delayed.massive.com/stocks.
        symbols: In the vendor's spelling of the day.
        environ: Gives the proxy and the certificates, as for requests.
        monotonic: Seconds that never go backwards; pauses are measured by it.
        sleep: Waits seconds.
        jitter: A number from 0 to 1 for each pause.

    Raises:
        ConfigError: The key would not be safe on the way to `url`.
    """

    def __init__(
        self,
        key: ApiKey,
        url: str,
        symbols: Sequence[str],
        *,
        environ: Mapping[str, str] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.simulated = False
        self._key = key
        self._url = check_stream_url(url)
        self._symbols = tuple(symbols)
        self._environ = dict(environ or {})
        self._monotonic, self._sleep, self._jitter = monotonic, sleep, jitter
        self._connection: ClientConnection | None = None
        self._connected_at = 0.0
        self._failures = 0
        self._try_at = monotonic()
        self._is_subscribed = False

    def receive(self, timeout_s: float) -> Received:
        """The messages of the next frame, or what became of the connection; nothing if neither comes in time."""
        try:
            if self._connection is None:
                return self._connect_in(timeout_s)
            return self._received(parse(self._next_frame(timeout_s)))
        except TimeoutError:
            return Received()
        except _LostError as lost:
            return self._lose(lost)
        except MarketDataError:
            self._let_go()
            raise

    def restart(self, reason: str) -> None:
        """Give up the connection; the next one is made at once."""
        if self._connection is not None:
            _log.info("the stream is started again: %s", reason)
            self._let_go()
            self._try_at = self._monotonic()

    def close(self) -> None:
        """Close the connection."""
        self._let_go()

    # Making a connection

    def _connect_in(self, timeout_s: float) -> Received:
        """Connect, if it is time to; else wait for that time."""
        wait_s = self._try_at - self._monotonic()
        if wait_s > 0:
            self._sleep(min(wait_s, timeout_s))
            if wait_s > timeout_s:
                return Received()
        connection = self._connection = self._open()
        self._connected_at = self._monotonic()
        self._is_subscribed = False
        self.simulated |= _SIMULATED_HEADER in (connection.response.headers if connection.response else {})
        self._log_in(connection)
        self._send(_subscription("AM", self._symbols))
        self._send(_subscription("LULD", self._symbols))
        return Received(notices=(StreamNotice("connected", urlsplit(self._url).hostname or ""),))

    def _open(self) -> "ClientConnection":
        from websockets.exceptions import InvalidStatus, WebSocketException
        from websockets.sync.client import connect

        try:
            # As a context, for alone a connection is deprecated; it is closed by `_let_go`.
            return connect(
                self._url,
                ssl=self._ssl_context(),
                proxy=self._proxy(),
                compression=None,
                open_timeout=_OPEN_S,
                close_timeout=_CLOSE_S,
                max_size=_LARGEST_FRAME,
                user_agent_header="mag7",
                logger=_SILENCE,
            ).__enter__()
        except InvalidStatus as error:
            raise self._refused(error.response.status_code) from None
        except ssl.SSLCertVerificationError as error:
            raise MarketDataError(f"{self._named()}: {error.verify_message}", hint=_CERTIFICATES) from None
        except (WebSocketException, OSError) as error:
            raise _LostError(self._scrubbed(error)) from None

    def _log_in(self, connection: "ClientConnection") -> None:
        """Send the key, once it is sure that the host is the one that it is for: the library follows redirects."""
        host = connection.request.headers.get("Host", "") if connection.request else ""
        if urlsplit(f"//{host}").netloc != urlsplit(self._url).netloc:
            raise MarketDataError(f"{self._named()} points to another host, which does not get the key")
        self._expect("connected")
        self._send(self._key.login())
        self._expect("auth_success")

    def _expect(self, status: str) -> None:
        """Wait for a status of the handshake. Raises what another one means."""
        try:
            frame = parse(self._next_frame(_HANDSHAKE_S))
        except TimeoutError:
            raise _LostError("no answer to the handshake") from None
        for message in frame.statuses:
            if message.status != status:
                self._judge(message)
        if not frame.statuses:
            raise _LostError("the server does not speak as the vendor's does")

    def _refused(self, status: int) -> Exception:
        """What it is to be refused by HTTP, before the first frame."""
        if status == 401:
            return AuthenticationError(f"{self._named()}: {status}", hint="check POLYGON_API_KEY", status=status)
        if status == 403:
            return PlanError(f"{self._named()}: {status}", hint="the key's plan has no stream", status=status)
        if status == 429 or status >= 500:
            return _LostError(f"status {status}")
        return MarketDataError(
            f"{self._named()}: status {status}", hint="is POLYGON_STREAM_URL the address of the vendor?", status=status
        )

    # Messages

    def _next_frame(self, timeout_s: float) -> str | bytes:
        from websockets.exceptions import ConnectionClosed

        assert self._connection is not None
        try:
            return self._connection.recv(timeout=timeout_s)
        except ConnectionClosed as closed:
            raise _LostError(self._scrubbed(closed)) from None

    def _send(self, message: str) -> None:
        from websockets.exceptions import ConnectionClosed

        assert self._connection is not None
        try:
            self._connection.send(message)
        except (ConnectionClosed, OSError) as error:
            raise _LostError(self._scrubbed(error)) from None

    def _received(self, frame: Frame) -> Received:
        for message in frame.statuses:
            self._judge(message)
        if frame.bars:
            self._is_subscribed = True
        return Received(frame.bars, frame.halts, (), frame.rejected)

    def _judge(self, message: StatusMessage) -> None:
        """Act on what the server says of the connection. Raises MarketDataError, _LostError."""
        said = self._key.scrub(" ".join(message.text.split()))
        match message.status:
            case "connected" | "auth_success":
                return
            case "success":
                self._is_subscribed |= "AM." in said
            case "max_connections":
                raise _LostError(said or "too many connections", is_limit=True)
            case "auth_failed" | "error" if _is_of_the_plan(said) and not self._is_subscribed:
                raise PlanError(f"{self._named()}: {said}", hint="the key's plan has no such stream: see --feed")
            case "auth_failed":
                raise AuthenticationError(
                    f"{self._named()}: {said}", hint="check POLYGON_API_KEY: the vendor does not know this key"
                )
            case "error" if "authentication" in said.lower():
                raise AuthenticationError(f"{self._named()}: {said}", hint="check POLYGON_API_KEY")
            case "error":
                _log.info("the stream says: %s", said)  # a channel that the plan does not have, as that of the halts
            case _:
                raise _LostError(f"{message.status}: {said}")

    # Losing it

    def _lose(self, lost: _LostError) -> Received:
        """Let go, and set the time of the next try."""
        now = self._monotonic()
        if self._connection is not None and now - self._connected_at >= _STABLE_AFTER_S:
            self._failures = 0
        self._let_go()
        pause_s = min(_FIRST_PAUSE_S * 2**self._failures, _LONGEST_PAUSE_S) * (0.5 + self._jitter() / 2)
        self._try_at = now + (_LIMIT_PAUSE_S if lost.is_limit else pause_s)
        self._failures = min(self._failures + 1, 10)
        return Received(notices=(StreamNotice("limit" if lost.is_limit else "lost", lost.reason),))

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    # The way there

    def _ssl_context(self) -> ssl.SSLContext | None:
        from mag7cli.vendors.polygon.transport import certificates

        if not self._url.startswith("wss:"):
            return None
        return ssl.create_default_context(cafile=certificates(self._environ))

    def _proxy(self) -> str | None:
        """The proxy that requests to this host would take."""
        from mag7cli.vendors.polygon.transport import proxy_for

        parts = urlsplit(self._url)
        return None if is_loopback(parts.hostname or "") else proxy_for(f"https://{parts.netloc}", self._environ)

    def _named(self) -> str:
        return f"the stream of {urlsplit(self._url).hostname}"

    def _scrubbed(self, error: Exception) -> str:
        return self._key.scrub(" ".join(str(error).split())) or type(error).__name__


def _is_of_the_plan(text: str) -> bool:
    return any(word in text.lower() for word in _OF_THE_PLAN)


def _subscription(channel: str, symbols: Sequence[str]) -> str:
    topics = ",".join(f"{channel}.{symbol}" for symbol in symbols)
    return f'{{"action":"subscribe","params":"{topics}"}}'
