import logging

import pytest

from mag7cli.cli.progress_display import Live, LoggedProgress
from mag7cli.core.progress import NoProgress, Note


class Stopwatch:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def watch(caplog):
    caplog.set_level(logging.INFO, "mag7cli")
    return Stopwatch()


def test_short_work_says_nothing(watch, caplog):
    lines = LoggedProgress("collect", monotonic=watch)
    lines.start(1000)
    for _ in range(1000):
        watch.now += 0.001
        lines.advance()
    lines.finish()
    assert caplog.messages == []


def test_slow_work_says_a_line_every_half_minute(watch, caplog):
    lines = LoggedProgress("collect", monotonic=watch)
    lines.start(1000)
    for _ in range(10):
        watch.now += 12
        lines.note(Note(doing="2021-03-04", waiting_s=12))
        lines.advance()
    assert len(caplog.messages) == 3
    assert caplog.messages[0].startswith("collect 2021-03-04: 2 of 1,000 dates, waiting 12 s for the plan, ")


def test_steady_work_says_a_line_every_twentieth_and_the_end(watch, caplog):
    lines = LoggedProgress("transform", unit="file", monotonic=watch)
    lines.start(100)
    for _ in range(99):
        watch.now += 2
        lines.advance()
    lines.finish()
    lines.finish()
    assert [message.split()[1] for message in caplog.messages] == [*(str(done) for done in range(5, 100, 5)), "99"]
    assert caplog.messages[0] == "transform: 5 of 100 files, 3 min 10 s left"


def test_a_line_has_its_figures_as_fields(watch, caplog):
    lines = LoggedProgress("collect", monotonic=watch)
    lines.start(10)
    watch.now += 31
    lines.note(Note(doing="2021-03-04", calls=12, calls_per_minute=5.0, eta_s=60))
    (record,) = caplog.records
    assert record.fields == {
        "done": 0,
        "total": 10,
        "doing": "2021-03-04",
        "calls": 12,
        "calls_per_minute": 5.0,
        "eta_s": 60,
    }


def test_the_time_left_runs_down_and_is_not_told_once_it_is_over(watch, caplog):
    lines = LoggedProgress("collect", monotonic=watch)
    lines.start(10)
    lines.note(Note(calls=12, eta_s=60))
    watch.now += 31
    lines.note(Note(doing="2021-03-04"))
    watch.now += 31
    lines.note(Note(doing="2021-03-05"))
    watch.now += 31
    lines.note(Note(calls=99))  # more calls than were expected: how many are left, nobody knows
    assert caplog.messages == [
        "collect 2021-03-04: 0 of 10 dates, 29 s left, 12 calls",
        "collect 2021-03-05: 0 of 10 dates, 12 calls",
        "collect 2021-03-05: 0 of 10 dates, 99 calls",
    ]


def test_what_is_not_noted_again_stays_true_but_the_wait_is_over(watch, caplog):
    lines = LoggedProgress("collect", monotonic=watch)
    lines.start(10)
    lines.note(Note(doing="2021-03-04", calls=12, waiting_s=5))
    watch.now += 31
    lines.note(Note(calls=13))
    assert caplog.messages == ["collect 2021-03-04: 0 of 10 dates, 13 calls"]


def test_nothing_is_said_to_nobody():
    progress = NoProgress()
    progress.start(3)
    progress.advance()
    progress.note(Note())
    progress.finish()


def test_the_live_display_can_be_finished_twice_and_without_a_start(capsys):
    live = Live("collect")
    live.finish()
    live.start(2)
    live.advance()
    live.finish()
    live.finish()
