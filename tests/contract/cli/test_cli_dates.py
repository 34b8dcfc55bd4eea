"""`mag7 dates` through a real process."""

import csv
import io
import json

from tests.simulators.command_line import environment, mag7


def test_the_original_period_has_994_dates_oldest_first(tmp_path):
    ended = mag7("dates", "--start", "2021-01-01", "--end", "2024-12-13", cwd=tmp_path)
    lines = ended.stdout.splitlines()
    assert (ended.code, ended.stderr, len(lines)) == (0, "", 994)
    assert (lines[0], lines[-1]) == ("2021-01-04", "2024-12-13")
    assert lines == sorted(lines)


def test_by_default_it_is_four_years_to_the_last_session_that_is_over(tmp_path):
    lines = mag7("dates", cwd=tmp_path).stdout.splitlines()
    assert (lines[0], lines[-1]) == ("2020-12-14", "2024-12-13")
    before_the_close = environment(tmp_path, {"MAG7_NOW": "2024-12-13T15:59:00-05:00"})
    assert mag7("dates", cwd=tmp_path, env=before_the_close).stdout.splitlines()[-1] == "2024-12-12"


def test_last_counts_back_from_the_end(tmp_path):
    assert mag7("dates", "--last", "2", cwd=tmp_path).stdout == "2024-12-12\n2024-12-13\n"
    assert mag7("dates", "--last", "2", "--end", "2024-12-01", cwd=tmp_path).stdout == "2024-11-27\n2024-11-29\n"
    assert len(mag7("dates", "--last", "2000", cwd=tmp_path).stdout.splitlines()) == 2000


def test_every_format_has_the_same_dates(tmp_path):
    words = ["dates", "--last", "3"]
    expected = ["2024-12-11", "2024-12-12", "2024-12-13"]
    document = json.loads(mag7(*words, "--format", "json", cwd=tmp_path).stdout)
    assert document == {"schema_version": 1, "count": 3, "dates": expected}
    rows = list(csv.DictReader(io.StringIO(mag7(*words, "--format", "csv", cwd=tmp_path).stdout)))
    assert [row["trading_date"] for row in rows] == expected


def test_a_weekend_has_no_dates_and_is_no_error(tmp_path):
    ended = mag7("dates", "--start", "2024-12-14", "--end", "2024-12-15", cwd=tmp_path)
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")


def test_beyond_the_known_calendar_it_warns_and_quiet_does_not(tmp_path):
    words = ["dates", "--start", "2030-01-01", "--end", "2030-01-04"]
    ended = mag7(*words, cwd=tmp_path)
    assert ended.code == 0
    assert ended.stderr.startswith("Warning: ")
    assert ended.stderr.count("\n") == 1
    quiet = mag7(*words, "-q", cwd=tmp_path)
    assert (quiet.stdout, quiet.stderr) == (ended.stdout, "")
    log = mag7(*words, "--log-format", "json", cwd=tmp_path).stderr
    assert json.loads(log)["level"] == "warning"


def test_a_start_to_come_needs_an_end(tmp_path):
    ended = mag7("dates", "--start", "2030-01-01", cwd=tmp_path)
    assert ended.code == 2
    assert ended.stderr.endswith("Hint: give --end for dates to come\n")


def test_dates_before_the_calendar_are_refused(tmp_path):
    ended = mag7("dates", "--start", "1999-01-01", "--end", "1999-02-01", cwd=tmp_path)
    assert (ended.code, ended.stdout) == (1, "")
    assert ended.stderr.startswith("Error: ")
