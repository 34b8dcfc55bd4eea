"""The progress of long work, in a terminal and elsewhere: a real process on a pseudo-terminal."""

import re
import subprocess
import sys

import pytest
from tests.simulators.command_line import environment, in_terminal, without_times

WORK = """
import logging, sys, time
from mag7cli.core import logs
from mag7cli.cli.output import Output
from mag7cli.core.progress import Note
quiet, log_format = "quiet" in sys.argv, "json" if "json" in sys.argv else "text"
logs.configure(log_format, quiet=quiet)
output = Output("text", quiet=quiet, log_format=log_format)
with output.progress("Collecting") as progress:
    progress.start(20)
    for step in range(20):
        progress.note(Note(doing="2021-03-04", calls=step, calls_per_minute=5.0, waiting_s=12, eta_s=3720))
        time.sleep(0.05)
        if step == 10:
            output.warn("something odd")
        progress.advance()
output.lines(["the result"])
"""
COMMAND = [sys.executable, "-c", WORK]
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def _frames(shown):
    """What stood on the terminal at any time: every line, also those that were drawn over."""
    return [line.rstrip() for line in re.split(r"[\r\n]", ESCAPES.sub("", shown)) if line.strip()]


def test_a_terminal_shows_a_bar_with_what_is_known(tmp_path):
    ended = in_terminal(COMMAND, cwd=tmp_path, columns=140, stdout_too=False)
    assert (ended.code, ended.stdout) == (0, "the result\n")
    bars = [frame for frame in _frames(ended.stderr) if frame.startswith("Collecting 2021-03-04")]
    assert any("━" in bar for bar in bars)
    assert any(
        re.search(r"\d+/20 dates · waiting 12 s for the plan · 1 h 02 min left · \d+ calls · 5.0/min", bar)
        for bar in bars
    )


def test_a_log_line_scrolls_above_the_bar_in_one_piece(tmp_path):
    ended = in_terminal(COMMAND, cwd=tmp_path, columns=120)
    assert "Warning: something odd" in _frames(ended.stderr)


def test_the_bar_goes_away_and_the_cursor_comes_back(tmp_path):
    ended = in_terminal(COMMAND, cwd=tmp_path)
    assert ended.stderr.rindex("\x1b[?25h") > ended.stderr.rindex("\x1b[?25l")
    assert _frames(ended.stderr)[-1] == "the result"


def test_what_matters_least_is_left_out_where_there_is_no_room(tmp_path):
    frames = _frames(in_terminal(COMMAND, cwd=tmp_path, columns=80).stderr)
    assert any(
        re.fullmatch(r"Collecting 2021-03-04 [━╸╺]+ \d+/20 dates · waiting 12 s for the plan", one) for one in frames
    )
    assert not any("…" in frame for frame in frames)


@pytest.mark.parametrize("columns", [30, 50])
def test_a_narrow_terminal_has_no_bar_and_no_line_that_wraps(tmp_path, columns):
    ended = in_terminal(COMMAND, cwd=tmp_path, columns=columns)
    frames = _frames(ended.stderr)
    assert not any("━" in frame for frame in frames)
    assert max(len(frame) for frame in frames) <= columns


def test_a_dumb_terminal_has_no_escape_sequences(tmp_path):
    ended = in_terminal(COMMAND, cwd=tmp_path, env={"TERM": "dumb"})
    assert "\x1b" not in ended.stderr
    assert _frames(ended.stderr) == ["Warning: something odd", "the result"]


def test_no_color_leaves_the_bar_without_colour(tmp_path):
    ended = in_terminal(COMMAND, cwd=tmp_path, env={"NO_COLOR": "1"})
    assert not re.search(r"\x1b\[[0-9;]*3\dm", ended.stderr)


def test_quiet_shows_nothing_but_the_result(tmp_path):
    assert _frames(in_terminal([*COMMAND, "quiet"], cwd=tmp_path).stderr) == ["the result"]


def test_a_log_has_lines_instead(tmp_path):
    ended = subprocess.run(COMMAND, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True)
    assert (ended.stdout, without_times(ended.stderr)) == ("the result\n", "Warning: something odd\n")


def test_a_json_log_has_json_lines_even_on_a_terminal(tmp_path):
    ended = in_terminal([*COMMAND, "json"], cwd=tmp_path, stdout_too=False)
    assert "\x1b" not in ended.stderr
    assert all(line.startswith("{") for line in ended.stderr.splitlines())
