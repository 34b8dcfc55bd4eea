"""The vendor over HTTP: `open_source` builds a `vendor.MarketDataSource` from the environment and the run's options.

source    the requests the product makes, each paced, repeated where that can help, and judged
client    how they are spelt: the only importer of the vendor's client, so that `massive` can replace it there
transport one request at a time with real time limits, and the key for one host only
faults    what a refusal means, and which may pass;  decode  what a body means
stream    minute bars over a WebSocket;  stream_messages  what a frame means
key       the API key, which nothing shows;  wire  addresses, time limits, answers
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from mag7cli.core.clock import Clock, SystemClock
from mag7cli.core.errors import ConfigError
from mag7cli.vendors import subscription
from mag7cli.vendors.polygon.key import ApiKey, api_key_from
from mag7cli.vendors.polygon.source import PolygonSource
from mag7cli.vendors.polygon.wire import BASE_URL, Timeouts, is_loopback
from mag7cli.vendors.rate_limit import Budget, Cancel, Rate, RateLimiter
from mag7cli.vendors.subscription import Feed

if TYPE_CHECKING:
    from mag7cli.vendors.polygon.stream import PolygonStream

__all__ = [
    "BASE_URL",
    "BASE_URL_VARIABLE",
    "STREAM_URLS",
    "STREAM_URL_VARIABLE",
    "ApiKey",
    "PolygonSource",
    "Timeouts",
    "api_key_from",
    "open_source",
    "open_stream",
]

BASE_URL_VARIABLE: Final = "POLYGON_BASE_URL"
STREAM_URL_VARIABLE: Final = "POLYGON_STREAM_URL"

STREAM_URLS: Final[Mapping[Feed, str]] = {
    "delayed": "wss://delayed.massive.com/stocks",
    "realtime": "wss://socket.massive.com/stocks",
}
"""The vendor's streams: on the plans up to Developer a quarter of an hour late, on Advanced at once."""


def open_source(
    environ: Mapping[str, str],
    *,
    plan: str = subscription.DEFAULT_PLAN,
    rate: Rate | None = None,
    api_key_command: str | None = None,
    workers: int = 32,
    clock: Clock | None = None,
    cancel: Cancel | None = None,
    budget: Budget | None = None,
) -> PolygonSource:
    """The vendor with the key and the address of the environment, at the plan's rate unless `rate` is given.

    Nothing is sent, and nothing heavy imported, before the first request.
    Raises AuthenticationError without a key, ConfigError or UsageError for what cannot be used.
    """
    clock = clock or SystemClock()
    pace = rate or subscription.plan(plan).rate
    return PolygonSource(
        api_key_from(environ, api_key_command),
        limiter=RateLimiter(pace, clock, cancel=cancel, budget=budget),
        clock=clock,
        base_url=environ.get(BASE_URL_VARIABLE) or BASE_URL,
        workers=workers,
        environ=environ,
    )


def open_stream(
    environ: Mapping[str, str], feed: Feed, symbols: Sequence[str], *, api_key_command: str | None = None
) -> "PolygonStream":
    """The vendor's stream of minute bars with the key and the address of the environment; nothing is sent yet.

    Args:
        environ: Where `POLYGON_API_KEY` and `POLYGON_STREAM_URL` are looked for.
        feed: Which of the streams, where the environment names no address.
        symbols: What to follow, in the vendor's spelling of the day.
        api_key_command: The command that prints the key, where the environment has none.

    Raises:
        AuthenticationError: There is no key.
        ConfigError: The address cannot be used, or requests go to this machine and the stream would not.
    """
    from mag7cli.vendors.polygon.stream import PolygonStream

    url = environ.get(STREAM_URL_VARIABLE) or STREAM_URLS[feed]
    base = environ.get(BASE_URL_VARIABLE)
    if base and is_loopback(urlsplit(base).hostname or "") and STREAM_URL_VARIABLE not in environ:
        raise ConfigError(
            f"{BASE_URL_VARIABLE} is this machine, but {STREAM_URL_VARIABLE} is not set",
            hint="mag7 sandbox serve --live prints both",
        )
    return PolygonStream(api_key_from(environ, api_key_command), url, symbols, environ=environ)
