"""Every command is documented: in its help, in docs/cli.md, in the README."""

import json
import re
import shlex
from pathlib import Path

from tests.simulators.terminal import in_pipe
from typer.main import get_command

from mag7cli import __version__
from mag7cli.cli import COMMANDS as TABLE
from mag7cli.cli import app
from mag7cli.cli.app import PROGRAM, commands_of, options_of
from mag7cli.cli.reference_page import reference_markdown

ROOT = Path(__file__).parents[3]
COMMANDS = dict(commands_of(get_command(app)))


def _summary(words):
    return COMMANDS[words].help.partition("\n")[0]


def _examples(words):
    return [example.strip() for example in COMMANDS[words].help.partition("Example:\n")[2].splitlines()]


def test_every_command_has_help_that_starts_with_a_short_sentence():
    assert [words for words in COMMANDS if not _summary(words).endswith(".")] == []
    assert [words for words in COMMANDS if len(_summary(words)) > 75] == [], "it stands beside the command's name"
    assert [words for words, command in COMMANDS.items() if command.help[len(_summary(words)) :][:2] != "\n\n"] == []


def test_the_list_of_commands_repeats_that_sentence():
    def listed(words):
        entry = TABLE
        for word in words.split():
            entry = entry.table[word]
        return entry.summary

    assert {words: listed(words) for words in COMMANDS} == {words: _summary(words) for words in COMMANDS}


def test_every_command_has_an_example_of_itself():
    assert [words for words in COMMANDS if not _examples(words)] == []
    strangers = [
        example for words in COMMANDS for example in _examples(words) if not example.startswith(f"{PROGRAM} {words}")
    ]
    assert strangers == []


def _unknown_options(words, example):
    _, *rest = shlex.split(re.split(r"[>|]|&&", example)[0])
    options = {name for option in options_of(COMMANDS[words]) for name in (*option.opts, *option.secondary_opts)}
    typed = {word.partition("=")[0] for word in rest if word.startswith("-") and word != "-"}
    return typed - options - {"--help"}


def test_the_examples_use_options_that_exist():
    assert [example for words in COMMANDS for example in _examples(words) if _unknown_options(words, example)] == []


def test_every_option_has_help():
    assert [
        f"{words} {option.name}"
        for words, command in COMMANDS.items()
        for option in options_of(command)
        if not option.help and not option.hidden
    ] == []


def test_the_reference_is_current():
    page = (ROOT / "docs" / "cli.md").read_text()
    assert page == reference_markdown() + "\n", "run `make docs`"


def test_every_command_is_in_the_readme():
    readme = (ROOT / "README.md").read_text()
    assert [words for words in COMMANDS if not re.search(rf"\b{PROGRAM} {words}\b", readme)] == []


def test_every_option_is_in_the_changelog():
    """Old names too: what a script of last year calls has to be found there."""
    page = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    names = {name for command in COMMANDS.values() for option in options_of(command) for name in option.opts}
    assert sorted(name for name in names if name.startswith("--") and f"`{name}`" not in page) == []


def test_no_page_installs_by_name_what_no_index_has():
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert [page.name for page in pages if "pip install 'mag7cli" in page.read_text(encoding="utf-8")] == []


def test_the_readme_tells_how_long_a_free_key_takes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, value in {"HOME": str(tmp_path), "POLYGON_API_KEY": "k", "MAG7_NOW": "2026-11-27T08:00:00-05:00"}.items():
        monkeypatch.setenv(name, value)
    plan = in_pipe(["collect", "--plan", "basic", "--start", "2024-11-27", "--dry-run", "--format", "json"])
    hours = json.loads(plan.text.partition("{")[1] + plan.text.partition("{")[2])["seconds"] / 3600
    told = re.search(r"has its two years in about (\d+) hours", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert abs(hours - int(told[1])) < 1


def test_the_version_has_a_heading_in_the_changelog():
    page = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (\S+)", page, re.MULTILINE)
    assert __version__ in headings[: 1 + (headings[0] == "Unreleased")]
