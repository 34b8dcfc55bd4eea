"""`mag7 exposure` through a real process."""

import csv
import io
import json
from pathlib import Path

import pytest
from tests.simulators.command_line import mag7, mag7_in_terminal

WHOLE_INDEX = Path(__file__).parents[2] / "data" / "holdings_files" / "whole_index.csv"

FUND = """\
iShares Test ETF
Fund Holdings as of,"Dec 06, 2024"

Ticker,Name,Sector,Asset Class,Market Value,Weight (%),Quantity,Price
NVDA,NVIDIA CORP,Tech,Equity,"2,000",20.0,10,200
GOOGL,ALPHABET INC CLASS A,Comm,Equity,"1,000",10.0,10,100
GOOG,ALPHABET INC CLASS C,Comm,Equity,"1,000",10.0,10,100
XOM,EXXON MOBIL CORP,Energy,Equity,"5,000",50.0,50,100
USD,USD CASH,Cash,Cash,"500",5.0,500,1
"""


@pytest.fixture
def here(tmp_path):
    (tmp_path / "fund.csv").write_text(FUND)
    return tmp_path


def _exposure(here, *words):
    ended = mag7("exposure", *words, "--format", "json", cwd=here)
    assert (ended.code, ended.stderr) == (0, "")
    return json.loads(ended.stdout)


def test_a_fund_is_opened_and_what_it_does_not_say_is_unknown(here):
    found = _exposure(here, "--fund", "TEST=1000", "--fund-file", "TEST=fund.csv", "--stock", "NVDA=500")
    seven = {one["ticker"]: one["amount_usd"] for one in found["mag7"]}
    assert seven["NVDA"] == pytest.approx(700)
    assert seven["GOOGL"] == pytest.approx(200)
    assert found["mag7_usd"] == pytest.approx(900)
    assert found["others_usd"] == pytest.approx(500)
    assert found["cash_usd"] == pytest.approx(50)
    assert found["unknown_usd"] == pytest.approx(50)
    assert found["total_usd"] == pytest.approx(1500)


def test_the_rows_of_csv_sum_to_the_whole(here):
    words = ["exposure", "--fund", "TEST=1000", "--fund-file", "TEST=fund.csv", "--stock", "KO=250", "--top", "1"]
    rows = list(csv.DictReader(io.StringIO(mag7(*words, "--format", "csv", cwd=here).stdout)))
    assert sum(float(row["amount_usd"]) for row in rows) == pytest.approx(1250)
    assert sum(float(row["pct"]) for row in rows) == pytest.approx(100)


def test_positions_may_come_from_a_file(here):
    (here / "mine.csv").write_text("ticker,amount\nNVDA,100\nTEST,900\nTotal,1000\n")
    ended = mag7("exposure", "mine.csv", "--fund-file", "TEST=fund.csv", "--format", "json", cwd=here)
    assert ended.code == 0
    assert json.loads(ended.stdout)["total_usd"] == pytest.approx(1000)


def test_a_fund_without_holdings_is_unknown_and_never_dropped(here):
    found = _exposure(here, "--fund", "IVV=1000")
    assert (found["unknown_usd"], found["total_usd"], found["mag7_usd"]) == (1000, 1000, 0)
    assert "mag7 tickers --download" in mag7("exposure", "--fund", "IVV=1000", cwd=here).stdout


def test_ivv_is_opened_by_the_lakes_file_and_has_its_weights(here):
    mag7("tickers", str(WHOLE_INDEX), "-q", cwd=here)
    found = _exposure(here, "--fund", "IVV=10000")
    seven = {one["ticker"]: one["pct"] for one in found["mag7"]}
    lines = csv.reader(io.StringIO(WHOLE_INDEX.read_text("utf-8-sig")))
    weights = {cells[0]: float(cells[5]) for cells in lines if len(cells) > 5 and cells[3] == "Equity"}
    assert seven["AAPL"] == pytest.approx(weights["AAPL"])
    assert seven["GOOGL"] == pytest.approx(weights["GOOGL"] + weights["GOOG"])


def test_text_tells_the_answer_first_and_fits_a_narrow_terminal(here):
    words = ["exposure", "--fund", "TEST=1000", "--fund-file", "TEST=fund.csv"]
    piped = mag7(*words, cwd=here).stdout
    assert piped.startswith("$400.00 of $1,000.00 is in the Magnificent 7: 40.00 %.\n")
    shown = mag7_in_terminal(*words, cwd=here, columns=40, env={"NO_COLOR": "1"}).stderr
    assert "NVDA" in shown
    assert "by way of" not in shown


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["nope.csv"],
        ["--fund", "IVV"],
        ["--fund", "IVV=much"],
        ["--stock", "NVDA=-5"],
        ["--fund", "TEST=5", "--fund-file", "fund.csv"],
        ["--fund", "TEST=5", "--fund-file", "TEST=nope.csv"],
    ],
)
def test_what_cannot_be_is_a_usage_error(here, words):
    ended = mag7("exposure", *words, cwd=here)
    assert (ended.code, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Error: ")
