"""The vendor over HTTP: `open_source` builds a `vendor.MarketDataSource` from the environment and the run's options.

source    the requests the product makes, each paced, repeated where that can help, and judged
client    how they are spelt: the only importer of the vendor's client, so that `massive` can replace it there
transport one request at a time with real time limits, and the key for one host only
faults    what a refusal means, and which may pass;  decode  what a body means
key       the API key, which nothing shows;  wire  addresses, time limits, answers
"""

from collections.abc import Mapping
from typing import Final

from mag7cli.core.clock import Clock, SystemClock
from mag7cli.vendors import subscription
from mag7cli.vendors.polygon.key import ApiKey, api_key_from
from mag7cli.vendors.polygon.source import PolygonSource
from mag7cli.vendors.polygon.wire import BASE_URL, Timeouts
from mag7cli.vendors.rate_limit import Budget, Cancel, Rate, RateLimiter

__all__ = ["BASE_URL", "BASE_URL_VARIABLE", "ApiKey", "PolygonSource", "Timeouts", "api_key_from", "open_source"]

BASE_URL_VARIABLE: Final = "POLYGON_BASE_URL"


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
