"""A day's prices that come without their second half: the lines fail, none counts as not listed, and all come later."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from tests.simulators.answering import AnsweringSource, StandingClock
from tests.simulators.small_index import market, new_lake, tree

from mag7cli.collection.collector import collect
from mag7cli.collection.worklist import CollectOptions
from mag7cli.market.records import Bar

RANGE = CollectOptions(date(2024, 6, 3), date(2024, 6, 7))


class HalfMarket(AnsweringSource):
    """A vendor whose days end in the middle."""

    def grouped_bars(self, on: date) -> Mapping[str, Bar]:
        bars = super().grouped_bars(on)
        return {symbol: bars[symbol] for symbol in sorted(bars)[: len(bars) // 2]}


def test_half_a_market_is_failed_lines_that_are_asked_for_again(tmp_path: Path) -> None:
    lake, undisturbed = new_lake(tmp_path / "lake"), new_lake(tmp_path / "undisturbed")

    first = collect(lake, HalfMarket(market()), RANGE, StandingClock())

    assert not first.is_clean
    assert len(first.failed) == len(first.partial) == 5
    for day in first.written:
        details = lake.read_document(day)["sp500_details"]
        lines = {line["ticker"] for line in details["constituents"]}
        failed = {one["ticker"] for one in details["failed_tickers"]}
        assert (len(lines) + len(failed), details.get("not_listed")) == (12, [])
        assert "NVDA" in failed
        assert lake.read_document(day)["concentration_metrics"] is None

    assert collect(lake, AnsweringSource(market()), RANGE, StandingClock()).is_clean
    collect(undisturbed, AnsweringSource(market()), RANGE, StandingClock())
    documents = [name for name in tree(tmp_path / "lake") if name.endswith("market_data.json")]
    assert [tree(tmp_path / "lake")[name] for name in documents] == [
        tree(tmp_path / "undisturbed")[name] for name in documents
    ]
