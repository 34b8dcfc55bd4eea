"""The returns that a lake keeps are those that its tables give, whatever changed in between."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import astuple
from datetime import date
from pathlib import Path

import orjson
import pytest
from tests.simulators import raw_documents
from tests.simulators.linked_lake import linked
from tests.simulators.raw_documents import document

from mag7cli.analytics import kept_returns
from mag7cli.analytics.kept_returns import Quarter, daily_returns
from mag7cli.analytics.period import DailyReturn, read_returns
from mag7cli.lake.layout import Lake
from mag7cli.tables.transform import transform
from mag7cli.warehouse.engines.duckdb import DuckDbEngine

DAYS = [*raw_documents.days(14, date(2022, 12, 12)), *raw_documents.days(6, date(2023, 1, 3)), date(2024, 1, 2)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("returns") / "lake"
    lake = Lake.at(str(root))
    for place, day in enumerate(DAYS):
        lake.write_document(day, document(day, scale=1 + place % 5 / 50))
    transform(lake)
    kept(lake)
    return root


@pytest.fixture
def lake(made: Path, tmp_path: Path) -> Lake:
    """A lake that keeps the returns of its tables."""
    return linked(made, tmp_path / "lake")


def kept(lake: Lake) -> tuple[DailyReturn, ...]:
    with closing(DuckDbEngine.over_lake(lake)) as engine:
        return daily_returns(engine, lake)


def by_sql(lake: Lake) -> list[object]:
    """As the tables give them; sums of floats are the same but for their last digits."""
    with closing(DuckDbEngine.over_lake(lake)) as engine:
        return rounded(read_returns(engine))


def rounded(days: tuple[DailyReturn, ...]) -> list[object]:
    return [[round(value, 9) if isinstance(value, float) else value for value in astuple(day)] for day in days]


def collect_again(lake: Lake) -> None:
    lake.write_document(DAYS[12], document(DAYS[12], scale=1.3))  # its return, and the one after it, in another year
    transform(lake)


def lose_the_last_of_a_year(lake: Lake) -> None:
    lake.store.delete(lake.document_key(DAYS[13]))
    transform(lake)


def learn_of_a_split(lake: Lake) -> None:
    lake.write_reference("splits.json", SPLITS)
    transform(lake)


def lose_a_year(lake: Lake) -> None:
    lake.store.delete(lake.flat_key("sp500_constituents", 2022))


def damage_the_file(lake: Lake) -> None:
    lake.store.write(kept_returns.KEY, b'{"years": {}, "quarters": {"2023Q1": [["x"]]}}')


def damage_the_rows_of_a_year(lake: Lake) -> None:
    content = orjson.loads(lake.store.read(kept_returns.KEY))
    content["years"]["2023"][1] = "x"
    lake.store.write(kept_returns.KEY, orjson.dumps(content))


def damage_a_return(lake: Lake) -> None:
    content = orjson.loads(lake.store.read(kept_returns.KEY))
    content["quarters"]["2023Q1"][1][0][2] = {}
    lake.store.write(kept_returns.KEY, orjson.dumps(content))


SPLITS = (
    b'{"schema_version": 1, "covers": ["2021-01-01", "2024-12-31"], "asked_on": "2024-12-31", "lines": ["NVDA"],'
    b' "rows": [{"ticker": "NVDA", "symbol": "NVDA", "execution_date": "2023-01-05", "split_from": 1, "split_to": 10}],'
    b' "refused": []}'
)


@pytest.mark.parametrize(
    "event",
    [
        collect_again,
        lose_the_last_of_a_year,
        learn_of_a_split,
        lose_a_year,
        damage_the_file,
        damage_the_rows_of_a_year,
        damage_a_return,
    ],
    ids=lambda event: event.__name__,
)
def test_they_are_those_of_the_tables(lake: Lake, event: Callable[[Lake], None]) -> None:
    assert rounded(kept(lake)) == by_sql(lake)

    event(lake)

    assert rounded(kept(lake)) == by_sql(lake)


def test_a_new_date_computes_its_quarter_only(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.write_document(date(2024, 1, 3), document(date(2024, 1, 3)))
    transform(lake)
    quarters = computed_quarters(monkeypatch)

    assert kept(lake)[-1].on == date(2024, 1, 3)
    assert quarters == [Quarter(2024, 1)]
    assert kept(lake)[-1].on == date(2024, 1, 3)
    assert quarters == [Quarter(2024, 1)]


def test_files_that_were_made_again_with_the_same_rows_compute_nothing(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    transform(lake, force=True)
    quarters = computed_quarters(monkeypatch)

    assert rounded(kept(lake)) == by_sql(lake)
    assert quarters == []


def computed_quarters(monkeypatch: pytest.MonkeyPatch) -> list[Quarter]:
    """The quarters that are computed from now on."""
    computed, quarters = kept_returns._computed, []
    monkeypatch.setattr(
        kept_returns,
        "_computed",
        lambda lake, since, together: (quarters.extend(together), computed(lake, since, together))[1],
    )
    return quarters


@pytest.mark.parametrize(
    ("day", "first", "last", "rebalanced"),
    [
        (date(2024, 1, 2), date(2024, 1, 1), date(2024, 3, 31), date(2023, 12, 15)),
        (date(2024, 6, 30), date(2024, 4, 1), date(2024, 6, 30), date(2024, 3, 15)),
        (date(2024, 12, 31), date(2024, 10, 1), date(2024, 12, 31), date(2024, 9, 15)),
    ],
)
def test_a_quarter_has_its_days(day: date, first: date, last: date, rebalanced: date) -> None:
    quarter = Quarter.of(day)

    assert (quarter.first, quarter.last, quarter.rebalanced) == (first, last, rebalanced)


def test_of_another_engine_they_are_asked_for(lake: Lake) -> None:
    with closing(DuckDbEngine.over_lake(lake, since=date(2023, 1, 1))) as engine:
        assert len(daily_returns(engine, lake)) < len(kept(lake))
