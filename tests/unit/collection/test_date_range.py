"""Which dates a run is about: the defaults, and what is refused before the first call, with what would work."""

from datetime import date, datetime
from pathlib import Path

import pytest

from mag7cli.collection.date_range import resolve
from mag7cli.core.clock import NEW_YORK
from mag7cli.core.errors import NotYetAvailableError, PlanError, UsageError
from mag7cli.lake.layout import Lake
from mag7cli.market.calendar import sessions
from mag7cli.vendors.subscription import plan

# A Monday after all late trades: the free plan's last session is still Friday the 13th.
EVENING = datetime(2024, 12, 16, 21, 30, tzinfo=NEW_YORK)
FREE, PAID = plan("basic"), plan("advanced")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.at(str(tmp_path / "lake"))


def keep_document(lake: Lake, day: date) -> None:
    lake.store.write(lake.document_key(day), b"{}")


def test_an_empty_lake_begins_four_years_ago(lake):
    found = resolve(lake, PAID, EVENING, None, None)

    assert (found.start, found.end, found.notice) == (date(2020, 12, 16), date(2024, 12, 16), None)


def test_the_free_plan_begins_where_its_history_does_and_says_so(lake):
    found = resolve(lake, FREE, EVENING, None, None)

    assert (found.start, found.end) == (date(2022, 12, 16), date(2024, 12, 13))
    assert found.notice is not None
    assert "2022-12-16" in found.notice
    assert "2020-12-13" in found.notice


def test_a_lake_is_filled_from_its_first_date_on(lake):
    for day in (date(2024, 3, 4), date(2024, 1, 8)):
        keep_document(lake, day)

    found = resolve(lake, PAID, EVENING, None, None)

    assert (found.start, found.end, found.notice) == (date(2024, 1, 8), date(2024, 12, 16), None)


def test_a_lake_older_than_the_plan_is_filled_as_far_as_the_plan_goes(lake):
    keep_document(lake, date(2021, 1, 4))

    found = resolve(lake, FREE, EVENING, None, None)

    assert found.start == date(2022, 12, 16)
    assert found.notice


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2024, 12, 16, 23, 59, tzinfo=NEW_YORK), date(2024, 12, 13)),
        (datetime(2024, 12, 17, 0, 30, tzinfo=NEW_YORK), date(2024, 12, 16)),
        (datetime(2024, 12, 15, 12, 0, tzinfo=NEW_YORK), date(2024, 12, 13)),
        (datetime(2025, 7, 4, 12, 0, tzinfo=NEW_YORK), date(2025, 7, 3)),
    ],
)
def test_the_free_plan_s_last_session_opens_after_midnight(lake, now, last):
    assert resolve(lake, FREE, now, None, None).end == last


def test_a_start_before_the_plan_s_history_is_cut_to_it_and_the_rest_told_with_the_plan_that_has_it(lake):
    dates = resolve(lake, FREE, EVENING, date(2021, 1, 1), None)

    assert (dates.start, dates.end, dates.notice) == (date(2022, 12, 16), date(2024, 12, 13), None)
    assert str(dates.unserved) == (
        "the basic plan serves data from 2022-12-16 on: 493 sessions from 2021-01-04 to 2022-12-15 are outside of it; "
        "the starter plan has them"
    )


def test_what_the_lake_has_already_is_not_missed(lake):
    for day in sessions(date(2021, 1, 1), date(2022, 12, 14)):
        keep_document(lake, day)

    unserved = resolve(lake, FREE, EVENING, date(2021, 1, 1), None).unserved
    assert unserved is not None
    assert (unserved.first, unserved.last, unserved.count) == (date(2022, 12, 15), date(2022, 12, 15), 1)
    assert "1 session from" in str(unserved)

    keep_document(lake, date(2022, 12, 15))
    assert resolve(lake, FREE, EVENING, date(2021, 1, 1), None).unserved is None


def test_a_range_wholly_before_the_plan_s_history_is_refused(lake):
    with pytest.raises(PlanError) as caught:
        resolve(lake, FREE, EVENING, date(2021, 1, 4), date(2021, 12, 31))

    assert "2022-12-16 on, the range ends on 2021-12-31" in str(caught.value)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("name", "first", "unserved"),
    [
        ("basic", date(2024, 11, 27), (982, "developer")),
        ("starter", date(2021, 11, 27), (228, "developer")),
        ("developer", date(2021, 1, 1), None),
        ("advanced", date(2021, 1, 1), None),
    ],
)
def test_a_start_in_2021_is_answered_on_every_plan(lake, name, first, unserved):
    dates = resolve(lake, plan(name), datetime(2026, 11, 27, 21, 30, tzinfo=NEW_YORK), date(2021, 1, 1), None)

    assert dates.start == first
    assert (dates.unserved and (dates.unserved.count, dates.unserved.served_by)) == unserved


def test_a_start_before_the_history_is_no_matter_without_a_session_between(lake):
    # 2022-12-17 and -18 were a weekend.
    now = datetime(2024, 12, 19, 18, 0, tzinfo=NEW_YORK)

    assert resolve(lake, FREE, now, date(2022, 12, 19), None).start == date(2022, 12, 19)


def test_an_end_that_is_not_served_yet_says_from_when_on(lake):
    with pytest.raises(NotYetAvailableError) as caught:
        resolve(lake, FREE, EVENING, date(2024, 12, 2), date(2024, 12, 16))

    assert "serves 2024-12-16 from 2024-12-17 00:" in str(caught.value)
    assert "--end 2024-12-13" in str(caught.value.hint)
    assert caught.value.exit_code == 5


def test_a_range_of_days_to_come_names_its_own_first_session_and_no_end_before_its_start(lake):
    with pytest.raises(NotYetAvailableError) as caught:
        resolve(lake, FREE, EVENING, date(2024, 12, 21), date(2024, 12, 31))

    assert "serves 2024-12-23 from 2024-12-24 00:" in str(caught.value)
    assert caught.value.hint == "run again then"


def test_a_weekend_is_no_range_that_is_not_served_yet(lake):
    friday_evening = datetime(2024, 12, 20, 21, 30, tzinfo=NEW_YORK)

    assert resolve(lake, FREE, friday_evening, date(2024, 12, 21), date(2024, 12, 22)).end == date(2024, 12, 22)


def test_an_end_on_a_day_without_session_is_the_one_before(lake):
    assert resolve(lake, FREE, EVENING, date(2024, 12, 2), date(2024, 12, 15)).end == date(2024, 12, 15)


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        (date(2024, 12, 9), date(2024, 12, 6), "--end 2024-12-06 is before --start 2024-12-09"),
        (date(2024, 12, 16), None, "--start 2024-12-16 is after 2024-12-13, the last session"),
    ],
)
def test_a_range_without_a_day_is_refused(lake, start, end, told):
    with pytest.raises(UsageError, match=told):
        resolve(lake, FREE, EVENING, start, end)
