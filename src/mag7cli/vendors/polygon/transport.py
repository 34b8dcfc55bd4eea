"""One GET at a time to one host, with real time limits; knows nothing of what is asked for or of retries.

It stands in for the urllib3 pool inside the vendor's client, which keeps one connection, never applies its timeouts,
and loses the status and the headers of an answer that is not 200.
"""

import socket
import threading
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlencode, urlsplit
from weakref import WeakSet

import certifi
import urllib3
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import Timeout, make_headers

from mag7cli.core.errors import ConfigError
from mag7cli.vendors.polygon.key import ApiKey
from mag7cli.vendors.polygon.wire import HttpAnswer, NoAnswerError, NotOkError, Timeouts, check_base_url, is_loopback

_CHUNK: Final = 1 << 18
_MAX_BODY: Final = 1 << 28
"""A day of the whole market is under 2 MB: a quarter of a gigabyte is no answer."""


_NO_PROXY_ADDRESS: Final = "HTTPS_PROXY is not the address of a proxy"

_WORDS: Final[Mapping[type[Exception], str]] = {
    ReadTimeoutError: "no answer in time",
    NameResolutionError: "the name of the vendor's host cannot be resolved",
    NewConnectionError: "no connection to the vendor's host",  # a kind of ConnectTimeoutError in urllib3 2
    ConnectTimeoutError: "no connection in time",
}


class Transport:
    """A pool of connections that sends the key to one host only. Safe to share between threads."""

    def __init__(
        self, key: ApiKey, base_url: str, *, timeouts: Timeouts, connections: int, environ: Mapping[str, str]
    ) -> None:
        self._key = key
        self._base_url = check_base_url(base_url)
        self._timeouts = timeouts
        self._connections = _Connections()
        self._pools = _pools(self._base_url, timeouts, connections, environ)
        self._pools.pool_classes_by_scheme = self._connections.pools()
        # For each request to look up the pool of its host takes as long as to read the answer's headers.
        self._pool = self._pools.connection_from_url(self._base_url)
        self._path = urlsplit(self._base_url).path

    def request(
        self,
        method: str,
        url: str,
        fields: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        """Send one request, follow no redirect, repeat nothing. The signature is that of urllib3's pool.

        Raises NotOkError for any status but 200, NoAnswerError if no whole answer came.
        """
        if not url.startswith(self._base_url + "/"):
            raise ConfigError(f"refused to send the key anywhere but to {self._base_url}")
        signed = {**(headers or {}), "Authorization": self._key.authorization()}
        try:
            answer = self._exchange(method, url, dict(fields or {}), signed)
        except (HTTPError, OSError) as error:
            raise self._no_answer(error) from None  # the text of urllib3's own error is not scrubbed
        if answer.status != 200:
            raise NotOkError(answer)
        return answer

    def _exchange(self, method: str, url: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> HttpAnswer:
        deadline = time.monotonic() + self._timeouts.total_s
        target = self._path + url[len(self._base_url) :] + (f"?{urlencode(fields)}" if fields else "")
        response = self._pool.urlopen(
            method,
            target,
            headers=headers,
            redirect=False,
            retries=False,
            assert_same_host=False,  # it is a path
            preload_content=False,
        )
        try:
            return HttpAnswer(response.status, response.headers, self._key.scrub_body(_read(response, deadline)))
        except BaseException:
            response.close()  # half an answer is left on this connection
            raise

    def _no_answer(self, error: HTTPError | OSError) -> NoAnswerError:
        """What to say of a request that got no whole answer."""
        cause = error.original_error if isinstance(error, ProxyError) else error
        reason = self._key.scrub(_reason(error))
        return NoAnswerError(reason, untrusted=isinstance(cause, SSLError) and "CERTIFICATE_VERIFY_FAILED" in reason)

    def close(self) -> None:
        """Cut the requests that are under way, which then raise NoAnswerError, and let go of the connections."""
        self._connections.cut()
        self._pools.clear()


class _Connections:
    """The connections that are open, so that those with a request under way can be cut from another thread."""

    def __init__(self) -> None:
        self._open: WeakSet[HTTPConnection] = WeakSet()
        self._lock = threading.Lock()

    def add(self, connection: HTTPConnection) -> None:
        with self._lock:
            self._open.add(connection)

    def cut(self) -> None:
        with self._lock:
            sockets = [connection.sock for connection in self._open]
        for each in filter(None, sockets):
            with suppress(OSError):  # closed in the meantime
                each.shutdown(socket.SHUT_RDWR)

    def pools(self) -> dict[str, type[HTTPConnectionPool]]:
        """urllib3's pools, whose connections report here."""
        known = self

        class Http(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                known.add(self)

        class Https(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                known.add(self)

        http = type("HttpPool", (HTTPConnectionPool,), {"ConnectionCls": Http})
        https = type("HttpsPool", (HTTPSConnectionPool,), {"ConnectionCls": Https})
        return {"http": http, "https": https}


def _read(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    """The whole body, as far as it comes before the deadline."""
    chunks: list[bytes] = []
    size = 0
    while chunk := response.read1(_CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if time.monotonic() > deadline:
            raise TimeoutError("the answer came too slowly")
        if size > _MAX_BODY:
            raise HTTPError("the answer has no end")
    response.release_conn()
    return b"".join(chunks)


def _reason(error: BaseException) -> str:
    """The error in a person's words, and in the library's own where those tell more."""
    if isinstance(error, ProxyError):
        return f"through the proxy of HTTPS_PROXY: {_reason(error.original_error)}"
    for kind, words in _WORDS.items():
        if isinstance(error, kind):
            return words
    return f"the connection broke: {error}" if isinstance(error, ProtocolError) else str(error)


def _pools(base_url: str, timeouts: Timeouts, connections: int, environ: Mapping[str, str]) -> urllib3.PoolManager:
    """What has the pool for the vendor's host, through the proxy that the environment names for it."""
    proxy = proxy_for(base_url, environ)
    if proxy and not urlsplit(proxy).hostname:
        raise ConfigError(_NO_PROXY_ADDRESS, hint="use http://host:port")
    make = urllib3.PoolManager if proxy is None else partial(urllib3.ProxyManager, proxy, proxy_headers=_login(proxy))
    try:
        return make(
            maxsize=connections,
            timeout=Timeout(connect=timeouts.connect_s, read=timeouts.read_s),
            cert_reqs="CERT_REQUIRED",
            ca_certs=certificates(environ),
        )
    except LocationValueError:  # the message of this one would show the proxy's password
        raise ConfigError(_NO_PROXY_ADDRESS, hint="use http://host:port") from None


def certificates(environ: Mapping[str, str]) -> str:
    """The file of the trusted authorities. Raises ConfigError if the environment names one that is not there."""
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        if path := environ.get(variable):
            if not Path(path).is_file():
                raise ConfigError(f"{variable}: {path}: no such file", hint=f"correct it, or unset {variable}")
            return path
    return certifi.where()


def _login(proxy: str) -> Mapping[str, str]:
    """The header for a proxy whose address has a user and a password."""
    parts = urlsplit(proxy)
    if not parts.username:
        return {}
    return make_headers(proxy_basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}")


def proxy_for(base_url: str, environ: Mapping[str, str]) -> str | None:
    """The proxy for the vendor's host; this machine itself is never asked through one."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if parts.scheme != "https" or is_loopback(host):
        return None
    proxy = _either(environ, "https_proxy") or _either(environ, "all_proxy")
    exceptions = _either(environ, "no_proxy")
    if proxy and exceptions and _bypassed(host, exceptions):
        return None
    return proxy


def _either(environ: Mapping[str, str], name: str) -> str | None:
    """A variable in its small or capital spelling, the small one first, as every tool reads them."""
    return environ.get(name) or environ.get(name.upper()) or None


def _bypassed(host: str, exceptions: str) -> bool:
    """Whether NO_PROXY names the host."""
    return bool(urllib.request.proxy_bypass_environment(host, {"no": exceptions}))  # type: ignore[attr-defined]
