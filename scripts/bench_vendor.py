"""What asking costs: CPU per call against the vendor's bare client, and the rate that the limiter holds.

Run: python scripts/bench_vendor.py. The server, in a process of its own, answers after 50 ms; 32 threads ask it.
"""

import json
import socket
import subprocess
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date

LATENCY_S = 0.05
THREADS = 32
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


def cpu_ms(ask: Callable[[], object], calls: int) -> float:
    """CPU milliseconds of this process for each call, with all threads asking."""
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: ask(), range(2 * THREADS)))
        before = time.process_time()
        list(pool.map(lambda _: ask(), range(calls)))
        return (time.process_time() - before) / calls * 1000


def measure(url: str) -> None:
    """Print the two figures."""
    import urllib3
    from polygon import RESTClient

    from mag7cli.clock import SystemClock
    from mag7cli.polygon import ApiKey, PolygonSource
    from mag7cli.rate import Rate, RateLimiter

    def source(rate: str) -> PolygonSource:
        clock = SystemClock()
        return PolygonSource(ApiKey("bench"), limiter=RateLimiter(Rate.parse(rate), clock), clock=clock, base_url=url)

    bare = RESTClient("bench", base=url)
    bare.client = urllib3.PoolManager(maxsize=THREADS, headers=bare.headers)
    free = source("unlimited")
    theirs = cpu_ms(lambda: bare.get_ticker_details("AAPL", date=DAY.isoformat()), 2000)
    ours = cpu_ms(lambda: free.details("AAPL", DAY), 2000)
    print(f"CPU per call: {ours:.2f} ms, bare client {theirs:.2f} ms, ratio {ours / theirs:.2f}")

    urllib3.PoolManager().request("GET", url + "/seen")
    paced = source("100/s")
    cpu_ms(lambda: paced.details("AAPL", DAY), 1000)
    seen = urllib3.PoolManager().request("GET", url + "/seen").json()
    fullest = max(bisect_left(seen, start + 1.0) - place for place, start in enumerate(seen))
    print(f"at 100/s: {(len(seen) - 1) / (seen[-1] - seen[0]):.1f}/s seen, at most {fullest} in any second")


def main() -> None:
    """Run the server beside the measurement."""
    if sys.argv[1:] == ["serve"]:
        serve()
    server = subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True)
    try:
        measure(f"http://127.0.0.1:{server.stdout.readline().strip()}")
    finally:
        server.kill()


if __name__ == "__main__":
    main()
