"""The installed `mag7` as people run it: in a pipe, and in a terminal of any width."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d ", re.MULTILINE)

MAG7 = str(Path(sys.executable).with_name("mag7"))

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
    ended = subprocess.run([MAG7, *words], cwd=cwd, env=variables, input=data, capture_output=True, timeout=60)
    log = ended.stderr.decode()
    return Ended(ended.returncode, ended.stdout.decode(), without_times(log), log)


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
    stdout = theirs if stdout_too else subprocess.PIPE
    process = subprocess.Popen(command, cwd=cwd, env=variables, stdin=theirs, stdout=stdout, stderr=theirs)
    os.close(theirs)
    shown = _read_terminal(ours, deadline=time.monotonic() + 60)
    piped = process.stdout.read().decode() if process.stdout else ""
    if process.stdout:
        process.stdout.close()
    return Ended(process.wait(timeout=10), piped, shown.replace("\r\n", "\n"))


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
