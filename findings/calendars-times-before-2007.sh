#!/usr/bin/env bash
# pandas_market_calendars 5.5.0 and exchange_calendars 4.13.2 agree on every session of XNYS since 1990, and not on its hours:
# eleven opens (a minute of silence on 27 December 2006, noon on 11 September 2002) and five closes (systems failures of
# 1997 and 2005, snow in 1994 and 1996, New Year's Eve of 1999) differ, all before 2007; exchange_calendars opens at 9:30
# on every day of its history. Expected: the same hours, for the first mirrors the second.
# From 2007 on either will do; before, compare both with the exchange's own list.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pandas-market-calendars==5.5.0 exchange-calendars==4.13.2
cd "$work"
env/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import exchange_calendars as xcals
import pandas_market_calendars as mcal

start, end = "1990-01-02", "2026-11-25"
market = mcal.get_calendar("NYSE").schedule(start, end)
exchange = xcals.get_calendar("XNYS", start=start, end=end).schedule
assert list(market.index) == list(exchange.index)
opens, closes = (
    [str(day.date()) for day in market.index[market[ours].values != exchange[theirs].dt.tz_convert("UTC").values]]
    for ours, theirs in (("market_open", "open"), ("market_close", "close"))
)
print(version("pandas-market-calendars"), version("exchange-calendars"), "opens", opens, "closes", closes)
assert closes == ["1994-02-11", "1996-01-08", "1997-10-27", "1999-12-31", "2005-06-01"]
assert len(opens) == 11 and max(opens) == "2006-12-27"
PY
