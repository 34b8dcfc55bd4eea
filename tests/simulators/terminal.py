"""The command line called in this process, in a pipe or on a pseudo-terminal: a look at it costs no new interpreter."""

import fcntl
import io
import logging
import os
import pty
import re
import struct
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from threading import Thread
from typing import TextIO

from mag7cli.cli import app

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Look:
    """What was to be read, stdout and stderr in one, and the exit code."""

    code: int
    text: str


def in_pipe(words: Sequence[str]) -> Look:
    """Run in the current folder with both streams in a pipe."""
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="utf-8", write_through=True)
    return Look(_run(words, stream), written.getvalue().decode())


def on_terminal(words: Sequence[str], columns: int) -> Look:
    """Run in the current folder with both streams on a terminal of that width, which COLUMNS has to name as well."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    chunks: list[bytes] = []
    reader = Thread(target=lambda: chunks.extend(_chunks(ours)))
    reader.start()
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        code = _run(words, stream)
    reader.join(timeout=10)
    os.close(ours)
    return Look(code, _ESCAPES.sub("", b"".join(chunks).decode()).replace("\r\n", "\n"))


def _chunks(descriptor: int) -> Iterator[bytes]:
    try:
        while chunk := os.read(descriptor, 65536):
            yield chunk
    except OSError:  # the terminal was closed
        return


def _run(words: Sequence[str], stream: TextIO) -> int:
    with redirect_stdout(stream), redirect_stderr(stream), _logs_restored():
        try:
            app(list(words))
        except SystemExit as end:
            return int(end.code or 0)
    raise AssertionError("the program ends by exiting")


@contextmanager
def _logs_restored() -> Iterator[None]:
    """Whatever the command sets of the logs of this process is set back."""
    loggers = [logging.getLogger(), logging.getLogger("mag7cli")]
    before = [(logger, list(logger.handlers), logger.level) for logger in loggers]
    try:
        yield
    finally:
        for logger, handlers, level in before:
            logger.handlers[:] = handlers
            logger.setLevel(level)
