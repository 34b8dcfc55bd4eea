"""What a lake knows of bars: a file is opened when it is looked at, and says the same as it did when it was written."""

from datetime import date, timedelta
from itertools import product
from pathlib import Path

import orjson
import pytest

from mag7cli.collection import known_bars
from mag7cli.collection.bar_files import BarFiles, broken_files
from mag7cli.collection.known_bars import KnownBars
from mag7cli.core.errors import DocumentError
from mag7cli.lake.layout import Lake
from mag7cli.lake.store import LocalStore
from mag7cli.market.bar_series import BarSeries
from mag7cli.market.records import Bar

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2022, 6, day) for day in (6, 7, 8, 9))


class ReadingStore(LocalStore):
    """A folder that notes which of its files are read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.names: list[str] = []

    def read(self, key: str) -> bytes:
        self.names.append(key.rpartition("/")[2])
        return super().read(key)


@pytest.fixture
def store(tmp_path: Path) -> ReadingStore:
    return ReadingStore(tmp_path)


@pytest.fixture
def lake(store: ReadingStore) -> Lake:
    return Lake(store)


def bar(day: date, close: float = 10.0, vwap: float | None = 9.5, symbol: str = "AAPL") -> Bar:
    return Bar(symbol, day, 9.0, 11.0, 8.0, close, 1000.5, vwap)


def line(known: KnownBars, *bars: Bar, ticker: str = "AAPL") -> None:
    known.keep_line(ticker, BarSeries.of(ticker, bars), MONDAY, WEDNESDAY)


def content(lake: Lake, name: str) -> object:
    return orjson.loads(lake.read_reference(f"bars/{name}") or b"null")


def test_a_file_is_opened_when_its_line_or_its_day_is_looked_at(lake, store):
    known = KnownBars(lake)
    line(known, bar(MONDAY), bar(TUESDAY))
    line(known, bar(MONDAY), ticker="MSFT")
    known.keep_day(THURSDAY, {"AAPL": bar(THURSDAY)})
    known.keep_day(date(2022, 7, 1), {"AAPL": bar(date(2022, 7, 1))})
    store.names.clear()

    again = KnownBars(lake)
    assert again.closes("AAPL", [MONDAY, WEDNESDAY, THURSDAY]) == {MONDAY: 10.0, THURSDAY: 10.0}
    assert again.close("AAPL", MONDAY) == 10.0
    assert store.names == ["ticker=AAPL.json", "date=2022-06-09.json"]


@pytest.mark.parametrize(("few", "looks"), [(64, 1), (1, 2)])
def test_whole_bars_of_many_days_are_one_look_into_the_file_of_their_line(lake, store, monkeypatch, few, looks):
    monkeypatch.setattr(known_bars, "_FEW_BARS", few)
    line(KnownBars(lake), bar(MONDAY), bar(TUESDAY), bar(WEDNESDAY))
    store.names.clear()
    known = KnownBars(lake, TUESDAY)

    assert [known.bar("AAPL", day) for day in (TUESDAY, WEDNESDAY, TUESDAY)] == [
        bar(TUESDAY), bar(WEDNESDAY), bar(TUESDAY),
    ]  # fmt: skip
    assert len(store.names) == looks, "once for its closes, once for whole bars where they are too many to keep"
    assert known.bar("AAPL", MONDAY) == bar(MONDAY)
    assert len(store.names) == 2 * looks, "the days of before those that are looked at are another part of the file"


def test_a_bar_has_the_symbol_of_its_day(lake):
    line(KnownBars(lake), bar(TUESDAY, symbol="FB"), bar(WEDNESDAY, vwap=None, symbol="FB"), ticker="META")
    KnownBars(lake).keep_day(THURSDAY, {"META": bar(THURSDAY, symbol="META")})

    assert KnownBars(lake).bars("META") == [
        bar(TUESDAY, symbol="FB"), bar(WEDNESDAY, vwap=None, symbol="FB"), bar(THURSDAY, symbol="META"),
    ]  # fmt: skip
    assert KnownBars(lake).bar("META", MONDAY) is None


@pytest.mark.parametrize("since", [date(2021, 1, 1), MONDAY, TUESDAY, WEDNESDAY, THURSDAY, date(2024, 6, 3)])
def test_bars_of_before_the_days_that_are_looked_at_are_there_all_the_same(lake, since):
    every = [bar(MONDAY, 10.0), bar(TUESDAY, 10.2), bar(WEDNESDAY, 10.4, vwap=None)]
    line(KnownBars(lake), *every)
    known = KnownBars(lake, since)

    assert known.span("AAPL") == (MONDAY, WEDNESDAY)
    assert known.closes("AAPL", [WEDNESDAY]) == {WEDNESDAY: 10.4}
    assert known.closes("AAPL", [MONDAY, TUESDAY]) == {MONDAY: 10.0, TUESDAY: 10.2}
    assert known.bars("AAPL") == every
    known.forget([("AAPL", WEDNESDAY)])
    assert KnownBars(lake).bars("AAPL") == every[:2]


def test_whatever_part_of_a_file_is_looked_at_no_bar_of_it_is_missing(lake):
    """Over a holiday, a week without trading, and a bar of a Saturday that the vendor should not have."""
    days = [day for day in (MONDAY + timedelta(days=n) for n in range(45)) if day.weekday() < 5]
    traded = [day for day in days if day.isoformat() not in {"2022-06-20", "2022-07-04"} and not 5 < day.day < 10]
    every = [bar(day, 10 + day.day / 100) for day in sorted([*traded, date(2022, 6, 18)])]
    KnownBars(lake).keep_line("AAPL", BarSeries.of("AAPL", every), every[0].trading_date, every[-1].trading_date)
    files = BarFiles(lake)
    rows = dict(files.line("AAPL").bars.rows())

    for first, last in product(range(-9, 54, 2), repeat=2):
        since, until = MONDAY + timedelta(days=first), MONDAY + timedelta(days=last)
        part = dict(files.line("AAPL", since, until).bars.rows())
        assert part.items() <= rows.items()
        assert {day for day in rows if since.toordinal() <= day <= until.toordinal()} <= part.keys(), (since, until)


def test_a_file_that_was_written_otherwise_is_read_as_a_whole(lake):
    document = {"ticker": "AAPL", "covers": ["2022-06-06", "2022-06-08"]}
    rows = {"2022-06-08": [9.0, 11.0, 8.0, 10.5, 1.0, None], "2022-06-07": [9.0, 11.0, 8.0, 10.4, 1.0, 9.5]}
    lake.write_reference("bars/ticker=AAPL.json", orjson.dumps(document | {"bars": rows}, option=orjson.OPT_INDENT_2))

    assert KnownBars(lake, TUESDAY).closes("AAPL", [TUESDAY, WEDNESDAY]) == {TUESDAY: 10.4, WEDNESDAY: 10.5}


def test_where_a_line_and_a_day_differ_the_line_stands_and_a_hole_of_it_is_filled(lake):
    known = KnownBars(lake)
    known.keep_day(MONDAY, {"AAPL": bar(MONDAY, 8.5)})
    known.keep_day(TUESDAY, {"AAPL": bar(TUESDAY, 8.6), "MSFT": None})
    line(known, bar(MONDAY, 10.0))

    for each in (known, KnownBars(lake)):
        assert each.closes("AAPL", [MONDAY, TUESDAY]) == {MONDAY: 10.0, TUESDAY: 8.6}
        assert [one.close_usd for one in each.bars("AAPL")] == [10.0, 8.6]
    assert list(content(lake, "ticker=AAPL.json")["bars"]) == ["2022-06-06", "2022-06-07"]
    assert content(lake, "date=2022-06-07.json")["bars"] == {"AAPL": [9.0, 11.0, 8.0, 8.6, 1000.5, 9.5], "MSFT": None}


def test_a_bar_that_is_replaced_or_forgotten_is_so_in_every_file(lake):
    known = KnownBars(lake)
    known.keep_day(TUESDAY, {"AAPL": bar(TUESDAY), "MSFT": bar(TUESDAY, 20.0)})
    line(known, bar(MONDAY), bar(TUESDAY))

    known.replace({("AAPL", TUESDAY): bar(TUESDAY, 9.9)})
    assert content(lake, "ticker=AAPL.json")["bars"]["2022-06-07"][3] == 9.9
    assert content(lake, "date=2022-06-07.json")["bars"]["AAPL"][3] == 9.9

    known.forget([("AAPL", TUESDAY), ("MSFT", TUESDAY)])
    for each in (known, KnownBars(lake)):
        assert each.closes("AAPL", [MONDAY, TUESDAY]) == {MONDAY: 10.0}
        assert not each.lines_of(TUESDAY)
        assert each.covers("AAPL", MONDAY, WEDNESDAY)
        assert each.nearest_close("AAPL", TUESDAY) == (MONDAY, 10.0)
        assert each.nearest_close("MSFT", TUESDAY) is None


def test_only_a_bar_that_denies_itself_or_a_move_of_no_ordinary_day_is_looked_into(lake):
    known = KnownBars(lake)
    line(known, bar(MONDAY), bar(TUESDAY, 10.5))
    assert known.are_beyond_doubt("AAPL", MONDAY, THURSDAY)

    known.keep_day(THURSDAY, {"AAPL": bar(THURSDAY, 12.0)})
    assert not known.are_beyond_doubt("AAPL", MONDAY, THURSDAY), "the close is above the high"
    assert known.are_beyond_doubt("AAPL", MONDAY, WEDNESDAY)

    line(known, bar(MONDAY, 10.0), Bar("AAPL", TUESDAY, 4.0, 4.5, 4.0, 4.0, 1.0, None))
    assert not known.are_beyond_doubt("AAPL", MONDAY, TUESDAY), "it fell by more than half"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("date=2022-06-07.json", b"{"),
        ("date=2022-06-07.json", b'{"date":"2022-06-08","bars":{}}'),
        ("date=2022-06-07.json", b'{"date":"2022-06-07","bars":{"AAPL":[1.0]}}'),
        ("ticker=AAPL.json", b"[]"),
        ("ticker=AAPL.json", b'{"ticker":"MSFT","covers":["2022-06-06","2022-06-08"],"bars":{}}'),
        ("ticker=AAPL.json", b'{"ticker":"AAPL","covers":["2022-06-06","2022-06-08"],"bars":{"2022-06-06":[1]}}'),
        ("ticker=AAPL.json", b'{"ticker":"AAPL","covers":["2022-06-06","2022-06-08"],"bars":{"6 June":[1,1,1,1,1,1]}}'),
    ],
)
def test_a_damaged_file_is_named_when_it_is_looked_at(lake, name, data):
    lake.write_reference(f"bars/{name}", data)
    known = KnownBars(lake)

    with pytest.raises(DocumentError, match=rf"bars/{name}: not a bars file .+ delete it"):
        known.close("AAPL", TUESDAY)
    assert [error.where.rpartition("/")[2] for error in broken_files(lake)] == [name]


def test_a_name_with_no_date_in_it_is_no_file_of_bars(lake):
    lake.write_reference("bars/date=2022-99-99.json", b"{}")

    assert KnownBars(lake).close("AAPL", TUESDAY) is None
    assert [error.reason for error in broken_files(lake)] == ["not a bars file (its name has no date)"]


def test_the_closes_of_a_day_are_those_that_are_known_by_then(lake):
    line(KnownBars(lake), bar(MONDAY, 10.0), bar(TUESDAY, 10.2))
    known, tickers = KnownBars(lake, TUESDAY), ("AAPL", "MSFT")

    assert known.closes_on(TUESDAY, tickers) == {"AAPL": 10.2}
    line(known, bar(MONDAY, 20.0), bar(TUESDAY, 20.4), ticker="MSFT")
    assert known.closes_on(TUESDAY, tickers) == {"AAPL": 10.2, "MSFT": 20.4}
    assert known.closes_on(MONDAY, tickers) == {"AAPL": 10.0, "MSFT": 20.0}
    known.forget([("AAPL", TUESDAY)])
    assert known.closes_on(TUESDAY, tickers) == {"MSFT": 20.4}
    known.look_at(MONDAY, MONDAY)
    assert known.closes_on(TUESDAY, tickers) == {"MSFT": 20.4}
    known.keep_day(THURSDAY, {"AAPL": bar(THURSDAY, 10.6)})
    assert known.closes_on(THURSDAY, tickers) == {"AAPL": 10.6}
    assert known.closes_on(THURSDAY, ()) == {}
