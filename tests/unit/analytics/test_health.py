from dataclasses import replace
from datetime import date

import pytest

from mag7cli.analytics.health import DayFigure, Thresholds, judge
from mag7cli.analytics.lake_status import Status
from mag7cli.lake.failed_checks import DAMAGED, FailedCheck
from mag7cli.lake.layout import Lake
from mag7cli.lake.run_history import KEY, RunRecord, read, remember

TODAY = date(2024, 12, 14)
LAST = date(2024, 12, 13)
WELL = [
    DayFigure(LAST, "complete", None, 33.28),
    DayFigure(date(2024, 12, 12), "complete", None, 33.0),
    DayFigure(date(2024, 12, 11), "partial", "TSLA: no share count", None),
]
RED = FailedCheck("caps", "caps are off", 2, (date(2022, 6, 1), date(2022, 6, 2)))
RUN = RunRecord(started_at="2024-12-14T00:30:00-05:00", ended_at="2024-12-14T00:31:00-05:00", exit_code=0)


def _status(lake: Lake, **changes: object) -> Status:
    from mag7cli.analytics.lake_status import status

    return replace(status(lake, LAST), first=date(2024, 12, 2), last=LAST, **changes)


@pytest.fixture
def lake(tmp_path):
    return Lake.at(str(tmp_path))


def _names(lake, *, days=WELL, runs=(RUN,), limits=None, today=TODAY, **changes):
    limits = limits or Thresholds(window=2)
    return [one.name for one in judge(_status(lake, **changes), days, runs, today=today, limits=limits).findings]


def test_a_lake_that_is_up_to_date_is_well(lake):
    assert _names(lake) == []
    assert _names(lake, behind=1) == []


def test_an_empty_lake_is_not(lake):
    from mag7cli.analytics.lake_status import status

    verdict = judge(status(lake, LAST), [], [], today=TODAY, limits=Thresholds())
    assert [one.message for one in verdict.findings] == ["the lake is empty"]


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"behind": 2}, ["behind"]),
        ({"days": WELL[1:]}, ["tables", "partial"]),
        ({"limits": Thresholds(window=3)}, ["partial"]),
        ({"limits": Thresholds(window=3, partial=1)}, []),
        ({"days": [replace(WELL[0], status="suspect"), WELL[1]]}, ["suspect"]),
        ({"failed_checks": (RED,)}, ["checks"]),
        # What was red in the last run, and passed when it was checked again since.
        ({"runs": (RUN, replace(RUN, exit_code=6, failed_checks=("gross_matches_lines",)))}, []),
        ({"runs": (RUN, replace(RUN, exit_code=4, error="401 Unknown API Key"))}, ["run"]),
        ({"runs": (RUN, replace(RUN, exit_code=5))}, []),
        ({"runs": (replace(RUN, exit_code=6), RUN)}, []),
        ({"membership_known_until": date(2024, 9, 1)}, ["membership"]),
        ({"membership_known_until": date(2024, 9, 1), "holdings": (date(2024, 12, 6),)}, []),
        ({"calendar_until": date(2024, 12, 31)}, ["calendar"]),
        ({"limits": Thresholds(window=2, share_above=33.2)}, ["share"]),
        ({"limits": Thresholds(window=2, share_above=33.3, moved=0.3)}, []),
        ({"limits": Thresholds(window=2, moved=0.2)}, ["moved"]),
    ],
)
def test_each_threshold_is_told_apart(lake, changes, names):
    assert _names(lake, **changes) == names


def test_failed_checks_are_one_finding_that_names_the_first(lake):
    def told(*failed):
        verdict = judge(_status(lake, failed_checks=failed), WELL, (), today=TODAY, limits=Thresholds(window=2))
        return [one.message for one in verdict.findings]

    assert told(RED) == ["failed check on 2022-06-02: caps: caps are off"]
    assert told(RED, DAMAGED) == ["failed check on 2022-06-02: caps: caps are off, and 1 other check"]
    assert told(DAMAGED)[0].startswith("failed check: validation_record: state/validation.json cannot be read")


def test_a_sentence_names_value_and_date(lake):
    limits = Thresholds(window=3, moved=0.2)
    verdict = judge(_status(lake, behind=3), WELL, (), today=TODAY, limits=limits)
    assert [one.message for one in verdict.findings] == [
        "3 sessions behind, since 2024-12-13",
        "1 of the last 3 dates partial, 2024-12-11: TSLA: no share count",
        "+0.28 points from 2024-12-12 to 2024-12-13",
    ]


def test_a_move_across_dates_that_the_lake_lacks_is_none_from_a_session_to_the_next(lake):
    limits = Thresholds(window=3, moved=0.2, partial=1)
    newest, before, *_ = WELL
    earlier = replace(before, on=date(2024, 12, 6))
    verdict = judge(_status(lake), (newest, earlier), (), today=TODAY, limits=limits)
    assert [one.name for one in verdict.findings] == []


def test_runs_are_remembered_and_what_cannot_be_read_is_left_out(lake):
    for code in (0, 5):
        remember(lake, replace(RUN, exit_code=code))
    lake.store.write(KEY, lake.store.read(KEY) + b'{"half a li\n[]\n{"exit_code": 1}\n')
    assert [one.exit_code for one in read(lake)] == [0, 5]
    remember(lake, replace(RUN, failed_checks=("a", "b")))
    assert read(lake)[-1].failed_checks == ("a", "b")


def test_a_history_does_not_grow_for_ever(lake):
    lake.store.write(KEY, b'{"started_at": "x"}\n' * 600)
    remember(lake, RUN)
    assert lake.store.read(KEY).count(b"\n") == 500
