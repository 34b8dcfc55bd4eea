"""A simulated market is never mistaken for the real one: every command that shows its figures says so."""

import csv
import io
import json
import re
import shutil
from importlib import resources

import pytest
from tests.simulators.command_line import mag7
from tests.simulators.filled_lake import fill
from typer.main import get_command
from typer.testing import CliRunner

from mag7cli.cli import app
from mag7cli.cli.app import Group, commands_of
from mag7cli.cli.origin import OF_A_MARKET, SIMULATED
from mag7cli.lake.layout import Lake


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with two lakes of the same tables, `lake` of a simulated market, `real` of none."""
    folder = tmp_path_factory.mktemp("simulated")
    for name, simulated in (("lake", True), ("real", False)):
        lake = Lake.at(str(folder / name))
        fill(lake.store)
        lake.write_reference("source.json", json.dumps({"vendor": "polygon", "simulated": simulated}).encode())
    return folder


@pytest.mark.parametrize("words", [["validate"], ["status"], ["load"], ["transform"]])
def test_the_first_line_says_so_and_so_does_the_document(here, tmp_path, words):
    shutil.copytree(here / "lake", tmp_path / "lake")
    assert mag7(*words, cwd=tmp_path).stdout.splitlines()[0] == SIMULATED
    assert json.loads(mag7(*words, "--format", "json", cwd=tmp_path).stdout)["simulated"] is True


@pytest.mark.parametrize(("lake", "value"), [("lake", "true"), ("real", "false")])
def test_csv_says_so_in_every_row(here, lake, value):
    ended = mag7("validate", "--format", "csv", "--lake", lake, cwd=here)
    rows = list(csv.DictReader(io.StringIO(ended.stdout)))
    assert {row["simulated"] for row in rows} == {value}


def test_a_result_of_one_s_own_sql_is_left_alone_and_stderr_says_so(here):
    ended = mag7("sql", "SELECT 1 AS one", "--format", "csv", cwd=here)
    assert (ended.stdout, ended.stderr) == ("one\n1\n", f"Warning: {SIMULATED}\n")
    assert mag7("sql", "SELECT 1 AS one", "--lake", "real", cwd=here).stderr == ""


def test_the_real_market_is_not_called_simulated(here):
    assert SIMULATED not in mag7("validate", "--lake", "real", cwd=here).stdout


def test_money_in_funds_of_a_simulated_lake_is_marked_on_every_surface(here, tmp_path):
    words = ["exposure", "--stock", "NVDA=500", "--page", str(tmp_path / "mine.html")]
    ended = mag7(*words, cwd=here)
    assert ended.stdout.splitlines()[0] == SIMULATED
    assert "SIMULATED MARKET" in (tmp_path / "mine.html").read_text(encoding="utf-8")
    assert SIMULATED not in mag7(*words, "--lake", "real", cwd=here).stdout
    assert "SIMULATED" not in (tmp_path / "mine.html").read_text(encoding="utf-8")


def test_a_download_of_the_page_has_a_column_for_it():
    script = (resources.files("mag7cli.reporting") / "assets" / "page.js").read_text(encoding="utf-8")
    assert re.search(r'columns\.includes\("simulated"\) \? \{\} : \{ simulated: page\.simulated \}', script)


def test_every_command_that_is_marked_is_there():
    program = get_command(app)
    assert isinstance(program, Group)
    known = {f"mag7 {words}" for words, _ in commands_of(program)}
    assert known >= OF_A_MARKET - {"mag7 export"}


def test_a_demo_of_days_that_the_market_does_not_have_is_refused_and_makes_no_lake(tmp_path):
    ended = CliRunner().invoke(app, ["demo", "--end", "2026-10-09", "--lake", str(tmp_path / "lake")])

    assert ended.exit_code == 2
    assert "the simulated market ends on 2024-12-31" in ended.stderr
    assert not (tmp_path / "lake").exists()
