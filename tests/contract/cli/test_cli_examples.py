"""What the pages and the help show can be pasted: every command is understood, and what needs nobody else is run.

A block of the kind `console` is a session: commands after `$ `, and what they print; `...` stands for any lines, or for
anything inside one.
"""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulators.command_line import environment, mag7
from tests.simulators.small_index import holdings_file
from typer._click import ClickException
from typer.main import get_command

from mag7cli.cli import app
from mag7cli.cli.app import PROGRAM, commands_of, options_of
from mag7cli.cli.origin import SIMULATED
from mag7cli.core.errors import EXIT_DONE, EXIT_PARTIAL, Mag7Error

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "tests" / "data" / "examples"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = dict(commands_of(get_command(app)))

_FENCE = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_SEPARATOR = re.compile(r"\s+#\s.*$|&&|[;|]|\bdo\b|\buntil\b|^\$ ")
_REDIRECTION = re.compile(r"\s\d?>.*| &$")
_PLACEHOLDER = re.compile(r"\b(?:FILE|DATE|TICKER|PATH|COMMAND)\b|\[|\.\.\.|…|<")
_SHELL = {"sh", "console", "cron"}
# Who else would have to be there: the vendor, the issuer's site, AWS, a market of four years.
_NEEDS_OTHERS = re.compile(
    r"--download|s3://|athena|redshift|^(collect|run|doctor|demo|sandbox|live)\b"
    r"|^deploy (package|diff|apply|secret|start|status|logs|destroy)\b|^funds (refresh|add [^=]*( --url.*)?$)"
)
NEXT_YEAR = "2025-01-02T08:00:00-05:00"
JUNE = ("--start", "2024-06-03", "--end", "2024-06-14")


def help_examples() -> list[str]:
    """What stands under `Example:` in the help of every command."""
    texts = [command.help.partition("Example:\n")[2] for command in COMMANDS.values()]
    return [row.strip().removeprefix(f"{PROGRAM} ") for text in texts for row in text.splitlines()]


def calls(page: Path) -> Iterator[str]:
    """Every call of mag7 on a page that is meant to be typed: in blocks for a shell, and in the running text."""
    text = page.read_text(encoding="utf-8")
    blocks = [row for block in _FENCE.finditer(text) if block["kind"] in _SHELL for row in block["text"].splitlines()]
    for row in (*blocks, *_INLINE.findall(_FENCE.sub("", text))):
        for command in _SEPARATOR.split(row):
            program, _, words = _REDIRECTION.sub("", command).strip().partition(" ")
            if program.rpartition("/")[2] == PROGRAM and words:
                yield words


def offence(call: str) -> str | None:
    """Why the command line would refuse a call, None if it would not."""
    words = shlex.split(call)
    if words in (["--help"], ["--version"]) or any(f"{name} ".startswith(f"{call} ") for name in COMMANDS):
        return None  # a command, or a group of them, that is spoken of
    depth = next((n for n in (2, 1) if " ".join(words[:n]) in COMMANDS), 0)
    if not depth:
        return f"{PROGRAM} {call}: no such command"
    command = COMMANDS[" ".join(words[:depth])]
    hidden = {name for option in options_of(command) if option.hidden for name in option.opts}
    if old := hidden.intersection(words):
        return f"{PROGRAM} {call}: {old.pop()} is the old name of an option"
    if _PLACEHOLDER.search(call):
        return None
    try:
        command.make_context(PROGRAM, words[depth:])
    except SystemExit:  # --help
        return None
    except (ClickException, Mag7Error) as error:
        return f"{PROGRAM} {call}: {error}"
    return None


def test_every_call_on_a_page_is_understood() -> None:
    assert [f"{page.name}: {reason}" for page in PAGES for call in calls(page) if (reason := offence(call))] == []


def test_every_call_in_the_help_is_understood() -> None:
    examples = [re.split(r" (?:[>|]|&&) ", example)[0] for example in help_examples()]

    assert [reason for example in examples if (reason := offence(example))] == []


def test_a_call_that_would_be_refused_is_seen() -> None:
    assert offence("show 2024-06-07") is None
    assert offence("shwo") is not None
    assert offence("show --no-such-option") is not None
    assert offence("show yesterday-ish") is not None
    assert "old name" in str(offence("collect --plan-only"))


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a user of the simulated market has it: `lake`, and the files that the examples name."""
    folder = tmp_path_factory.mktemp("examples")
    ended = mag7("demo", "--quiet", *JUNE, "--lake", "lake", cwd=folder)
    assert ended.code == 0, ended.stderr
    shutil.copytree(EXAMPLES, folder, dirs_exist_ok=True)
    for name in ("IVV_holdings.csv", "ITOT_holdings.csv"):
        (folder / name).write_bytes(holdings_file())
    (folder / "portfolio.csv").write_text("ticker,amount_usd\nNVDA,2500\nITOT,1000\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("example", [example for example in help_examples() if not _NEEDS_OTHERS.search(example)])
def test_an_example_that_needs_nobody_else_does_what_it_says(here: Path, example: str) -> None:
    call, _, target = example.partition(" > ")

    ended = mag7(*shlex.split(call), cwd=here, env=environment(here, {"BROWSER": "true"}))

    # A lake of last June is not well, which is what the check is there to say.
    assert ended.code == (8 if "--check" in call else _expected_code(ended.stdout)), ended.stderr
    assert ended.stdout or target or "--out" in call


def _expected_code(answer: str) -> int:
    """Done, or partial where the answer is a range."""
    return EXIT_PARTIAL if answer.removeprefix(f"{SIMULATED}\n").startswith("Between ") else EXIT_DONE


def sessions() -> list[tuple[Path, str]]:
    return [
        (page, block["text"])
        for page in PAGES
        for block in _FENCE.finditer(page.read_text(encoding="utf-8"))
        if block["kind"] == "console"
    ]


@pytest.mark.parametrize(
    ("page", "session"), sessions(), ids=lambda value: value.name if isinstance(value, Path) else ""
)
def test_a_session_prints_what_the_page_shows(page: Path, session: str, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES, tmp_path, dirs_exist_ok=True)
    for step in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        command, _, shown = step.partition("\n")
        program, *words = shlex.split(command, comments=True)
        assert program == PROGRAM

        ended = mag7(*words, cwd=tmp_path, env=environment(tmp_path, {"MAG7_NOW": NEXT_YEAR}))

        assert ended.code == _expected_code(ended.stdout), ended.stderr
        assert re.fullmatch(_pattern(shown), ended.stderr + ended.stdout), f"$ {command}\n{ended.stderr}{ended.stdout}"


def _pattern(shown: str) -> str:
    """What a command may print: the rows as shown, any number of rows for `...` on a row, anything for it inside."""
    rows = [
        r"(?:.*\n)*?" if row == "..." else re.escape(row).replace(r"\.\.\.", ".*") + "\n" for row in shown.splitlines()
    ]
    return "".join(rows)
