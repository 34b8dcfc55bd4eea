#!/usr/bin/env bash
# exchange_calendars 4.13.2: minute_to_session gives a trade stamped at the close, 16:00:00, the date of the next session.
# The closing auction, from which the official close comes, prints at that very second or later; by default minutes belong to
# the interval before the close ("left"), and a minute outside is sent on to the next session: 3 July 2024, 13:00 becomes the 5th.
# Expected: the session that has just closed. Use direction="previous", or side="both".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check exchange-calendars==4.13.2
cd "$work"
env/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import exchange_calendars as xcals
import pandas as pd

close = pd.Timestamp("2024-07-03 13:00", tz="America/New_York")
calendar = xcals.get_calendar("XNYS")
assert calendar.session_close("2024-07-03") == close
seen = [str(calendar.minute_to_session(close).date()), str(calendar.minute_to_session(close, direction="previous").date())]
seen.append(str(xcals.get_calendar("XNYS", side="both").minute_to_session(close).date()))
print("exchange_calendars", version("exchange-calendars"), seen)
assert seen == ["2024-07-05", "2024-07-03", "2024-07-03"]
PY
