"""What one call costs: CPU against the vendor's bare client, and how much of the allowed rate the limiter uses.

The server, in a process of its own, answers after 50 ms; 32 threads ask it.
"""

import argparse
import json
import socket
import subprocess
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date

import urllib3
from measuring import Row, emit, in_turns
from polygon import RESTClient

from mag7cli.core.clock import SystemClock
from mag7cli.vendors.polygon import ApiKey, PolygonSource
from mag7cli.vendors.rate_limit import Rate, RateLimiter

LATENCY_S = 0.05
THREADS = 32
PER_SECOND = 100
DAY = date(2024, 12, 13)
BODY = json.dumps(
    {
        "status": "OK",
        "results": {"ticker": "AAPL", "name": "Apple Inc.", "market_cap": 3.75e12, "description": "x" * 700},
    }
).encode()


def serve() -> None:
    """Answer everything; at /seen, with the times at which requests came."""
    seen: list[float] = []

    def answer(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while request := connection.recv(65536):
            if b" /seen" in request:
                body = json.dumps(sorted(seen)).encode()
                seen.clear()
            else:
                seen.append(time.monotonic())
                time.sleep(LATENCY_S)
                body = BODY
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        print(listening.getsockname()[1], flush=True)
        while True:
            threading.Thread(target=answer, args=(listening.accept()[0],), daemon=True).start()


@contextmanager
def server() -> Iterator[str]:
    """The server beside the measurement; its address."""
    with subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


def source(url: str, rate: str) -> PolygonSource:
    """Our client, as the product builds it."""
    clock = SystemClock()
    return PolygonSource(ApiKey("bench"), limiter=RateLimiter(Rate.parse(rate), clock), clock=clock, base_url=url)


def cpu_ms(ask: Callable[[], object], calls: int) -> float:
    """CPU milliseconds of this process for each call, with all threads asking."""
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: ask(), range(2 * THREADS)))
        before = time.process_time()
        list(pool.map(lambda _: ask(), range(calls)))
        return (time.process_time() - before) / calls * 1000


def cost_of_a_call(url: str, calls: int) -> None:
    """The product's client beside the one that it is built on."""
    bare = RESTClient("bench", base=url)
    # Its own pool has one connection, and would spend its time on opening others.
    bare.client = urllib3.PoolManager(maxsize=THREADS, headers=bare.headers)
    ours = source(url, "unlimited")
    found = in_turns(
        {
            "ours": lambda: cpu_ms(lambda: ours.details("AAPL", DAY), calls),
            "theirs": lambda: cpu_ms(lambda: bare.get_ticker_details("AAPL", date=DAY.isoformat()), calls),
        },
        rounds=3,
    )
    emit(Row("CPU of a call", found["ours"], "ms", "the vendor's bare client", found["theirs"], at_most=1.5))


def use_of_the_rate(url: str, calls: int) -> None:
    """How many calls a second the server sees of those that the plan allows, and the most in any second."""
    urllib3.PoolManager().request("GET", url + "/seen")
    paced = source(url, f"{PER_SECOND}/s")
    cpu_ms(lambda: paced.details("AAPL", DAY), calls)
    seen = urllib3.PoolManager().request("GET", url + "/seen").json()
    held = (len(seen) - 1) / (seen[-1] - seen[0])
    fullest = max(bisect_left(seen, start + 1.0) - place for place, start in enumerate(seen))
    under = f"{THREADS} threads, answers after {LATENCY_S * 1000:.0f} ms"
    emit(Row(f"calls a second at {PER_SECOND}/s, {under}", held, "calls", "the rate", PER_SECOND, at_least=0.98))
    emit(Row("most of these calls in any second", fullest, "calls", "the rate", PER_SECOND, at_most=1.0))


def main() -> None:
    """Measure both on one server."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", help="not used")
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--serve", action="store_true")
    options = parser.parse_args()
    if options.serve:
        serve()
    with server() as url:
        cost_of_a_call(url, options.calls)
        use_of_the_rate(url, options.calls)


if __name__ == "__main__":
    main()
