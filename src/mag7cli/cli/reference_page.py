"""The help of every command as one page, `docs/cli.md`; `make docs` writes it."""

from collections.abc import Iterator
from typing import Any, Final

from typer.core import TyperCommand
from typer.main import get_command

from mag7cli.cli.app import Group, commands_of
from mag7cli.cli.options import PROGRAM

_AT_WIDTH: Final[dict[str, Any]] = {"terminal_width": 88}


def reference_markdown() -> str:
    """The page: the program's own help, then that of every command."""
    from mag7cli.cli import app

    program = get_command(app)
    assert isinstance(program, Group)
    return "\n".join(_page(program))


def _page(program: Group) -> Iterator[str]:
    yield "# The command line"
    yield ""
    yield "<!-- Written by `make docs` from the help of each command. -->"
    yield from _section(PROGRAM, program)
    for words, below in commands_of(program):
        yield from _section(f"{PROGRAM} {words}", below)


def _section(words: str, described: TyperCommand | Group) -> Iterator[str]:
    context = described.context_class(described, info_name=words, **{**_AT_WIDTH, **described.context_settings})
    yield from ("", f"## {words}", "", "```text", described.get_help(context), "```")
