"""The index fund's weights that a lake keeps are those by prices, until one of the files behind them is another."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import orjson
import pytest
from tests.simulators import raw_documents
from tests.simulators.linked_lake import linked
from tests.simulators.raw_documents import document

from mag7cli import library
from mag7cli.analytics.summary import FundWeight
from mag7cli.lake.layout import Lake
from mag7cli.portfolio import fund_weights, kept_funds, kept_weights
from mag7cli.tables.transform import transform
from mag7cli.warehouse.engines.duckdb import DuckDbEngine

DAYS = raw_documents.days(6, date(2024, 1, 2))
TOO_LATE = date(2024, 3, 1)
"""Of this day the tables have no prices."""


def keep_file(lake: Lake, day: date, first_pct: float) -> None:
    rows = "".join(
        f'"{ticker}","{ticker}","","Equity","1","{first_pct - place:.2f}","1","1","US","NASDAQ","USD"\n'
        for place, ticker in enumerate(("AAPL", "MSFT", "GOOGL", "AMZN", "NVDA", "META", "TSLA", "GOOG", "XOM"))
    )
    heading = "Ticker,Name,Sector,Asset Class,Market Value,Weight (%),Quantity,Price,Location,Exchange,Currency\n"
    text = f'Index Fund (IVV)\nFund Holdings as of,"{day:%b %d, %Y}"\n\n{heading}{rows}'
    kept_funds.keep(lake, "IVV", text.encode(), name="ivv.csv", today=TOO_LATE)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("weights") / "lake"
    lake = Lake.at(str(root))
    for place, day in enumerate(DAYS):
        lake.write_document(day, document(day, scale=1 + place % 3 / 50))
    keep_file(lake, DAYS[1], 12)
    keep_file(lake, DAYS[4], 13)
    transform(lake)
    remember(lake)
    return root


@pytest.fixture
def lake(made: Path, tmp_path: Path) -> Lake:
    """A lake that keeps the weights of its fund, by files of the same versions."""
    return linked(made, tmp_path / "lake")


def remember(lake: Lake) -> None:
    with closing(DuckDbEngine.over_lake(lake)) as engine:
        fund_weights.of_index_fund(lake, engine)


def by_prices(lake: Lake, day: date | None) -> FundWeight | None:
    with closing(DuckDbEngine.over_lake(lake)) as engine:
        return rounded(fund_weights.weight_on(lake, engine, day))


def rounded(weight: FundWeight | None) -> FundWeight | None:
    """Sums of floats are the same but for their last digits."""
    return replace(weight, on_pct=weight.on_pct and round(weight.on_pct, 9)) if weight else None


@pytest.mark.parametrize("day", [None, date(2023, 12, 29), *DAYS])
def test_they_say_of_a_date_what_prices_say(lake: Lake, day: date | None) -> None:
    weights = kept_weights.read(lake)

    assert weights is not None
    assert rounded(weights.on(day)) == by_prices(lake, day)


def test_the_answer_and_the_series_of_a_lake_with_a_fund_take_no_engine(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(DuckDbEngine.over_lake(lake)) as engine:
        series = library.series(lake, engine=engine)
    expected = by_prices(lake, DAYS[2])
    monkeypatch.delattr(DuckDbEngine, "over_lake")

    assert rounded(library.summary(lake, on=DAYS[2]).fund) == expected
    assert library.series(lake) == series
    assert [row.fund_basis for row in series] == [None, "file", "interpolated", "interpolated", "file", "carried"]


def test_the_answer_of_a_lake_with_a_fund_waits_for_no_library_of_tables(lake: Lake) -> None:
    code = (
        "import sys; from mag7cli import library; from mag7cli.lake.layout import Lake; "
        "print(library.summary(Lake.at(sys.argv[1])).fund.fund, {'duckdb', 'numpy', 'pyarrow'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code, lake.store.uri("")], capture_output=True, text=True, check=True)

    assert ended.stdout == "IVV set()\n"


def test_a_file_of_another_fund_needs_no_engine_either(tmp_path: Path, made: Path) -> None:
    lake = Lake.at(str(shutil.copytree(made, tmp_path / "lake")))
    shutil.rmtree(tmp_path / "lake" / "raw" / "funds")
    other = (Path(__file__).parents[2] / "data" / "funds" / "invesco.csv").read_bytes()
    kept_funds.keep(lake, "QQQ", other, name="qqq.csv", today=date(2026, 11, 25))
    remember(lake)

    weights = kept_weights.read(lake)

    assert weights is not None
    assert weights.on(DAYS[-1]) is None


def keep_another_file(lake: Lake) -> None:
    keep_file(lake, DAYS[5], 9)


def keep_a_file_of_a_day_to_come(lake: Lake) -> None:
    keep_file(lake, TOO_LATE, 9)


def lose_a_file(lake: Lake) -> None:
    (key,) = [file.key for file in kept_funds.kept_files(lake) if file.as_of == DAYS[4]]
    lake.store.delete(key)


def collect_again(lake: Lake) -> None:
    lake.write_document(DAYS[3], document(DAYS[3], scale=1.3))
    transform(lake)


def damage_the_record(lake: Lake) -> None:
    lake.store.write(kept_weights.KEY, b'{"of": 1}')


def damage_a_weight(lake: Lake) -> None:
    content = orjson.loads(lake.store.read(kept_weights.KEY))
    content["days"][-1][3] = "x"
    lake.store.write(kept_weights.KEY, orjson.dumps(content))


@pytest.mark.parametrize(
    "event",
    [keep_another_file, keep_a_file_of_a_day_to_come, lose_a_file, collect_again, damage_the_record, damage_a_weight],
    ids=lambda event: event.__name__,
)
def test_of_other_files_they_say_nothing_until_they_are_computed_again(
    lake: Lake, event: Callable[[Lake], None]
) -> None:
    event(lake)
    assert kept_weights.read(lake) is None
    assert rounded(library.summary(lake).fund) == by_prices(lake, DAYS[-1])

    remember(lake)

    weights = kept_weights.read(lake)
    assert weights is not None
    assert [rounded(weights.on(day)) for day in (None, *DAYS)] == [by_prices(lake, day) for day in (None, *DAYS)]


def test_of_some_dates_alone_nothing_is_kept(lake: Lake) -> None:
    lake.store.delete(kept_weights.KEY)
    with closing(DuckDbEngine.over_lake(lake, since=DAYS[2])) as engine:
        fund_weights.of_index_fund(lake, engine)

    assert not lake.store.exists(kept_weights.KEY)
