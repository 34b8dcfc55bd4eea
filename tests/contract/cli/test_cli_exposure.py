"""`mag7 exposure` through a real process."""

import csv
import io
import json
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from tests.simulators.command_line import environment, mag7, mag7_in_terminal

from mag7cli.cli import input_files
from mag7cli.core.errors import UsageError

WHOLE_INDEX = Path(__file__).parents[2] / "data" / "holdings_files" / "whole_index.csv"
DATA = Path(__file__).parents[2] / "data"
REAL_FILE = Path(__file__).parents[3].parent / "shared" / "data" / "IVV_holdings_2024-12-06.csv"
FAULTS = Path(__file__).parents[3].parent / "shared" / "faults"

LATER = "2026-11-20T18:00:00-05:00"
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
    """The answer; whether it is complete is what the exit code says."""
    ended = mag7("exposure", *words, "--format", "json", "-q", cwd=here)
    answer = json.loads(ended.stdout)
    is_range = answer["mag7_pct_high"] - answer["mag7_pct_low"] > 0.005
    assert (ended.code, ended.stderr) == (3 if is_range or answer["unvalued"] else 0, "")
    return answer


def test_a_fund_is_opened_and_what_it_does_not_say_is_unknown(here):
    answer = _exposure(here, "--fund", "TEST=1000", "--fund-file", "TEST=fund.csv", "--stock", "NVDA=500")
    seven = {company["ticker"]: company["amount_usd"] for company in answer["mag7"]}
    assert seven["NVDA"] == pytest.approx(700)
    assert seven["GOOGL"] == pytest.approx(200)
    assert answer["mag7_usd"] == pytest.approx(900)
    assert answer["others_usd"] == pytest.approx(500)
    assert answer["cash_usd"] == pytest.approx(50)
    assert answer["unknown_usd"] == pytest.approx(50)
    assert (answer["total_usd"], answer["held_usd"], answer["currency"]) == (1500, 1500, "USD")
    assert [answer["mag7_pct_low"], answer["mag7_pct_high"]] == pytest.approx([60.0, 100 * 950 / 1500])


def test_the_rows_of_csv_sum_to_the_whole(here):
    words = ["exposure", "--fund", "TEST=1000", "--fund-file", "TEST=fund.csv", "--stock", "KO=250", "--top", "1"]
    rows = list(csv.DictReader(io.StringIO(mag7(*words, "--format", "csv", cwd=here).stdout)))
    assert sum(float(row["amount_usd"]) for row in rows) == pytest.approx(1250)
    assert sum(float(row["pct"]) for row in rows) == pytest.approx(100)


def test_positions_come_from_several_files_and_from_standard_input(here):
    (here / "mine.csv").write_text("ticker,amount\nNVDA,100\nTEST,900\nTotal,1000\n")
    words = ["exposure", "mine.csv", "-", "--fund-file", "TEST=fund.csv", "--format", "json"]
    ended = mag7(*words, cwd=here, stdin="symbol;value\nAAPL;50,5\n")
    assert json.loads(ended.stdout)["total_usd"] == pytest.approx(1050.5)


def test_how_a_file_was_read_is_said_before_the_answer(here):
    ended = mag7("exposure", str(DATA / "brokers" / "fidelity_positions.csv"), cwd=here)
    assert "read as an export of Fidelity (fidelity_positions)" in ended.stderr
    assert "'Date downloaded Nov-20-2026 2:55 p.m ET' is text" in ended.stderr
    assert "Not counted: NVDA call 200 of 2027-01-15, -1 contracts, -$400.00." in ended.stdout


def test_a_fund_without_holdings_is_unknown_and_the_answer_a_range(here):
    answer = _exposure(here, "--fund", "QQQ=10000", "--stock", "NVDA=2500")
    assert (answer["mag7_pct_low"], answer["mag7_pct_high"], answer["unknown_usd"]) == (20.0, 100.0, 10000)
    shown = mag7("exposure", "--fund", "QQQ=10000", "--stock", "NVDA=2500", cwd=here).stdout
    assert shown.startswith(
        "Between 20.00 and 100.00 % of $12,500.00 is in the Magnificent 7: $2,500.00 is, 80.00 % is unknown.\n"
    )
    assert "mag7 exposure --fund-file QQQ=FILE opens it; mag7 funds add QQQ=FILE keeps the file." in shown
    (here / "my lake" / "raw").mkdir(parents=True)
    elsewhere = mag7("exposure", "--fund", "QQQ=10000", "--lake", "my lake", cwd=here)
    assert (elsewhere.code, "mag7 funds add QQQ=FILE --lake 'my lake' keeps the file" in elsewhere.stdout) == (3, True)
    assert "mag7 tickers --download" in mag7("exposure", "--fund", "IVV=1000", cwd=here).stdout


def test_a_fund_without_a_ticker_is_opened_by_its_number_or_its_name_as_the_hint_says(here):
    depot = str(DATA / "brokers" / "comdirect_depot.csv")
    assert "--fund-file A0YEDG=FILE opens it" in mag7("exposure", depot, cwd=here).stdout
    by_number = _exposure(here, depot, "--fund-file", "a0yedg=fund.csv")
    by_name = _exposure(here, depot, "--fund-file", "ISHSV-S+P500 DL ACC ETF=fund.csv")
    assert by_number["mag7_eur"] == by_name["mag7_eur"]
    assert by_number["unknown_eur"] == pytest.approx(0.05 * 1562.5)
    typed = mag7("exposure", "--fund", "My Fund=100", cwd=here).stdout
    assert "  mag7 exposure --fund-file 'MY FUND'=FILE opens it.\n" in typed


def test_holdings_that_open_nothing_are_told(here):
    ended = mag7("exposure", "--stock", "NVDA=5", "--fund-file", "OTHER=fund.csv", cwd=here)
    assert (ended.code, ended.stderr) == (0, "Warning: --fund-file OTHER: no position is in that fund\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-"], "standard input is empty"),
        (["-", "-"], "- is standard input, which can be read once"),
        ([""], "a file without a name cannot be read"),
        (["--stock", "NVDA=5", "--page", "-"], "Invalid value for '--page': it cannot go to stdout"),
    ],
)
def test_standard_streams_are_called_by_name(here, words, message):
    ended = mag7("exposure", *words, cwd=here, stdin="")
    assert (ended.code, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"Error: {message}")


def test_a_portfolio_in_one_foreign_currency_is_answered_in_it_and_converted_by_a_rate(here):
    (here / "depot.csv").write_text("symbol;amount;currency\nNVDA;30,5;EUR\nKO;69,5;EUR\n")
    answer = _exposure(here, "depot.csv")
    assert (answer["currency"], answer["total_eur"], answer["mag7"][0]["amount_eur"]) == ("EUR", 100.0, 30.5)
    assert mag7("exposure", "depot.csv", cwd=here).stdout.startswith("30.50 EUR of 100.00 EUR is in the Magnificent 7")
    assert _exposure(here, "depot.csv", "--rate", "EUR=1.10")["total_usd"] == pytest.approx(110.0)


def test_a_decimal_mark_and_a_delta_can_be_given(here):
    (here / "two.csv").write_text("ticker;shares;price\nNVDA;10,000;150,250\n")
    assert _exposure(here, "two.csv", "--decimal", "comma")["total_usd"] == pytest.approx(1502.5)
    fidelity = str(DATA / "brokers" / "fidelity_positions.csv")
    answer = _exposure(here, fidelity, "--delta", "NVDA=0.5")
    assert next(c for c in answer["mag7"] if c["ticker"] == "NVDA")["amount_usd"] == pytest.approx(16500 - 50 * 150)
    assert answer["options"] == []


def test_a_target_is_arithmetic_both_ways(here):
    words = ["--stock", "NVDA=500", "--stock", "KO=500"]
    assert _exposure(here, *words, "--target", "20")["target"] == {"pct": 20.0, "move_usd": 300.0, "add_usd": 1500.0}
    less = mag7("exposure", *words, "--target", "20", cwd=here).stdout
    assert "To have 20 % in them: $300.00 out of them into others, or $1,500.00 more in others alone." in less
    more = mag7("exposure", *words, "--target", "75", cwd=here).stdout
    assert "To have 75 % in them: $250.00 into the Mag 7, or $1,000.00 more in the Mag 7." in more


def test_the_share_over_time_of_positions_of_several_days(here):
    (here / "dated.csv").write_text(
        "date,symbol,amount\n2026-10-01,NVDA,100\n2026-10-01,KO,300\n2026-11-02,NVDA,200\n2026-11-02,QQQ,200\n"
    )
    answer = _exposure(here, "dated.csv", "--over-time")
    points = [(point["on"], point["mag7_pct_low"], point["mag7_pct_high"]) for point in answer["over_time"]]
    assert points == [("2026-10-01", 25.0, 25.0), ("2026-11-02", 50.0, 100.0)]
    assert "2026-11-02  $400.00  50.00 to 100.00 %" in mag7("exposure", "dated.csv", "--over-time", cwd=here).stdout
    assert mag7("exposure", "dated.csv", cwd=here).code == 2
    assert _exposure(here, "dated.csv", "--on", "2026-10-01")["mag7_pct"] == 25.0


def test_text_tells_the_answer_first_and_fits_a_narrow_terminal(here):
    words = ["exposure", "--fund", "TEST=1000", "--fund-file", "TEST=fund.csv"]
    piped = mag7(*words, cwd=here, env=environment(here, {"MAG7_NOW": LATER})).stdout
    assert piped.startswith("Between 40.00 and 45.00 % of $1,000.00 is in the Magnificent 7: $400.00 is, 5.00 %")
    assert "The holdings of TEST are 714 days old." in piped
    shown = mag7_in_terminal(*words, cwd=here, columns=40, env={"NO_COLOR": "1"}).stderr
    assert "NVDA" in shown
    assert "by way of" not in shown
    assert "2024-12-06" in shown


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
        ["--stock", "NVDA=5", "--rate", "EUR"],
        ["--stock", "NVDA=5", "--rate", "EUR=-1"],
        ["--stock", "NVDA=5", "--target", "100"],
        ["fund.csv", "fund.csv"],
        ["--stock", "NVDA=5", "--over-time"],
        [str(DATA / "brokers" / "schwab_transactions.csv")],
    ],
)
def test_what_cannot_be_is_a_usage_error(here, words):
    ended = mag7("exposure", *words, cwd=here)
    assert (ended.code, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Error: ")


def test_a_fund_file_that_cannot_be_read_is_an_error_of_its_own(here):
    (here / "bad.csv").write_text("a,b\n1,2\n")
    ended = mag7("exposure", "--fund", "TEST=5", "--fund-file", "TEST=bad.csv", cwd=here)
    assert (ended.code, ended.stderr.splitlines()[0]) == (
        1,
        "Error: bad.csv: no line has columns for a security and its weight or value",
    )


def test_every_warning_of_the_reader_is_printed(here):
    (here / "f.csv").write_text("Symbol,Name,Weight\nNVDA,NVIDIA CORP,0.6\nKO,COCA COLA,0.4\n")
    (here / "spy.csv").write_bytes((DATA / "funds" / "state_street.csv").read_bytes())
    ended = mag7("exposure", "--fund", "A=5", "--fund-file", "A=f.csv", "--fund-file", "B=spy.csv", cwd=here)
    assert "f.csv: weights are fractions, read as percent" in ended.stderr
    assert "spy.csv is of SPY, and is taken for B" in ended.stderr


def test_ivv_is_opened_by_the_lakes_file_beside_the_index_and_equal_weight(here):
    mag7("tickers", str(WHOLE_INDEX), "-q", cwd=here)
    answer = _exposure(here, "--fund", "IVV=10000")
    seven = {company["ticker"]: company["pct"] for company in answer["mag7"]}
    lines = csv.reader(io.StringIO(WHOLE_INDEX.read_text("utf-8-sig")))
    weights = {cells[0]: float(cells[5]) for cells in lines if len(cells) > 5 and cells[3] == "Equity"}
    assert seven["AAPL"] == pytest.approx(weights["AAPL"], abs=0.01)
    assert seven["GOOGL"] == pytest.approx(weights["GOOGL"] + weights["GOOG"], abs=0.02)
    index, equal = answer["benchmarks"]
    assert (index["name"], index["pct"]) == ("S&P 500", pytest.approx(answer["mag7_pct"]))
    assert (equal["name"], round(equal["pct"], 2)) == ("equal weight", 1.4)


# What went wrong once; the files stand beside the repository, invented ones of their kinds in tests/data.

RIGHT = {
    "schwab_positions": {"mag7_pct": 49.67, "total_usd": 10_000, "cash_direct": 1_000},
    "schwab_positions_by_hand": {"mag7_pct": 49.67, "total_usd": 10_000, "cash_direct": 1_000},
    "vanguard_download": {"mag7_pct": 37.50, "total_usd": 4_000},
    "yahoo_quotes": {"mag7_usd": 1_500, "unvalued": 2},
    "yahoo_sold": {"mag7_usd": 900, "unvalued": 2},
    "leading_blank_semicolon": {"mag7_pct": 59.67, "total_usd": 10_000},
    "fidelity_option": {"mag7_usd": 15_000, "mag7_pct": 93.75, "total_usd": 16_000},
    "margin_debit": {
        "mag7_usd": 3_278,
        "mag7_pct": 32.78,
        "held_usd": 10_000,
        "mag7_pct_of_net": 54.63,
        "total_usd": 6_000,
    },
    "no_value": {"mag7_usd": 15_000, "mag7_pct": 96.77, "total_usd": 15_500, "unvalued": 1},
}
RIGHT_FUNDS = {
    "uk_short_year": ("MRK", 40.0, "2026-09-17"),
    "german_fund": ("NVDA", 80.0, "2026-11-20"),
    "swiss_fund": ("NVDA", 80.47, "2026-07-15"),
    "spdr_as_csv": ("NVDA", 60.0, "2026-11-20"),
    "invesco_qqq": ("NVDA", 60.0, "2026-11-20"),
    "fraction_weights": ("NVDA", 60.0, None),
}


@pytest.fixture(scope="module")
def with_ivv(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lake")
    mag7("tickers", str(REAL_FILE), "-q", cwd=folder)
    return folder


@pytest.mark.skipif(not FAULTS.is_dir(), reason=f"needs the files of {FAULTS.name}")
@pytest.mark.parametrize("name", RIGHT)
def test_a_file_that_was_read_wrong_is_read_right(with_ivv, name):
    answer = _exposure(with_ivv, str(FAULTS / f"{name}.csv"))
    known = answer | {"cash_direct": answer["cash_via"].get("direct"), "unvalued": len(answer["unvalued"])}
    # Weights come from market values, which are finer than the printed ones: by less than 0.01 points.
    values = {key: known[key] for key in RIGHT[name]}
    assert values == {key: pytest.approx(value, abs=0.01, rel=1e-4) for key, value in RIGHT[name].items()}


@pytest.mark.skipif(not FAULTS.is_dir(), reason=f"needs the files of {FAULTS.name}")
@pytest.mark.parametrize("name", ["schwab_transactions", "depot_three_places"])
def test_a_file_that_has_no_answer_is_refused(with_ivv, name):
    assert mag7("exposure", str(FAULTS / f"{name}.csv"), cwd=with_ivv).code == 2


@pytest.mark.skipif(not FAULTS.is_dir(), reason=f"needs the files of {FAULTS.name}")
@pytest.mark.parametrize("name", RIGHT_FUNDS)
def test_a_funds_file_that_was_refused_or_read_wrong_is_read_right(with_ivv, name):
    ticker, pct, day = RIGHT_FUNDS[name]
    ended = mag7(
        "exposure", "--fund", "F=100", "--fund-file", f"F={FAULTS / name}.csv", "--format", "json", cwd=with_ivv
    )
    answer = json.loads(ended.stdout)
    companies = [company for company in answer["mag7"] + answer["others"] if company["country"] == "US"]
    assert round(next(company["pct"] for company in companies if company["ticker"] == ticker), 2) == pct
    assert answer["funds"][0]["as_of"] == day


@pytest.mark.skipif(not FAULTS.is_dir(), reason=f"needs the files of {FAULTS.name}")
def test_companies_of_one_ticker_are_two(with_ivv):
    world = f"WLD={FAULTS / 'world_fund.csv'}"
    answer = _exposure(with_ivv, "--fund", "WLD=10000", "--fund", "IVV=10000", "--fund-file", world)
    others = {(company["ticker"], company["country"]): company["amount_usd"] for company in answer["others"]}
    assert others["MRK", "US"] == pytest.approx(4051, abs=1)
    assert others["MRK", "DE"] == pytest.approx(3000)
    assert others["PRU", "GB"] == pytest.approx(2000)
    assert [round(overlap["pct"], 1) for overlap in answer["overlaps"]] == [0.5]


def test_a_file_that_does_not_end_is_refused_before_it_fills_the_memory(here, monkeypatch):
    monkeypatch.setattr(input_files, "_LARGEST_BYTES", 1 << 20)
    with pytest.raises(UsageError, match="/dev/zero is larger than"):
        input_files.read_bytes("/dev/zero")
    (here / "small.csv").write_bytes(b"x" * (1 << 20))
    assert len(input_files.read_bytes(str(here / "small.csv"))) == 1 << 20


def test_the_answer_goes_into_a_workbook_whose_sheets_are_its_lists(here):
    words = ["--fund", "TEST=1000", "--fund-file", "TEST=fund.csv", "--stock", "NVDA=500", "--workbook", "mine.xlsx"]
    answer = _exposure(here, *words)
    book = CalamineWorkbook.from_path(str(here / "mine.xlsx"))
    sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    assert dict(sheets["answer"])["mag7_usd"] == pytest.approx(answer["mag7_usd"])
    assert dict(sheets["answer"])["simulated"] is False
    columns, *rows = sheets["mag7"]
    companies = [dict(zip(columns, row, strict=True)) for row in rows]
    assert [company["ticker"] for company in companies] == [company["ticker"] for company in answer["mag7"]]
    assert companies[0]["amount_usd"] == pytest.approx(answer["mag7"][0]["amount_usd"])
    assert companies[0]["via"] == "TEST 200.0, direct 500.0"


def test_a_workbook_that_cannot_be_written_is_one_line(here):
    ended = mag7("exposure", "--stock", "NVDA=500", "--workbook", "no/such/folder.xlsx", cwd=here)
    assert (ended.code, ended.stderr.splitlines()) == (
        1,
        ["Error: no/such/folder.xlsx cannot be written: No such file or directory"],
    )
