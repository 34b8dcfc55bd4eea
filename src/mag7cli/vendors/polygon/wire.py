"""What passes between us and the vendor's host, without any library: where to, for how long, what came back."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from mag7cli.core.errors import ConfigError

BASE_URL: Final = "https://api.polygon.io"
"""Still served after the vendor's new name; https://api.massive.com answers the same."""

_HINT: Final = f"set POLYGON_BASE_URL to an address such as {BASE_URL}, or unset it"

_STREAM: Final = "set POLYGON_STREAM_URL to an address such as wss://delayed.massive.com/stocks, or unset it"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds for a connection, for each silence of the server, and for a whole answer."""

    connect_s: float = 10.0
    read_s: float = 30.0
    total_s: float = 120.0


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back, whatever its status; `headers` is read without regard to case.

    A repr does not show what the server said: it may repeat the key.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    data: bytes = field(repr=False)


class NotOkError(Exception):
    """An answer other than 200, on its way past the vendor's client, which would keep only its text."""

    def __init__(self, answer: HttpAnswer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class NoAnswerError(Exception):
    """No whole answer came: no connection, a timeout, a cut. `untrusted` is a certificate that nobody vouches for."""

    def __init__(self, reason: str, *, untrusted: bool = False) -> None:
        super().__init__(reason)
        self.untrusted = untrusted


def check_base_url(url: str) -> str:
    """The address without a slash at its end. Raises ConfigError if the key would not be safe on the way there."""
    parts = urlsplit(url.strip())
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError("the vendor's address must be a plain one, without a user, a query or a fragment", hint=_HINT)
    if not parts.hostname or parts.scheme not in ("https", "http"):
        raise ConfigError(f"{url!r} is not the address of a vendor", hint=_HINT)
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ConfigError(f"{url!r} would send the key unencrypted", hint="use https; http is for this machine only")
    return url.strip().rstrip("/")


def check_stream_url(url: str) -> str:
    """The stream's address. Raises ConfigError if the key would not be safe on the way there."""
    parts = urlsplit(url.strip())
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(
            "the stream's address must be a plain one, without a user, a query or a fragment", hint=_STREAM
        )
    if not parts.hostname or parts.scheme not in ("wss", "ws"):
        raise ConfigError(f"{url!r} is not the address of a stream", hint=_STREAM)
    if parts.scheme == "ws" and not is_loopback(parts.hostname):
        raise ConfigError(f"{url!r} would send the key unencrypted", hint="use wss; ws is for this machine only")
    return url.strip()


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, by its name or number."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
