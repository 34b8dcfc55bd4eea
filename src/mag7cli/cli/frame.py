"""What every command has in common: how it is declared, how it talks, and how it ends.

A command is a function `(output, options…) -> None` under `@command(…)`; it ends well by returning, otherwise by
raising a `Mag7Error` or `typer.Exit(code)`. Everything it wants to say goes through `output`. Here errors become one
line on stderr and an exit code, in one place.
"""

import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Concatenate, Final, Literal, ParamSpec

import typer
from typer._click import ClickException  # Typer vendors Click, and has no public name for the base of its errors
from typer.core import TyperCommand, TyperGroup, TyperOption

from mag7cli import config, logs
from mag7cli.cli.failures import Voice, termination_as_interrupt, variable_of
from mag7cli.cli.options import PREFIX, PROGRAM, LogFormatOption, QuietOption, VerboseOption
from mag7cli.errors import EXIT_CODES, InterruptedRunError, Mag7Error, UsageError
from mag7cli.output import Format, Output
from mag7cli.spelling import did_you_mean

Options = ParamSpec("Options")

TEXT_JSON_CSV: Final[tuple[Format, ...]] = ("text", "json", "csv")
TEXT_JSON: Final[tuple[Format, ...]] = ("text", "json")

# Declaring a command


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it is registered: `run` takes the options, its shared ones included."""

    name: str
    run: Callable[..., None]
    help: str


def command(
    *examples: str, formats: Sequence[Format] = (), name: str | None = None
) -> Callable[[Callable[Concatenate[Output, Options], None]], Command]:
    """Declare a command. `examples` can be pasted; `formats` are the values of its `--format`, the first the default.

    The function's docstring is the help; its name the command's, unless `name` is given.
    """

    def declare(function: Callable[Concatenate[Output, Options], None]) -> Command:
        told = inspect.cleandoc(function.__doc__ or "")
        shown = "".join(f"\n  {example}" for example in examples)
        return Command(
            name or function.__name__.replace("_", "-"),
            _with_output(function, formats),
            f"{told}\n\n\b\nExample:{shown}",
        )

    return declare


def _with_output(function: Callable[..., None], formats: Sequence[Format]) -> Callable[..., None]:
    """The function as Typer calls it: with the options of talking added, from which its `output` is made."""

    def run(context: typer.Context, **options: Any) -> None:
        quiet, verbosity = options.pop("quiet"), options.pop("verbose")
        log_format = options.pop("log_format")
        format_ = options.pop("format", "text")
        if quiet and verbosity:
            raise UsageError("--quiet and --verbose contradict each other")
        context.obj.as_json = format_ == "json" or log_format == "json"
        logs.configure(log_format, quiet=quiet, verbosity=verbosity)
        function(Output(format_, quiet=quiet, log_format=log_format), **options)

    signature = inspect.signature(function)
    _, *own = signature.parameters.values()
    run.__signature__ = signature.replace(parameters=[_CONTEXT, *own, *_talking(formats)])  # type: ignore[attr-defined]
    return run


def _talking(formats: Sequence[Format]) -> list[inspect.Parameter]:
    """The options by which every command is told how to talk."""
    parameters = [_keyword("quiet", QuietOption, False), _keyword("verbose", VerboseOption, 0)]
    if formats:
        choice = Literal[tuple(formats)]  # type: ignore[valid-type]
        option = typer.Option("--format", help="How the result is written.")
        parameters.insert(0, _keyword("format", Annotated[choice, option], formats[0]))
    return [*parameters, _keyword("log_format", LogFormatOption, "text")]


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


_CONTEXT: Final = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)


# The program


class Group(TyperGroup):
    """A word with commands below it: alone it prints its help; a word it does not know brings the closest to mind."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Print the help if there is nothing to do."""
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            raise typer.Exit
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """Find the command, or say which one may be meant."""
        word = args[0]
        if self.get_command(ctx, word) is None and not ctx.resilient_parsing and not word.startswith("-"):
            known = did_you_mean(word, self.list_commands(ctx))
            raise UsageError(f"no command {word!r}", hint=known or f"{ctx.command_path} --help lists the commands")
        return super().resolve_command(ctx, args)


class Program(Group):
    """`mag7`: reads the configuration, and turns every way a command can end into an exit code."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for _, below in commands_of(self):
            _name_variables(below)

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the command with the configuration files as its defaults."""
        # Help is given even where the configuration is broken.
        if "--help" not in ctx.obj.words:
            schema = schema_of(self)
            ctx.default_map = config.load(config.paths(os.environ), schema).defaults(schema)
        try:
            ended = super().invoke(ctx)
        except KeyboardInterrupt:
            raise InterruptedRunError("interrupted", hint="what was written is kept: run it again to go on") from None
        if ended is not None:
            # `return typer.Exit(3)` would exit with 0 and nobody would notice.
            raise TypeError(f"a command returned {ended!r}: it must raise typer.Exit instead")
        return None

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, *_: Any, **extra: Any) -> Any:
        """Run and exit. The program has one name, however it was called."""
        words = list(sys.argv[1:] if args is None else args)
        voice = Voice.guessed(words, os.environ)
        with termination_as_interrupt():
            try:
                code = super().main(words, PROGRAM, **extra | {"standalone_mode": False, "obj": voice})
            except (Mag7Error, ClickException) as error:
                code = voice.say(error)
        sys.exit(code or 0)


def program(commands: Sequence[Command], groups: Mapping[str, tuple[str, Sequence[Command]]]) -> typer.Typer:
    """The application of these commands, and of groups of commands: `{word: (help, commands)}`."""
    app = _application(Program, context_settings={"max_content_width": 100}, epilog=_epilog(), add_completion=True)
    app.callback()(_root)
    _add(app, commands)
    for word, (told, below) in groups.items():
        group = _application(Group, help=told, add_completion=False)
        _add(group, below)
        app.add_typer(group, name=word)
    return app


def _application(group: type[Group], **settings: Any) -> typer.Typer:
    # Rich's help costs 150 ms of every --help; its tracebacks would print the values of local variables.
    return typer.Typer(
        cls=group, rich_markup_mode=None, pretty_exceptions_enable=False, suggest_commands=False, **settings
    )


def _add(app: typer.Typer, commands: Sequence[Command]) -> None:
    for entry in commands:
        app.command(entry.name, help=entry.help)(entry.run)


def _print_version(wanted: bool) -> None:
    if wanted:
        from mag7cli import __version__

        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
) -> None:
    """How much of the S&P 500 is really seven companies, on every trading day since 2021."""


def _epilog() -> str:
    """What holds for every command, and the exit codes."""
    codes = "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items())
    return (
        f"Every option can be set by the environment ({PREFIX}<OPTION>, such as {PREFIX}LAKE) or in "
        f"{config.PROJECT_FILE}, which mag7 config template prints. The key is read from POLYGON_API_KEY.\n\n"
        f"\b\nExit codes:\n{codes}"
    )


# The commands that there are


def commands_of(group: TyperGroup, words: str = "") -> Iterator[tuple[str, TyperCommand]]:
    """Every command below the group with the words that call it."""
    for name, below in group.commands.items():
        path = f"{words} {name}".lstrip()
        if isinstance(below, TyperGroup):
            yield from commands_of(below, path)
        elif isinstance(below, TyperCommand):
            yield path, below


def options_of(below: TyperCommand) -> Iterator[TyperOption]:
    """The options of a command, without --help."""
    return (parameter for parameter in below.params if isinstance(parameter, TyperOption))


def schema_of(group: TyperGroup) -> config.Schema:
    """The names of the options of every command."""
    return {
        words: frozenset(option.name for option in options_of(below) if option.name)
        for words, below in commands_of(group)
    }


def _name_variables(below: TyperCommand) -> None:
    """Give every option its environment variable, by one rule."""
    for option in options_of(below):
        if option.name and option.envvar is None:
            option.envvar = variable_of(option.name)
            option.show_envvar = False
