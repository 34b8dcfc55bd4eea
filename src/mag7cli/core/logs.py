"""Log records as lines on stderr, for people or as JSON. Knows nothing of commands.

`NOTICE` stands between INFO and WARNING: what a command tells on its way without being asked to be verbose.
A record's own facts travel as `extra={"fields": {...}}`.
"""

import logging
import os
import sys
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO

from mag7cli.core.formatting import wrapped

LogFormat = Literal["text", "json"]

NOTICE: Final = 25

_FAMILY: Final = "mag7cli"
_PREFIXES: Final = {logging.WARNING: "Warning: ", logging.ERROR: "Error: ", logging.CRITICAL: "Error: "}

logging.addLevelName(NOTICE, "NOTICE")


def configure(log_format: LogFormat = "text", *, quiet: bool = False, verbosity: int = 0) -> None:
    """Send the records of this process to stderr, in place of an earlier call's choice.

    `quiet` leaves errors only. Verbosity 1 adds what mag7 does, 2 its details and what its libraries say.
    """
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _StderrHandler)]:
        root.removeHandler(handler)
    handler = _StderrHandler()
    handler.setFormatter(_JsonFormatter() if log_format == "json" else _TextFormatter())
    root.addHandler(handler)
    root.setLevel(_library_level(quiet, verbosity))
    logging.getLogger(_FAMILY).setLevel(_own_level(quiet, verbosity))


def _own_level(quiet: bool, verbosity: int) -> int:
    if quiet:
        return logging.ERROR
    return (NOTICE, logging.INFO)[verbosity] if verbosity < 2 else logging.DEBUG


def _library_level(quiet: bool, verbosity: int) -> int:
    if quiet:
        return logging.ERROR
    return logging.DEBUG if verbosity >= 2 else logging.WARNING


class _StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to what `sys.stderr` is at that moment: a live display puts itself there, to stay below the lines."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Pass over a stderr that nobody reads any more; anything else is a bug and is shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


class _TextFormatter(logging.Formatter):
    """What a person reads: warnings and errors say that they are, the chatter of -v says who and when."""

    def format(self, record: logging.LogRecord) -> str:
        message = super().format(record)
        if record.levelno >= NOTICE:
            return on_terminal(stamp(record.created) + _PREFIXES.get(record.levelno, "") + message)
        moment = datetime.fromtimestamp(record.created, UTC).astimezone()
        time = stamp(record.created) or f"{moment:%H:%M:%S} "
        return f"{time}{record.name.removeprefix(_FAMILY + '.')}: {message}"


def on_terminal(text: str) -> str:
    """The text broken at words where somebody watches; as it is where it goes to a log or a mail."""
    if sys.stderr is None or not sys.stderr.isatty():
        return text
    try:
        width = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        return text
    return "\n".join(wrapped(text, width or len(text)))


def stamp(moment_s: float) -> str:
    """What stands before a line: the time where it goes to a log or a mail, nothing where somebody watches."""
    if sys.stderr is None or sys.stderr.isatty():
        return ""
    return f"{datetime.fromtimestamp(moment_s, UTC).astimezone().isoformat(timespec='seconds')} "


def utc(moment_s: float) -> str:
    """A time as it stands in lines of JSON: `2024-12-13T23:00:00.000+00:00`."""
    return datetime.fromtimestamp(moment_s, UTC).isoformat(timespec="milliseconds")


class _JsonFormatter(logging.Formatter):
    """What a machine reads: one JSON object a line."""

    def __init__(self) -> None:
        super().__init__()
        # Milliseconds that a command without JSON does not spend.
        import json

        self._encode = json.JSONEncoder(default=str, ensure_ascii=False).encode

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "timestamp": utc(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields = getattr(record, "fields", None)
        if fields:
            entry["fields"] = fields
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return self._encode(entry)
