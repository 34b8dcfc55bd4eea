"""What a command waits for before it starts: nothing that it does not use."""

import subprocess
import sys

import pytest
from tests.simulators.command_line import environment

HEAVY = (
    *("pandas", "numpy", "pyarrow", "boto3", "botocore", "duckdb", "polygon", "urllib3", "rich", "vl_convert"),
    *("pandas_market_calendars", "exchange_calendars", "tenacity", "orjson", "pydantic", "mag7cli.vendors.sandbox"),
)
PROBE = """
import sys
from mag7cli.cli import app
try:
    app(sys.argv[1:])
finally:
    print("LOADED", *sys.modules, file=sys.stderr)
"""


def _loaded(tmp_path, *words):
    """The modules that are there when the command has ended."""
    ended = subprocess.run(
        [sys.executable, "-c", PROBE, *words], cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return set(ended.stderr.rpartition("LOADED")[2].split())


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["dates"], ["dates", "--help"], ["collect", "--help"]])
def test_no_heavy_library_is_imported(tmp_path, words):
    assert _loaded(tmp_path, *words) & set(HEAVY) == set()


def test_a_command_does_not_import_the_others(tmp_path):
    loaded = _loaded(tmp_path, "dates")
    assert {name for name in loaded if name.startswith("mag7cli.cli.")} == {
        "mag7cli.cli.app",
        "mag7cli.cli.dates",
        "mag7cli.cli.errors",
        "mag7cli.cli.options",
        "mag7cli.cli.origin",
        "mag7cli.cli.output",
        "mag7cli.cli.pasted",
        "mag7cli.cli.signals",
    }


def test_json_costs_one_library_more(tmp_path):
    assert _loaded(tmp_path, "dates", "--format", "json") & set(HEAVY) == {"orjson"}


def test_who_only_reads_does_not_wait_for_what_collects():
    probe = "import sys, mag7cli.library; print(*(name for name in sys.modules if name.startswith('mag7cli.')))"
    ended = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    rooms = {name.split(".")[1] for name in ended.stdout.split()}
    assert rooms <= {"core", "market", "lake", "library"}
