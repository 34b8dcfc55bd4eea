#!/usr/bin/env bash
# The line of a crontab, `30 0 * * 2-6`, read by Python's schedulers: APScheduler's `from_crontab` counts weekdays from Monday
# = 0, so that Tuesday to Saturday become Wednesday to Sunday, and refuses 7; croniter and cronsim read it as cron does.
# Where clocks go back, APScheduler and croniter run `30 1 * * *` twice that night, cronsim once, as Debian's cron.
# Expected: one calendar for one line. Write names, `tue-sat`, and no hour between one and three.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check apscheduler==3.11.3 croniter==7.0.0 cronsim==2.8
cd "$work"
env/bin/python -W ignore - <<'PY'
import datetime as dt
from importlib.metadata import version
from itertools import islice
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from croniter import croniter
from cronsim import CronSim

NEW_YORK = ZoneInfo("America/New_York")


def by_apscheduler(line, start):
    trigger, last = CronTrigger.from_crontab(line, timezone=start.tzinfo), None
    while True:
        last = trigger.get_next_fire_time(last, last or start)
        yield last


SCHEDULERS = {
    "APScheduler": by_apscheduler,
    "croniter": lambda line, start: croniter(line, start).all_next(dt.datetime),
    "cronsim": CronSim,
}
SUNDAY = dt.datetime(2026, 11, 22, 12, tzinfo=NEW_YORK)
CLOCKS_GO_BACK = dt.datetime(2026, 11, 1, tzinfo=NEW_YORK)
seen = {}
for name, read in SCHEDULERS.items():
    week = {f"{day:%a}" for day in islice(read("30 0 * * 2-6", SUNDAY), 5)}
    named = {f"{day:%a}" for day in islice(read("30 0 * * tue-sat", SUNDAY), 5)}
    night = sum(run.date() == CLOCKS_GO_BACK.date() for run in islice(read("30 1 * * *", CLOCKS_GO_BACK), 3))
    seen[name] = (week, night)
    print(name, version(name), sorted(week), "named:", sorted(named), "runs in the long night:", night)
    assert named == {"Tue", "Wed", "Thu", "Fri", "Sat"}
assert seen["APScheduler"] == ({"Wed", "Thu", "Fri", "Sat", "Sun"}, 2)
assert seen["croniter"] == ({"Tue", "Wed", "Thu", "Fri", "Sat"}, 2)
assert seen["cronsim"] == ({"Tue", "Wed", "Thu", "Fri", "Sat"}, 1)
PY
