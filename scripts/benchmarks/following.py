"""What it costs to follow a stream: 10,000 symbols, a message a second each, as single messages and in frames.

The server is a process of its own, and so is the one that follows: its CPU and its memory are measured.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from measuring import Row, emit, run

from mag7cli.live.prices import PriceBook
from mag7cli.market.trading_hours import trading_hours
from mag7cli.vendors.polygon import open_stream

SYMBOLS = [f"S{number:05d}" for number in range(10_000)]
DAY = date(2024, 12, 13)
HOURS = trading_hours(DAY)
OPEN_MS = round(HOURS.open.timestamp() * 1000)


def serve(seconds: int, per_frame: int) -> None:
    """One connection: the handshake, then a message a second of each symbol, then the end."""
    from websockets.sync.server import ServerConnection, serve

    def answer(connection: ServerConnection) -> None:
        connection.send('[{"ev":"status","status":"connected"}]')
        connection.recv()
        connection.send('[{"ev":"status","status":"auth_success"}]')
        connection.recv()
        connection.recv()
        begins = time.monotonic()
        for second in range(seconds):
            for first in range(0, len(SYMBOLS), per_frame):
                due = begins + second + first / len(SYMBOLS)
                if first % 500 == 0 and (early := due - time.monotonic()) > 0:
                    time.sleep(early)
                connection.send(json.dumps([message(symbol, second) for symbol in SYMBOLS[first : first + per_frame]]))

    with serve(answer, "127.0.0.1", 0, compression=None) as server:
        print(server.socket.getsockname()[1], flush=True)
        server.serve_forever()


def message(symbol: str, second: int) -> dict[str, object]:
    """A minute bar as the vendor sends it; each second is another minute."""
    start = OPEN_MS + second * 60_000
    return {
        **{"ev": "AM", "sym": symbol, "v": 4110, "av": 9470157, "op": 0.4372, "vw": 0.4488, "o": 0.4488},
        **{"c": 0.4486, "h": 0.4489, "l": 0.4486, "a": 0.4352, "z": 685, "s": start, "e": start + 60_000},
    }


def follow(url: str, seconds: int) -> None:
    """Take in all that comes; print the share of a core, the peak memory in MB, and how many minutes came."""
    book = PriceBook(HOURS, SYMBOLS)
    environ = {"POLYGON_API_KEY": "none", "POLYGON_STREAM_URL": url}
    stream = open_stream(environ, "realtime", SYMBOLS)
    began, cpu = time.monotonic(), time.process_time()
    while book.counts.bars < seconds * len(SYMBOLS) and time.monotonic() - began < 4 * seconds:
        book.add_all(stream.receive(0.25).bars)
    used = (time.process_time() - cpu) / (time.monotonic() - began)
    stream.close()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([used, peak_mb, book.counts.minutes]))


@contextmanager
def server(seconds: int, per_frame: int) -> Iterator[str]:
    """The server in a process of its own, by its address."""
    command = [sys.executable, __file__, "--serve", str(per_frame), "--seconds", str(seconds), "."]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield f"ws://127.0.0.1:{process.stdout.readline().strip()}/stocks"
        process.terminate()


def main() -> None:
    """Follow both kinds of stream."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--serve", type=int, metavar="MESSAGES", help="be the server: so many messages a frame")
    parser.add_argument("--follow", metavar="URL", help="be the one that follows")
    options = parser.parse_args()
    if options.serve:
        serve(options.seconds, options.serve)
    elif options.follow:
        follow(options.follow, options.seconds)
    else:
        for per_frame in (1, 1000):
            with server(options.seconds, per_frame) as url:
                command = [sys.executable, __file__, "--follow", url, "--seconds", str(options.seconds), "."]
                used, peak_mb, minutes = json.loads(run(command).stdout)
            assert minutes == options.seconds * len(SYMBOLS), f"{minutes} minutes came"
            what = f"follow 10,000 symbols, a message a second each, {per_frame:,} a frame"
            emit(Row(f"{what}: cores", used, "cores", "half a core", 0.5, at_most=1.0))
            emit(Row(f"{what}: peak memory", peak_mb, "MB", "150 MB", 150.0, at_most=1.0))


if __name__ == "__main__":
    main()
