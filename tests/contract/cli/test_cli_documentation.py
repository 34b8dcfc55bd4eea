"""Every command is documented: in its help, in docs/cli.md, in the README."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from mag7cli import __version__
from mag7cli.cli import COMMANDS as TABLE
from mag7cli.cli import app
from mag7cli.cli.app import PROGRAM, commands_of, options_of
from mag7cli.cli.reference_page import reference_markdown

ROOT = Path(__file__).parents[3]
COMMANDS = dict(commands_of(get_command(app)))


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_has_help_that_starts_with_a_short_sentence(words):
    first, _, rest = COMMANDS[words].help.partition("\n")
    assert first.endswith(".")
    assert len(first) <= 75, "it stands beside the command's name in the list of commands"
    assert rest.startswith("\n")


@pytest.mark.parametrize("words", COMMANDS)
def test_the_list_of_commands_repeats_that_sentence(words):
    entry = TABLE
    for word in words.split():
        entry = entry.table[word]
    assert entry.summary == COMMANDS[words].help.partition("\n")[0]


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_has_an_example_of_itself(words):
    examples = COMMANDS[words].help.partition("Example:\n")[2].splitlines()
    assert examples
    assert all(example.strip().startswith(f"{PROGRAM} {words}") for example in examples)


@pytest.mark.parametrize("words", COMMANDS)
def test_every_option_has_help(words):
    assert [option.name for option in options_of(COMMANDS[words]) if not option.help and not option.hidden] == []


def test_the_reference_is_current():
    page = (ROOT / "docs" / "cli.md").read_text()
    assert page == reference_markdown() + "\n", "run `make docs`"


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_is_in_the_readme(words):
    assert re.search(rf"\b{PROGRAM} {words}\b", (ROOT / "README.md").read_text()), f"{PROGRAM} {words}"


def test_every_option_is_in_the_changelog():
    """Old names too: what a script of last year calls has to be found there."""
    page = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    names = {name for command in COMMANDS.values() for option in options_of(command) for name in option.opts}
    assert sorted(name for name in names if name.startswith("--") and f"`{name}`" not in page) == []


def test_the_version_has_a_heading_in_the_changelog():
    page = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (\S+)", page, re.MULTILINE)
    assert __version__ in headings[: 1 + (headings[0] == "Unreleased")]
