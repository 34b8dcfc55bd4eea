"""What every command has in common: how it is declared, how it talks, and how it ends.

A command is a function `(output, options…) -> None` under `@command(…)`; it ends well by returning, otherwise by
raising a `Mag7Error` or `typer.Exit(code)`. Everything it wants to say goes through `output`. Here errors become one
line on stderr and an exit code, in one place.

A command's module is imported, and its options are built, when the command is called: one command should not wait
for twenty.
"""

import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any, ClassVar, Concatenate, Final, Literal, NamedTuple, ParamSpec

import typer
from typer._click import ClickException  # Typer vendors Click, and has no public name for the base of its errors
from typer._click.core import Context
from typer.core import TyperCommand, TyperGroup, TyperOption

from mag7cli.cli.errors import ErrorReporter, variable_of
from mag7cli.cli.options import PREFIX, PROGRAM, LogFormatOption, QuietOption, VerboseOption
from mag7cli.cli.origin import OF_A_MARKET
from mag7cli.cli.output import Format, Output, output_errors
from mag7cli.cli.pasted import lake_to_name
from mag7cli.cli.signals import termination_as_interrupt
from mag7cli.core import config, logs
from mag7cli.core.errors import EXIT_CODES, InterruptedRunError, Mag7Error, UsageError
from mag7cli.core.suggestions import did_you_mean

Options = ParamSpec("Options")

TEXT_JSON_CSV: Final[tuple[Format, ...]] = ("text", "json", "csv")
TEXT_JSON: Final[tuple[Format, ...]] = ("text", "json")

_HELP: Final[dict[str, Any]] = {"help_option_names": ["-h", "--help"]}


# Declaring a command


class Command(NamedTuple):
    """A command as it is declared: `run` takes its options, the shared ones included."""

    run: Callable[..., None]
    description: str
    examples: tuple[str, ...]

    @property
    def help(self) -> str:
        """The help with the examples, which are not to be wrapped."""
        shown = "".join(f"\n  {example}" for example in self.examples)
        return f"{self.description}\n\n\b\nExample:{shown}"


def command(
    *examples: str, formats: Sequence[Format] = ()
) -> Callable[[Callable[Concatenate[Output, Options], None]], Command]:
    """Declare a command. `examples` can be pasted; `formats` are the values of its `--format`, the first the default.

    The function's docstring is the help; its first line stands in the list of commands, too.
    """

    def declare(function: Callable[Concatenate[Output, Options], None]) -> Command:
        return Command(_with_output(function, formats), inspect.cleandoc(function.__doc__ or ""), examples)

    return declare


def _with_output(function: Callable[..., None], formats: Sequence[Format]) -> Callable[..., None]:
    """The function as Typer calls it: with the options of talking added, from which its `output` is made.

    A parameter whose type is a named tuple stands for the options that are its fields.
    """
    signature = inspect.signature(function)
    _, *own = signature.parameters.values()
    groups = {parameter.name: parameter.annotation for parameter in own if _is_group(parameter.annotation)}

    def run(context: typer.Context, **options: Any) -> None:
        quiet, verbosity = options.pop("quiet"), options.pop("verbose")
        log_format = options.pop("log_format")
        format_ = options.pop("format", "text")
        if quiet and verbosity:
            raise UsageError("--quiet and --verbose contradict each other")
        voice = context.obj
        voice.as_json = format_ == "json" or log_format == "json"
        logs.configure(log_format, quiet=quiet, verbosity=verbosity)
        place = options.get("lake")
        voice.lake = _lake_to_name(context, place)
        for name, group in groups.items():
            options[name] = group(**{field: options.pop(field) for field in group._fields})
        output = Output(format_, quiet=quiet, log_format=log_format, lake=voice.lake)
        output.typed = frozenset(name for name in context.params if _is_typed(context, name))
        if place is not None and context.command_path in OF_A_MARKET:
            output.origin = lambda: _is_simulated(place)
        function(output, **options)

    typed = [option for parameter in own for option in _options_behind(parameter)]
    run.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[_CONTEXT, *typed, *_talking(formats)]
    )
    return run


def _is_typed(context: typer.Context, name: str) -> bool:
    """Whether an option stands in the command line, and is not what the environment or a file says."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _lake_to_name(context: typer.Context, lake: str | None) -> str | None:
    """The lake that commands to be pasted must name: one that neither the environment nor a file says."""
    source = context.get_parameter_source("lake")
    typed = source is not None and source.name in ("COMMANDLINE", "DEFAULT")
    return None if lake is None else lake_to_name(lake, is_typed=typed)


def _is_simulated(place: str) -> bool | None:
    """Whether the figures of the lake there are of a simulated market; None where nothing says."""
    from mag7cli.collection.source_marker import is_simulated
    from mag7cli.lake.layout import Lake

    return is_simulated(Lake.at(place))


def _is_group(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, tuple) and hasattr(annotation, "_fields")


def _options_behind(parameter: inspect.Parameter) -> Iterator[inspect.Parameter]:
    """The options that a parameter stands for: itself, or the fields of its group."""
    group = parameter.annotation
    if not _is_group(group):
        yield parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        return
    for name, annotation in group.__annotations__.items():
        yield _keyword(name, annotation, group._field_defaults.get(name, inspect.Parameter.empty))


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


_COMMENT: Final = re.compile(r"--[^=]*\s")
_CONTEXT: Final = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)


# Finding a command


class CommandSpec(NamedTuple):
    """A command behind a word: its place, `module:function` of this package, and the first sentence of its help.

    The sentence stands here so that the list of commands can be printed without importing them.
    """

    place: str
    summary: str

    def declared(self) -> Command:
        """The command as its module declares it."""
        module, _, name = self.place.partition(":")
        command = getattr(import_module(f"mag7cli.cli.{module}"), name)
        assert isinstance(command, Command)
        return command


class CommandGroup(NamedTuple):
    """The commands, or words again, behind the words that follow a word."""

    summary: str
    table: Mapping[str, "CommandSpec | CommandGroup"]


class HelpContext(Context):
    """What Click asks for the formatter of a command's help."""

    def make_formatter(self) -> Any:
        """The formatter, for the width that was chosen or that of the terminal."""
        from mag7cli.cli.help_text import FittingFormatter

        return FittingFormatter(self.terminal_width, self.max_content_width)


def _parsed(parse: "Callable[[Any, list[str]], list[str]]", ctx: typer.Context, args: list[str]) -> list[str]:
    """What `parse` makes of the words. Options such as --help print by themselves, perhaps onto a disk that is full."""
    rest: list[str] | None = None
    with output_errors():
        rest = parse(ctx, args)
    if rest is None:
        raise typer.Exit
    return rest


class LeafCommand(TyperCommand):
    """A word that does something."""

    context_class = HelpContext

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Find the values of the options; --help is printed here."""
        return _parsed(super().parse_args, ctx, args)


class Group(TyperGroup):
    """A word with commands behind it: alone it prints its help; a word it does not know brings the closest to mind."""

    words: ClassVar[CommandGroup]
    context_class = HelpContext

    def find(self, word: str) -> TyperCommand | TyperGroup | None:
        """The command or group behind a word, built when it is first asked for."""
        entry = self.words.table.get(word)
        if entry is not None and word not in self.commands:
            self.commands[word] = _built(word, entry)
        command = self.commands.get(word)
        assert command is None or isinstance(command, TyperCommand | TyperGroup)
        return command

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """The command behind a word, for Click."""
        return self.find(cmd_name)

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """The words in the order of the table."""
        return list(self.words.table)

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """List the words with their summaries, without a look at the commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(word, entry.summary.rstrip(".")) for word, entry in self.words.table.items()])

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Print the help if there is nothing to do."""
        return _parsed(super().parse_args, ctx, args or ([] if ctx.resilient_parsing else ["--help"]))

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """Find the command, or say which one may be meant."""
        word = args[0]
        if word not in self.words.table and not ctx.resilient_parsing and not word.startswith("-"):
            known = did_you_mean(word, self.words.table)
            raise UsageError(f"no command {word!r}", hint=known or f"{ctx.command_path} --help lists the commands")
        return super().resolve_command(ctx, args)


def _built(word: str, entry: CommandSpec | CommandGroup) -> TyperCommand | TyperGroup:
    if isinstance(entry, CommandGroup):
        return _kind_of(Group, entry)(name=word, help=entry.summary, rich_markup_mode=None, context_settings=_HELP)
    declared = entry.declared()
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(word, cls=LeafCommand, help=declared.help, context_settings=_HELP)(declared.run)
    built = typer.main.get_command(alone)
    assert isinstance(built, TyperCommand)
    for option in options_of(built):
        # One rule names every variable, and is told once, in the program's help.
        option.envvar, option.show_envvar = variable_of(name_of(option)), False
    return built


def _kind_of(group: type[Group], words: CommandGroup) -> type[Group]:
    return type(group.__name__, (group,), {"words": words})


def commands_of(group: Group, path: str = "") -> Iterator[tuple[str, TyperCommand]]:
    """Every command behind the group, with the words that call it."""
    for word in group.words.table:
        below = group.find(word)
        if isinstance(below, Group):
            yield from commands_of(below, f"{path}{word} ")
        elif isinstance(below, TyperCommand):
            yield f"{path}{word}", below


def options_of(below: TyperCommand) -> Iterator[TyperOption]:
    """The options of a command, without --help."""
    return (parameter for parameter in below.params if isinstance(parameter, TyperOption))


def name_of(option: TyperOption) -> str:
    """What an option is called in the environment and in configuration files: its long form, joined by underscores."""
    return max(option.opts, key=len).lstrip("-").replace("-", "_")


def schema_of(group: Group) -> config.Schema:
    """The options of every command, and the parameter that each sets."""
    return {
        words: {name_of(option): str(option.name) for option in options_of(below)}
        for words, below in commands_of(group)
    }


def choices_of(group: Group) -> config.Choices:
    """What the options of every command take that take one of a few values."""
    return {
        words: {name_of(option): option.type.choices for option in options_of(below) if hasattr(option.type, "choices")}
        for words, below in commands_of(group)
    }


# The program


class Program(Group):
    """`mag7`: reads the configuration, and turns every way a command can end into an exit code."""

    def format_epilog(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """What holds for every command, and the exit codes."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Exit codes"):
            formatter.write_dl([(f"{code:>3}", meaning) for code, meaning in EXIT_CODES.items()])

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the command with the configuration files as its defaults."""
        places = [place for place in config.paths(os.environ) if config.is_there(place)]
        # Help is given even where the configuration is broken.
        if places and not {"-h", "--help"} & set(ctx.obj.words):
            schema = schema_of(self)
            ctx.default_map = config.load(places, schema, choices_of(self)).defaults(schema)
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
        words = _statement_last(_options_after_command(self, list(sys.argv[1:] if args is None else args)))
        voice = ErrorReporter(words, os.environ)
        with termination_as_interrupt():
            try:
                code = super().main(words, PROGRAM, **extra | {"standalone_mode": False, "obj": voice})
            except (Mag7Error, ClickException) as error:
                code = voice.say(error)
        sys.exit(code or 0)


def _options_after_command(group: Group, words: list[str]) -> list[str]:
    """The words with options that were typed before the command put behind it, where they are options of it."""
    if not words or not words[0].startswith("-"):
        return words
    for place, word in enumerate(words):
        if word not in group.words.table:
            continue
        below, end = group.find(word), place + 1
        while isinstance(below, Group) and end < len(words) and words[end] in below.words.table:
            below, end = below.find(words[end]), end + 1
        if isinstance(below, TyperCommand) and _are_options(below, words[:place]):
            return [*words[place:end], *words[:place], *words[end:]]
    return words


def _are_options(below: TyperCommand, words: Sequence[str]) -> bool:
    """True if the words are options of the command, each with its value, and nothing else."""
    options = {name: option for option in options_of(below) for name in (*option.opts, *option.secondary_opts)}
    rest = iter(words)
    for word in rest:
        name, equals, _ = word.partition("=")
        stacked = word[:2] if not word.startswith("--") and len(set(word[1:])) == 1 else name
        option = options.get(stacked)
        if option is None:
            return False
        if not (equals or option.is_flag or option.count) and next(rest, None) is None:
            return False
    return True


def _statement_last(words: list[str]) -> list[str]:
    """The words with a statement that begins with a comment of SQL, `-- …`, marked as no option."""
    place = next((place for place, word in enumerate(words) if _COMMENT.match(word)), None)
    if place is None or "--" in words:
        return words
    return [*words[:place], *words[place + 1 :], "--", words[place]]


def program(words: CommandGroup) -> typer.Typer:
    """The application of these words."""
    app = typer.Typer(
        cls=_kind_of(Program, words),
        help=words.summary,
        epilog=_epilog(),
        context_settings=_HELP | {"max_content_width": 100},
        # Rich's help costs 150 ms of every --help; its tracebacks would print the values of local variables.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    return app


def _print_version(requested: bool) -> None:
    if requested:
        from mag7cli import __version__

        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
) -> None:
    """Do nothing: the options of the program itself have all been eager."""


def _epilog() -> str:
    """What holds for every command."""
    return (
        f"Every option can be set by the environment ({PREFIX}<OPTION>, such as {PREFIX}LAKE) or in "
        f"{config.PROJECT_FILE}, which mag7 config template prints. The key is read from POLYGON_API_KEY."
    )
