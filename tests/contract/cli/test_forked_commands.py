"""A command that the tests fork is told apart by nothing from one that a shell starts."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.simulators.command_line import Ended, environment, mag7, without_times
from tests.simulators.prepared_process import MAG7, Run, begin, ended_within

CALLS = {
    "an answer": (["dates", "--last", "2"], {}, ""),
    "the text of stdin": (["exposure", "-"], {}, "ticker,shares\nNVDA,x\n"),
    "a wrong word": (["dates", "--no-such-option"], {}, ""),
    "the environment": (["config", "show"], {"MAG7_PLAN": "starter", "MAG7_WORKERS": "many"}, ""),
    "the folder": (["status"], {}, ""),
}


@pytest.fixture
def nowhere():
    """/dev/null as stdin, stdout and stderr."""
    with Path(os.devnull).open("r+b") as null:
        yield [null.fileno()] * 3


@pytest.mark.parametrize("case", CALLS)
def test_it_ends_and_says_the_same(tmp_path, case):
    words, extra, stdin = CALLS[case]
    env = environment(tmp_path, extra)
    started = subprocess.run([MAG7, *words], cwd=tmp_path, env=env, input=stdin, capture_output=True, text=True)

    ended = mag7(*words, cwd=tmp_path, env=env, stdin=stdin)

    assert replace(ended, log="") == Ended(started.returncode, started.stdout, without_times(started.stderr))


def test_what_does_not_end_is_killed_and_the_next_is_run(tmp_path, nowhere):
    serving = begin([MAG7, "sandbox", "serve", "--port", "0"], tmp_path, environment(tmp_path), nowhere)
    assert isinstance(serving, Run)
    with pytest.raises(TimeoutError):
        ended_within(serving, 0.2)
    assert mag7("--version", cwd=tmp_path).code == 0


def test_what_the_interpreter_itself_reads_takes_a_new_one(tmp_path, nowhere):
    process = begin([MAG7, "--version"], tmp_path, environment(tmp_path, {"LC_ALL": "C"}), nowhere)
    assert isinstance(process, subprocess.Popen)
    assert process.wait() == 0
