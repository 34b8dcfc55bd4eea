"""Any group of companies, with or without one of them: each command that takes a group gives the same share of it."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest
from tests.simulators.answering import AnsweringSource, StandingClock
from tests.simulators.small_index import TICKERS, market, new_lake
from typer.testing import CliRunner

import mag7cli as mag7
from mag7cli.cli import app
from mag7cli.cli.live import LiveOptions
from mag7cli.lake.document import company_caps
from mag7cli.lake.layout import Lake
from mag7cli.live.session import prepare
from mag7cli.market.sectors import sector_on
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.market.trading_hours import trading_hours

START, LAST, SESSION = date(2024, 6, 24), date(2024, 6, 27), date(2024, 6, 28)
SECTOR = "Consumer Discretionary"
MINE = "mine.csv"

Caps = Mapping[str, float]
Members = Callable[[Caps], list[str]]


def largest(count: int) -> Members:
    return lambda caps: sorted(caps, key=lambda ticker: -caps[ticker])[:count]


GROUPS: dict[str, Members] = {
    "mag7": lambda caps: [ticker for ticker in MAGNIFICENT_7 if ticker in caps],
    "top5": largest(5),
    "top10": largest(10),
    f"sector:{SECTOR}": lambda caps: [ticker for ticker in caps if sector_on(ticker, LAST) == SECTOR],
    MINE: lambda caps: [ticker for ticker in ("NVDA", "XOM", "BRK.B") if ticker in caps],
    "AAPL,MSFT": lambda caps: ["AAPL", "MSFT"],
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    collected = new_lake(tmp_path_factory.mktemp("groups") / "lake", {START: TICKERS})
    request = mag7.CollectRequest(start=START, end=LAST, plan="advanced", rate="unlimited")
    mag7.collect(collected, request=request, vendor=AnsweringSource(market()), clock=StandingClock())
    mag7.transform(collected)
    return collected


@pytest.fixture(scope="module")
def here(lake: Lake) -> Path:
    folder = Path(str(lake.store.local_root)).parent
    (folder / MINE).write_text("name,ticker\nNvidia,NVDA\nExxon,XOM\nBerkshire,BRK/B\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(("words", "absent"), [(("2024-06",), "2024-05-31"), (("ytd",), "2023-12-29")])
def test_a_period_whose_base_is_not_collected_is_refused_with_one_that_is(
    lake: Lake, words: tuple[str, ...], absent: str
) -> None:
    """Never the next best close: what happened since another date is another answer."""
    ended = CliRunner().invoke(app, ["show", *words, "--lake", str(lake.store.local_root)])

    assert ended.exit_code == 2
    assert f"{absent} is not in the lake" in ended.stderr
    assert f"mag7 show --lake {lake.store.local_root} {START} {LAST}" in " ".join(ended.stderr.split())


def test_max_is_from_the_first_close_to_the_last_whatever_is_missing_between(lake: Lake) -> None:
    answer = json.loads(run("show", "max", "--lake", str(lake.store.local_root), "--format", "json"))

    assert (answer["base"], answer["last"], answer["dates"]) == (str(START), str(LAST), 3)


def test_two_dates_have_a_column_of_the_fund_beside_the_shares(lake: Lake) -> None:
    """The lake's list of the index is a file of the fund, of the first of these dates."""
    words = ("show", str(START), str(LAST), "--lake", str(lake.store.local_root))
    text = run(*words)
    rows = list(csv.DictReader(io.StringIO(run(*words, "--format", "csv"))))
    fund = json.loads(run(*words, "--format", "json"))["fund"]

    weight = sum(float(row["fund_weight_now_pct"]) for row in rows)
    assert f"{weight:.2f} % on {LAST} (by prices since its last file, of {START})" in text
    assert f" % on {START} (its file of {START}), " in text
    assert "In IVV they weigh, float-adjusted, " in text
    assert fund["now"]["weights_pct"] == {row["ticker"]: float(row["fund_weight_now_pct"]) for row in rows}
    assert "in IVV" not in run(*words, "--group", "top5").lower(), "it is known of the Mag 7 alone"


def run(*words: str) -> str:
    ended = CliRunner().invoke(app, list(words))
    assert ended.exit_code == 0, ended.output
    return ended.stdout


def of_show(lake: str, out: Path, options: list[str]) -> float:
    return float(json.loads(run("show", "--lake", lake, "--format", "json", *options))["share_pct"])


def of_export(lake: str, out: Path, options: list[str]) -> float:
    rows = list(csv.DictReader(io.StringIO(run("export", "--lake", lake, "--start", str(LAST), *options))))
    return float(rows[-1]["share_pct"])


def of_sql(lake: str, out: Path, options: list[str]) -> float:
    statement = "SELECT group_pct_of_index AS share FROM group_share ORDER BY trading_date DESC LIMIT 1"
    return float(json.loads(run("sql", statement, "--lake", lake, "--format", "json", *options))["rows"][0]["share"])


def of_live(lake: str, out: Path, options: list[str]) -> float:
    """The share at the last close, by the counts and closes that a session is followed with."""
    named = dict(zip(options[::2], options[1::2], strict=True))
    group = LiveOptions(group=named["--group"], without=named.get("--without", "")).request().group
    source = AnsweringSource(market())
    question = prepare(Lake.at(lake), source, trading_hours(SESSION), group)
    return question.baseline().share_pct


def of_report(lake: str, out: Path, options: list[str]) -> float:
    words = ["report", "--lake", lake, "--format", "json", "--out", str(out / "page.html"), *options]
    return float(json.loads(run(*words))["mag7_pct_of_sp500"])


def of_exposure(lake: str, out: Path, options: list[str]) -> float:
    """A dollar for each million of market value: the part of it that is in the group is the group's share."""
    caps = company_caps(Lake.at(lake).read_document(LAST))
    named = dict(zip(options[::2], options[1::2], strict=True))
    excluded = named.get("--without", "").split(",")
    table = [f"{ticker},{cap / 1e6:.2f}" for ticker, cap in caps.items() if ticker not in excluded]
    positions = out / "positions.csv"
    positions.write_text("\n".join(["ticker,amount", *table, ""]), encoding="utf-8")
    return float(json.loads(run("exposure", str(positions), "--lake", lake, "--format", "json", *options))["mag7_pct"])


COMMANDS = {
    "show": of_show,
    "export": of_export,
    "sql": of_sql,
    "live": of_live,
    "report": of_report,
    "exposure": of_exposure,
}


CASES = [
    (command, group, without)
    for command in COMMANDS
    for group in GROUPS
    for without in ("", "NVDA")
    if command != "report" or without or group == "mag7"  # a page takes longer than all others together
]


@pytest.mark.parametrize(("command", "group", "without"), CASES)
def test_every_command_gives_the_share_of_every_group(
    lake: Lake,
    here: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    group: str,
    without: str,
) -> None:
    if command == "report":
        pytest.importorskip("vl_convert", reason="the report is an optional part of mag7")
    monkeypatch.chdir(here)
    caps = {ticker: cap for ticker, cap in company_caps(lake.read_document(LAST)).items() if ticker != without}
    share = 100 * sum(caps[ticker] for ticker in GROUPS[group](caps)) / sum(caps.values())

    options = ["--group", group, *(["--without", without] if without else [])]

    assert COMMANDS[command](str(lake.store.local_root), tmp_path, options) == pytest.approx(share, abs=2e-6)
