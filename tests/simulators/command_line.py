"""The installed `mag7` as people run it: in a pipe, and in a terminal of any width."""

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Self

from tests.simulators.prepared_process import MAG7, begin, ended_within

_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d ", re.MULTILINE)

PATIENCE_S = 60

# A Friday evening after the close: what depends on today does not depend on when the tests run.
FROZEN_NOW = "2024-12-13T18:00:00-05:00"


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command said, and how it ended. `stderr` is without the times that stand before its lines in `log`."""

    code: int
    stdout: str
    stderr: str
    log: str = ""


def environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """A clean environment: no key, no configuration of the person who runs the tests."""
    return {"PATH": "/usr/bin:/bin", "HOME": str(home), "MAG7_NOW": FROZEN_NOW, **(extra or {})}


def mag7(*words: str, cwd: Path, env: Mapping[str, str] | None = None, stdin: str | bytes = "") -> Ended:
    """Run in a pipe. With `env`, nothing else is in the environment."""
    variables = environment(cwd) if env is None else dict(env)
    data = stdin.encode() if isinstance(stdin, str) else stdin
    with ThreadPoolExecutor(3) as streams, _Pipe() as stdin_, _Pipe() as stdout, _Pipe() as stderr:
        theirs = (stdin_.reader, stdout.writer, stderr.writer)
        process = begin([MAG7, *words], cwd, variables, [end.fileno() for end in theirs])
        for end in theirs:
            end.close()
        streams.submit(_write, stdin_.writer, data)
        said = [streams.submit(pipe.reader.readall) for pipe in (stdout, stderr)]
        code = ended_within(process, PATIENCE_S)
        answer, log = ((reading.result() or b"").decode() for reading in said)
    return Ended(code, answer, without_times(log), log)


class _Pipe:
    """Both ends of a pipe, closed when it is left."""

    def __init__(self) -> None:
        reader, writer = os.pipe()
        self.reader, self.writer = FileIO(reader, "r"), FileIO(writer, "w")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.reader.close()
        self.writer.close()


def _write(pipe: FileIO, data: bytes) -> None:
    """All of it; who does not read it need not."""
    with suppress(BrokenPipeError), pipe:
        while data:
            data = data[pipe.write(data) or 0 :]


def without_times(log: str) -> str:
    """The lines without the time that each begins with where stderr is no terminal."""
    return _TIME.sub("", log)


def mag7_in_terminal(
    *words: str, cwd: Path, columns: int = 100, env: Mapping[str, str] | None = None, stdout_too: bool = True
) -> Ended:
    """Run `mag7` with stderr, and stdout unless it is to be a pipe, on a terminal; its text is given as `stderr`."""
    return in_terminal([MAG7, *words], cwd=cwd, columns=columns, env=env, stdout_too=stdout_too)


def in_terminal(
    command: Sequence[str],
    *,
    cwd: Path,
    columns: int = 100,
    env: Mapping[str, str] | None = None,
    stdout_too: bool = True,
) -> Ended:
    """Run any command so. Raises TimeoutError if it does not end within a minute."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    variables = environment(cwd, {"TERM": "xterm-256color", **(env or {})})
    with _Pipe() as stdout:
        process = begin(command, cwd, variables, (theirs, theirs if stdout_too else stdout.writer.fileno(), theirs))
        os.close(theirs)
        stdout.writer.close()
        shown = _read_terminal(ours, deadline=time.monotonic() + PATIENCE_S)
        piped = (stdout.reader.readall() or b"").decode()
        return Ended(ended_within(process, 10), piped, shown.replace("\r\n", "\n"))


def _read_terminal(descriptor: int, deadline: float) -> str:
    found = b""
    try:
        while time.monotonic() < deadline:
            ready, _, _ = select.select([descriptor], [], [], 1)
            if not ready:
                continue
            chunk = os.read(descriptor, 65536)
            if not chunk:
                return found.decode()
            found += chunk
    except OSError:  # the last process on the terminal has closed it
        return found.decode()
    finally:
        os.close(descriptor)
    raise TimeoutError(found.decode())
