#!/usr/bin/env bash
# WebSocketClient of polygon-api-client 1.16.3 and massive 2.9.1 takes options of the connection (**kwargs) and drops them:
# with max_size=2**24 it still refuses a frame above 1 MiB, as a minute of the whole market (AM.*) is in one frame, and
# then connects six times in a second and raises. Expected: the options reach websockets.connect, as those of run() do.
# Give them to run() or connect(): client.run(handler, max_size=2**24).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/try.py" <<'PY'
import importlib
import json
import sys
import threading
from importlib.metadata import version

from websockets.sync.server import serve

package, distribution = sys.argv[1:]
minute = [
    {"ev": "AM", "sym": f"S{n}", "v": 1, "c": 1.5, "s": 1790000000000, "e": 1790000060000, "pad": "x" * 64}
    for n in range(10_000)
]


def status(word):
    return json.dumps([{"ev": "status", "status": word, "message": ""}])


def feed(socket):
    connections.append(1)
    for word in ("connected", "auth_success"):
        socket.send(status(word))
        socket.recv()
    socket.send(json.dumps(minute))
    socket.close()


server = serve(feed, "127.0.0.1", 0)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = "{}:{}".format(*server.socket.getsockname()[:2])


def run(*, in_constructor, in_run):
    connections.clear()
    bars = []
    client = importlib.import_module(package).WebSocketClient(
        api_key="key", feed=address, market="stocks", secure=False, subscriptions=["AM.*"], **in_constructor
    )
    try:
        client.run(bars.extend, **in_run)
    except Exception as error:
        return len(bars), len(connections), str(error)
    return len(bars), len(connections), None


connections = []
large = {"max_size": 2**24}
dropped = run(in_constructor=large, in_run={})
taken = run(in_constructor={}, in_run=large)
print(distribution, version(distribution), "websockets", version("websockets"))
print("  to the constructor: bars, connections, error", dropped)
print("  to run():           bars, connections, error", taken)
assert dropped[:2] == (0, 6) and "1009" in dropped[2]
assert taken == (10_000, 1, None)
PY
for package in polygon-api-client:polygon:1.16.3 massive:massive:2.9.1; do
    IFS=: read -r distribution module release <<<"$package"
    python3 -m venv "$work/$module"
    "$work/$module/bin/pip" install --quiet --disable-pip-version-check "$distribution==$release" websockets==17.4
    "$work/$module/bin/python" "$work/try.py" "$module" "$distribution"
done
