"""Results on stdout as text, JSON, CSV or Markdown, and failures on stderr: the only module that prints.

Knows nothing of what the results mean. On a terminal text is set by rich; in a pipe it is plain and aligned;
the machine's formats are the same bytes in both.

The types here are named tuples because every command imports them: a frozen dataclass takes a millisecond to make.
"""

import io
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal, NamedTuple, TextIO

from mag7cli.cli.origin import SIMULATED
from mag7cli.cli.pasted import with_lake
from mag7cli.cli.signals import signals_as_request
from mag7cli.core.errors import Mag7Error
from mag7cli.core.formatting import wrapped
from mag7cli.core.logs import NOTICE, LogFormat, on_terminal, stamp, utc
from mag7cli.core.whole_files import replacing

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from mag7cli.core.progress import Progress

SCHEMA_VERSION: Final = 1

Format = Literal["text", "table", "json", "csv", "markdown", "python", "jsonl", "parquet", "xlsx"]
Style = Literal["", "strong", "faint", "good", "warn", "bad"]

_RICH_STYLES: Final[dict[Style, str]] = {
    "": "",
    "strong": "bold",
    "faint": "dim",
    "good": "green",
    "warn": "yellow",
    "bad": "red",
}
_GAP: Final = "  "

STANDARD_STREAM: Final = Path("-")
"""What people write for stdin or stdout where a file is expected."""

_log = logging.getLogger(__name__)


def plain(value: Any) -> str:
    """A value as text where nothing better is known."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    # By name: importing decimal costs more than printing a page.
    return f"{value:f}" if type(value).__name__ == "Decimal" else str(value)


class Column(NamedTuple):
    """One column: `name` for machines, `title` for people, and how to show a value to them.

    An `optional` column is left out on a terminal that is too narrow; `tone` colours a cell there.
    """

    name: str
    title: str | None = None
    show: Callable[[Any], str] = plain
    right: bool = False
    optional: bool = False
    tone: Callable[[Any], Style] | None = None

    @property
    def heading(self) -> str:
        """What stands above the column."""
        return self.name if self.title is None else self.title

    def cell(self, value: Any) -> str:
        """The value as a person reads it, on one line."""
        text = self.show(value)
        return text if text.isprintable() else one_line(text)


class Grid(NamedTuple):
    """Rows of values under columns. Values are typed: text is made of them as late as possible."""

    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Any]]

    def records(self) -> list[dict[str, Any]]:
        """The rows as dictionaries, for a JSON document."""
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]

    def cells(self) -> list[list[str]]:
        """The heading and the rows as a person reads them."""
        shown = [[column.cell(value) for column, value in zip(self.columns, row, strict=True)] for row in self.rows]
        return [[column.heading for column in self.columns], *shown]

    def widths(self) -> list[int]:
        """How wide each column is when nothing is folded."""
        return [max(len(cell) for cell in column) for column in zip(*self.cells(), strict=True)]

    def least_widths(self) -> list[int]:
        """How narrow each column can be: prose is folded at its words, a figure or a date never is."""
        return [
            max(len(cell) if column.right else max(map(len, cell.split()), default=0) for cell in cells)
            for column, cells in zip(self.columns, zip(*self.cells(), strict=True), strict=True)
        ]

    def within(self, width: int) -> "Grid":
        """The grid without its optional columns if it would not fit otherwise."""
        needed = sum(self.widths()) + len(_GAP) * (len(self.columns) - 1)
        if needed <= width:
            return self
        needed_columns = [index for index, column in enumerate(self.columns) if not column.optional]
        return Grid(
            tuple(self.columns[index] for index in needed_columns),
            [[row[index] for index in needed_columns] for row in self.rows],
        )


class Line(NamedTuple):
    """One line of text; an empty one separates."""

    text: str = ""
    style: Style = ""


class Result(NamedTuple):
    """What a command found, in the shape that each format needs.

    `document` is the JSON document without its `schema_version`; `grid` is the CSV and the Markdown table, and the
    text too unless `text` says it better; `verbatim` holds formats of the command's own.
    """

    document: Mapping[str, Any]
    grid: Grid
    text: Sequence[Line | Grid] | None = None
    verbatim: Mapping[Format, str] = MappingProxyType({})


class Stream(NamedTuple):
    """Rows under columns that come block by block, so that a long result need not be in memory at once.

    `head` and `tail` stand in the JSON document before and behind its `rows`.
    """

    columns: tuple[Column, ...]
    blocks: Iterator[Sequence[Sequence[Any]]]
    head: Mapping[str, Any]
    tail: Mapping[str, Any]


class Output:
    """Where one command's results, warnings and progress go. stdout carries results and nothing else."""

    def __init__(
        self,
        format_: Format = "text",
        *,
        quiet: bool = False,
        log_format: LogFormat = "text",
        lake: str | None = None,
    ) -> None:
        self.format: Format = "text" if format_ == "table" else format_
        self.quiet = quiet
        self.log_format: LogFormat = log_format
        self.lake = lake
        self.origin: Callable[[], bool | None] = _unknown
        self.typed: frozenset[str] = frozenset()  # the options that stand in the command line

    # Results

    def tell(self, result: Result) -> None:
        """Print what was done. With --quiet only a program hears of it: to a person errors are said, on stderr."""
        if not (self.quiet and self.format == "text"):
            self.show(result)

    def show(self, result: Result, *, to: Path | None = None) -> None:
        """Print a result in the chosen format, or write it to a file."""
        result = self._marked(result)
        text = self._machine_text(result)
        blocks = [self._naming_lake(block) for block in ([result.grid] if result.text is None else result.text)]
        if to and to != STANDARD_STREAM:
            _write(to, _plain_text(blocks) if text is None else text)
        elif text is not None:
            _print(text, machine=True)
        # Unstyled lines are the same anywhere, and rich takes a tenth of a second to import.
        elif _is_terminal(sys.stdout) and any(not isinstance(block, Line) or block.style for block in blocks):
            _print_rich(blocks)
        else:
            _print(_plain_text(blocks))

    def stream(self, rows: Stream) -> None:
        """Print rows as they come, until there are no more or nobody reads them."""
        first = next(rows.blocks)
        second = next(rows.blocks, None)
        if second is None and self.format == "text":
            self.show(Result({}, Grid(rows.columns, first)))
            return
        blocks = chain([first], [] if second is None else [second], rows.blocks)
        texts = _STREAMED.get(self.format, _text_blocks)(rows._replace(blocks=blocks))
        all(_print(text, machine=self.format != "text") for text in texts)

    def lines(self, texts: Sequence[str]) -> bool:
        """Print lines as they are, whatever the format; False once nobody reads them any more."""
        return _print("".join(f"{text}\n" for text in texts))

    @contextmanager
    def binary(self) -> Iterator[BinaryIO]:
        """Standard output for what writes bytes by itself; it ends quietly once nobody reads them any more."""
        with Path(os.devnull).open("wb") as nothing, output_errors():
            stream = nothing if sys.stdout is None else sys.stdout.buffer
            yield stream
            stream.flush()

    def _marked(self, result: Result) -> Result:
        """The result with what says that a market was simulated: a line, a column, a value of the document."""
        simulated = self.origin()
        if simulated is None:
            return result
        text = [result.grid] if result.text is None else result.text
        if simulated and not any(isinstance(one, Line) and one.text.startswith("SIMULATED") for one in text):
            text = [Line(SIMULATED, "warn"), *text]
        return result._replace(
            document={**result.document, "simulated": simulated or bool(result.document.get("simulated"))},
            grid=_with_origin(result.grid, simulated),
            text=text,
        )

    def _naming_lake(self, block: "Line | Grid") -> "Line | Grid":
        return block._replace(text=with_lake(block.text, self.lake)) if isinstance(block, Line) else block

    def _machine_text(self, result: Result) -> str | None:
        """The result in a format that is the same everywhere; None if it is text for people."""
        if self.format in result.verbatim:
            return result.verbatim[self.format]
        if self.format == "json":
            return json_text({"schema_version": SCHEMA_VERSION, **result.document})
        if self.format == "csv":
            return csv_text(result.grid)
        return markdown_text(result.grid) if self.format == "markdown" else None

    # Beside the results

    def notice(self, text: str, **fields: Any) -> None:
        """Tell what happened on the way; nothing with --quiet."""
        _log.log(NOTICE, with_lake(text, self.lake), extra={"fields": fields})

    def warn(self, text: str, **fields: Any) -> None:
        """Tell what the reader of the result should know; nothing with --quiet."""
        _log.warning(with_lake(text, self.lake), extra={"fields": fields})

    @contextmanager
    def progress(self, label: str, unit: str = "date") -> Iterator["Progress"]:
        """Somebody to tell the progress of long work: a live display on a terminal, a line now and then elsewhere."""
        progress = self._progress(label, unit)
        try:
            yield progress
        finally:
            progress.finish()

    def ends_early(self, request: Callable[[], None]) -> AbstractContextManager[None]:
        """While the block runs, Ctrl-C or SIGTERM calls `request`; a second one kills."""
        return signals_as_request(request)

    def _progress(self, label: str, unit: str) -> "Progress":
        from mag7cli.cli import progress_display
        from mag7cli.core.progress import NoProgress

        if self.quiet:
            return NoProgress()
        if self.log_format == "text" and _is_terminal(sys.stderr):
            return progress_display.Live(label, unit)
        return progress_display.LoggedProgress(label, unit)


def say_failure(message: str, *, code: int, hint: str | None = None, as_json: bool = False) -> None:
    """Tell on stderr, in one line and a hint, why the command ends; as one line of JSON on demand."""
    sentence = one_line(message)
    advice = one_line(hint) if hint else None
    now = time.time()
    if as_json:
        text = json_text(_log_record(now, sentence, code, advice), indent=False)
    else:
        start = stamp(now)
        sentences = [f"{start}Error: {sentence}", *([f"{start}Hint: {advice}"] if advice else [])]
        text = "".join(f"{on_terminal(sentence)}\n" for sentence in sentences)
    try:
        if sys.stderr is not None:
            sys.stderr.write(text)
            sys.stderr.flush()
    except OSError:
        _silence(sys.stderr)


def _log_record(moment_s: float, message: str, code: int, hint: str | None) -> dict[str, Any]:
    """The failure in the shape of every line of a log in JSON, its code and hint beside it."""
    shape = {"timestamp": utc(moment_s), "level": "error", "logger": __name__, "message": message}
    return {**shape, "error": message, "code": code, "hint": hint}


def _unknown() -> None:
    """Nothing is known of whose figures these are."""


def _with_origin(grid: Grid, simulated: bool) -> Grid:
    """The rows with a last column that says whether their market was simulated, unless one says it already."""
    if not grid.columns or any(column.name == "simulated" for column in grid.columns):
        return grid
    return Grid((*grid.columns, Column("simulated")), [[*row, simulated] for row in grid.rows])


def one_line(text: str) -> str:
    """The text on one line, with nothing in it that a terminal would obey."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in " ".join(text.split()))


# Formats


def json_text(document: Mapping[str, Any], *, indent: bool = True) -> str:
    """The document as JSON; a decimal is a number with all of its digits, whatever a reader can hold of them."""
    import orjson

    options = orjson.OPT_APPEND_NEWLINE | (orjson.OPT_INDENT_2 if indent else 0)
    return orjson.dumps(document, default=_json_value, option=options).decode()


def _json_value(value: Any) -> Any:
    if type(value).__name__ == "Decimal" and value.is_finite():
        import orjson

        return orjson.Fragment(plain(value))
    return value.hex() if isinstance(value, bytes) else str(value)


def csv_text(grid: Grid, *, has_heading: bool = True) -> str:
    """The grid as CSV; an unknown value is an empty field."""
    import csv

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if has_heading:
        writer.writerow([column.name for column in grid.columns])
    writer.writerows([[_csv_value(value) for value in row] for row in grid.rows])
    return text.getvalue()


def _csv_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else plain(value)


def markdown_text(grid: Grid) -> str:
    """The grid as a Markdown table."""
    heading, *rows = grid.cells()
    rule = ["---:" if column.right else "---" for column in grid.columns]
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in [heading, rule, *rows]]
    return "".join(f"| {' | '.join(row)} |\n" for row in escaped)


# Formats of rows that come block by block


def _csv_blocks(rows: Stream) -> Iterator[str]:
    yield csv_text(Grid(rows.columns, ()))
    for block in rows.blocks:
        yield csv_text(Grid(rows.columns, block), has_heading=False)


def _markdown_blocks(rows: Stream) -> Iterator[str]:
    yield markdown_text(Grid(rows.columns, ()))
    for block in rows.blocks:
        yield markdown_text(Grid(rows.columns, block)).split("\n", 2)[2]


def _json_blocks(rows: Stream) -> Iterator[str]:
    """The document that `json_text` makes of all rows, in pieces."""
    head = json_text({"schema_version": SCHEMA_VERSION, **rows.head})
    yield head.removesuffix("\n}\n") + ',\n  "rows": ['
    between = "\n"
    for block in filter(None, rows.blocks):
        records = json_text({"": Grid(rows.columns, block).records()})
        yield between + records.removeprefix('{\n  "": [\n').removesuffix("\n  ]\n}\n")
        between = ",\n"
    tail = json_text(rows.tail).removeprefix("{\n")
    yield ("],\n" if between == "\n" else "\n  ],\n") + tail


def _text_blocks(rows: Stream) -> Iterator[str]:
    """Aligned by the first block; a longer cell further down keeps all of itself, out of line.

    On a terminal that is too narrow for the first block, a column a line.
    """
    first = next(rows.blocks)
    widths = Grid(rows.columns, first).widths()
    room = rich_console().width if _is_terminal(sys.stdout) else None
    if room is not None and sum(widths) + len(_GAP) * (len(widths) - 1) > room:
        for block in chain([first], rows.blocks):
            yield "".join(f"{line}\n" for line in (*expanded_lines(Grid(rows.columns, block), room), ""))
        return
    yield _aligned_text(Grid(rows.columns, first), widths)
    for block in rows.blocks:
        yield _aligned_text(Grid(rows.columns, block), widths).partition("\n")[2]


_STREAMED: Final[dict[Format, Callable[[Stream], Iterator[str]]]] = {
    "csv": _csv_blocks,
    "markdown": _markdown_blocks,
    "json": _json_blocks,
}


def _plain_text(blocks: Sequence[Line | Grid]) -> str:
    return "".join(f"{text}\n" for block in blocks for text in plain_lines(block))


def plain_lines(block: Line | Grid) -> list[str]:
    """The block as it stands in a pipe or a log: aligned, without colour."""
    if isinstance(block, Line):
        return [block.text]
    return _aligned_text(block, block.widths()).splitlines()


def _aligned_text(grid: Grid, widths: Sequence[int]) -> str:
    return "".join(f"{_GAP.join(_aligned(grid, row, widths)).rstrip()}\n" for row in grid.cells())


def _aligned(grid: Grid, row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    for column, cell, width in zip(grid.columns, row, widths, strict=True):
        yield cell.rjust(width) if column.right else cell.ljust(width)


# The terminal


def _is_terminal(stream: TextIO | None) -> bool:
    """True for a terminal that can do more than print."""
    return stream is not None and stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def is_terminal_output() -> bool:
    """Whether stdout is a terminal that can be drawn on."""
    return _is_terminal(sys.stdout)


def _print_rich(blocks: Sequence[Line | Grid]) -> None:
    from rich.text import Text

    console = rich_console()
    with output_errors():
        for block in blocks:
            parts = [block]
            if isinstance(block, Line):
                parts = [Line(text, block.style) for text in wrapped(block.text, console.width)]
            for part in parts:
                shown = rich_block(part, console)
                # Soft: what is too long for the terminal, such as a path, must not get line ends of ours.
                console.print(shown, soft_wrap=isinstance(shown, Text))


def rich_console() -> "Console":
    """The terminal behind stdout, which is given nothing to interpret."""
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False)


def rich_block(block: Line | Grid, console: "Console") -> "Text | Table":
    """The block as rich sets it at the width of a terminal."""
    from rich.text import Text

    if isinstance(block, Line):
        return Text(block.text, style=_RICH_STYLES[block.style])
    grid = block.within(console.width)
    if sum(grid.least_widths()) + len(_GAP) * (len(grid.columns) - 1) > console.width:
        return Text("\n".join(expanded_lines(block, console.width)))
    return _rich_table(grid, console)


def expanded_lines(grid: Grid, width: int) -> list[str]:
    """The rows one below another, a column a line, as psql writes them where they are too wide; an empty line between.

    A value that is too long for the room beside its heading stands below it.
    """
    names = max((len(column.heading) for column in grid.columns), default=0)
    records = [
        [
            line
            for column, value in zip(grid.columns, row, strict=True)
            for line in _expanded(column.heading, column.cell(value), names, width)
        ]
        for row in grid.rows
    ]
    return [line for record in records for line in (*record, "")][:-1]


def _expanded(heading: str, text: str, names: int, width: int) -> list[str]:
    room = width - names - len(_GAP)
    if max(map(len, text.split()), default=0) > room:
        return [heading, *wrapped(f"{_GAP}{text}", width)]
    first, *others = wrapped(text, room)
    indent = " " * (names + len(_GAP))
    return [f"{heading:<{names}}{_GAP}{first}".rstrip(), *(indent + line for line in others)]


def _rich_table(grid: Grid, console: "Console") -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, len(_GAP), 0, 0), pad_edge=False, header_style="bold", show_edge=False)
    crowded = sum(grid.widths()) + len(_GAP) * (len(grid.columns) - 1) > console.width
    for column, least, whole in zip(grid.columns, grid.least_widths(), grid.widths(), strict=True):
        table.add_column(
            column.heading,
            justify="right" if column.right else "left",
            no_wrap=not crowded or least == whole,
            min_width=least,
        )
    for row in grid.rows:
        cells = zip(grid.columns, row, strict=True)
        table.add_row(*[Text(column.cell(value), style=_tone(column, value)) for column, value in cells])
    return table


def _tone(column: Column, value: Any) -> str:
    return _RICH_STYLES[column.tone(value)] if column.tone else ""


# stdout, and files in its place


def _write(path: Path, text: str) -> None:
    """Whoever reads the file meanwhile sees the old text or the new. Raises StoreError."""
    with replacing(path) as stream:
        stream.write(text.encode())


def _print(text: str, *, machine: bool = False) -> bool:
    """Write to stdout; False if its reader has gone. `machine` text is UTF-8 whatever the locale says."""
    stream = sys.stdout
    if stream is None:
        return True
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8" if machine else None, errors="replace")
    flushed: list[str] = []
    with output_errors():
        stream.write(text)
        stream.flush()
        flushed.append(text)
    return bool(flushed)


@contextmanager
def output_errors() -> Iterator[None]:
    """A reader that has had enough (`| head`) is no error; a full disk behind stdout is one."""
    try:
        yield
    except BrokenPipeError:
        _silence(sys.stdout)
    except OSError as error:
        _silence(sys.stdout)
        raise Mag7Error(f"the output cannot be written: {error.strerror or error}") from error


def _silence(stream: TextIO) -> None:
    """Let what is still buffered go nowhere, or the interpreter would complain when it ends."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)
