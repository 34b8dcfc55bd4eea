#!/usr/bin/env bash
# pandas_market_calendars 5.5.0: open_at_time answers False at night between two sessions of a schedule, and raises
# ValueError ("not covered by the schedule") a minute after the close of its last one. A loop that asks "is it open
# now" with the schedule of today works all day and dies in the evening, at 13:01 on 3 July.
# Expected: False. Give it a schedule that reaches to the next session.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pandas-market-calendars==5.5.0
cd "$work"
env/bin/python -W ignore - <<'PY'
import pandas as pd
import pandas_market_calendars as mcal

nyse = mcal.get_calendar("NYSE")
evening = pd.Timestamp("2024-07-03 13:01", tz="America/New_York")
assert nyse.open_at_time(nyse.schedule("2024-07-03", "2024-07-05"), evening) == False
try:
    nyse.open_at_time(nyse.schedule("2024-07-03", "2024-07-03"), evening)
    message = None
except ValueError as error:
    message = str(error)
print("pandas_market_calendars", mcal.__version__, message)
assert message and "not covered" in message
PY
