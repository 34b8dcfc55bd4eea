"""The vendor's answers on share counts: asked once, kept soon, and never taken from another company."""

from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path

import orjson
import pytest
from tests.simulators.answering import AnsweringSource, StandingClock
from tests.simulators.small_index import market

from mag7cli.collection.details_cache import DetailsCache
from mag7cli.core.errors import DocumentError, StoppedEarlyError, VendorUnavailableError
from mag7cli.lake.layout import Lake
from mag7cli.market import symbology
from mag7cli.market.records import TickerDetails
from mag7cli.tables.table_files import foreign_objects

DAY, NEXT = date(2024, 6, 20), date(2024, 6, 21)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.at(str(tmp_path / "lake"))


@pytest.fixture
def source() -> AnsweringSource:
    return AnsweringSource(market())


def loaded(lake: Lake, source: AnsweringSource | None = None) -> DetailsCache:
    details = DetailsCache(lake, StandingClock(), source.asking() if source else None)
    details.load()
    return details


def test_an_answer_is_the_vendor_s_and_is_asked_for_once(lake, source):
    loaded(lake, source).ask([("AAPL", DAY), ("JPM", DAY), ("AAPL", DAY)])
    details = loaded(lake, source)
    details.ask([("AAPL", DAY), ("JPM", DAY)])

    told = market().details("AAPL", DAY)
    answer = details.answer("AAPL", DAY)
    assert answer.status == "ok"
    assert (answer.weighted_shares, answer.market_cap) == (told.weighted_shares, told.market_cap_usd)
    assert answer.fetched_at == "2025-01-02T08:00:00-05:00"
    assert len(source.questions) == 2


def test_words_are_kept_of_the_seven_only(lake, source):
    details = loaded(lake, source)
    details.ask([("AAPL", DAY), ("JPM", DAY)])

    assert details.answer("AAPL", DAY).description
    assert details.answer("JPM", DAY).description is None


def test_what_was_not_listed_is_an_answer_and_not_a_count(lake, source):
    details = loaded(lake, source)
    details.ask([("ZZZQ", DAY)])

    assert details.answer("ZZZQ", DAY).status == "not_listed"
    assert details.observation("ZZZQ", DAY) is None
    assert details.missing([("ZZZQ", DAY)]) == []
    assert details.latest("ZZZQ", DAY) is None


def test_the_answer_of_another_company_is_refused_with_the_reason(lake, source, monkeypatch):
    another = replace(market().details("JPM", DAY), symbol="AAPL", name="Another Co", cik="0000999999")
    monkeypatch.setattr(AnsweringSource, "details", lambda self, symbol, on: another)
    details = loaded(lake, source)
    details.ask([("AAPL", DAY)])

    assert details.answer("AAPL", DAY).status == "refused"
    assert "Another Co" in details.answer("AAPL", DAY).reason
    assert details.observation("AAPL", DAY) is None


def test_what_could_not_be_had_says_why_and_is_asked_for_again(lake, source):
    source.fails = lambda question: VendorUnavailableError("broken") if question[1] == "JPM" else None
    details = loaded(lake, source)
    details.ask([("AAPL", DAY), ("JPM", DAY)])
    assert details.failures == {("JPM", DAY): "broken"}

    source.fails = lambda question: None
    details.ask([("AAPL", DAY), ("JPM", DAY)])

    assert details.failures == {}
    assert loaded(lake).missing([("AAPL", DAY), ("JPM", DAY)]) == []


def test_a_run_that_is_stopped_keeps_its_answers(lake, source):
    source.fails = lambda question: StoppedEarlyError("enough") if question[2] == NEXT else None  # type: ignore[return-value]

    with pytest.raises(StoppedEarlyError):
        loaded(lake, source).ask([("AAPL", DAY), ("JPM", DAY), ("AAPL", NEXT)])

    assert loaded(lake).missing([("AAPL", DAY), ("JPM", DAY), ("AAPL", NEXT)]) == [("AAPL", NEXT)]


class PassingClock(StandingClock):
    """A clock by which each look at it is so many seconds later."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._times = count(0.0, seconds)

    def monotonic(self) -> float:
        return next(self._times)


@pytest.mark.parametrize(("seconds", "is_kept"), [(10.0, True), (0.0, False)])
def test_answers_are_kept_on_the_way_unless_they_come_faster_than_it_matters(lake, source, seconds, is_kept):
    days = [day for day in market().sessions if day < date(2024, 3, 1)]
    kept: list[int] = []
    source.fails = lambda question: kept.append(len(lake.reference_files("details/"))) or None  # type: ignore[func-returns-value]
    details = DetailsCache(lake, PassingClock(seconds), source.asking())
    details.ask([("AAPL", day) for day in days])

    assert max(kept) >= 20 if is_kept else max(kept) == 0
    assert loaded(lake).missing([("AAPL", day) for day in days]) == []


def test_the_latest_answer_is_the_last_before_else_the_first_after(lake, source):
    details = loaded(lake, source)
    details.ask([("AAPL", DAY), ("AAPL", date(2024, 7, 1))])

    assert details.latest("AAPL", date(2024, 6, 28))[0] == DAY
    assert details.latest("AAPL", date(2024, 6, 3))[0] == DAY
    assert details.latest("AAPL", date(2024, 7, 1))[0] == date(2024, 7, 1)
    assert details.latest("AAPL", date(2024, 7, 1), leave_out=date(2024, 7, 1))[0] == DAY
    assert details.latest("JPM", DAY) is None


def test_equal_answers_are_equal_bytes_in_whatever_order_they_came(tmp_path, source):
    requests = [("JPM", DAY), ("AAPL", DAY), ("XOM", DAY)]
    one, other = Lake.at(str(tmp_path / "one")), Lake.at(str(tmp_path / "other"))
    loaded(one, source).ask(requests)
    for request in reversed(requests):
        loaded(other, source).ask([request])

    name = f"raw/reference/details/date={DAY}.json"
    assert one.store.read(name) == other.store.read(name)
    assert list(orjson.loads(one.store.read(name))["answers"]) == ["AAPL", "JPM", "XOM"]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"date":"2024-06-20","answers":{"AAPL":{"status":"ok"}}}', b"{}"])
def test_a_damaged_file_is_named(lake, content):
    lake.store.write(f"raw/reference/details/date={DAY}.json", content)

    with pytest.raises(DocumentError, match=r"details/date=2024-06-20\.json: not a file of details .+ delete it"):
        loaded(lake)


# A company that reorganises goes on under a new CIK, which no table has


class Reorganised(AnsweringSource):
    """A market in which JPMorgan has another registrant from a day on."""

    def __init__(self, since: date, *, name: str = "JPMorgan Chase Holdings Inc.", figi: str | None = None) -> None:
        super().__init__(market())
        self.since, self.figi, self.changed = since, figi, {"cik": "0009999999", "name": name}

    def details(self, symbol: str, on: date) -> TickerDetails:
        told = replace(super().details(symbol, on), composite_figi=self.figi)
        return replace(told, **self.changed) if symbol == "JPM" and on >= self.since else told


def test_a_new_registrant_of_the_same_name_is_recognised_and_said(lake):
    loaded(lake, Reorganised(NEXT)).ask([("JPM", DAY), ("JPM", NEXT)])
    details = loaded(lake)

    assert [one.on for one in details.observations("JPM")] == [DAY, NEXT]
    assert details.registrant_doubt("JPM", DAY) is None
    assert "under CIK 0009999999, with the same name" in details.registrant_doubt("JPM", NEXT)
    assert details.refusals("JPM") == {}


def test_a_new_registrant_with_the_same_figi_is_recognised_under_another_name(lake):
    loaded(lake, Reorganised(NEXT, name="Chemical Bank", figi="BBG000DMBXR2")).ask([("JPM", DAY), ("JPM", NEXT)])

    assert "with the same FIGI" in loaded(lake).registrant_doubt("JPM", NEXT)


def test_a_new_registrant_whose_prices_go_on_is_recognised_by_them(lake):
    asked = []

    def continues(ticker: str, first: date, last: date) -> bool:
        asked.append((ticker, first, last))
        return True

    source = Reorganised(NEXT, name="Chemical Bank")
    details = DetailsCache(lake, StandingClock(), source.asking(), continues)
    details.ask([("JPM", DAY), ("JPM", NEXT)])

    assert "prices that go on without a break" in details.registrant_doubt("JPM", NEXT)
    assert asked == [("JPM", DAY, NEXT)]


def test_another_company_stays_refused_with_the_reason(lake):
    loaded(lake, Reorganised(NEXT, name="Chemical Bank")).ask([("JPM", DAY), ("JPM", NEXT)])
    details = loaded(lake)

    assert details.answer("JPM", NEXT).status == "refused"
    assert details.refusals("JPM") == {
        NEXT: "JPM on 2024-06-21 is Chemical Bank (CIK 0009999999), not JPM (CIK 0000019617)"
    }
    assert [one.on for one in details.observations("JPM")] == [DAY]


def test_a_row_in_the_table_confirms_a_new_registrant(lake, monkeypatch):
    loaded(lake, Reorganised(NEXT)).ask([("JPM", DAY), ("JPM", NEXT)])
    monkeypatch.setattr(symbology, "is_registrant", lambda ticker, cik: cik in ("0000019617", "0009999999"))

    assert loaded(lake).registrant_doubt("JPM", NEXT) is None


def test_a_row_in_the_table_confirms_what_was_refused_before(lake, monkeypatch):
    loaded(lake, Reorganised(NEXT, name="Chemical Bank")).ask([("JPM", DAY), ("JPM", NEXT)])
    monkeypatch.setattr(symbology, "is_registrant", lambda ticker, cik: cik in ("0000019617", "0009999999"))
    details = loaded(lake)

    assert [one.on for one in details.observations("JPM")] == [DAY, NEXT]
    assert details.registrant_doubt("JPM", NEXT) is None


def test_rounds_of_questions_are_a_write_a_month_and_each_date_stays_where_it_is_kept(lake, source, monkeypatch):
    loaded(lake, source).ask([("AAPL", DAY)])
    written: list[str] = []
    write = lake.write_reference
    monkeypatch.setattr(lake, "write_reference", lambda name, data: written.append(name) or write(name, data))
    days = [day for day in market().sessions if date(2024, 5, 1) <= day < date(2024, 7, 1)]
    details = loaded(lake, source)

    with details.rounds():
        for day in days:
            details.ask([("AAPL", day), ("JPM", day)])
    assert written == [
        "details/date=2024-06-20.json", "details/month=2024-05.json", "details/month=2024-06.json",
    ]  # fmt: skip

    again = loaded(lake, source)
    assert again.missing([(ticker, day) for ticker in ("AAPL", "JPM") for day in days]) == []
    assert [again.answer("JPM", day) for day in days] == [details.answer("JPM", day) for day in days]
    again.ask([("XOM", NEXT), ("XOM", DAY), ("XOM", date(2024, 7, 1))])
    assert written[3:] == [
        "details/date=2024-06-20.json", "details/date=2024-07-01.json", "details/month=2024-06.json",
    ]  # fmt: skip
    assert foreign_objects(lake) == []


def test_rounds_that_end_early_keep_what_was_answered(lake, source):
    source.fails = lambda question: StoppedEarlyError("enough") if question[2] == NEXT else None  # type: ignore[return-value]
    details = loaded(lake, source)

    with pytest.raises(StoppedEarlyError), details.rounds():
        details.ask([("AAPL", DAY), ("JPM", DAY), ("JPM", NEXT)])

    assert loaded(lake).missing([("AAPL", DAY), ("JPM", DAY), ("JPM", NEXT)]) == [("JPM", NEXT)]


@pytest.mark.parametrize(
    "content", [{"month": "2024-06", "dates": {"2024-05-31": {}}}, {"month": "2024-05", "dates": {}}, {"month": 6}]
)
def test_a_month_that_is_not_that_of_its_name_is_named(lake, content):
    lake.write_reference("details/month=2024-06.json", orjson.dumps(content))

    with pytest.raises(DocumentError, match=r"details/month=2024-06\.json: not a file of details .+ delete it"):
        loaded(lake)
