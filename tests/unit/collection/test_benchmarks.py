"""Series beside the index: asked for once, kept as bars are, and read in the share units of the last close."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from tests.simulators.answering import AnsweringSource, StandingClock
from tests.simulators.functions import CallContext
from tests.simulators.small_index import market, new_lake

import mag7cli as mag7
from mag7cli.collection import benchmarks
from mag7cli.collection.bar_files import BarFiles, LineFile
from mag7cli.core.errors import UsageError
from mag7cli.core.progress import Silence
from mag7cli.deployment import functions
from mag7cli.lake.layout import Lake
from mag7cli.market.bar_series import BarSeries
from mag7cli.vendors.sandbox.blueprint import from_tables
from mag7cli.vendors.sandbox.market import Market

FUND = "METV"
FIRST, LAST = date(2024, 6, 24), date(2024, 6, 26)
REQUEST = mag7.CollectRequest(start=FIRST, end=LAST, plan="advanced", rate="unlimited", benchmarks=(FUND, "NOSUCH"))


class Said(Silence):
    """A listener that remembers its warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture(scope="module")
def with_a_fund() -> Market:
    """The small market, and what else is quoted beside it."""
    small = market()
    blueprint = replace(small.blueprint, others=from_tables().others)
    return Market(start=small.start, end=small.end, blueprint=blueprint)


def asked_for(source: AnsweringSource) -> list[str]:
    return [question[1] for question in source.questions if question[0] == "bars" and question[1] in REQUEST.benchmarks]


def test_a_series_is_asked_for_once_and_again_when_the_lake_has_grown(with_a_fund: Market, tmp_path: Path) -> None:
    lake, said = new_lake(tmp_path / "lake"), Said()

    def collect(end: date) -> list[str]:
        source = AnsweringSource(with_a_fund)
        request = replace(REQUEST, end=end)
        result = mag7.collect(lake, request=request, vendor=source, listener=said, clock=StandingClock())
        assert (result.is_clean, list(result.stale_series)) == (False, ["NOSUCH"])
        return asked_for(source)

    planned = mag7.estimate(lake, request=REQUEST, clock=StandingClock())
    without = mag7.estimate(lake, request=replace(REQUEST, benchmarks=()), clock=StandingClock())
    assert planned.total_calls == without.total_calls + 2
    assert collect(LAST) == [FUND, "NOSUCH"]
    assert said.warnings[-1].startswith("NOSUCH, a series beside the index, is not up to date: ")
    assert collect(LAST) == ["NOSUCH"], "nothing is missing of the dates, nor of the series that is there"
    assert collect(date(2024, 6, 27)) == [FUND, "NOSUCH"]

    assert benchmarks.kept(lake) == (FUND,)
    known = mag7.benchmark(lake, symbol=FUND)
    assert list(known.closes_usd) == [FIRST, date(2024, 6, 25), LAST, date(2024, 6, 27)]
    assert known.closes_usd[FIRST] == with_a_fund.bars(FUND, FIRST, FIRST)[0].close_usd
    verdict = mag7.verify(lake)
    assert (verdict.damages, verdict.foreign) == ((), ())


def test_a_deployed_collector_keeps_the_series_that_its_parameter_names(
    with_a_fund: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, source = new_lake(tmp_path / "lake"), AnsweringSource(with_a_fund)
    for name, value in {"LAKE": lake.store.uri(""), "PLAN": "advanced", "BENCHMARK": f"{FUND}, NOSUCH"}.items():
        monkeypatch.setenv(f"MAG7_{name}", value)
    monkeypatch.setattr(functions, "_open_vendor", lambda request: source)

    collected = functions.collect({"start": str(FIRST), "end": str(LAST)}, CallContext())

    assert asked_for(source) == [FUND, "NOSUCH"]
    assert benchmarks.kept(lake) == (FUND,)
    assert (collected["state"], list(collected["stale_series"])) == ("done", ["NOSUCH"])


def test_bars_that_the_plan_serves_no_longer_stay(
    with_a_fund: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, source = new_lake(tmp_path / "lake"), AnsweringSource(with_a_fund)
    mag7.collect(lake, request=REQUEST, vendor=source, clock=StandingClock())
    later = AnsweringSource(with_a_fund)
    served = later.bars
    monkeypatch.setattr(later, "bars", lambda symbol, start, end: served(symbol, max(start, LAST), end))

    request = replace(REQUEST, end=date(2024, 6, 27))
    mag7.collect(lake, request=request, vendor=later, clock=StandingClock())

    known = mag7.benchmark(lake, symbol=FUND)
    assert list(known.closes_usd) == [FIRST, date(2024, 6, 25), LAST, date(2024, 6, 27)]


def test_a_whole_step_of_the_close_is_a_split_and_a_fall_is_none(tmp_path: Path) -> None:
    lake = Lake.at(str(tmp_path))
    closes = {2: 100.0, 3: 101.0, 4: 50.0, 5: 34.0, 8: 204.0}
    rows = {date(2024, 1, day).toordinal(): [close] * 4 + [1.0, close] for day, close in closes.items()}
    span = (date(2024, 1, 2), date(2024, 1, 8))
    BarFiles(lake).keep_line("VXX", LineFile(span, BarSeries.of_rows("VXX", rows)))

    known = benchmarks.read(lake, "VXX")

    assert known is not None
    assert known.splits == {date(2024, 1, 4): 2.0, date(2024, 1, 8): 1 / 6}
    assert list(known.closes_usd.values()) == pytest.approx([300.0, 303.0, 300.0, 204.0, 204.0])


@pytest.mark.parametrize(("text", "reason"), [("AAPL", "is a line of the index"), ("S&P", "is no symbol")])
def test_what_is_no_series_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        benchmarks.symbols_of(text)


def test_symbols_are_read_once_each() -> None:
    assert benchmarks.symbols_of(" ivv,RSP, IVV") == ("IVV", "RSP")
    assert benchmarks.symbols_of("") == ()


def test_a_series_that_is_not_kept_is_named_with_the_way_to_have_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="keeps no prices of RSP") as refused:
        mag7.benchmark(new_lake(tmp_path / "lake"), symbol="RSP")

    assert refused.value.hint == "mag7 collect --benchmark RSP"
