"""The figures beside the tables say what the tables say, and say nothing once these are other ones."""

from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from tests.simulators import raw_documents
from tests.simulators.linked_lake import linked
from tests.simulators.raw_documents import document, partial_document

from mag7cli import library
from mag7cli.analytics import file_figures, queries
from mag7cli.analytics.queries import BEGINNING, END
from mag7cli.core.errors import Mag7Error
from mag7cli.lake.layout import Lake
from mag7cli.tables import manifest
from mag7cli.tables.daily_figures import DailyFigures
from mag7cli.tables.transform import differences, transform
from mag7cli.warehouse.engines.duckdb import DuckDbEngine

DAYS = [date(2022, 12, 29), date(2022, 12, 30), *raw_documents.days(3, date(2023, 1, 3)), date(2024, 1, 2)]
PARTIAL, DOUBTED = DAYS[3], DAYS[4]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("figures") / "lake"
    lake = Lake.at(str(root))
    raw_documents.fill(lake, DAYS)
    lake.write_document(PARTIAL, partial_document(PARTIAL))
    lake.write_document(DOUBTED, document(DOUBTED, shares={"XOM": 10**10}))
    transform(lake)
    return root


@pytest.fixture
def lake(made: Path, tmp_path: Path) -> Lake:
    """A lake whose files keep their versions."""
    return linked(made, tmp_path / "lake")


def true_figures(lake: Lake) -> DailyFigures:
    figures = DailyFigures.of(lake)
    assert figures is not None
    return figures


@pytest.mark.parametrize(
    ("since", "until"), [(BEGINNING, END), (BEGINNING, DAYS[1]), (DAYS[1], DAYS[4]), (DAYS[4], END)]
)
def test_they_say_what_sql_says(lake: Lake, since: date, until: date) -> None:
    with closing(DuckDbEngine.over_lake(lake)) as engine:
        by_sql = queries.read_concentration(engine, since, until)

    assert file_figures.read_concentration(true_figures(lake), since, until) == by_sql


def test_they_know_the_first_the_last_and_the_latest_dates(lake: Lake) -> None:
    figures = true_figures(lake)

    assert file_figures.first_and_last(figures) == (DAYS[0], DAYS[-1])
    assert [file_figures.first_of_latest(figures, count) for count in (1, 3, 99)] == [DAYS[-1], DAYS[3], DAYS[0]]


@pytest.mark.parametrize("day", [None, *DAYS, date(2023, 6, 1)])
def test_every_answer_is_the_one_by_sql(lake: Lake, day: date | None) -> None:
    with closing(DuckDbEngine.over_lake(lake)) as engine:
        assert said(lambda: library.summary(lake, on=day)) == said(lambda: library.summary(lake, on=day, engine=engine))


def said(ask: Callable[[], object]) -> object:
    """The answer, or what is said in its place."""
    try:
        return ask()
    except Mag7Error as error:
        return type(error), str(error), error.hint


def test_series_and_periods_are_those_by_sql(lake: Lake) -> None:
    with closing(DuckDbEngine.over_lake(lake)) as engine:
        assert library.series(lake, last=3) == library.series(lake, last=3, engine=engine)
        assert library.series(lake) == library.series(lake, engine=engine)
        assert library.period(lake, ["max"]) == library.period(lake, ["max"], engine=engine)


# What makes them stale


def take_a_row_away(lake: Lake) -> None:
    import pyarrow.parquet as pq

    path = Path(lake.store.uri(lake.flat_key("magnificent7_metrics", 2024)))
    rows = pq.read_table(path)
    path.unlink()
    pq.write_table(rows.slice(1), path)


def lose_a_year(lake: Lake) -> None:
    lake.store.delete(lake.flat_key("concentration_metrics", 2024))


def lose_the_manifest(lake: Lake) -> None:
    lake.store.delete(manifest.KEY)


def damage_the_figures(lake: Lake) -> None:
    lake.store.write(lake.figures_key(2022), lake.store.read(lake.figures_key(2023)))


def lose_the_figures(lake: Lake) -> None:
    lake.store.delete(lake.figures_key(2024))


def die_while_the_year_is_made(lake: Lake) -> None:
    manifests = manifest.recorded(lake)
    assert manifests is not None
    manifest.write(lake, manifests.doubting([DAYS[-1]], [2024]))


STALE = [
    *(take_a_row_away, lose_a_year, lose_the_manifest, damage_the_figures, lose_the_figures),
    die_while_the_year_is_made,
]


@pytest.mark.parametrize("event", STALE, ids=lambda event: event.__name__)
def test_of_other_tables_they_say_nothing(lake: Lake, event: Callable[[Lake], None]) -> None:
    event(lake)

    assert DailyFigures.of(lake) is None
    with closing(DuckDbEngine.over_lake(lake)) as engine:
        assert said(lambda: library.summary(lake)) == said(lambda: library.summary(lake, engine=engine))


@pytest.mark.parametrize("event", STALE, ids=lambda event: event.__name__)
def test_the_next_transform_makes_them_true_again(lake: Lake, event: Callable[[Lake], None]) -> None:
    before = library.summary(lake)
    event(lake)

    transform(lake)

    assert library.summary(lake) == before
    assert DailyFigures.of(lake) is not None
    assert list(differences(lake)) == []


def test_they_are_verified_like_other_table_files(lake: Lake) -> None:
    damage_the_figures(lake)
    lake.store.write(lake.figures_key(2019), b"{}\n")

    assert {one.key: one.reason for one in differences(lake)} == {
        lake.figures_key(2022): "other bytes than the raw documents make",
        lake.figures_key(2019): "made by no raw document",
    }


def test_a_year_without_dates_has_none(lake: Lake) -> None:
    lake.store.delete(lake.document_key(DAYS[-1]))

    transform(lake)

    assert not lake.store.exists(lake.figures_key(2024))
    assert library.summary(lake).on == DAYS[-2]
