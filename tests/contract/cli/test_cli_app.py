"""What holds for every command, through a real process: exit codes, streams, errors, signals."""

import json
import signal
import socket
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from tests.simulators.command_line import MAG7, environment, mag7, mag7_in_terminal, without_times

from mag7cli.core.errors import EXIT_CODES


def test_alone_it_prints_its_help(tmp_path):
    alone, asked = mag7(cwd=tmp_path), mag7("--help", cwd=tmp_path)
    assert (alone.code, alone.stderr) == (0, "")
    assert alone.stdout == asked.stdout
    assert alone.stdout.startswith("Usage: mag7 ")


def test_a_group_alone_prints_its_help(tmp_path):
    ended = mag7("config", cwd=tmp_path)
    assert ended.code == 0
    assert "mag7 config" in ended.stdout


def test_the_help_lists_every_exit_code(tmp_path):
    shown = " ".join(mag7("--help", cwd=tmp_path).stdout.split())
    for code, meaning in EXIT_CODES.items():
        assert f"{code} {meaning}" in shown


def test_the_version_is_one_line(tmp_path):
    ended = mag7("--version", cwd=tmp_path)
    assert ended.code == 0
    assert ended.stdout.startswith("mag7 ")
    assert ended.stdout.count("\n") == 1


def test_as_a_module_it_has_the_same_name(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "mag7cli", "dates", "--help"], cwd=tmp_path, capture_output=True, text=True
    )
    assert ended.stdout.startswith("Usage: mag7 dates ")


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (["dats"], "no command 'dats'", "did you mean dates?"),
        (["xyzzy"], "no command 'xyzzy'", "mag7 --help lists the commands"),
        (["config", "shwo"], "no command 'shwo'", "did you mean show?"),
        (["dates", "--strat", "2021-01-04"], "No such option: --strat", "did you mean --start?"),
        (["--strat", "2021-01-04", "dates"], "No such option: --strat", "mag7 --help says what it takes"),
        (
            ["dates", "--start", "04.01.2021"],
            "Invalid value for '--start': '04.01.2021' is not a date like 2024-12-13",
            "mag7 dates --help says what it takes",
        ),
        (
            ["dates", "--end", "2021-02-30"],
            "Invalid value for '--end': there is no such day as 2021-02-30",
            "mag7 dates --help says what it takes",
        ),
        (
            ["dates", "--start", "2021-01-05", "--end", "2021-01-04"],
            "--end 2021-01-04 is before --start 2021-01-05",
            "the first date goes to --start",
        ),
        (["dates", "-q", "-v"], "--quiet and --verbose contradict each other", None),
        (["dates", "extra"], "Got unexpected extra argument(s) (extra)", "mag7 dates --help says what it takes"),
        (
            ["dates", "--format", "jsn"],
            "Invalid value for '--format': 'jsn' is not one of 'text', 'json', 'csv'",
            "mag7 dates --help says what it takes",
        ),
    ],
)
def test_a_slip_of_the_keyboard_is_one_line_with_a_hint_and_exit_code_2(tmp_path, words, error, hint):
    ended = mag7(*words, cwd=tmp_path)
    assert ended.code == 2
    assert ended.stdout == ""
    assert ended.stderr == f"Error: {error}\n" + (f"Hint: {hint}\n" if hint else "")


@pytest.mark.parametrize("words", [[], ["dates"], ["config"], ["config", "show"]])
def test_h_is_help_everywhere(tmp_path, words):
    asked = mag7(*words, "-h", cwd=tmp_path)
    assert (asked.code, asked.stdout) == (0, mag7(*words, "--help", cwd=tmp_path).stdout)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["--last", "2", "-q", "dates"], ["dates", "--last", "2", "-q"]),
        (["--format=csv", "-vv", "dates", "--last", "2"], ["dates", "--format=csv", "-vv", "--last", "2"]),
        (["--format", "json", "config", "path"], ["config", "path", "--format", "json"]),
        (["--lake", "status", "status"], ["status", "--lake", "status"]),
    ],
)
def test_options_may_stand_before_the_command(tmp_path, typed, meant):
    (tmp_path / "status" / "raw").mkdir(parents=True)
    before, behind = mag7(*typed, cwd=tmp_path), mag7(*meant, cwd=tmp_path)
    assert (before.code, before.stdout) == (0, behind.stdout)


@pytest.mark.parametrize(
    "words",
    [
        ["dates", "--format", "json", "--start", "soon"],
        ["dates", "--start", "soon", "--format=json"],
        ["dates", "--format", "json", "--nonsense"],
        ["dates", "--format", "json", "--start", "2021-01-05", "--end", "2021-01-04"],
        ["dates", "--log-format", "json", "--start", "soon"],
    ],
)
def test_an_error_is_one_line_of_json_where_json_was_asked_for(tmp_path, words):
    ended = mag7(*words, cwd=tmp_path)
    assert (ended.code, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    said = json.loads(line)
    assert set(said) == {"timestamp", "level", "logger", "message", "error", "code", "hint"}
    assert (said["code"], said["level"], said["error"]) == (2, "error", said["message"])
    assert datetime.fromisoformat(said["timestamp"]).tzinfo


def test_a_line_that_goes_to_a_log_or_a_mail_has_a_time_and_one_on_a_terminal_has_not(tmp_path):
    ended = mag7("show", cwd=tmp_path)
    lines = ended.log.splitlines()
    assert [datetime.fromisoformat(line.split()[0]).tzinfo is not None for line in lines] == [True, True]
    assert [line.split()[1] for line in lines] == ["Error:", "Hint:"]
    assert mag7_in_terminal("show", cwd=tmp_path).stderr.startswith("Error: ")


@pytest.mark.parametrize("word", ["--api-key", "--key", "--token"])
def test_a_key_on_the_command_line_is_refused_without_repeating_it(tmp_path, word):
    for words in (["dates", f"{word}=s3cr3t"], ["dates", word, "s3cr3t"]):
        ended = mag7(*words, cwd=tmp_path)
        assert ended.code == 2
        assert "POLYGON_API_KEY" in ended.stderr
        assert "s3cr3t" not in ended.stdout + ended.stderr


def test_it_works_in_an_empty_environment(tmp_path):
    ended = mag7("dates", "--start", "2024-12-09", "--end", "2024-12-10", cwd=tmp_path, env={})
    assert (ended.code, ended.stdout, ended.stderr) == (0, "2024-12-09\n2024-12-10\n", "")


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1", "nonsense"])
def test_it_works_under_any_locale(tmp_path, locale):
    ended = mag7("config", "show", cwd=tmp_path, env=environment(tmp_path, {"LC_ALL": locale, "PYTHONUTF8": "0"}))
    assert (ended.code, ended.stderr) == (0, "")


def test_a_reader_that_has_had_enough_is_no_error(tmp_path):
    script = f"set -o pipefail; '{MAG7}' dates --start 2003-01-01 --end 2024-12-13 | head -1"
    ended = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, env=environment(tmp_path))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"2003-01-02\n", b"")


def test_closed_streams_are_no_error(tmp_path):
    for closing in (">&-", "2>&-", "<&-", ">&- 2>&- <&-"):
        ended = subprocess.run(["bash", "-c", f"'{MAG7}' dates --last 1 {closing}"], cwd=tmp_path, capture_output=True)
        assert (ended.returncode, ended.stderr) == (0, b""), closing


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", ["dates", "", "--help", "--version", "dates --help", "funds"])
def test_a_full_disk_behind_stdout_is_an_error(tmp_path, words):
    call = f"'{MAG7}' {words} > /dev/full"
    ended = subprocess.run(["bash", "-c", call], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 1
    assert without_times(ended.stderr) == "Error: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize("words", ["dates", "--help", "dates --help"])
def test_a_reader_that_is_gone_is_no_error(tmp_path, words):
    call = f"set -o pipefail; (sleep 0.05; exec '{MAG7}' {words}) | true"
    ended = subprocess.run(["bash", "-c", call], cwd=tmp_path, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_130_and_one_line(tmp_path, number):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        process = subprocess.Popen(
            [MAG7, "tickers", "--download"],
            cwd=tmp_path,
            env=environment(tmp_path, {"MAG7_HOLDINGS_URL": address}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = silent.accept()
        connection.recv(1000)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
        connection.close()
    assert (process.returncode, stdout) == (130, "")
    assert without_times(stderr) == "Error: interrupted\nHint: what was written is kept: run it again to go on\n"


def test_a_pipe_has_no_escape_sequences_and_a_terminal_has(tmp_path):
    assert "\x1b" not in mag7("config", "show", cwd=tmp_path, env=environment(tmp_path, {"FORCE_COLOR": "1"})).stdout
    assert "\x1b[1m" in mag7_in_terminal("config", "show", cwd=tmp_path).stderr


def test_no_color_leaves_a_terminal_without_colour(tmp_path):
    shown = mag7_in_terminal("config", "show", cwd=tmp_path, env={"NO_COLOR": "1"}).stderr
    assert "\x1b[3" not in shown
    assert "log-format" in shown


@pytest.mark.parametrize("columns", [30, 40, 200])
def test_no_line_is_wider_than_the_terminal(tmp_path, columns):
    shown = mag7_in_terminal("config", "show", cwd=tmp_path, columns=columns, env={"NO_COLOR": "1"}).stderr
    plain = shown.replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert max(len(line.rstrip()) for line in plain.splitlines()) <= columns


def test_json_is_the_same_in_a_pipe_and_in_a_terminal(tmp_path):
    words = ["dates", "--last", "3", "--format", "json"]
    assert mag7_in_terminal(*words, cwd=tmp_path).stderr == mag7(*words, cwd=tmp_path).stdout


def test_completion_offers_commands_and_options(tmp_path):
    def offered(line, position):
        extra = {"_MAG7_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(position)}
        return mag7(cwd=tmp_path, env=environment(tmp_path, extra)).stdout.split()

    assert "dates" in offered("mag7 da", 1)
    assert "--start" in offered("mag7 dates --st", 2)
    assert "json" in offered("mag7 dates --format j", 3)
    assert "concentration_trend" in offered("mag7 sql --name conc", 3)


def test_it_prints_a_completion_script_for_the_usual_shells(tmp_path):
    for shell in ("bash", "zsh", "fish"):
        env = environment(tmp_path, {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"})
        ended = mag7("--show-completion", shell, cwd=tmp_path, env=env)
        assert ended.code == 0
        assert "_MAG7_COMPLETE" in ended.stdout
