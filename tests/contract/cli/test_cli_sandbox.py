"""`mag7 sandbox serve` through a real process and real HTTP."""

import json
import signal
import subprocess
from contextlib import contextmanager
from typing import get_args
from urllib.request import Request, urlopen

import pytest
from tests.simulators.command_line import MAG7, environment, mag7, without_times

from mag7cli.cli.options import PlanName
from mag7cli.vendors.sandbox.plan import PLANS
from mag7cli.vendors.subscription import plans


@contextmanager
def serving(tmp_path, *words):
    process = subprocess.Popen(
        [MAG7, "sandbox", "serve", "--port", "0", *words],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _variables(process):
    lines = [process.stdout.readline() for _ in range(3)]
    return dict(line.removeprefix("export ").strip().split("=", 1) for line in lines)


def test_it_says_what_a_shell_needs_and_answers_as_the_vendor(tmp_path):
    with serving(tmp_path) as process:
        variables = _variables(process)
        assert list(variables) == ["POLYGON_BASE_URL", "POLYGON_API_KEY", "MAG7_PLAN"]
        address = variables["POLYGON_BASE_URL"]
        assert address.startswith("http://127.0.0.1:")
        asked = Request(
            f"{address}/v3/reference/tickers/AAPL?date=2024-12-06",
            headers={"Authorization": f"Bearer {variables['POLYGON_API_KEY']}"},
        )
        with urlopen(asked, timeout=10) as answer:
            assert json.load(answer)["results"]["ticker"] == "AAPL"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_is_how_it_is_meant_to_end(tmp_path, number):
    with serving(tmp_path) as process:
        _variables(process)
        process.stderr.readline()
        process.send_signal(number)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 0
    assert without_times(stderr) == "0 requests answered\n"


def test_a_port_that_is_taken_is_a_usage_error(tmp_path):
    with serving(tmp_path) as process:
        port = _variables(process)["POLYGON_BASE_URL"].rpartition(":")[2]
        ended = mag7("sandbox", "serve", "--port", port, cwd=tmp_path)
    assert (ended.code, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"Error: port {port}: ")


def test_the_plans_that_can_be_chosen_are_those_that_there_are():
    assert set(get_args(PlanName)) == set(plans()) == set(PLANS)
