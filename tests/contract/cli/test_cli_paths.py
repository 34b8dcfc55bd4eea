"""Paths as people type them, and commands as they paste them, through a real process."""

import re
import shlex

import pytest
from tests.simulators.command_line import mag7
from typer.main import get_command

from mag7cli.cli import app
from mag7cli.cli.app import Group, commands_of, name_of, options_of
from mag7cli.cli.pasted import LAKE_COMMANDS, lake_to_name, with_lake

BAD_NAMES = ["", " ", ".", "..", "/", "/tmp/", "missing/folder/file", "a" * 250, "a" * 300]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_no_name_of_a_file_to_write_ends_in_a_traceback(tmp_path, name):
    ended = mag7("tickers", "--as-of", "2024-12-13", "--out", name, cwd=tmp_path)
    assert ended.code in (1, 2), ended
    assert "Error: " in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["report", "--out", ""],
        ["report", "--png", ""],
        ["report", "--png", "a-file"],
        ["exposure", "--stock", "NVDA=1", "--page", "."],
        ["deploy", "render", "--out", ""],
        ["deploy", "package", "--out", "/"],
        ["deploy", "package", "--out", "-"],
        ["service", "print", "cron", "--key-file", ""],
        ["service", "print", "cron", "--out", "a" * 300],
    ],
)
def test_each_command_that_writes_a_file_refuses_a_name_that_none_can_have(tmp_path, words):
    (tmp_path / "a-file").touch()
    ended = mag7(*words, cwd=tmp_path)
    assert (ended.code, ended.stdout) == (2, "")
    assert "Traceback" not in ended.stderr


def test_a_dash_is_stdout(tmp_path):
    plain, dashed = mag7("tickers", cwd=tmp_path), mag7("tickers", "--out", "-", cwd=tmp_path)
    assert (dashed.code, dashed.stdout) == (0, plain.stdout)
    assert not (tmp_path / "-").exists()


@pytest.mark.parametrize("lake", ["other lake", "it's", "s3-like", "lake"])
def test_a_hint_can_be_pasted_as_it_is(tmp_path, lake):
    (tmp_path / lake / "raw").mkdir(parents=True)
    hint = mag7("show", "--lake", lake, cwd=tmp_path).stderr.splitlines()[-1]
    command = re.search(r"mag7 collect(?: --lake (?:'[^,]*'|[^ ,']+))?", hint)[0]
    meant = ["mag7", "collect"] if lake == "lake" else ["mag7", "collect", "--lake", lake]
    assert shlex.split(command) == meant


def test_a_hint_leaves_out_a_lake_that_the_environment_names_anyway(tmp_path):
    (tmp_path / "elsewhere" / "raw").mkdir(parents=True)
    ended = mag7("show", cwd=tmp_path, env={"MAG7_LAKE": str(tmp_path / "elsewhere"), "HOME": str(tmp_path)})
    assert "--lake" not in ended.stderr


def test_every_command_in_a_text_names_the_lake_once():
    text = "mag7 collect --retry-failed asks again; mag7 status, or mag7 show --help, or mag7 demo; mag7 run --lake y"
    assert with_lake(text, "a b") == (
        "mag7 collect --lake 'a b' --retry-failed asks again; mag7 status --lake 'a b', or mag7 show --help, "
        "or mag7 demo; mag7 run --lake y"
    )
    assert lake_to_name("./lake", is_typed=True) is None


def test_the_commands_that_take_a_lake_are_known():
    program = get_command(app)
    assert isinstance(program, Group)
    taking = [words for words, below in commands_of(program) if "lake" in {name_of(one) for one in options_of(below)}]
    assert [words for words in taking if words not in (*LAKE_COMMANDS, "demo")] == []
