"""Whatever happened to the raw documents in between, the tables are what one run over the present ones makes."""

import tempfile
from collections.abc import Callable
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulators import raw_documents
from tests.simulators.raw_documents import document, partial_document

from mag7cli.lake.layout import ANALYTICS, PROCESSED, Lake
from mag7cli.tables import manifest
from mag7cli.tables.transform import differences, transform

DAYS = [date(2023, 12, 28), date(2023, 12, 29), *raw_documents.days(3, date(2024, 1, 2))]

Change = Callable[[Lake, date], None]


def collect(lake: Lake, day: date) -> None:
    lake.write_document(day, document(day))


def collect_again(lake: Lake, day: date) -> None:
    lake.write_document(day, document(day, scale=2.0))


def collect_partly(lake: Lake, day: date) -> None:
    lake.write_document(day, partial_document(day))


def damage(lake: Lake, day: date) -> None:
    lake.store.write(lake.document_key(day), b'{"trading_date": ')


def remove(lake: Lake, day: date) -> None:
    lake.store.delete(lake.document_key(day))


def transform_all(lake: Lake, day: date) -> None:
    transform(lake)


def transform_from(lake: Lake, day: date) -> None:
    transform(lake, day)


def transform_one_by_force(lake: Lake, day: date) -> None:
    transform(lake, day, day, force=True)


def lose_a_partition(lake: Lake, day: date) -> None:
    lake.store.delete(lake.partition_key("daily_summary", day))


def lose_a_year(lake: Lake, day: date) -> None:
    lake.store.delete(lake.flat_key("daily_summary", day.year))


def lose_the_manifest(lake: Lake, day: date) -> None:
    lake.store.delete(manifest.KEY)


CHANGES: tuple[Change, ...] = (
    *(collect, collect_again, collect_partly, damage, remove, transform_all, transform_from, transform_one_by_force),
    *(lose_a_partition, lose_a_year, lose_the_manifest),
)


def tables(lake: Lake) -> dict[str, bytes]:
    keys = [found.key for zone in (PROCESSED, ANALYTICS) for found in lake.store.list(zone)]
    return {key: lake.store.read(key) for key in keys if key != manifest.KEY}


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(CHANGES), st.sampled_from(DAYS)), max_size=10))
def test_incremental_is_from_scratch(history: list[tuple[Change, date]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lake, fresh = Lake.at(f"{folder}/lake"), Lake.at(f"{folder}/fresh")
        raw_documents.fill(lake, DAYS)
        transform(lake)
        for change, day in history:
            change(lake, day)
        transform(lake)

        for info in lake.documents().values():
            fresh.store.write(info.key, lake.store.read(info.key))
        transform(fresh)

        assert tables(lake) == tables(fresh)
        assert not list(differences(lake))
        assert transform(lake).written == ()
