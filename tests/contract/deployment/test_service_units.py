"""What `mag7 service print` writes, read by systemd itself where it is there, and run by a shell as cron would."""

import plistlib
import re
import shutil
import subprocess
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.simulators.command_line import mag7

from mag7cli.deployment.schedule import local_time, runs
from mag7cli.market.calendar import sessions

NEW_YORK = ZoneInfo("America/New_York")
ZONES = {
    "UTC": ("05:30", "Tue-Sat"),
    "America/New_York": ("00:30", "Tue-Sat"),
    "Europe/Berlin": ("06:30", "Tue-Sat"),
    "Europe/London": ("05:30", "Tue-Sat"),
    "America/Los_Angeles": ("21:30", "Mon-Fri"),
    "America/Bogota": ("00:30", "Tue-Sat"),
    "Asia/Kolkata": ("11:00", "Tue-Sat"),
    "Australia/Sydney": ("16:30", "Tue-Sat"),
    "Pacific/Honolulu": ("19:30", "Mon-Fri"),
    "Pacific/Kiritimati": ("19:30", "Tue-Sat"),
}
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="needs systemd-analyze")


@pytest.mark.parametrize("zone", ZONES)
def test_a_local_time_is_served_and_soon_after_every_session_of_two_years(zone):
    local = local_time(ZoneInfo(zone), year=2026)
    assert (f"{local.at:%H:%M}", local.weekday_names) == ZONES[zone]
    for session in sessions(date(2026, 1, 2), date(2027, 12, 31)):
        started = runs(ZoneInfo(zone), local, session)
        served = datetime.combine(session + timedelta(days=1), datetime.min.time(), NEW_YORK)
        assert timedelta(minutes=30) <= started - served <= timedelta(hours=2, minutes=30), session
        assert started.weekday() in local.weekdays


def _printed(folder: Path, *words: str) -> str:
    ended = mag7("service", "print", *words, cwd=folder)
    assert (ended.code, ended.stderr) == (0, "")
    return ended.stdout


@needs_systemd
def test_systemd_finds_nothing_to_complain_of(tmp_path):
    odd = ("--lake", "a lake/100 %", "--folder", str(tmp_path), "--user", "root", "--ping-url", "https://h/%d?a=$b;c")
    made = mag7("service", "print", "systemd", "--out", "units", *odd, cwd=tmp_path)
    assert (made.code, made.stderr.splitlines()) == (0, ["wrote units/mag7.service", "wrote units/mag7.timer"])
    verified = subprocess.run(
        [ANALYZE, "verify", "units/mag7.service", "units/mag7.timer"], cwd=tmp_path, capture_output=True, text=True
    )
    ours = [line for line in verified.stderr.splitlines() if "mag7" in line]
    assert (verified.returncode, ours) == (0, [])


@needs_systemd
@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("2026-03-06 12:00:00", ["2026-03-07 05:30", "2026-03-10 04:30", "2026-03-11 04:30"]),
        ("2026-10-30 12:00:00", ["2026-10-31 04:30", "2026-11-03 05:30", "2026-11-04 05:30"]),
    ],
)
def test_the_timer_is_new_york_s_on_both_sides_of_its_clocks(tmp_path, after, expected):
    when = re.search(r"OnCalendar=(.+)", _printed(tmp_path, "systemd"))[1]
    shown = subprocess.run(
        [ANALYZE, "calendar", "--iterations=3", f"--base-time={after} UTC", when],
        env={"TZ": "UTC", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert re.findall(r"(?:Next elapse|Iter(?:ation|\.) #\d): \w+ (\S+ \d\d:\d\d)", shown.stdout) == expected


def test_the_service_writes_to_the_lake_only_and_gets_its_key_from_systemd(tmp_path):
    unit = _printed(tmp_path, "systemd", "--lake", "/srv/lake", "--folder", "/srv/mag7", "--key-file", "/etc/mag7/key")
    assert "ReadWritePaths=/srv/mag7 /srv/lake\n" in unit
    assert "LoadCredential=polygon_api_key:/etc/mag7/key\n" in unit
    assert 'Environment="MAG7_API_KEY_COMMAND=cat %d/polygon_api_key"\n' in unit
    assert {"ProtectSystem=strict", "NoNewPrivileges=yes", "CapabilityBoundingSet="} <= set(unit.splitlines())


def test_a_line_of_cron_runs_in_its_empty_environment(tmp_path):
    text = _printed(tmp_path, "cron", "--timezone", "UTC", "--lake", "100 % lake", "--key-file", "no key")
    *_, line = text.splitlines()
    variables = dict(row.split("=", 1) for row in text.splitlines() if re.match(r"[A-Z_0-9]+=", row))
    fields, _, command = line.partition("  ")
    assert fields == "30 5 * * 2-6"
    assert "%" not in command.replace(r"\%", "")
    cron = {**variables, "HOME": str(tmp_path), "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin", "LOGNAME": "root"}
    ended = subprocess.run(
        ["/bin/sh", "-c", command.replace(r"\%", "%")], env=cron, cwd="/", capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout) == (2, "")  # the file with the key is not there
    assert re.search(r"^20\S+ Error: api_key_command \(cat\) ended with status 1$", ended.stderr, re.MULTILINE)


def test_launchd_gets_a_job_of_five_evenings(tmp_path):
    job = plistlib.loads(_printed(tmp_path, "launchd", "--timezone", "America/Los_Angeles").encode())
    assert job["StartCalendarInterval"] == [{"Weekday": day, "Hour": 21, "Minute": 30} for day in (1, 2, 3, 4, 5)]
    assert job["ProgramArguments"][1:3] == ["run", "--quiet"]


def test_logrotate_gets_a_rule_for_the_log(tmp_path):
    rule = _printed(tmp_path, "logrotate", "--folder", "/srv/mag7", "--user", "mag7")
    assert '"/srv/mag7/mag7.log" {' in rule
    assert "create 0600 mag7" in rule


def test_a_zone_that_is_none_is_one_line(tmp_path):
    ended = mag7("service", "print", "cron", "--timezone", "Mars/Olympus", cwd=tmp_path)
    assert (ended.code, ended.stdout) == (2, "")
    assert "write one like Europe/Berlin" in ended.stderr
