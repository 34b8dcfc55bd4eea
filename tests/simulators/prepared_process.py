"""`mag7` in a process of its own that is forked, not started: most of what a short command costs is importing.

Beside every process that runs tests stands one that has imported everything. It forks for each command, which gets
its own environment, folder, mask and descriptors, and ends as an interpreter ends. Run as a program, this module is
that process.
What an interpreter reads before it runs a line, as its locale, cannot be prepared.
"""

import atexit
import functools
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

MAG7 = str(Path(sys.executable).with_name("mag7"))
_READ_BY_THE_INTERPRETER = ("PYTHON", "LC_", "LANG", "LD_", "TZ")


@dataclass(slots=True)
class Prepared:
    """The process that forks. It runs one command at a time."""

    orders: socket.socket
    busy: threading.Lock


@dataclass(frozen=True, slots=True)
class Run:
    """A command that was forked; like a `subprocess.Popen` in what it can."""

    by: Prepared
    pid: int

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, negative for the signal that ended it; TimeoutError if it has none after `timeout` seconds."""
        self.by.orders.settimeout(timeout)
        code = int(_line(self.by.orders))
        self.by.busy.release()
        return code

    def kill(self) -> None:
        """Kill it; `wait` must follow."""
        os.kill(self.pid, signal.SIGKILL)


def begin(
    command: Sequence[str], cwd: Path, env: Mapping[str, str], descriptors: Sequence[int]
) -> "Run | subprocess.Popen[bytes]":
    """Begin a command with these as its stdin, stdout and stderr: forked if it can be, else started."""
    if command[0] == MAG7 and not any(name.startswith(_READ_BY_THE_INTERPRETER) for name in env):
        prepared = _prepared()
        if prepared.busy.acquire(blocking=False):
            return _fork(prepared, command, cwd, env, descriptors)
    stdin, stdout, stderr = descriptors
    return subprocess.Popen(command, cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr)


def ended_within(process: "Run | subprocess.Popen[bytes]", seconds: float) -> int:
    """The exit code of a command, which is killed if it takes longer than that; the error says so then."""
    try:
        return process.wait(seconds)
    except (TimeoutError, subprocess.TimeoutExpired):
        process.kill()
        process.wait()
        raise


def _fork(
    prepared: Prepared, command: Sequence[str], cwd: Path, env: Mapping[str, str], descriptors: Sequence[int]
) -> Run:
    prepared.orders.settimeout(None)
    socket.send_fds(prepared.orders, [b"."], descriptors)
    order = {"command": list(command), "cwd": str(cwd), "env": dict(env), "umask": _umask()}
    prepared.orders.sendall(json.dumps(order).encode() + b"\n")
    return Run(prepared, int(_line(prepared.orders)))


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


@functools.cache
def _prepared() -> Prepared:
    ours, theirs = socket.socketpair()
    # One thread in the numeric libraries: nothing can be forked beside a second one.
    env = {"PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, __file__, str(theirs.fileno())], env=env, pass_fds=[theirs.fileno()])
    theirs.close()
    atexit.register(process.wait, timeout=10)
    atexit.register(ours.close)
    return Prepared(ours, threading.Lock())


def _line(orders: socket.socket) -> bytes:
    """The next row, byte by byte: what stands behind it is for the next reader."""
    row = b""
    while not row.endswith(b"\n"):
        byte = orders.recv(1)
        if not byte:
            raise EOFError("the prepared process has ended")
        row += byte
    return row


# What runs in the other process


def _import_everything() -> None:
    """The program, and the libraries that it imports where it uses them."""
    import mag7cli

    libraries = ("boto3", "duckdb", "orjson", "pandas", "pyarrow.compute", "pyarrow.dataset", "pyarrow.parquet")
    modules = [found.name for found in walk_packages(mag7cli.__path__, "mag7cli.") if found.name != "mag7cli.__main__"]
    for name in (*libraries, "rich.console", "rich.table", *modules):
        import_module(name)


def _serve(orders: socket.socket) -> None:
    _import_everything()
    assert threading.active_count() == 1
    gc.collect()
    gc.freeze()  # or each run would copy all that was imported to look for garbage in it
    while True:
        byte, descriptors, _, _ = socket.recv_fds(orders, 1, 3)
        if not byte:
            return
        order = json.loads(_line(orders))
        child = os.fork()
        if child == 0:
            orders.close()
            os.umask(order["umask"])
            _live(order["command"], order["cwd"], order["env"], descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        with suppress(BrokenPipeError):
            orders.sendall(f"{child}\n".encode())
            _, status = os.waitpid(child, 0)
            orders.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _live(command: Sequence[str], cwd: str, env: Mapping[str, str], descriptors: Sequence[int]) -> None:
    """The life of a command, from the fork to its end."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    _open_streams()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = list(command)
    code = 1
    try:
        from mag7cli.__main__ import main

        main()
        code = 0
    except SystemExit as end:
        code = _exit_code(end)
    except BaseException:  # noqa: BLE001  what an interpreter would do
        traceback.print_exc()
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _exit_code(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1


def _open_streams() -> None:
    """The standard streams over the new descriptors, each opened as the interpreter opened the one it replaces."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        old = getattr(sys, f"__{name}__")
        new = open(  # noqa: SIM115
            number, "r" if number == 0 else "w", encoding=old.encoding, errors=old.errors, closefd=False
        )
        if name == "stderr":
            new.reconfigure(line_buffering=True)
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)


if __name__ == "__main__":
    sys.path[0] = str(Path(MAG7).parent)
    _serve(socket.socket(fileno=int(sys.argv[1])))
    os._exit(0)
