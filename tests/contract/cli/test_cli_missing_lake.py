"""No command passes on a lake that is not there, and none but those that collect makes one."""

import shutil

import pytest
from tests.simulators.command_line import environment, mag7
from typer.main import get_command

from mag7cli.cli import app

READERS = {
    "status": ["status"],
    "verify": ["verify"],
    "validate": ["validate"],
    "transform": ["transform"],
    "load": ["load"],
    "load --dry-run": ["load", "--dry-run"],
    "show": ["show"],
    "explain": ["explain", "2024-12-12"],
    "sql": ["sql", "SELECT 1"],
    "export": ["export"],
    "export --out": ["export", "constituents", "--out", "rows.csv"],
    "report": ["report", "--out", "report.html"],
    "funds list": ["funds", "list"],
    "funds refresh": ["funds", "refresh"],
    "live --review": ["live", "--review", "2024-12-12"],
    "exposure": ["exposure", "--stock", "NVDA=100"],
    "tickers": ["tickers"],
}


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a command in this process, in a folder of its own: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            get_command(app).main(list(words))
        return ended.value.code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("name", READERS)
def test_a_lake_that_is_not_there_is_one_line_and_exit_2(run, tmp_path, name):
    code, stdout, stderr = run(*READERS[name], "--lake", "lkae")

    assert (code, stdout) == (2, "")
    assert [words.partition(" ")[2] for words in stderr.splitlines()] == [
        "Error: there is no lake at lkae",
        "Hint: check --lake: a lake is made by collecting into it, and by mag7 demo",
    ]
    assert list(tmp_path.iterdir()) == [], "nothing is made by a typo"


def test_a_file_and_a_folder_of_other_things_are_no_lakes(run, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "folder").mkdir()
    shutil.copy(tmp_path / "file", tmp_path / "folder" / "notes.txt")

    assert "file is a file, not a lake" in run("status", "--lake", "file")[2]
    assert "there is no lake at folder" in run("status", "--lake", "folder")[2]


def test_what_needs_no_lake_works_without_one(run, tmp_path):
    assert run("exposure", "--stock", "NVDA=100")[0] == 0
    assert run("tickers")[0] == 0
    assert list(tmp_path.iterdir()) == []


def test_an_empty_name_is_not_the_current_folder(run):
    for words in (["status"], ["collect", "--dry-run"]):
        code, _, stderr = run(*words, "--lake", "")
        assert code == 2
        assert "Error: --lake is empty\n" in stderr


def test_a_plan_makes_no_lake_either(tmp_path):
    ended = mag7("collect", "--dry-run", "--start", "2024-12-02", cwd=tmp_path, env=environment(tmp_path))

    assert ended.code == 0
    assert list(tmp_path.iterdir()) == []
