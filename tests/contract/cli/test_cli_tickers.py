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

from mag7cli.lake.layout import Lake
from mag7cli.market.symbology import bundled_constituents

TICKERS = [line.ticker for line in bundled_constituents()]
WHOLE_INDEX = Path(__file__).parents[2] / "data" / "holdings_files" / "whole_index.csv"


def holdings_file(as_of: date | None, tickers=TICKERS, cash: bool = True) -> bytes:
    """A small file in the issuer's form: every ticker once, and a line of cash."""
    day = f"{as_of:%b %d, %Y}" if as_of else "-"
    rows = [
        [ticker.replace(".", ""), f"{ticker} INC", "Sector", "Equity", "1000", "0.19", "10", "100"]
        for ticker in tickers
    ]
    if cash:
        rows.append(["USD", "USD CASH", "Cash and/or Derivatives", "Cash", "1000", "0.1", "1000", "1"])
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    header = ["Ticker", "Name", "Sector", "Asset Class", "Market Value", "Weight (%)", "Quantity", "Price"]
    writer.writerows([["iShares Core S&P 500 ETF"], ["Fund Holdings as of", day], [], header, *(rows if as_of else [])])
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


def test_without_a_file_it_is_the_lakes_newest_or_else_the_bundled_list(tmp_path):
    ended = mag7("tickers", cwd=tmp_path)
    assert ended.stdout.splitlines() == TICKERS
    assert "comes with mag7" in ended.stderr
    assert not (tmp_path / "lake").exists()
    for day, tickers in ((date(2024, 10, 31), TICKERS[:500]), (date(2024, 11, 29), TICKERS[:501])):
        mag7("tickers", "-", cwd=tmp_path, stdin=holdings_file(day, tickers))
    assert mag7("tickers", cwd=tmp_path).stdout.splitlines() == TICKERS[:501]
    assert mag7("tickers", "--as-of", "2024-11-15", cwd=tmp_path).stdout.splitlines() == TICKERS[:500]
    assert mag7("tickers", "--as-of", "2021-01-04", cwd=tmp_path).stdout.splitlines() == TICKERS[:500]


def test_the_holdings_of_another_fund_are_printed_but_not_kept(tmp_path):
    ended = mag7("tickers", "-", cwd=tmp_path, stdin=holdings_file(date(2024, 12, 6), TICKERS[:30]))
    assert (ended.code, ended.stdout.splitlines()) == (0, TICKERS[:30])
    assert "Warning: not kept in the lake" in ended.stderr
    assert _kept(tmp_path) == []


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "stdin"),
        (b"<!DOCTYPE html><html><body>Please accept cookies</body></html>", "stdin"),
        (b"PK\x03\x04" + bytes(100), "stdin"),
        (bytes(range(256)) * 4, "stdin"),
        (holdings_file(None), "stdin"),
        (b"ticker\nAAPL\n", "stdin"),
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


def test_without_a_file_a_day_has_the_list_of_that_day(tmp_path):
    ended = mag7("tickers", "--as-of", "2021-01-04", "--format", "json", cwd=tmp_path)

    document = json.loads(ended.stdout)
    assert (document["as_of"], document["count"]) == ("2021-01-04", 505)
    assert {"XLNX", "TIF"} <= set(document["tickers"])
    assert not {"PLTR", "DELL"} & set(document["tickers"])
    assert "history as of 2021-01-04" in ended.stderr
    assert "known from 2021-01-04 to 2026-10-09" in ended.stderr


def test_beyond_what_is_known_the_nearest_list_says_of_which_day_it_is(tmp_path):
    ended = mag7("tickers", "--as-of", "2020-06-01", "--format", "json", cwd=tmp_path)

    assert json.loads(ended.stdout)["count"] == 505
    assert "bundled as of 2021-01-04" in ended.stderr


def test_a_kept_file_without_a_date_of_its_own_is_read_as_of_its_day(tmp_path):
    lake = Lake.at(str(tmp_path / "lake"))
    lake.write_holdings(
        date(2023, 5, 31), holdings_file(date(2023, 5, 31), ["AAPL", "FISV"]).replace(b"May 31, 2023", b"-")
    )

    assert mag7("tickers", "--as-of", "2023-05-31", cwd=tmp_path).stdout.splitlines() == ["AAPL", "FI"]
