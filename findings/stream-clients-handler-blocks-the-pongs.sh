#!/usr/bin/env bash
# WebSocketClient.run() of polygon-api-client 1.16.3 and massive 2.9.1 calls the handler inside its event loop: a handler
# that takes longer than the server waits for a pong has the connection closed (1011), and goes on to be called with old
# messages from the buffer as if nothing were. Expected: pings are answered while the handler works.
# Put messages into a queue and work in another thread; the synchronous client of websockets does answer meanwhile.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/try.py" <<'PY'
import importlib
import json
import os
import sys
import threading
import time
from importlib.metadata import version

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import serve

package, distribution = sys.argv[1:]
ends = []


def status(word):
    return json.dumps([{"ev": "status", "status": word, "message": ""}])


def feed(socket):
    began = time.monotonic()
    for word in ("connected", "auth_success"):
        socket.send(status(word))
        socket.recv()
    try:
        for minute in range(24):
            start = 1790000000000 + 60000 * minute
            bar = {"ev": "AM", "sym": "AAPL", "v": 1, "c": 1.0 + minute, "s": start, "e": start + 60000}
            socket.send(json.dumps([bar]))
            time.sleep(0.5)
    except ConnectionClosed as error:
        ends.append((round(time.monotonic() - began, 1), error.sent.code if error.sent else None))
    else:
        ends.append("12 s of messages sent")


def served(client):
    ends.clear()
    server = serve(feed, "127.0.0.1", 0, ping_interval=2, ping_timeout=2)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=client, args=("{}:{}".format(*server.socket.getsockname()[:2]),), daemon=True).start()
    time.sleep(16)
    return ends[0], list(closes)


closes = []


def slow(messages):
    closes.extend(message.close for message in messages)
    time.sleep(5)


def with_vendors_client(address):
    importlib.import_module(package).WebSocketClient(
        api_key="key", feed=address, market="stocks", secure=False, subscriptions=["AM.AAPL"]
    ).run(slow)


def with_websockets(address):
    with connect(f"ws://{address}/stocks") as socket:
        for _ in range(2):
            socket.recv()
            socket.send("{}")
        while True:
            socket.recv()
            time.sleep(5)


vendors, seen = served(with_vendors_client)
direct, _ = served(with_websockets)
print(distribution, version(distribution), "websockets", version("websockets"))
print("  a handler of 5 s, pings every 2 s: the server's end", vendors, "handled meanwhile", seen)
print("  the synchronous client of websockets:", direct)
sys.stdout.flush()
assert vendors[1] == 1011 and len(seen) > 1
assert direct == "12 s of messages sent"
os._exit(0)
PY
for package in polygon-api-client:polygon:1.16.3 massive:massive:2.9.1; do
    IFS=: read -r distribution module release <<<"$package"
    python3 -m venv "$work/$module"
    "$work/$module/bin/pip" install --quiet --disable-pip-version-check "$distribution==$release" websockets==17.4
    "$work/$module/bin/python" "$work/try.py" "$module" "$distribution"
done
