"""What the vendor corrects later arrives, and only that: line by line, with the share before and after."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.simulators.fake_clock import FakeClock
from tests.simulators.sandbox_source import SandboxSource
from tests.simulators.small_index import NOW, market, new_lake

from mag7cli.collection import refresh as refreshing
from mag7cli.collection import request as requests
from mag7cli.collection.collector import CollectResult, collect
from mag7cli.collection.refresh import RefreshResult, refresh
from mag7cli.collection.request import CollectRequest
from mag7cli.collection.worklist import CollectOptions
from mag7cli.core.errors import MalformedResponseError, StoppedEarlyError, TickerNotFoundError, UsageError
from mag7cli.core.progress import Silence
from mag7cli.doctor.integrity import check
from mag7cli.lake.layout import Lake
from mag7cli.market.records import Bar, TickerDetails
from mag7cli.tables.transform import transform
from mag7cli.vendors.rate_limit import Cancel

# Twenty sessions, so that counts are sampled; no split but CMG's of 2024-06-26 lies near.
START, END = date(2024, 7, 15), date(2024, 8, 9)
DAY = date(2024, 7, 24)
LATER = datetime.fromisoformat(NOW) + timedelta(days=30)


class CorrectedSource(SandboxSource):
    """A vendor that says otherwise: `bar` and `details` change what it answers; it stops after so many calls."""

    def __init__(self, *, bar: Any = None, details: Any = None, calls_left: int = 10**6) -> None:
        super().__init__(market(), now=datetime.fromisoformat(NOW))
        self._bar: Callable[[Bar], Bar] = bar or (lambda one: one)
        self._answer: Callable[[TickerDetails, date], TickerDetails] = details or (lambda one, on: one)
        self._calls_left = calls_left

    def grouped_bars(self, on: date) -> Mapping[str, Bar]:
        self._spend()
        return {symbol: self._bar(bar) for symbol, bar in super().grouped_bars(on).items()}

    def bars(self, symbol: str, start: date, end: date) -> list[Bar]:
        self._spend()
        return [self._bar(bar) for bar in super().bars(symbol, start, end)]

    def details(self, symbol: str, on: date) -> TickerDetails:
        self._spend()
        return self._answer(super().details(symbol, on), on)

    def _spend(self) -> None:
        self._calls_left -= 1
        if self._calls_left < 0:
            raise StoppedEarlyError("a limit of the run was reached")


def close_times(factor: float, ticker: str = "XOM", day: date = DAY) -> Callable[[Bar], Bar]:
    """A correction of one close, whose low and high make room for it."""

    def corrected(bar: Bar) -> Bar:
        if (bar.symbol, bar.trading_date) != (ticker, day):
            return bar
        close = round(bar.close_usd * factor, 2)
        return replace(bar, close_usd=close, high_usd=max(bar.high_usd, close), low_usd=min(bar.low_usd, close))

    return corrected


def count_times(factor: float, ticker: str = "AAPL") -> Callable[[TickerDetails, date], TickerDetails]:
    """A correction of all of a line's counts."""

    def corrected(answer: TickerDetails, on: date) -> TickerDetails:
        if answer.symbol != ticker or answer.weighted_shares is None or answer.market_cap_usd is None:
            return answer
        return replace(
            answer,
            weighted_shares=round(answer.weighted_shares * factor),
            share_class_shares=round((answer.share_class_shares or 0) * factor),
            market_cap_usd=answer.market_cap_usd * factor,
        )

    return corrected


def run(lake: Lake, source: SandboxSource) -> None:
    collect(lake, source, CollectOptions(START, END), FakeClock(datetime.fromisoformat(NOW)))


def again(lake: Lake, source: SandboxSource, start: date = DAY, end: date = DAY) -> RefreshResult:
    return refresh(lake, source, CollectOptions(start, end), FakeClock(LATER), stop=Cancel())


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lakes") / "collected"
    run(new_lake(root), CorrectedSource())
    return root


@pytest.fixture
def lake(collected: Path, tmp_path: Path) -> Lake:
    shutil.copytree(collected, tmp_path / "lake")
    return Lake.at(str(tmp_path / "lake"))


def facts(lake: Lake) -> dict[date, Any]:
    """The documents, without when and by what they were made."""
    documents = {day: dict(lake.read_document(day)) for day in lake.documents()}
    return {day: document | {"data_collection_time": "", "source": ""} for day, document in documents.items()}


def test_a_vendor_who_has_corrected_nothing_changes_no_byte_and_costs_one_call_a_date(lake: Lake) -> None:
    before = {key: lake.store.read(lake.document_key(key)) for key in lake.documents()}

    result = again(lake, CorrectedSource())

    assert (result.changes, result.refusals, result.dates) == ((), (), (DAY,))
    assert {key: lake.store.read(lake.document_key(key)) for key in lake.documents()} == before
    assert result.calls.get("grouped") == 1
    assert result.calls.get("bars", 0) == 0
    assert result.calls["details"] == 7  # the Mag 7's, as they were asked for some days before
    assert refreshing.unfinished(lake) is None


def test_a_corrected_close_arrives_with_cap_and_share_before_and_after(lake: Lake, tmp_path: Path) -> None:
    old = lake.read_document(DAY)
    source = CorrectedSource(bar=close_times(1.02))

    (change,) = again(lake, source).changes

    assert change.trading_date == DAY
    close, cap = change.lines
    assert (close.ticker, close.field, cap.field) == ("XOM", "close_price", "market_cap")
    assert close.before
    assert close.after
    assert close.after == pytest.approx(1.02 * close.before, rel=1e-3)
    assert old["concentration_metrics"]
    assert change.mag7_pct_before == old["concentration_metrics"]["mag7_pct_of_sp500"]
    assert change.mag7_pct_after
    assert change.mag7_pct_after < change.mag7_pct_before
    fresh = new_lake(tmp_path / "fresh")
    run(fresh, CorrectedSource(bar=close_times(1.02)))
    assert facts(lake) == facts(fresh)


def test_a_corrected_count_reaches_every_date_that_rests_upon_it(lake: Lake, tmp_path: Path) -> None:
    result = again(lake, CorrectedSource(details=count_times(1.01)), START, END)

    assert [change.trading_date for change in result.changes] == list(lake.documents())
    assert {line.field for change in result.changes for line in change.lines} == {"shares_outstanding", "market_cap"}
    fresh = new_lake(tmp_path / "fresh")
    run(fresh, CorrectedSource(details=count_times(1.01)))
    assert facts(lake) == facts(fresh)


@pytest.mark.parametrize("factor", [1000.0, 3.0, 0.1])
def test_a_close_that_no_correction_can_be_leaves_the_old_and_says_so(lake: Lake, factor: float) -> None:
    before = facts(lake)

    result = again(lake, CorrectedSource(bar=close_times(factor)))

    assert facts(lake) == before
    assert result.changes == ()
    ((ticker, day, what, reason),) = [
        (one.ticker, one.trading_date, one.asked_for, one.reason) for one in result.refusals
    ]
    assert (ticker, day, what) == ("XOM", DAY, "price")
    assert "no correction is so large" in reason


def _not_listed(answer: TickerDetails, on: date) -> TickerDetails:
    if answer.symbol == "AAPL":
        raise TickerNotFoundError("AAPL: 404")
    return answer


def _broken(answer: TickerDetails, on: date) -> TickerDetails:
    if answer.symbol == "AAPL":
        raise MalformedResponseError("AAPL: not JSON")
    return answer


def _another_company(answer: TickerDetails, on: date) -> TickerDetails:
    return (
        replace(answer, cik="0000999999", name="Quite Another", composite_figi="X")
        if answer.symbol == "AAPL"
        else answer
    )


@pytest.mark.parametrize(
    ("details", "told"),
    [
        (count_times(4.0), "no correction is so large"),
        (_not_listed, "not listed any more"),
        (_broken, "not JSON"),
        (_another_company, "0000999999"),
    ],
)
def test_an_answer_that_cannot_take_the_place_of_a_good_one_leaves_it(lake: Lake, details: Any, told: str) -> None:
    before = facts(lake)

    result = again(lake, CorrectedSource(details=details), START, END)

    assert facts(lake) == before
    assert {one.ticker for one in result.refusals} == {"AAPL"}
    assert all(told in one.reason for one in result.refusals)


def test_many_dates_are_asked_for_by_lines_and_a_count_that_was_not_asked_for_is_not_asked_now(lake: Lake) -> None:
    first = sum(1 for _ in lake.store.list("raw/reference/details/"))

    result = again(lake, CorrectedSource(), START, END)

    lines = len(lake.read_document(DAY)["sp500_details"]["constituents"])
    assert result.calls.get("grouped", 0) == 0
    assert result.calls["bars"] <= lines + 1  # Alphabet's other class, BRK.B: one call a symbol
    assert sum(1 for _ in lake.store.list("raw/reference/details/")) == first


def test_a_refresh_that_is_cut_off_anywhere_is_gone_on_with_by_the_same_command(lake: Lake, tmp_path: Path) -> None:
    def corrected(calls_left: int = 10**6) -> CorrectedSource:
        return CorrectedSource(bar=close_times(1.02), details=count_times(1.01), calls_left=calls_left)

    undisturbed = Lake.at(str(tmp_path / "undisturbed"))
    shutil.copytree(tmp_path / "lake", tmp_path / "undisturbed")
    calls = sum(again(undisturbed, corrected(), START, END).calls.values())

    for limit in (1, calls // 2, calls - 2):
        root = tmp_path / f"cut-{limit}"
        shutil.copytree(tmp_path / "lake", root)
        cut = Lake.at(str(root))
        with pytest.raises(StoppedEarlyError):
            again(cut, corrected(limit), START, END)
        assert refreshing.unfinished(cut) == (START, END)

        again(cut, corrected(), START, END)

        assert facts(cut) == facts(undisturbed)
        assert refreshing.unfinished(cut) is None
        transform(cut)
        assert check(cut).is_sound


def test_dates_that_were_not_collected_cannot_be_refreshed(lake: Lake) -> None:
    with pytest.raises(UsageError, match="no date from 2024-03-04 to 2024-03-08 was collected"):
        again(lake, CorrectedSource(), date(2024, 3, 4), date(2024, 3, 8))


# What a run asks again of itself


NEXT = date(2024, 8, 12)
LAST_DAYS = [date(2024, 8, 7), date(2024, 8, 8), date(2024, 8, 9)]


def evening(lake: Lake, source: SandboxSource, sessions: int = 3, end: date = NEXT) -> CollectResult:
    request = CollectRequest(start=START, end=end, plan="advanced", rate="5/min", recheck=sessions)
    return requests.collect(lake, request, clock=FakeClock(LATER), listener=Silence(), vendor=source)


def test_an_evening_takes_what_was_corrected_on_the_sessions_before(lake: Lake, tmp_path: Path) -> None:
    day = LAST_DAYS[1]
    source = CorrectedSource(bar=close_times(1.02, day=day))

    result = evening(lake, source)

    assert result.written == (NEXT,)
    assert result.rechecked is not None
    assert list(result.rechecked.dates) == LAST_DAYS
    (change,) = result.rechecked.changes
    assert (change.trading_date, {line.ticker for line in change.lines}) == (day, {"XOM"})
    fresh = new_lake(tmp_path / "fresh")
    run(fresh, CorrectedSource(bar=close_times(1.02, day=day)))
    assert facts(lake)[day] == facts(fresh)[day]
    assert refreshing.unfinished(lake) is None


def test_it_costs_a_call_a_session_and_changes_no_byte_where_nothing_was_corrected(lake: Lake, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "lake", tmp_path / "other")
    other = Lake.at(str(tmp_path / "other"))
    before = {day: lake.store.read(lake.document_key(day)) for day in lake.documents()}

    result, without = evening(lake, CorrectedSource()), evening(other, CorrectedSource(), sessions=0)

    assert without.rechecked is None
    assert result.rechecked is not None
    assert (result.rechecked.changes, result.rechecked.refusals) == ((), ())
    assert result.calls == {**without.calls, "grouped": without.calls["grouped"] + 3}
    assert {day: lake.store.read(lake.document_key(day)) for day in before} == before


def test_a_run_without_a_new_session_asks_nothing_again(lake: Lake) -> None:
    result = evening(lake, CorrectedSource(calls_left=0), end=END)

    assert (result.written, result.rechecked) == ((), None)


def test_a_volume_that_was_corrected_arrives_too(lake: Lake) -> None:
    day = LAST_DAYS[0]

    def corrected(bar: Bar) -> Bar:
        is_it = (bar.symbol, bar.trading_date) == ("NVDA", day)
        return replace(bar, volume=(bar.volume or 0) + 100) if is_it else bar

    before = lake.read_document(day)["companies"]["NVDA"]["trading_data"]
    evening(lake, CorrectedSource(bar=corrected))

    after = lake.read_document(day)["companies"]["NVDA"]["trading_data"]
    assert before
    assert after == {**before, "volume": (before["volume"] or 0) + 100}


def test_a_document_that_a_run_which_died_left_behind_its_prices_is_made_anew(lake: Lake) -> None:
    day = LAST_DAYS[2]
    old = lake.read_document(day)
    evening(lake, CorrectedSource(bar=close_times(1.02, day=day)))
    # As if that run had died before the document: its prices were kept already.
    lake.write_document(day, old)

    result = evening(lake, CorrectedSource(bar=close_times(1.02, day=day)), end=date(2024, 8, 13), sessions=2)

    assert result.rechecked is not None
    assert [change.trading_date for change in result.rechecked.changes] == [day]


def test_a_limit_that_is_reached_meanwhile_loses_nothing_of_what_is_new(lake: Lake, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "lake", tmp_path / "other")
    calls = sum(evening(Lake.at(str(tmp_path / "other")), CorrectedSource(), sessions=0).calls.values())

    result = evening(lake, CorrectedSource(bar=close_times(1.02, day=LAST_DAYS[1]), calls_left=calls))

    assert (result.written, result.rechecked) == ((NEXT,), None)
    again_later = evening(lake, CorrectedSource(bar=close_times(1.02, day=LAST_DAYS[1])), end=date(2024, 8, 13))
    assert again_later.rechecked is not None
    assert [change.trading_date for change in again_later.rechecked.changes] == [LAST_DAYS[1]]
