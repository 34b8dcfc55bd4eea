"""`mag7 funds` through a real process, its downloads over real HTTP."""

import json
from pathlib import Path

import pytest
from tests.simulators.command_line import environment, mag7
from tests.simulators.http_script import Says, ScriptedServer

FUNDS = Path(__file__).parents[2] / "data" / "funds"
NOW = "2026-11-25T18:00:00-05:00"
INVESCO = FUNDS / "invesco.csv"


@pytest.fixture
def run(tmp_path):
    (tmp_path / "lake" / "raw").mkdir(parents=True)

    def call(*words, **options):
        return mag7("funds", *words, cwd=tmp_path, env=environment(tmp_path, {"MAG7_NOW": NOW}), **options)

    return call


@pytest.fixture
def site():
    with ScriptedServer() as server:
        yield server


def kept(run):
    return [(fund["fund"], fund["as_of"], fund["files"]) for fund in _json(run("list", "--format", "json"))["funds"]]


def _json(ended):
    assert ended.code == 0, ended.stderr
    return json.loads(ended.stdout)


def test_a_file_is_kept_and_listed_with_its_age(run):
    added = run("add", f"qqq={INVESCO}")
    assert added.stdout == (
        "Kept the holdings of QQQ as of 2026-11-20: lake/raw/funds/fund=QQQ/as_of=2026-11-20/invesco.csv.\n"
    )
    assert _json(run("list", "--format", "json"))["funds"] == [
        {"fund": "QQQ", "as_of": "2026-11-20", "age_days": 5, "files": 1, "address": "www.invesco.com"}
    ]


def test_a_file_comes_from_standard_input_as_well(run):
    added = run("add", "QQQ=-", stdin=INVESCO.read_text(encoding="utf-8"))
    assert (added.code, kept(run)) == (0, [("QQQ", "2026-11-20", 1)])
    empty = run("add", "SPY=-", stdin="")
    assert (empty.code, empty.stderr.startswith("Error: standard input is empty")) == (1, True)


def test_a_name_with_spaces_is_in_quotes_in_the_hint(run, tmp_path):
    (tmp_path / "my file.csv").write_bytes(INVESCO.read_bytes())
    assert "Hint: mag7 funds add QQQ='my file.csv'\n" in run("add", "SPY=my file.csv").stderr


def test_a_kept_fund_opens_a_position_without_being_told(run, tmp_path):
    run("add", f"QQQ={INVESCO}")
    answer = _json(mag7("exposure", "--fund", "QQQ=100", "--format", "json", cwd=tmp_path))
    assert answer["mag7_usd"] == pytest.approx(96.0)


def test_the_same_file_twice_is_kept_once_and_another_of_that_day_is_refused(run, tmp_path):
    run("add", f"QQQ={INVESCO}")
    assert run("add", f"QQQ={INVESCO}").code == 0
    (tmp_path / "other.csv").write_bytes(INVESCO.read_bytes().replace(b"Linde PLC", b"Linde"))
    refused = run("add", "QQQ=other.csv")
    assert (refused.code, kept(run)) == (2, [("QQQ", "2026-11-20", 1)])
    assert "QQQ of 2026-11-20 is kept already, and other.csv is another file" in refused.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((b"QQQ", b"SPY"), "f.csv is of SPY, not of QQQ"),
        ((b"11/20/2026", b"11/20/2034"), "f.csv says that it is of 2034-11-20, which cannot be"),
        ((b"11/20/2026", b""), "f.csv does not say of which day it is"),
        ((b"Weight", b"Wait"), None),
        ((b"MarketValue,Weight", b"A,B"), "no line has columns for a security and its weight or value"),
    ],
)
def test_a_file_that_cannot_be_right_is_not_kept(run, tmp_path, change, message):
    (tmp_path / "f.csv").write_bytes(INVESCO.read_bytes().replace(*change))
    ended = run("add", "QQQ=f.csv")
    if message is None:
        assert ended.code == 0, "market values alone are enough"
    else:
        assert ended.code in (1, 2)
        assert message in ended.stderr
        assert kept(run) == []


def test_a_file_without_a_day_is_kept_as_of_the_day_that_is_said(run, tmp_path):
    (tmp_path / "f.csv").write_text("Symbol,Name,Weight\nNVDA,NVIDIA CORP,60\nKO,COCA COLA,40\n")
    assert run("add", "XYZ=f.csv", "--as-of", "2026-11-19").code == 0
    assert kept(run) == [("XYZ", "2026-11-19", 1)]


def test_what_is_downloaded_is_remembered_and_refreshed(run, site):
    newer = INVESCO.read_bytes().replace(b"11/20/2026", b"11/24/2026")
    site.on("/qqq.csv", Says(INVESCO.read_bytes()), Says(INVESCO.read_bytes()), Says(newer))
    assert run("add", "QQQ", "--url", f"{site.url}/qqq.csv").code == 0
    assert run("refresh").stdout == "0 new files, 1 unchanged, 0 failed.\n"
    assert run("refresh", "qqq").stdout == "1 new file, 0 unchanged, 0 failed.\n"
    assert kept(run) == [("QQQ", "2026-11-24", 2)]


def test_a_page_in_place_of_a_file_fails_that_fund_alone(run, site):
    site.on("/qqq.csv", Says(INVESCO.read_bytes()), Says(INVESCO.read_bytes()))
    site.on("/spy.csv", Says((FUNDS / "state_street.csv").read_bytes()), Says(b"<html>no</html>"))
    run("add", "QQQ", "--url", f"{site.url}/qqq.csv")
    run("add", "SPY", "--url", f"{site.url}/spy.csv")
    ended = run("refresh")
    assert (ended.code, ended.stdout) == (3, "0 new files, 1 unchanged, 1 failed.\n")
    assert "SPY: spy.csv is a web page, not a table" in ended.stderr


@pytest.mark.parametrize(
    "words", [["add", "A/B=x.csv"], ["add", "ZZZZ"], ["refresh"], ["add", f"QQQ={INVESCO}", "--url", "x"]]
)
def test_what_cannot_be_is_a_usage_error(run, words):
    ended = run(*words)
    assert (ended.code, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Error: ")


def test_an_empty_lake_says_how_to_begin(run):
    assert run("list").stdout == "The lake keeps no holdings of funds. mag7 funds add QQQ=QQQ_holdings.csv keeps one.\n"
