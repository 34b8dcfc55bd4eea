#!/usr/bin/env bash
# RESTClient of polygon-api-client 1.16.3 and massive 2.9.1, pandas 3.0: get_aggs(from_=date(2024, 12, 13)) asks for that
# day, datetime(2024, 12, 13) for midnight where the machine is, pd.Timestamp("2024-12-13") for midnight in UTC wherever it
# is: 19:00 of 12 December in New York, so that a range of days begins a day earlier. Expected: the same day.
# Give dates, or times with the zone of New York.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/try.py" <<'PY'
import http.server
import importlib
import json
import os
import sys
import threading
from datetime import date, datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

import pandas as pd

package, distribution = sys.argv[1:]
paths = []


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        paths.append(self.path.partition("?")[0].rpartition("/")[2])
        body = json.dumps({"ticker": "AAPL", "results": []}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = importlib.import_module(package).RESTClient("key", base="http://127.0.0.1:{}".format(server.server_address[1]))
for day in (date(2024, 12, 13), datetime(2024, 12, 13), pd.Timestamp("2024-12-13")):
    client.get_aggs("AAPL", 1, "day", day, day)
asked = [
    path if "-" in path else f"{datetime.fromtimestamp(int(path) / 1000, ZoneInfo('America/New_York')):%Y-%m-%d %H:%M}"
    for path in paths
]
print(distribution, version(distribution), "pandas", version("pandas"), "TZ", os.environ["TZ"], asked)
local = {"UTC": "2024-12-12 19:00", "America/New_York": "2024-12-13 00:00"}[os.environ["TZ"]]
assert asked == ["2024-12-13", local, "2024-12-12 19:00"]
PY
for package in polygon-api-client:polygon:1.16.3 massive:massive:2.9.1; do
    IFS=: read -r distribution module release <<<"$package"
    python3 -m venv "$work/$module"
    "$work/$module/bin/pip" install --quiet --disable-pip-version-check "$distribution==$release" pandas==3.0.0 tzdata
    for zone in UTC America/New_York; do
        TZ=$zone "$work/$module/bin/python" "$work/try.py" "$module" "$distribution"
    done
done
