"""Every exit code that the help promises, seen through a real process."""

import json
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.simulators.command_line import environment, mag7
from tests.simulators.small_index import document, keep

from mag7cli.core.errors import EXIT_CODES
from mag7cli.lake.layout import Lake
from mag7cli.lake.lock import locked
from mag7cli.tables.schema import TABLE, arrow_schema
from mag7cli.vendors.sandbox.market import Market
from mag7cli.vendors.sandbox.plan import PLANS
from mag7cli.vendors.sandbox.server import SandboxServer

PERIOD = ["--start", "2024-12-11", "--end", "2024-12-12", "--plan", "advanced", "--rate", "unlimited"]


@pytest.fixture(scope="module")
def vendor():
    with SandboxServer(Market(), plan=PLANS["advanced"]) as server:
        yield server


def _env(tmp_path, vendor, key="sandbox"):
    return environment(tmp_path, {"POLYGON_BASE_URL": vendor.url, "POLYGON_API_KEY": key})


def _told(ended):
    """The one line on stderr that says why, as JSON."""
    return json.loads(ended.stderr.splitlines()[-1])


def test_0_done_and_again_nothing_to_do(tmp_path, vendor):
    words = ["collect", *PERIOD, "-q", "--format", "json"]
    ended = mag7(*words, cwd=tmp_path, env=_env(tmp_path, vendor))
    assert (ended.code, ended.stderr) == (0, "")
    assert json.loads(ended.stdout)["collected"] == ["2024-12-11", "2024-12-12"]
    again = mag7(*words, cwd=tmp_path, env=environment(tmp_path))
    assert (again.code, json.loads(again.stdout)["collected"]) == (0, [])


def test_1_error(tmp_path):
    (tmp_path / "lake" / "raw").mkdir(parents=True)
    ended = mag7("show", cwd=tmp_path)
    assert (ended.code, ended.stdout) == (1, "")
    assert ended.stderr.startswith("Error: ")


def test_2_usage(tmp_path):
    assert mag7("collect", "--rate", "fast", cwd=tmp_path).code == 2


def test_3_finished_but_some_dates_failed(tmp_path):
    document = tmp_path / "lake" / Lake.document_key(date(2024, 12, 13))
    document.parent.mkdir(parents=True)
    document.write_bytes(b'{"trading_date": ')
    ended = mag7("transform", "--format", "json", cwd=tmp_path)
    assert ended.code == 3
    (failed,) = json.loads(ended.stdout)["failed"]
    assert failed["trading_date"] == "2024-12-13"


def test_3_what_the_plan_does_not_serve_is_said_and_the_rest_is_there(tmp_path):
    lake = Lake.at(str(tmp_path / "lake"))
    for day in (13, 14, 15, 16):
        keep(lake, document(date(2022, 12, day)))
    ended = mag7("collect", "--start", "2022-12-08", "--end", "2022-12-16", cwd=tmp_path)
    assert (ended.code, ended.stdout) == (3, "Nothing to collect: all 4 dates that are served are there.\n")
    assert "the basic plan serves data from 2022-12-13 on: 3 sessions from 2022-12-08 to 2022-12-12" in ended.stderr
    assert "the starter plan has them" in ended.stderr


@pytest.mark.parametrize("key", ["wrong", ""])
def test_4_the_key_is_refused(tmp_path, vendor, key):
    ended = mag7("collect", *PERIOD, "--format", "json", cwd=tmp_path, env=_env(tmp_path, vendor, key))
    assert ended.code == 4
    assert _told(ended)["code"] == 4


def test_5_stopped_early(tmp_path, vendor):
    words = ["collect", *PERIOD, "--max-calls", "3", "--format", "json"]
    ended = mag7(*words, cwd=tmp_path, env=_env(tmp_path, vendor))
    assert ended.code == 5
    assert "--max-calls 3" in _told(ended)["error"]
    # What was paid for is not called nothing.
    status = mag7("status", cwd=tmp_path).stdout
    assert "What the vendor answered is kept, 3 files: mag7 collect goes on with it." in status
    assert "empty" not in status + mag7("status", "--check", cwd=tmp_path).stdout


def test_6_validation_failed(tmp_path):
    schema = arrow_schema(TABLE["concentration_metrics"], partitioned=False)
    row = {
        "trading_date": date(2024, 12, 13),
        "total_mag7_market_cap": 1,
        "sp500_total_market_cap": 2,
        "mag7_pct_of_sp500": 99.0,
        "mag7_companies_count": 6,
    }
    columns = [pa.array([row[field.name]], field.type) for field in schema]
    path = tmp_path / "lake" / Lake.flat_key("concentration_metrics", 2024)
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), path)
    ended = mag7("validate", "--format", "json", cwd=tmp_path)
    assert ended.code == 6
    assert json.loads(ended.stdout)["failed"] > 0


def test_7_another_run_holds_the_lake(tmp_path, vendor):
    with locked(Lake.at(str(tmp_path / "lake")), "mag7 collect"):
        ended = mag7("collect", *PERIOD, "--format", "json", cwd=tmp_path, env=_env(tmp_path, vendor))
    assert (ended.code, ended.stdout) == (7, "")
    assert "mag7 collect" in _told(ended)["error"]


def test_8_the_lake_is_not_well(tmp_path):
    (tmp_path / "lake" / "raw").mkdir(parents=True)
    ended = mag7("status", "--check", cwd=tmp_path)
    assert (ended.code, ended.stdout) == (8, "the lake is empty\n")


def test_every_code_has_its_test():
    tested = {int(name.split("_")[1]) for name in globals() if name.startswith("test_") and name[5].isdigit()}
    elsewhere = {130}  # test_cli_frame
    assert tested | elsewhere == set(EXIT_CODES)
