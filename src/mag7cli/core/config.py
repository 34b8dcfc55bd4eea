"""Configuration files: where they are, what may stand in them, and which of them a value comes from.

`./mag7.toml` goes before the user's own `config.toml`; flags and the environment go before both, which is the
command line's business. A file holds option names at the top level, for every command that has the option, and in a
table per command. Knows nothing of Click: the options that exist are given as a `Schema`.
"""

import os
import stat
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from mag7cli.core.errors import ConfigError
from mag7cli.core.suggestions import did_you_mean

PROJECT_FILE: Final = "mag7.toml"

Schema = Mapping[str, Mapping[str, str]]
"""The options of every command by its words, each with the name under which Click knows its value:
`{"tickers": {"as_of": "as_of", "from": "from_", …}, "sandbox serve": {"port": "port", …}}`."""

Choices = Mapping[str, Mapping[str, Collection[str]]]
"""The values that an option of a command takes, of those that take but a few: `{"dates": {"format": ("text", "csv")}}`.
"""

_KEY_NAMES: Final = frozenset(
    {"api_key", "apikey", "key", "token", "polygon_api_key", "massive_api_key", "polygon_key", "massive_key"}
)
KEY_HINT: Final = (
    "keep the key in POLYGON_API_KEY, or let api_key_command in a configuration file print it, "
    'such as api_key_command = "pass show polygon"'
)
API_KEY_COMMAND: Final = "api_key_command"
_SHELL_OPTIONS: Final = (API_KEY_COMMAND, "on_failure")


class ConfigFile(NamedTuple):
    """One file, understood: the values that hold for every command, and those of one command by its words."""

    path: Path
    common: Mapping[str, Any]
    commands: Mapping[str, Mapping[str, Any]]

    def value(self, command: str, option: str) -> Any:
        """What the file says of a command's option; None if nothing."""
        return self.commands.get(command, {}).get(option, self.common.get(option))


class Config(NamedTuple):
    """All configuration files that are there, the strongest first, and what the options take that take but a few."""

    files: Sequence[ConfigFile]
    choices: Choices = MappingProxyType({})

    def find(self, command: str, option: str) -> tuple[Any, Path] | None:
        """The value of a command's option and the file it stands in; None if it stands in none.

        A common value is for the commands that take it: `format = "csv"` leaves alone those that have no such format.
        """
        taken = self.choices.get(command, {}).get(option)
        for file in self.files:
            value = file.value(command, option)
            is_own = option in file.commands.get(command, {})
            if value is not None and (is_own or taken is None or value in taken):
                return value, file.path
        return None

    def defaults(self, schema: Schema) -> dict[str, Any]:
        """The values as nested dictionaries by the words of each command, as Click's `default_map` wants them."""
        nested: dict[str, Any] = {}
        for command, options in schema.items():
            place = nested
            for word in command.split():
                place = place.setdefault(word, {})
            entries = {name: self.find(command, option) for option, name in options.items()}
            place.update({name: entry[0] for name, entry in entries.items() if entry})
        return nested


def paths(environ: Mapping[str, str], here: Path | None = None) -> tuple[Path, ...]:
    """Where configuration files are looked for, the strongest first; a process without a home has one place only."""
    project = (here or Path()) / PROJECT_FILE
    base = environ.get("XDG_CONFIG_HOME") or ""
    home = environ.get("HOME") or ""
    if Path(base).is_absolute():
        return project, Path(base) / "mag7" / "config.toml"
    return (project, Path(home) / ".config" / "mag7" / "config.toml") if home else (project,)


def is_there(path: Path) -> bool:
    """True for a file; what lies in a folder that may not be entered, as in another user's home, is not there."""
    try:
        return path.is_file()
    except PermissionError:
        return False


def load(places: Sequence[Path], schema: Schema, choices: Choices = MappingProxyType({})) -> Config:
    """The files that are there, each checked against the options that exist. Raises ConfigError."""
    files = [_read(path, schema) for path in places if is_there(path)]
    for file in files:
        _refuse_value_of_none(file, choices)
    return Config(files, choices)


def _read(path: Path, schema: Schema) -> ConfigFile:
    # Only when there is a file: most runs have none.
    import tomllib

    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}", hint="mag7 config template prints a valid file") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    file = _understood(path, content, schema)
    _refuse_foreign_command(file)
    return file


def _understood(path: Path, content: Mapping[str, Any], schema: Schema) -> ConfigFile:
    """Sort the keys into common values and those of commands. Raises ConfigError for a key that means nothing."""
    common: dict[str, Any] = {}
    commands: dict[str, dict[str, Any]] = {}
    everywhere = frozenset().union(*schema.values())
    for key, value in content.items():
        if isinstance(value, dict):
            _understand_table(path, key, value, schema, commands)
        else:
            common[_option(path, key, key, everywhere)] = _scalar(path, key, value)
    return ConfigFile(path, common, commands)


def _understand_table(
    path: Path, command: str, table: Mapping[str, Any], schema: Schema, commands: dict[str, dict[str, Any]]
) -> None:
    """One command's table, or the tables of the commands below a word such as `sandbox`."""
    if command not in schema and command not in _first_words(schema):
        raise _unknown(path, f"[{command}]", command, _first_words(schema), "command")
    for key, value in table.items():
        where = f"{command.replace(' ', '.')}.{key}"
        if isinstance(value, dict):
            if f"{command} {key}" not in schema:
                raise _unknown(path, f"[{where}]", key, _second_words(schema, command), "command")
            _understand_table(path, f"{command} {key}", value, schema, commands)
        else:
            option = _option(path, where, key, schema.get(command, {}))
            commands.setdefault(command, {})[option] = _scalar(path, where, value)


def _option(path: Path, where: str, key: str, known: Collection[str]) -> str:
    """The option that a key names, however it separates its words. Raises ConfigError."""
    name = key.replace("-", "_")
    if name.lower() in _KEY_NAMES:
        raise ConfigError(f"{path}: {where}: a key does not belong in a configuration file", hint=KEY_HINT)
    if name not in known:
        raise _unknown(path, where, key, {option.replace("_", "-") for option in known}, "option")
    return name


def _scalar(path: Path, where: str, value: Any) -> Any:
    """A value that an option can take: text, a number, a date, true or false, or a list of such. Raises ConfigError."""
    if isinstance(value, list) and all(isinstance(item, str | int | float | date) for item in value):
        return [str(item) for item in value]
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float | date):
        return str(value)
    raise ConfigError(f"{path}: {where}: {value!r} is not a value that an option can take")


def _unknown(path: Path, where: str, word: str, known: set[str] | frozenset[str], what: str) -> ConfigError:
    return ConfigError(
        f"{path}: {where}: no such {what}", hint=did_you_mean(word, known) or "mag7 config template lists what there is"
    )


def _first_words(schema: Schema) -> frozenset[str]:
    return frozenset(command.split()[0] for command in schema)


def _second_words(schema: Schema, first: str) -> set[str]:
    return {words[1] for command in schema if (words := command.split())[0] == first and len(words) > 1}


def _refuse_value_of_none(file: ConfigFile, choices: Choices) -> None:
    """A common value must be one that some command takes. Raises ConfigError."""
    for option, value in file.common.items():
        taken = {choice for options in choices.values() for choice in options.get(option, ())}
        if taken and value not in taken:
            raise ConfigError(
                f"{file.path}: {option.replace('_', '-')}: {value!r} is no value of it",
                hint=did_you_mean(str(value), taken) or f"one of {', '.join(sorted(taken))}",
            )


def _refuse_foreign_command(file: ConfigFile) -> None:
    """A file that somebody else can write must not decide what is run here. Raises ConfigError."""
    known = {option for values in (file.common, *file.commands.values()) for option in values}
    if not (commands := [option for option in _SHELL_OPTIONS if option in known]):
        return
    status = file.path.stat()
    if status.st_uid not in (os.getuid(), 0):
        raise ConfigError(
            f"{file.path}: {commands[0]} is not run from a file that belongs to somebody else",
            hint=f"chown the file, or set MAG7_{commands[0].upper()}",
        )
    if status.st_mode & stat.S_IWOTH:
        raise ConfigError(
            f"{file.path}: {commands[0]} is not run from a file that everybody may write",
            hint=f"chmod o-w {file.path}",
        )
