"""How the console pipeline collects: for each date every constituent's details, then those and the bar of the Mag 7.

517 calls a date, one after the other, ten dates at once. Its pause of about a second between calls is left out.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from polygon import RESTClient

SEVEN = ("AAPL", "MSFT", "GOOGL", "AMZN", "NVDA", "META", "TSLA")
DATES_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Collected:
    """What some dates took."""

    calls: int
    wall_s: float
    cpu_s: float


def collect(url: str, key: str, tickers: Sequence[str], dates: Sequence[str]) -> Collected:
    """Collect these dates from the server and keep nothing."""
    started, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(DATES_AT_ONCE) as pool:
        calls = sum(pool.map(lambda day: _collect_date(RESTClient(key, base=url), tickers, day), dates))
    return Collected(calls, time.perf_counter() - started, time.process_time() - cpu)


def _collect_date(client: RESTClient, tickers: Sequence[str], day: str) -> int:
    for ticker in tickers:
        client.get_ticker_details(ticker, date=day)
    for ticker in SEVEN:
        client.get_ticker_details(ticker, date=day)
        client.get_aggs(ticker, 1, "day", day, day, adjusted=False)
    return len(tickers) + 2 * len(SEVEN)
