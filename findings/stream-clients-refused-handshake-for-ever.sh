#!/usr/bin/env bash
# WebSocketClient of polygon-api-client 1.16.3 and massive 2.9.1 with max_reconnects=1 against a host that answers the
# handshake with 401: it tries for ever, says nothing, and neither returns nor raises. So does a wrong host name.
# Expected: two tries and an exception. The count of max_reconnects sees only connections that stood once.
# Watch from outside the time since the last message, or connect with websockets yourself.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/try.py" <<'PY'
import contextlib
import http
import importlib
import io
import os
import sys
import threading
from importlib.metadata import version

from websockets.sync.server import serve

package, distribution = sys.argv[1:]
tries = []


def refuse(connection, request):
    tries.append(1)
    return connection.respond(http.HTTPStatus.UNAUTHORIZED, "no\n")


server = serve(lambda socket: None, "127.0.0.1", 0, process_request=refuse)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = "{}:{}".format(*server.socket.getsockname()[:2])
said = io.StringIO()
with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
    client = importlib.import_module(package).WebSocketClient(
        api_key="key", feed=address, market="stocks", secure=False, subscriptions=["AM.*"], max_reconnects=1
    )
    thread = threading.Thread(target=client.run, args=(print,), daemon=True)
    thread.start()
    thread.join(20)
print(distribution, version(distribution), "websockets", version("websockets"))
print("  after 20 s: tries", len(tries), "still running", thread.is_alive(), "said", repr(said.getvalue()))
sys.stdout.flush()
assert thread.is_alive() and len(tries) > 2 and not said.getvalue()
os._exit(0)
PY
for package in polygon-api-client:polygon:1.16.3 massive:massive:2.9.1; do
    IFS=: read -r distribution module release <<<"$package"
    python3 -m venv "$work/$module"
    "$work/$module/bin/pip" install --quiet --disable-pip-version-check "$distribution==$release" websockets==17.4
    "$work/$module/bin/python" "$work/try.py" "$module" "$distribution"
done
