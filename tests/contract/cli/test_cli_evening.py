"""What an unattended machine asks of the command line: hooks, waiting, and one line on whether all is well."""

import json
import time

import pytest
from tests.simulators.command_line import environment, mag7
from tests.simulators.filled_lake import fill
from tests.simulators.monitor import monitor

from mag7cli.lake.layout import Lake

CRON = ("run", "-q")


def test_a_failure_is_pinged_and_handed_to_a_command(tmp_path):
    with monitor() as job:
        hook = 'cat > mail; echo "$MAG7_EXIT_CODE" >> mail'
        ended = mag7(*CRON, "--ping-url", job.url, "--on-failure", hook, cwd=tmp_path)
    (error, hint) = ended.stderr.splitlines()
    assert (ended.code, ended.stdout) == (4, "")
    assert [path for path, _ in job.heard] == ["/ping/uuid/start", "/ping/uuid/fail"]
    assert job.heard[1][1].splitlines() == [error.removeprefix("Error: "), hint.removeprefix("Hint: ")]
    assert (tmp_path / "mail").read_text().splitlines()[-1] == "4"


def test_a_monitor_that_is_down_does_not_stop_a_run_and_with_q_only_errors_are_said(tmp_path):
    ended = mag7(*CRON, "--ping-url", "http://127.0.0.1:9/x", cwd=tmp_path)
    assert ended.code == 4
    assert [line.split(":")[0] for line in ended.stderr.splitlines()] == ["Error", "Hint"]


def test_an_address_with_the_key_in_it_is_refused_and_not_repeated(tmp_path):
    env = environment(tmp_path, {"POLYGON_API_KEY": "s3cr3t-of-somebody"})
    ended = mag7(*CRON, "--ping-url", "https://h.example/s3cr3t-of-somebody", cwd=tmp_path, env=env)
    assert ended.code == 2
    assert "s3cr3t" not in ended.stdout + ended.stderr


def test_waiting_ends_when_the_plan_serves_the_session(tmp_path):
    # Nine hours before nine in the evening, on a clock that runs through them in seconds.
    env = environment(tmp_path, {"MAG7_NOW": f"2024-12-13T12:00:00-05:00@{time.time():.3f}x5000"})
    ended = mag7("run", "--wait", "--plan", "starter", "--start", "2024-12-13", cwd=tmp_path, env=env)
    assert ended.stderr.startswith("waiting until 2024-12-13 21:00 New York time, when the plan serves 2024-12-13\n")
    assert ended.code == 4, ended  # there is no key, and by then the date is served


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    root = tmp_path_factory.mktemp("checked")
    fill(Lake.at(str(root / "lake")).store)
    return root


def test_an_empty_lake_is_not_well(tmp_path):
    (tmp_path / "lake" / "raw").mkdir(parents=True)
    ended = mag7("status", "--check", cwd=tmp_path)
    assert (ended.code, ended.stdout, ended.stderr) == (8, "the lake is empty\n", "")
    quiet = mag7("status", "--check", "-q", cwd=tmp_path)
    assert (quiet.code, quiet.stdout, quiet.stderr) == (8, "", "Error: the lake is empty\n")


def test_a_monitor_reads_the_verdict_as_json(tmp_path):
    (tmp_path / "lake" / "raw").mkdir(parents=True)
    ended = mag7("status", "--check", "--format", "json", cwd=tmp_path)
    verdict = json.loads(ended.stdout)
    assert (ended.code, ended.stderr, verdict["ok"]) == (8, "", False)
    assert verdict["findings"] == [{"name": "empty", "value": 0, "limit": 1, "message": "the lake is empty"}]


def test_no_run_is_looked_up_in_a_lake_that_is_not_there(tmp_path):
    ended = mag7("status", "--runs", "--lake", "typo", cwd=tmp_path)
    assert (ended.code, ended.stdout) == (2, "")
    assert "there is no lake at typo" in ended.stderr


def test_no_run_is_remembered_before_the_first(tmp_path):
    (tmp_path / "my lake" / "raw").mkdir(parents=True)
    assert mag7("status", "--runs", "--lake", "my lake", cwd=tmp_path).stdout == (
        "No run is remembered yet: mag7 run --lake 'my lake' adds a line here.\n"
    )


def test_a_run_that_failed_is_remembered(tmp_path):
    mag7(*CRON, cwd=tmp_path)
    (run,) = json.loads(mag7("status", "--runs", "--format", "json", cwd=tmp_path).stdout)["runs"]
    assert (run["exit_code"], run["started_at"]) == (4, "2024-12-13T18:00:00-05:00")
    shown = mag7("status", "--runs", cwd=tmp_path).stdout.splitlines()
    assert shown[1].startswith("2024-12-13 18:00   0 s     4      0      0  ")
