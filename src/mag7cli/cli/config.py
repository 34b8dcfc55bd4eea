"""`mag7 config`: what every option is set to and why, where the files are, and what a file may hold."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from typer.core import TyperOption
from typer.main import get_command

from mag7cli.cli.app import TEXT_JSON_CSV, Group, choices_of, command, commands_of, name_of, options_of, schema_of
from mag7cli.cli.output import Column, Grid, Output, Result, plain
from mag7cli.core import config

_SECRETS: Final = ("POLYGON_API_KEY", "MASSIVE_API_KEY")
_VARIABLES: Final = (
    "POLYGON_BASE_URL",
    "MAG7_HOLDINGS_URL",
    "MAG7_NOW",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ENDPOINT_URL",
)
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Setting:
    """One option, the commands that share this value of it, and where the value comes from; no flag is looked at."""

    option: str
    value: Any
    origin: str
    commands: tuple[str, ...] = ()


@command("mag7 config show", "mag7 config show --format json", formats=TEXT_JSON_CSV)
def show(output: Output) -> None:
    """Show what every option is set to, and by what.

    A flag goes before the environment, that before ./mag7.toml, that before your own file. Secrets are masked.
    """
    program = _program()
    settings_read = config.load(config.paths(os.environ), schema_of(program), choices_of(program))
    settings = [*_settings(program, settings_read), *_environment(os.environ)]
    grid = _grid(settings, sum(1 for _ in commands_of(program)))
    document = {"files": [str(file.path) for file in settings_read.files], "settings": settings}
    output.show(Result(document, grid))


@command("mag7 config path", formats=TEXT_JSON_CSV)
def path(output: Output) -> None:
    """Show where configuration files are looked for.

    What the first one says goes before what the second one says.
    """
    rows = [[str(place.absolute()), config.is_there(place)] for place in config.paths(os.environ)]
    grid = Grid((Column("path"), Column("exists")), rows)
    output.show(Result({"paths": grid.records()}, grid))


@command("mag7 config template > mag7.toml")
def template(output: Output) -> None:
    """Print a configuration file with every option in it.

    All of it is commented out: take the sign away from what you want to set.
    """
    output.lines(list(_template(_program())))


def _program() -> Group:
    """The whole program, of which this command is a part."""
    from mag7cli.cli import app

    program = get_command(app)
    assert isinstance(program, Group)
    return program


# show


def _settings(program: Group, configured: config.Config) -> list[Setting]:
    """The value of every option, commands that agree on it together, in the order in which options first appear."""
    agreeing: dict[tuple[str, str, str], list[str]] = {}
    values: dict[tuple[str, str, str], Any] = {}
    for words, below in commands_of(program):
        for option in options_of(below):
            value, origin = _value_of(words, option, configured)
            place = (name_of(option), plain(value), origin)
            agreeing.setdefault(place, []).append(words)
            values[place] = value
    return [
        Setting(option.replace("_", "-"), values[option, text, origin], origin, tuple(commands))
        for (option, text, origin), commands in agreeing.items()
    ]


def _value_of(words: str, option: TyperOption, configured: config.Config) -> tuple[Any, str]:
    """What the option is without a flag, and who says so."""
    name = name_of(option)
    variable = os.environ.get(str(option.envvar))
    if variable:
        return _showable(name, variable), str(option.envvar)
    entry = configured.find(words, name)
    if entry:
        return _showable(name, entry[0]), str(entry[1])
    return option.default, "default"


def _showable(option: str, value: Any) -> Any:
    """A command that prints the key may have secrets among its arguments: its program is enough."""
    if option != config.API_KEY_COMMAND:
        return value
    program, _, arguments = str(value).partition(" ")
    return f"{program} …" if arguments else program


def _environment(environ: Mapping[str, str]) -> Iterator[Setting]:
    """What is not an option: the key, and where the vendor and the cloud are."""
    from mag7cli.vendors.polygon.key import ApiKey

    for name in _SECRETS:
        if environ.get(name):
            yield Setting(name, f"set ({ApiKey(environ[name].strip()).masked()})", "environment")
    for name in _VARIABLES:
        if environ.get(name):
            yield Setting(name, environ[name], "environment")


def _grid(settings: Iterable[Setting], commands: int) -> Grid:
    columns = (Column("option"), Column("value"), Column("origin"), Column("commands", optional=True))
    return Grid(
        columns, [[entry.option, entry.value, entry.origin, _who(entry.commands, commands)] for entry in settings]
    )


def _who(commands: tuple[str, ...], all_of_them: int) -> str:
    """The commands that a setting is for, in few words."""
    if len(commands) == all_of_them:
        return "all"
    return ", ".join(commands) if len(commands) <= _NAMED else f"{len(commands)} commands"


# template


def _template(program: Group) -> Iterator[str]:
    """The file: what several commands share at the top level, the rest in each command's table."""
    users: dict[str, list[str]] = {}
    options: dict[tuple[str, str], TyperOption] = {}
    for words, below in commands_of(program):
        for option in options_of(below):
            users.setdefault(name_of(option), []).append(words)
            options[words, name_of(option)] = option
    yield "# mag7 configuration. Flags and MAG7_<OPTION> variables go before it. The API key never stands here."
    for name, commands in users.items():
        if len(commands) > 1:
            yield from _entry(options[commands[0], name])
    for words, _ in commands_of(program):
        own = [options[words, name] for name, commands in users.items() if commands == [words]]
        if own:
            yield from ("", f"# [{words.replace(' ', '.')}]")
        for option in own:
            yield from _entry(option)


def _entry(option: TyperOption) -> Iterator[str]:
    """The option's help and its default, as comments."""
    choices = getattr(option.type, "choices", ())
    yield ""
    yield f"# {option.help}" + (f" One of {', '.join(choices)}." if choices else "")
    yield f"# {name_of(option).replace('_', '-')} = {_toml(option)}"


def _toml(option: TyperOption) -> str:
    """The default as TOML; an example of the right form where there is none."""
    if option.is_flag:
        return str(bool(option.default)).lower()
    if option.multiple:
        return "[]"
    return str(option.default) if isinstance(option.default, int | float) else f'"{option.default or ""}"'
