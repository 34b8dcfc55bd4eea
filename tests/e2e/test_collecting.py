"""`mag7 collect` as people use it: it resumes, skips, forces, retries, and follows the index as its members change."""

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.simulators.command_line import mag7
from tests.simulators.mortal import Mortal
from tests.simulators.small_index import (
    KEY,
    TICKERS,
    environment,
    holdings_file,
    market,
    new_lake,
    quick_folder,
    tree,
    warm_up,
)

from mag7cli.lake.layout import Lake
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.vendors.sandbox.misbehaviour import FaultRule
from mag7cli.vendors.sandbox.plan import PLANS
from mag7cli.vendors.sandbox.server import SandboxServer

RANGE = ("--start", "2024-06-20", "--end", "2024-06-27")


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(market(), key=KEY, plan=PLANS["advanced"]) as server:
        yield server


@pytest.fixture(scope="module")
def runner(server: SandboxServer) -> Iterator[Mortal]:
    with (
        quick_folder() as folder,
        Mortal(environment(folder, server.url), folder, warm_up(folder, "collect", *RANGE)) as runner,
    ):
        yield runner


@pytest.fixture
def root() -> Iterator[Path]:
    with quick_folder() as folder:
        new_lake(folder / "lake")
        yield folder / "lake"


def documents(root: Path) -> dict[str, dict[str, Any]]:
    lake = Lake.at(str(root))
    return {str(day): dict(lake.read_document(day)) for day in lake.documents()}


def test_a_range_is_collected_with_one_call_a_day_and_few_for_share_counts(runner, root, server):
    before = len(server.requests)

    ended = runner.run("collect", *RANGE, lake=root)

    assert ended.code == 0, ended.said
    asked = [request.path for request in server.requests[before:]]
    # And one well before the range and one well after it, to see whether a split lies near.
    assert sum("grouped" in path for path in asked) == 6 + 2
    assert sum("splits" in path for path in asked) == 1
    assert len(asked) < 6 + 2 + 1 + 4 * len(TICKERS)
    assert list(documents(root)) == [f"2024-06-{day}" for day in (20, 21, 24, 25, 26, 27)]


def test_what_is_complete_is_skipped_and_needs_neither_key_nor_vendor(runner, root):
    runner.run("collect", *RANGE, lake=root)
    before = tree(root)
    nobody = {"POLYGON_API_KEY": "", "POLYGON_BASE_URL": "http://127.0.0.1:9"}

    again = runner.run("collect", *RANGE, lake=root, env=nobody)

    assert again.code == 0, again.said
    assert "all 6 dates are there" in again.said
    assert tree(root) == before


def test_a_longer_range_asks_only_for_what_is_new(runner, root, server):
    runner.run("collect", *RANGE, lake=root)
    before = len(server.requests)

    ended = runner.run("collect", "--start", "2024-06-17", "--end", "2024-06-28", lake=root)

    assert ended.code == 0, ended.said
    days = [request.path[-10:] for request in server.requests[before:] if "grouped" in request.path]
    assert sorted(days) == ["2024-06-17", "2024-06-18", "2024-06-28"]
    assert len(documents(root)) == 9


def test_force_collects_again_from_what_is_known(runner, root, server):
    runner.run("collect", *RANGE, lake=root)
    before, known = len(server.requests), tree(root)

    ended = runner.run("collect", *RANGE, "--force", lake=root)

    assert ended.code == 0
    assert "Collected 6 dates" in ended.said
    assert len(server.requests) == before
    assert tree(root) == known


def test_failed_lines_are_rows_and_retrying_clears_them(root, tmp_path):
    broken = FaultRule("/v3/reference/tickers/XOM?ticker=XOM&date=2024-06-27", "status", status=400)
    with SandboxServer(market(), key=KEY, plan=PLANS["advanced"], faults_script=[broken]) as server:
        env = environment(tmp_path, server.url)
        words = ("collect", *RANGE, "--lake", str(root), "--format", "json")
        first = mag7(*words, cwd=tmp_path, env=env)
        failed = {day for day, one in documents(root).items() if one["sp500_details"]["failed_count"]}
        told = documents(root)[max(failed)]["sp500_details"]["failed_tickers"]
        before = tree(root)
        again = mag7(*words, "--retry-failed", cwd=tmp_path, env=env)

    assert first.code == 3, first.stderr
    assert json.loads(first.stdout)["failed"].keys() == failed
    assert [one["ticker"] for one in told] == ["XOM"]
    assert "details of XOM for 2024-06-27: 400" in told[0]["reason"]
    assert again.code == 0, again.stderr
    assert set(json.loads(again.stdout)["collected"]) == failed
    assert not [one for one in documents(root).values() if one["sp500_details"]["failed_count"]]
    changed = {name for name, data in tree(root).items() if "market_data" in name and data != before[name]}
    assert changed == {Lake.document_key(date.fromisoformat(day)) for day in failed}


def test_without_one_of_the_seven_a_date_has_no_figure_and_says_why(runner, root, tmp_path):
    broken = FaultRule("/v3/reference/tickers/TSLA", "status", status=400, times=None)
    with SandboxServer(market(), key=KEY, plan=PLANS["advanced"], faults_script=[broken]) as server:
        ended = runner.run("collect", *RANGE, lake=root, env={"POLYGON_BASE_URL": server.url, "MAG7_WORKERS": "8"})

    assert ended.code == 3, ended.said
    assert "Partial, without a figure: 6 dates, 2024-06-20 to 2024-06-27: TSLA: no share count" in ended.said
    for one in documents(root).values():
        assert one["concentration_metrics"] is None
        assert one["partial"].startswith("TSLA: no share count: details of TSLA")
        assert one["rankings"]["by_market_cap"] == []
        assert "TSLA" not in one["companies"]


def test_the_index_is_the_list_of_its_time(runner, tmp_path):
    seven = [*MAGNIFICENT_7, "GOOG"]
    first, second = date(2024, 6, 24), date(2024, 6, 26)
    new_lake(tmp_path / "lake", {first: (*seven, "JPM", "XOM"), second: (*seven, "JPM", "CMG")})

    ended = runner.run("collect", *RANGE, lake=tmp_path / "lake")

    assert ended.code == 0, ended.said
    found: dict[str, tuple[object, set[str]]] = {}
    for day, one in documents(tmp_path / "lake").items():
        details = one["sp500_details"]
        found[day] = details["membership"], {row["ticker"] for row in details["constituents"]} - set(seven)
    known = {"confirmed_until": "2026-10-09"}
    near_first, of_first, near_second, of_second = (
        {"kind": kind, "as_of": str(day), "holdings": str(day), **known}
        for day in (first, second)
        for kind in ("nearest", "observed")
    )
    assert found == {
        "2024-06-20": (near_first, {"JPM", "XOM"}),
        "2024-06-21": (near_first, {"JPM", "XOM"}),
        "2024-06-24": (of_first, {"JPM", "XOM"}),
        "2024-06-25": (near_first, {"JPM", "XOM"}),
        "2024-06-26": (of_second, {"JPM", "CMG"}),
        "2024-06-27": (near_second, {"JPM", "CMG"}),
    }


def test_a_line_that_joins_later_gets_its_whole_past(runner, tmp_path):
    """Prices and splits of the days before were kept for the lines of then only."""
    new_lake(tmp_path / "lake", {date(2024, 6, 3): TICKERS[:-1]})
    new_lake(tmp_path / "at once")
    assert runner.run("collect", *RANGE, lake=tmp_path / "lake").code == 0
    new_lake(tmp_path / "lake")

    late = runner.run("collect", *RANGE, "--force", lake=tmp_path / "lake")
    at_once = runner.run("collect", *RANGE, lake=tmp_path / "at once")

    assert (late.code, at_once.code) == (0, 0), late.said
    # CMG split fifty for one on 2024-06-26: without that row its count would be fifty times too large or too small.
    assert documents(tmp_path / "lake") == documents(tmp_path / "at once")


def test_grouped_and_details_agree(runner, tmp_path):
    for method in ("grouped", "details"):
        new_lake(tmp_path / method)
        ended = runner.run("collect", "--start", "2024-06-03", "--end", "2024-07-12", "--method", method,
                           lake=tmp_path / method)  # fmt: skip
        assert ended.code == 0, ended.said

    sampled, exact = documents(tmp_path / "grouped"), documents(tmp_path / "details")
    assert len(sampled) == len(exact) == 28
    for day, one in sampled.items():
        both = (one, exact[day])
        caps, others = ({t: c["market_cap"] for t, c in each["companies"].items()} for each in both)
        total, other = (each["sp500_details"]["total_market_cap"] for each in both)
        assert caps == others, day
        assert float(total) == pytest.approx(float(other), rel=0.0005)


def test_a_holdings_file_is_kept_first_if_it_is_one(root, tmp_path, server):
    env = environment(tmp_path, server.url)
    (tmp_path / "small.csv").write_bytes(holdings_file(date(2024, 6, 10)))
    (tmp_path / "page.html").write_text("<html>please log in</html>")

    for name in ("small.csv", "page.html", "none.csv"):
        ended = mag7("collect", *RANGE, "--holdings", name, "--lake", str(root), cwd=tmp_path, env=env)
        assert ended.code in (1, 2)
        assert name in ended.stderr.splitlines()[0]
    assert Lake.at(str(root)).holdings_dates() == [date(2024, 6, 3)]
    assert documents(root) == {}


# Exit codes


@pytest.mark.parametrize(
    ("words", "changed", "code", "told"),
    [
        ((), {"POLYGON_API_KEY": ""}, 4, "mag7 demo"),
        ((), {"POLYGON_API_KEY": "somebody-else-s-key"}, 4, "POLYGON_API_KEY"),
        (("--plan", "basic", "--start", "2020-01-02"), {}, 4, "--start 2024-01-02"),
        (("--end", "2025-01-02"), {}, 5, "--end 2024-12-31"),
        (("--max-calls", "3"), {}, 5, "--max-calls 3 is used up"),
        (("--max-duration", "soon"), {}, 2, "90s, 20m or 1h30m"),
        (("--rate", "fast"), {}, 2, "5/min"),
        (("--end", "2024-06-19"), {}, 2, "is before --start"),
        (("--method", "guess"), {}, 2, "--method"),
        (("--retry-failed",), {}, 0, "Nothing to collect"),
    ],
)
def test_each_way_to_end_has_its_exit_code(runner, root, words, changed, code, told):
    ended = runner.run("collect", *RANGE, *words, lake=root, env=changed)

    assert ended.code == code, ended.said
    assert told in ended.said
    assert "Traceback" not in ended.said


def test_a_limit_of_calls_keeps_what_was_paid_for(runner, root, server):
    before = len(server.requests)
    for _ in range(10):
        ended = runner.run("collect", *RANGE, "--max-calls", "8", "--workers", "1", lake=root)
        if ended.code == 0:
            break
        assert ended.code == 5, ended.said

    asked = [request.target for request in server.requests[before:]]
    assert ended.code == 0
    assert len(asked) == len(set(asked))
    shutil.move(root, root.parent / "limited")
    new_lake(root)
    assert runner.run("collect", *RANGE, lake=root).code == 0
    assert tree(root) == tree(root.parent / "limited")


def test_the_plan_is_told_without_a_key_or_a_call(runner, root, server):
    before, lake = len(server.requests), tree(root)

    ended = runner.run("collect", *RANGE, "--plan-only", "--format", "json", lake=root, env={"POLYGON_API_KEY": ""})

    assert ended.code == 0, ended.said
    told = orjson.loads(ended.said)
    assert (told["dates"], told["present"], told["lines"]) == (6, 0, len(TICKERS))
    assert told["calls"]["grouped"] == 6 + 2
    assert len(server.requests) == before
    assert tree(root) == lake


def test_no_bound_is_claimed_for_every_date_where_one_batch_has_none(runner, root):
    assert runner.run("collect", *RANGE, lake=root).code == 0
    (root / Lake.document_key(date(2024, 6, 26))).unlink()

    words = ("collect", "--start", "2024-06-18", "--end", "2024-06-27", "--format", "json")
    again = runner.run(*words, lake=root)

    assert again.code == 0, again.said
    result = json.loads(again.said[again.said.index("{\n") :])
    assert result["collected"] == ["2024-06-18", "2024-06-26"]
    assert result["precision"] is None
