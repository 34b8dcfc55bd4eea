"""`mag7 tickers` through a real process: files, stdin, the issuer's site and the lake."""

import csv
import io
import json
import threading
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.simulators.command_line import environment, mag7

from mag7cli.core import packaged_data
from mag7cli.lake.layout import Lake
from mag7cli.lake.lock import locked
from mag7cli.market.index_history import constituents_on
from mag7cli.market.symbology import bundled_constituents

TICKERS = [line.ticker for line in bundled_constituents()]
WHOLE_INDEX = Path(__file__).parents[2] / "data" / "holdings_files" / "whole_index.csv"


def holdings_file(as_of: date | None, tickers=TICKERS, fund: str = "iShares Core S&P 500 ETF") -> bytes:
    """A small file in the issuer's form: every ticker once, a line of cash, and the closing lines."""
    day = f"{as_of:%b %d, %Y}" if as_of else "-"
    weight = f"{99.9 / len(tickers):.4f}"
    rows = [
        [ticker.replace(".", ""), f"{ticker} INC", "Sector", "Equity", "1000", weight, "10", "100"]
        for ticker in tickers
    ]
    rows.append(["USD", "USD CASH", "Cash and/or Derivatives", "Cash", "500", "0.1", "500", "1"])
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    header = ["Ticker", "Name", "Sector", "Asset Class", "Market Value", "Weight (%)", "Quantity", "Price"]
    writer.writerows([[fund], ["Fund Holdings as of", day], [], header, *(rows if as_of else [])])
    writer.writerows([["\u00a0"], ["Invented closing lines.\nNobody owns them."]])
    return text.getvalue().encode("utf-8-sig")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "IVV.csv"
    path.write_bytes(holdings_file(date(2024, 12, 6)))
    return path


@pytest.fixture
def site():
    """The issuer's site: it has files from 2024-09-01 on, an empty template for any day before."""
    asked = []

    class Site(BaseHTTPRequestHandler):
        def do_GET(self):
            text = parse_qs(urlsplit(self.path).query).get("asOfDate", ["20241212"])[0]
            day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
            asked.append(day)
            body = holdings_file(day if day >= date(2024, 9, 1) else None)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.asked = asked
    yield server
    server.shutdown()
    server.server_close()


def _env(tmp_path, site, **extra):
    address = f"http://127.0.0.1:{site.server_port}/holdings.ajax?fileType=csv"
    return environment(tmp_path, {"MAG7_HOLDINGS_URL": address, **extra})


def _kept(tmp_path):
    return sorted(path.parent.name for path in (tmp_path / "lake" / "raw" / "holdings").rglob("*.csv"))


def test_a_whole_file_has_503_tickers_in_the_vendors_spelling(tmp_path):
    ended = mag7("tickers", str(WHOLE_INDEX), cwd=tmp_path)
    lines = ended.stdout.splitlines()
    assert (ended.code, len(lines), len(set(lines))) == (0, 503, 503)
    assert {"BRK.B", "BF.B"} <= set(lines)
    assert sorted(lines) == sorted(TICKERS)


def test_a_file_is_printed_and_kept_in_the_lake_under_its_day(tmp_path, file):
    ended = mag7("tickers", str(file), cwd=tmp_path)
    assert (ended.code, ended.stdout.splitlines()) == (0, TICKERS)
    assert ended.stderr == "503 tickers of iShares Core S&P 500 ETF, 2024-12-06; 1 other line left out, -v says which\n"
    assert _kept(tmp_path) == ["as_of=2024-12-06"]
    assert next((tmp_path / "lake").rglob("*.csv")).read_bytes() == file.read_bytes()


def test_a_file_is_not_kept_while_another_run_writes(tmp_path, file):
    lake = Lake.at(str(tmp_path / "lake"))
    with locked(lake, "mag7 collect"):
        ended = mag7("tickers", str(file), cwd=tmp_path)
    assert (ended.code, ended.stdout) == (7, "")
    assert "is held by 'mag7 collect'" in ended.stderr
    assert _kept(tmp_path) == []
    assert mag7("tickers", str(file), cwd=tmp_path).code == 0


def test_a_file_that_is_refused_makes_no_lake(tmp_path):
    path = tmp_path / "half.csv"
    path.write_bytes(holdings_file(date(2024, 12, 6), TICKERS[:200]))
    ended = mag7("tickers", str(path), cwd=tmp_path)
    assert "not kept in the lake" in ended.stderr
    assert not (tmp_path / "lake").exists()


def test_verbose_says_which_lines_were_left_out(tmp_path, file):
    assert "left out USD (USD CASH): Cash" in mag7("tickers", str(file), "-v", cwd=tmp_path).stderr


def test_a_file_may_come_through_stdin(tmp_path, file):
    ended = mag7("tickers", "-", "-q", cwd=tmp_path, stdin=file.read_bytes())
    assert (ended.code, ended.stdout.splitlines(), ended.stderr) == (0, TICKERS, "")


def test_every_format_has_the_same_tickers(tmp_path, file):
    words = ["tickers", str(file), "-q", "--format"]
    rows = csv.DictReader(io.StringIO(mag7(*words, "csv", cwd=tmp_path).stdout))
    assert [row["ticker"] for row in rows] == TICKERS
    document = json.loads(mag7(*words, "json", cwd=tmp_path).stdout)
    assert (document["as_of"], document["count"], document["tickers"]) == ("2024-12-06", 503, TICKERS)
    line = mag7(*words, "python", cwd=tmp_path).stdout
    names = {}
    exec(line, names)
    assert names["tickers"] == TICKERS
    assert line.count("\n") == 1


def test_the_result_may_go_to_a_file(tmp_path, file):
    ended = mag7("tickers", str(file), "-q", "--format", "csv", "--out", "t.csv", cwd=tmp_path)
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
    assert (tmp_path / "t.csv").read_text().splitlines() == ["ticker", *TICKERS]
    refused = mag7("tickers", str(file), "-q", "--out", "no/such/folder.csv", cwd=tmp_path)
    assert (refused.code, refused.stderr.splitlines()) == (
        1,
        ["Error: no/such/folder.csv cannot be written: No such file or directory"],
    )


def test_without_a_file_it_is_the_list_of_the_day_by_the_joins_and_leaves(tmp_path):
    ended = mag7("tickers", cwd=tmp_path)
    assert (ended.code, ended.stdout.splitlines()) == (0, TICKERS)
    assert "by the joins and leaves known until 2026-10-09" in ended.stderr
    assert not (tmp_path / "lake").exists()
    for day in ("2021-01-04", "2022-06-21", "2025-09-22", "2026-10-09"):
        ended = mag7("tickers", "--as-of", day, cwd=tmp_path)
        assert tuple(ended.stdout.splitlines()) == constituents_on(date.fromisoformat(day))


def test_a_day_after_what_is_known_is_the_last_list_and_says_so(tmp_path):
    ended = mag7("tickers", "--as-of", "2026-11-20", "--format", "json", cwd=tmp_path)
    document = json.loads(ended.stdout)
    assert (document["source"], document["in_force_since"]) == ("bundled", "2026-10-06")
    assert document["confirmed_until"] == "2026-10-09"
    assert "joins and leaves are known until 2026-10-09, 42 days before; mag7 tickers --download" in ended.stderr
    before = mag7("tickers", "--as-of", "2020-06-01", cwd=tmp_path)
    assert "known from 2021-01-04 on; mag7 tickers FILE --as-of 2020-06-01 keeps a list of that day" in before.stderr


def test_a_kept_file_is_the_list_of_its_day_and_is_brought_forward_from_there(tmp_path):
    kept = [ticker for ticker in TICKERS if ticker != "NWS"]
    mag7("tickers", "-", cwd=tmp_path, stdin=holdings_file(date(2024, 12, 6), kept))
    words = ["tickers", "--format", "json", "--as-of"]
    of_day, later, before = (
        json.loads(mag7(*words, day, cwd=tmp_path).stdout) for day in ("2024-12-06", "2024-12-23", "2024-11-25")
    )
    assert (of_day["source"], of_day["holdings"], of_day["tickers"]) == ("observed", "2024-12-06", kept)
    assert (later["source"], later["holdings"], later["in_force_since"]) == ("history", "2024-12-06", "2024-12-23")
    assert set(later["tickers"]) == set(constituents_on(date(2024, 12, 23))) - {"NWS"}
    assert (before["source"], before["holdings"]) == ("history", None)
    assert set(before["tickers"]) == set(constituents_on(date(2024, 11, 25)))


# What is kept, and what is not


def test_a_file_that_disagrees_is_told_line_by_line_and_kept(tmp_path):
    theirs = [*(ticker for ticker in TICKERS if ticker != "NWS"), "FTRE"]
    ended = mag7("tickers", "-", cwd=tmp_path, stdin=holdings_file(date(2024, 12, 6), theirs))
    assert ended.code == 0
    assert "FTRE is in the holdings file, but not in the index of that day as it is known" in ended.stderr
    assert "NWS was in the index that day as it is known, but is not in the holdings file" in ended.stderr
    assert _kept(tmp_path) == ["as_of=2024-12-06"]
    rows = csv.DictReader(io.StringIO(mag7("tickers", "--changes", "--format", "csv", cwd=tmp_path).stdout))
    assert [(row["effective_date"], row["change"], row["ticker"]) for row in rows] == [
        ("2024-12-06", "joins", "FTRE"),
        ("2024-12-06", "leaves", "NWS"),
    ]
    (tmp_path / "lake" / "raw").rename(tmp_path / "gone")
    assert mag7("tickers", "--changes", cwd=tmp_path).code == 2


def test_the_rows_that_the_table_lacks_have_its_columns(tmp_path):
    day = date(2026, 11, 20)
    theirs = ["NEWCO", *constituents_on(date(2026, 10, 9))[:-1]]
    ended = mag7(
        "tickers", "-", "--changes", "--format", "csv", cwd=tmp_path, stdin=holdings_file(day, theirs),
        env=environment(tmp_path, {"MAG7_NOW": "2026-11-23T08:00:00-05:00"}),
    )  # fmt: skip
    table = packaged_data.read("index_changes")
    rows = list(csv.DictReader(io.StringIO(ended.stdout)))
    assert list(rows[0]) == list(table[0])
    assert [(row["change"], row["ticker"]) for row in rows] == [
        ("joins", "NEWCO"), ("leaves", constituents_on(date(2026, 10, 9))[-1])
    ]  # fmt: skip
    assert rows[0]["note"] == "by that day; known until 2026-10-09"


def without(*gone: str) -> list[str]:
    return [ticker for ticker in TICKERS if ticker not in gone]


GOOD = holdings_file(date(2024, 12, 6))
SCREENED = "LLY XOM CVX LMT RTX GD NOC COP PM MO WMT JPM"
DOUBTFUL = {
    "cut after 496 lines": (b"\r\n".join(GOOD.split(b"\r\n")[:500]), "it ends without the issuer's closing lines"),
    "a weight of 71.5": (
        GOOD.replace(b'"1000","0.1986"', b'"1000","71.5"', 1),
        "AAPL has a weight of 71.5 %, but 0.20 % by its market value",
    ),
    "three of the Mag 7 left out": (
        holdings_file(date(2024, 12, 6), without("NVDA", "AAPL", "MSFT")),
        "AAPL, MSFT, NVDA are not in it",
    ),
    "of 2034": (holdings_file(date(2034, 12, 6)), "it is dated 2034-12-06, which is yet to come"),
    "of a Saturday": (holdings_file(date(2024, 12, 7)), "it is dated 2024-12-07, which is no trading day"),
    "screened": (
        holdings_file(date(2024, 12, 6), without(*SCREENED.split())),
        "12 lines differ from the index of that day, as COP, CVX, GD",
    ),
    "another fund": (
        holdings_file(date(2024, 12, 6), fund="Invented Screened Large-Cap ETF"),
        "Invented Screened Large-Cap ETF is not a fund of the whole S&P 500",
    ),
    "thirty lines": (holdings_file(date(2024, 12, 6), TICKERS[:30]), "it has 30 equities, the S&P 500 has about 503"),
}


@pytest.mark.parametrize("name", DOUBTFUL)
def test_what_is_not_the_index_is_printed_but_not_kept_and_says_why(tmp_path, name):
    data, reason = DOUBTFUL[name]
    ended = mag7("tickers", "-", cwd=tmp_path, stdin=data)
    assert ended.code == 0
    assert f"Warning: not kept in the lake: {reason}" in ended.stderr
    assert _kept(tmp_path) == []


def test_a_doubtful_file_is_kept_on_request_and_the_reason_with_it(tmp_path):
    data, reason = DOUBTFUL["screened"]
    ended = mag7("tickers", "-", "--accept", cwd=tmp_path, stdin=data)
    assert (ended.code, _kept(tmp_path)) == (0, ["as_of=2024-12-06"])
    assert f"Warning: kept in the lake although {reason}" in ended.stderr
    note = json.loads((tmp_path / "lake/raw/holdings/as_of=2024-12-06/accepted.json").read_text())
    assert note["accepted"][0].startswith(reason)


def test_a_kept_file_is_not_replaced_by_another_one_unasked(tmp_path, file):
    mag7("tickers", str(file), cwd=tmp_path)
    other = holdings_file(date(2024, 12, 6), without("NWS"))
    ended = mag7("tickers", "-", cwd=tmp_path, stdin=other)
    assert "not kept in the lake: the lake has another list of 2024-12-06" in ended.stderr
    assert next((tmp_path / "lake").rglob("*.csv")).read_bytes() == file.read_bytes()
    mag7("tickers", "-", "--accept", cwd=tmp_path, stdin=other)
    assert next((tmp_path / "lake").rglob("*.csv")).read_bytes() == other
    mag7("tickers", "-", cwd=tmp_path, stdin=other.replace(b"Invented closing", b"Other closing"))
    assert next((tmp_path / "lake").rglob("*.csv")).read_bytes() == other


def test_a_list_that_shares_little_with_the_one_before_is_not_kept(tmp_path):
    env = environment(tmp_path, {"MAG7_NOW": "2026-11-23T08:00:00-05:00"})
    lines = constituents_on(date(2026, 10, 9))
    mag7("tickers", "-", cwd=tmp_path, stdin=holdings_file(date(2026, 10, 30), lines), env=env)
    other = [*(f"NEW{'ABCDEFGHIJ'[i % 10]}{'ABCDE'[i // 10]}" for i in range(40)), *lines[:463]]
    ended = mag7("tickers", "-", cwd=tmp_path, stdin=holdings_file(date(2026, 11, 20), other), env=env)
    assert "not kept in the lake: it is not the list of 2026-10-09 with some changes" in ended.stderr
    assert "it shares only 463 lines with the list that is kept from before" in ended.stderr
    assert _kept(tmp_path) == ["as_of=2026-10-30"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "standard input"),
        (b"<!DOCTYPE html><html><body>Please accept cookies</body></html>", "standard input"),
        (b"PK\x03\x04" + bytes(100), "standard input"),
        (bytes(range(256)) * 4, "standard input"),
        (holdings_file(None), "standard input"),
        (b"ticker\nAAPL\n", "standard input"),
    ],
)
def test_what_is_no_holdings_file_is_one_line_and_changes_nothing(tmp_path, file, data, told):
    mag7("tickers", str(file), cwd=tmp_path)
    ended = mag7("tickers", "-", cwd=tmp_path, stdin=data)
    assert (ended.code, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"Error: {told}")
    assert "Traceback" not in ended.stderr
    assert _kept(tmp_path) == ["as_of=2024-12-06"]


@pytest.mark.parametrize(
    "words",
    [
        ["nope.csv"],
        ["."],
        ["IVV.csv", "--download"],
        ["--from", "2024-01-01"],
        ["--download", "--from", "2024-01-01", "--as-of", "2024-01-01"],
        ["--every", "day"],
        ["--lake", "ftp://elsewhere"],
    ],
)
def test_what_cannot_be_is_a_usage_error(tmp_path, file, words):
    ended = mag7("tickers", *words, cwd=tmp_path)
    assert (ended.code, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Error: ")


def test_a_download_is_printed_and_kept(tmp_path, site):
    ended = mag7("tickers", "--download", cwd=tmp_path, env=_env(tmp_path, site))
    assert (ended.code, ended.stdout.splitlines()) == (0, TICKERS)
    assert _kept(tmp_path) == ["as_of=2024-12-12"]
    mag7("tickers", "--download", "--as-of", "2024-12-06", cwd=tmp_path, env=_env(tmp_path, site))
    assert _kept(tmp_path) == ["as_of=2024-12-06", "as_of=2024-12-12"]


def test_a_day_without_holdings_is_one_line(tmp_path, site):
    ended = mag7("tickers", "--download", "--as-of", "2023-12-06", cwd=tmp_path, env=_env(tmp_path, site))
    assert (ended.code, ended.stdout) == (1, "")
    assert ended.stderr.startswith("Error: ")
    assert _kept(tmp_path) == []


def test_a_history_is_fetched_once(tmp_path, site):
    # Two seconds lie between two requests: a month is enough to see that nothing is asked for twice.
    words = ["tickers", "--download", "--from", "2024-11-29", "--every", "month", "--format", "json"]
    ended = mag7(*words, cwd=tmp_path, env=_env(tmp_path, site))
    assert ended.code == 0
    assert [entry["as_of"] for entry in json.loads(ended.stdout)["downloaded"]] == ["2024-11-29", "2024-12-13"]
    assert _kept(tmp_path) == ["as_of=2024-11-29", "as_of=2024-12-13"]
    again = mag7(*words, cwd=tmp_path, env=_env(tmp_path, site))
    assert json.loads(again.stdout)["downloaded"] == []
    assert site.asked == [date(2024, 11, 29), date(2024, 12, 13)]


def test_a_kept_file_without_a_date_of_its_own_is_read_as_of_its_day(tmp_path):
    lake = Lake.at(str(tmp_path / "lake"))
    lake.write_holdings(
        date(2023, 5, 31), holdings_file(date(2023, 5, 31), ["AAPL", "FISV"]).replace(b"May 31, 2023", b"-")
    )

    assert mag7("tickers", "--as-of", "2023-05-31", cwd=tmp_path).stdout.splitlines() == ["AAPL", "FI"]
