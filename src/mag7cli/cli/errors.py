"""How a command ends badly: an error as one line with a hint, a signal as an error, and nothing else caught."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from typer._click import ClickException  # Typer vendors Click, and has no public name for the base of its errors

from mag7cli.cli.options import PREFIX, PROGRAM
from mag7cli.cli.output import say_failure
from mag7cli.cli.pasted import with_lake
from mag7cli.core.config import KEY_HINT
from mag7cli.core.errors import Mag7Error

_KEY_OPTIONS: Final = frozenset({"--api-key", "--apikey", "--key", "--token", "--polygon-api-key", "--massive-api-key"})


class ErrorReporter:
    """How the errors of one run are said.

    Guessed from the words typed or else from the environment, since an error may come before they are understood.
    `lake` is the one that hints must name, once it is known.
    """

    def __init__(self, words: Sequence[str], environ: Mapping[str, str]) -> None:
        self.words = words
        self.lake: str | None = None
        self.as_json = "json" in (_last_value(words, environ, option) for option in ("--format", "--log-format"))

    def say(self, error: Mag7Error | ClickException) -> int:
        """Say it, and give the exit code."""
        if isinstance(error, Mag7Error):
            message, hint = str(error), with_lake(error.hint, self.lake) if error.hint else None
        else:
            message, hint = _usage_message(error), _usage_hint(error)
        say_failure(message, code=error.exit_code, hint=hint, as_json=self.as_json)
        return error.exit_code


def _last_value(words: Sequence[str], environ: Mapping[str, str], option: str) -> str:
    value = environ.get(variable_of(option.removeprefix("--")), "")
    for word, following in pairwise([*words, ""]):
        if word == option:
            value = following
        elif word.startswith(f"{option}="):
            value = word.partition("=")[2]
    return value


def variable_of(option: str) -> str:
    """The environment variable of an option: one rule for all."""
    return PREFIX + option.upper().replace("-", "_")


# What Click complains of


def _usage_message(error: ClickException) -> str:
    """The complaint, with the place of a value that was not typed."""
    # A complaint about an unknown option appends Click's guesses; ours are in the hint.
    complaint = error.message if hasattr(error, "possibilities") else error.format_message()
    return complaint.strip().rstrip(".") + _place_of_value(error)


def _place_of_value(error: ClickException) -> str:
    context, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    if context is None or parameter is None:
        return ""
    source = context.get_parameter_source(parameter.name)
    places = {"ENVIRONMENT": parameter.envvar, "DEFAULT_MAP": "a configuration file, see mag7 config show"}
    return f" (from {places[source.name]})" if source and source.name in places else ""


def _usage_hint(error: ClickException) -> str:
    """The option that may be meant, or where to read about them."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else PROGRAM
    option = getattr(error, "option_name", None)
    guesses = getattr(error, "possibilities", None)
    if option in _KEY_OPTIONS:
        return KEY_HINT
    if guesses:
        return f"did you mean {guesses[0]}?"
    return f"{path} --help says what it takes"
