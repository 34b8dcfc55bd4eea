"""The commands that people and scripts read, over one small lake of the simulated market, each a real process."""

import csv
import io
import json
import re
import subprocess

import pytest
from tests.simulators.command_line import MAG7, environment, mag7, mag7_in_terminal, without_times

from mag7cli.vendors.sandbox.market import Market
from mag7cli.vendors.sandbox.plan import PLANS
from mag7cli.vendors.sandbox.server import SandboxServer

# Words, and whether there is a CSV form.
READING = {
    "show": (["show"], True),
    "show of a date": (["show", "2024-12-11"], True),
    "show of two dates": (["show", "2024-12-11", "2024-12-12"], True),
    "show of a group": (["show", "--group", "top10", "--without", "NVDA"], True),
    "show of a group over time": (["show", "2024-12-11", "yesterday", "--group", "sector:energy"], True),
    "show of the last dates": (["show", "--last", "2"], True),
    "status": (["status"], False),
    "explain": (["explain", "2024-12-12"], False),
    "explain a line": (["explain", "2024-12-12", "BRK.B"], False),
    "validate": (["validate"], True),
    "verify": (["verify"], False),
    "sql": (["sql", "SELECT * FROM market_data.magnificent7_metrics"], True),
    "exposure": (["exposure", "--stock", "NVDA=100"], True),
    "transform": (["transform"], False),
    "load": (["load"], False),
}


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with a lake of two dates, collected and transformed."""
    place = tmp_path_factory.mktemp("pipeline")
    with SandboxServer(Market(), plan=PLANS["advanced"]) as vendor:
        env = environment(place, {"POLYGON_BASE_URL": vendor.url, "POLYGON_API_KEY": "sandbox"})
        period = ["--start", "2024-12-11", "--end", "2024-12-12", "--plan", "advanced", "--rate", "unlimited"]
        collected = mag7("collect", *period, "-q", cwd=place, env=env)
    assert (collected.code, collected.stderr) == (0, "")
    transformed = mag7("transform", "-q", cwd=place)
    assert (transformed.code, transformed.stderr) == (0, "")
    return place


@pytest.mark.parametrize("name", READING)
def test_json_is_one_document_on_a_pure_stdout(here, name):
    words, _ = READING[name]
    ended = mag7(*words, "--format", "json", cwd=here)
    assert ended.code == 0
    assert json.loads(ended.stdout)["schema_version"] == 1
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("name", [name for name, (_, has_csv) in READING.items() if has_csv])
def test_csv_has_as_many_fields_in_each_row(here, name):
    words, _ = READING[name]
    header, *rows = csv.reader(io.StringIO(mag7(*words, "--format", "csv", cwd=here).stdout))
    assert rows
    assert {len(row) for row in rows} == {len(header)}


@pytest.mark.parametrize("name", READING)
def test_text_in_a_pipe_has_no_escape_sequences(here, name):
    words, _ = READING[name]
    ended = mag7(*words, cwd=here)
    assert ended.stdout
    assert "\x1b" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("name", ["show", "status", "explain", "validate", "exposure"])
@pytest.mark.parametrize("columns", [40, 100])
def test_a_terminal_of_any_width_shows_it(here, name, columns):
    words, _ = READING[name]
    ended = mag7_in_terminal(*words, cwd=here, columns=columns)
    assert ended.code == 0
    assert "Traceback" not in ended.stderr


def test_json_is_the_same_on_a_terminal(here):
    words = ["show", "--format", "json"]
    assert mag7_in_terminal(*words, cwd=here).stderr == mag7(*words, cwd=here).stdout


def test_quiet_steps_of_a_pipeline_say_their_result_and_nothing_else(here):
    for words in (["transform"], ["validate"], ["load"]):
        assert mag7(*words, "-q", cwd=here).stderr == ""


def test_every_figure_says_that_it_is_simulated(here):
    for words in (["show"], ["status"], ["explain", "2024-12-12"]):
        assert "SIMULATED" in mag7(*words, cwd=here).stdout


def test_a_receipt_begins_with_the_answer_and_names_its_inputs_when_asked_to(here):
    simulated, answer, data, *rest = mag7("explain", "2024-12-12", cwd=here).stdout.splitlines()
    hashes = [row for row in rest if row.startswith("  sha256 ")]
    assert simulated.startswith("SIMULATED")
    assert re.fullmatch(r"\d\d\.\d\d % ± 0\.\d\d of the S&P 500 was seven companies on 2024-12-12\.", answer)
    assert data.startswith("Data: ")
    assert len(hashes) == 1
    assert hashes[0].endswith("/market_data.json")

    named = [row for row in mag7("explain", "2024-12-12", "--hashes", cwd=here).stdout.splitlines() if "sha256" in row]
    assert f"  and {len(named) - 1} more inputs, which --hashes names" in rest
    assert len(named) == len(json.loads(mag7("explain", "2024-12-12", "--format", "json", cwd=here).stdout)["inputs"])


@pytest.mark.parametrize(("typed", "meant"), [("NVDAA", "NVDA"), ("FB", "META")])
def test_a_misspelt_or_old_ticker_brings_the_one_of_that_date_to_mind(here, typed, meant):
    ended = mag7("explain", "2024-12-12", typed, cwd=here)
    assert (ended.code, ended.stdout) == (2, "")
    assert ended.stderr.endswith(f"Hint: did you mean {meant}?\n")


def test_the_log_of_a_step_may_be_json(here):
    ended = mag7("transform", "--force", "-v", "--log-format", "json", cwd=here)
    assert ended.code == 0
    for line in ended.stderr.splitlines():
        assert {"timestamp", "level", "logger", "message"} <= set(json.loads(line))


def test_two_dates_name_their_closes_and_what_the_seven_and_the_rest_gained(here):
    ended = mag7("show", "2024-12-11", "2024-12-12", cwd=here)
    assert "at the close of 2024-12-12" in ended.stdout
    assert "at that of 2024-12-11" in ended.stdout
    assert len(re.findall(r"\d\d\.\d\d (?:% ± \d\.\d\d|to \d\d\.\d\d %)", ended.stdout.partition(" points.")[0])) == 2
    assert "the rest " in ended.stdout
    assert "SIMULATED" in ended.stdout


def test_a_year_whose_base_is_not_collected_has_no_figure(here):
    ended = mag7("show", "ytd", cwd=here)
    assert ended.code == 2
    assert "2023-12-29 is not in the lake" in ended.stderr
    assert "mag7 show 2024-12-11 2024-12-12" in ended.stderr


def test_every_row_of_the_last_dates_carries_status_kind_and_the_simulated_mark(here):
    rows = list(csv.DictReader(io.StringIO(mag7("show", "--last", "5", "--format", "csv", cwd=here).stdout)))
    assert [row["on"] for row in rows] == ["2024-12-11", "2024-12-12"]
    assert {row["simulated"] for row in rows} == {"true"}
    assert {row["status"] for row in rows} <= {"complete", "suspect"}
    assert all(row["kind"].startswith("full market capitalisation") for row in rows)


def test_a_share_of_the_last_dates_stands_with_its_bound(here):
    shown = mag7("show", "--last", "2", cwd=here).stdout
    assert len(re.findall(r"^2024-12-1[12]  +\d\d\.\d\d (?:% ± \d\.\d\d|to \d\d\.\d\d %) ", shown, re.MULTILINE)) == 2


def test_a_row_of_the_csv_says_whose_share_it_is_and_between_what(here):
    (seven, *_), (three, *_) = (
        list(csv.DictReader(io.StringIO(mag7("show", "--group", group, "--format", "csv", cwd=here).stdout)))
        for group in ("mag7", "top3")
    )
    assert (seven["group"], three["group"]) == ("mag7", "top3")
    assert float(seven["mag7_pct_low"]) <= float(seven["mag7_pct_of_sp500"]) <= float(seven["mag7_pct_high"])
    assert (three["mag7_pct_low"], three["mag7_pct_high"]) == ("", "")


def test_a_group_may_be_a_file(here):
    (here / "mine.txt").write_text("AAPL\nMSFT\n", encoding="utf-8")
    found = json.loads(mag7("show", "--group", "mine.txt", "--format", "json", cwd=here).stdout)
    assert (found["group"], found["subject"]) == ("mine.txt", "two companies")
    assert [company["ticker"] for company in found["companies"]] == ["AAPL", "MSFT"]


def test_a_date_and_last_contradict_each_other(here):
    assert mag7("show", "2024", "--last", "5", cwd=here).code == 2


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_export_that_nobody_reads_on_is_no_error_and_a_full_disk_is_one(here, form):
    export = f"'{MAG7}' export constituents --format {form}"
    code = {f"set -o pipefail; {export} | head -1 > /dev/null": 0, f"{export} >&-": 0, f"{export} > /dev/full": 1}
    for script, expected in code.items():
        ended = subprocess.run(["bash", "-c", script], cwd=here, env=environment(here), capture_output=True, text=True)
        full = "Error: the output cannot be written: No space left on device\n"
        assert (ended.returncode, without_times(ended.stderr)) == (expected, full if expected else ""), script


def test_an_export_streams_to_stdout_or_goes_to_a_file_whose_ending_is_its_format(here):
    streamed = mag7("export", "--format", "jsonl", cwd=here)
    assert [json.loads(row)["trading_date"] for row in streamed.stdout.splitlines()] == ["2024-12-11", "2024-12-12"]
    written = mag7("export", "constituents", "--out", "lines.parquet", "--end", "2024-12-11", cwd=here)
    assert (written.code, written.stdout) == (0, "")
    assert "lines.parquet: 503 rows" in written.stderr
    refused = mag7("export", "--format", "xlsx", cwd=here)
    assert (refused.code, "--out mag7.xlsx" in refused.stderr) == (2, True)


def test_a_group_is_a_view_in_sql(here):
    share = "SELECT group_pct_of_index FROM market_data.group_share ORDER BY trading_date DESC LIMIT 1"
    found = json.loads(mag7("sql", share, "--group", "top10", "--format", "json", cwd=here).stdout)
    shown = json.loads(mag7("show", "--group", "top10", "--format", "json", cwd=here).stdout)
    assert found["rows"][0]["group_pct_of_index"] == pytest.approx(shown["share_pct"])
    assert mag7("sql", "SELECT * FROM market_data.fund_weights", cwd=here).code == 0


def test_my_money_is_answered_for_in_the_largest_of_the_lakes_last_date(here):
    shown = json.loads(mag7("show", "--group", "top3", "--format", "json", cwd=here).stdout)
    third = [company["ticker"] for company in shown["companies"]][2]
    stocks = ["--stock", f"{third}=30", "--stock", "KO=70", "--group", "top3"]

    answer = json.loads(mag7("exposure", *stocks, "--format", "json", cwd=here).stdout)
    text = mag7("exposure", *stocks, cwd=here).stdout

    assert (answer["group"], answer["mag7_pct"], len(answer["mag7"])) == ("top3", 30.0, 3)
    assert "$30.00 of $100.00 is in the three largest companies: 30.00 %." in text
    assert mag7("exposure", *stocks, "--lake", "elsewhere", cwd=here).code == 2


def test_the_funds_weight_of_the_seven_stands_beside_no_other_share(here):
    for words in (["--without", "NVDA"], ["--group", "top10"]):
        assert json.loads(mag7("show", *words, "--format", "json", cwd=here).stdout)["fund"] is None


def test_a_series_of_ones_own_needs_more_dates_and_no_period(here):
    (here / "small_caps.csv").write_text("date,close\n2024-12-11,5.0\n2024-12-12,5.1\n")
    ended = mag7("show", "--with", "small_caps.csv", cwd=here)
    assert (ended.code, ended.stdout) == (2, "")
    assert "complete dates in common; a window takes 64" in ended.stderr
    assert mag7("show", "2024", "--with", "small_caps.csv", cwd=here).code == 2
