"""The library: the page's example does what it says, and importing it loads next to nothing."""

import inspect
import re
import shutil
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.simulators.answering import AnsweringSource, StandingClock
from tests.simulators.small_index import market, new_lake

import mag7cli as mag7

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_FUNCTIONS = [name for name in mag7.__all__ if inspect.isfunction(getattr(mag7, name))]


def test_the_example_of_the_page_runs(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "tests" / "data" / "lake-0.1.0", tmp_path / "lake")
    (example,) = _BLOCK.findall((ROOT / "docs" / "library.md").read_text(encoding="utf-8"))

    run = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (run.returncode, run.stderr) == (0, "")
    assert re.fullmatch(r"\d\d\.\d\d % at the close of 2024-06-\d\d, \w+, 0 checks failed\n", run.stdout)


def test_importing_the_library_loads_none_of_it() -> None:
    code = "import sys, mag7cli; print([name for name in sys.modules if name.startswith('mag7cli.')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_every_function_says_what_it_takes_gives_and_raises() -> None:
    docs = {name: inspect.getdoc(getattr(mag7, name)) or "" for name in _FUNCTIONS}
    assert {"collect", "explain", "exposure", "load", "open_vendor", "run", "summary", "table"} <= docs.keys()
    silent = [
        name for name, text in docs.items() if not re.search(r"Args:.*(Returns|Yields):.*Raises:", text, re.DOTALL)
    ]
    assert silent == []
    takes = {name: inspect.signature(getattr(mag7, name)).parameters for name in _FUNCTIONS}
    assert [f"{name}: {one}" for name, all_ in takes.items() for one in all_ if f"{one}:" not in docs[name]] == []


class _ClosingSource(AnsweringSource):
    is_closed = False

    def close(self) -> None:
        self.is_closed = True


def test_a_vendor_that_was_given_is_closed_whether_it_was_asked_or_not(tmp_path: Path) -> None:
    lake = new_lake(tmp_path / "lake")
    request = mag7.CollectRequest(start=date(2024, 6, 26), end=date(2024, 6, 27), plan="advanced", rate="unlimited")

    for calls_are_made in (True, False):
        vendor = _ClosingSource(market())
        result = mag7.collect(lake, request=request, vendor=vendor, clock=StandingClock())
        assert bool(result.written) is calls_are_made
        assert vendor.is_closed


def test_a_table_is_had_in_three_kinds_with_the_same_rows(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "tests" / "data" / "lake-0.1.0", tmp_path / "lake")
    lake = mag7.Lake.at(str(tmp_path / "lake"))
    mag7.transform(lake)

    arrow = mag7.table(lake, "concentration_metrics")
    frame = mag7.table(lake, "concentration_metrics", kind="pandas")
    relation = mag7.table(lake, "concentration_metrics", kind="duckdb")

    assert arrow.num_rows == len(frame) == len(relation.fetchall()) == 3
    assert frame["trading_date"].tolist() == arrow["trading_date"].to_pylist()
    totals = arrow["sp500_total_market_cap"].to_pylist()
    assert totals[0] == Decimal("21243668486786.10"), "money is decimal in each"
    assert frame["sp500_total_market_cap"].tolist() == totals
    assert [row[2] for row in relation.order("trading_date").fetchall()] == totals
    assert all(isinstance(total, Decimal) for total in totals)
    with pytest.raises(mag7.Mag7Error, match="there is no table 'prices'"):
        mag7.table(lake, "prices")


def test_who_is_in_the_index_is_asked_of_the_library(tmp_path: Path) -> None:
    lake = mag7.Lake.at(str(tmp_path / "lake"))
    assert "TSLA" in [constituent.ticker for constituent in mag7.members(lake, on=date(2021, 1, 4)).constituents]

    data = (ROOT / "tests" / "data" / "holdings_files" / "whole_index.csv").read_bytes()
    judged = mag7.keep_holdings(lake, data=data, name="IVV.csv")

    assert judged.verdict.is_kept
    membership = mag7.members(lake, on=judged.holdings.as_of)
    assert (membership.kind, membership.file) == ("observed", judged.holdings.as_of)
