"""What a run is to do: missing and incomplete dates, in the batches that they were begun in."""

from datetime import date
from pathlib import Path

import pytest
from tests.simulators.small_index import document, keep, new_lake

from mag7cli.collection import batches
from mag7cli.collection.batches import BatchRecord, ValuationTerms
from mag7cli.collection.worklist import CollectOptions, worklist
from mag7cli.lake.layout import Lake
from mag7cli.market.calendar import sessions

FIRST, LAST = date(2024, 6, 20), date(2024, 6, 28)
DAYS = tuple(sessions(FIRST, LAST))
GROUPED = ValuationTerms("grouped", 0.0005)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return new_lake(tmp_path / "lake")


def options(**changed) -> CollectOptions:
    return CollectOptions(**{"start": FIRST, "end": LAST, **changed})


def parts(lake: Lake, **changed) -> list[tuple[tuple[date, ...], tuple[date, ...]]]:
    return [(part.dates, part.to_collect) for part in worklist(lake, options(**changed)).parts]


def test_an_empty_lake_has_everything_to_do_in_one_part(lake):
    work = worklist(lake, options())

    assert [(part.dates, part.to_collect) for part in work.parts] == [(DAYS, DAYS)]
    assert (work.dates, work.present, work.failed) == (DAYS, 0, ())
    assert work.tickers[:2] == ("AAPL", "MSFT")


def test_complete_dates_are_skipped_and_incomplete_ones_are_not(lake):
    keep(lake, document(DAYS[0]))
    keep(lake, document(DAYS[1], failed=1))
    keep(lake, document(DAYS[2], partial="TSLA: broken"))

    work = worklist(lake, options())

    assert work.dates == DAYS[1:]
    assert work.present == 1
    assert work.failed == (("XOM", DAYS[1]),)


def test_retrying_is_about_incomplete_dates_only(lake):
    keep(lake, document(DAYS[0]))
    keep(lake, document(DAYS[1], failed=1))

    assert worklist(lake, options(retry_failed=True)).dates == (DAYS[1],)


def test_force_is_about_all_dates(lake):
    keep(lake, document(DAYS[0]))

    assert worklist(lake, options(force=True)).dates == DAYS


def test_nothing_to_do_is_no_part(lake):
    for day in DAYS:
        keep(lake, document(day))
    work = worklist(lake, options())

    assert (work.parts, work.dates, work.present, work.tickers) == ((), (), len(DAYS), ())


def test_dates_of_a_batch_are_valued_with_all_of_it(lake):
    for day in DAYS[:4]:
        keep(lake, document(day))
    batches.remember(lake, BatchRecord(DAYS[:6], GROUPED, is_final=True))

    assert parts(lake) == [(DAYS[:6], DAYS[4:6]), (DAYS[6:], DAYS[6:])]


def test_a_batch_on_other_terms_is_none(lake):
    batches.remember(lake, BatchRecord(DAYS, GROUPED, is_final=True))

    assert parts(lake, tolerance=0.01) == [(DAYS, DAYS)]
    keep(lake, document(DAYS[0]))
    assert parts(lake, tolerance=0.01) == [(DAYS[1:], DAYS[1:])]
    assert parts(lake) == [(DAYS, DAYS[1:])]


def test_force_begins_anew(lake):
    batches.remember(lake, BatchRecord(DAYS[:3], GROUPED, is_final=True))

    assert parts(lake, force=True) == [(DAYS, DAYS)]


def test_of_two_batches_with_a_date_the_later_one_has_it(lake):
    batches.remember(lake, BatchRecord(DAYS[:4], GROUPED, is_final=True))
    batches.remember(lake, BatchRecord(DAYS[2:6], GROUPED, is_final=True))

    assert parts(lake, end=DAYS[3]) == [(DAYS[:4], DAYS[:2]), (DAYS[2:6], DAYS[2:4])]


def test_the_original_s_way_goes_month_by_month(lake):
    found = parts(lake, method="details", end=date(2024, 7, 2))

    assert [(dates[0], dates[-1]) for dates, _ in found] == [
        (FIRST, LAST), (date(2024, 7, 1), date(2024, 7, 2)),
    ]  # fmt: skip


def test_each_date_has_the_list_of_its_time(tmp_path):
    old = ("AAPL", "MSFT", "GOOGL", "AMZN", "NVDA", "META", "TSLA", "JPM")
    new = (*old[:-1], "XOM")
    lake = new_lake(tmp_path / "other", {date(2024, 6, 3): old, date(2024, 6, 25): new})
    (part,) = worklist(lake, options()).parts
    dates = part.member_dates()

    assert dates["JPM"] == [day for day in DAYS if day < date(2024, 6, 25)]
    assert dates["XOM"] == [day for day in DAYS if day >= date(2024, 6, 25)]
    assert dates["AAPL"] == list(DAYS)
    assert part.tickers == (*new, "JPM")


def test_a_batch_takes_the_place_of_those_that_it_comprises(lake):
    for batch in (
        BatchRecord(DAYS[:2], GROUPED, is_final=True),
        BatchRecord(DAYS[5:], GROUPED, is_final=True),
        BatchRecord(DAYS[:4], GROUPED, is_final=True),
        BatchRecord(DAYS[:4], GROUPED, is_final=True),
    ):
        batches.remember(lake, batch)

    assert batches.read(lake) == [
        BatchRecord(DAYS[5:], GROUPED, is_final=True),
        BatchRecord(DAYS[:4], GROUPED, is_final=True),
    ]
