"""`mag7` in processes that die at a chosen step of their writing: SIGKILL before a system call, or within a write.

A process that has imported everything forks for each run, since a thousand interpreters would take minutes to start.
Run as a program, this module is that process; `Mortal` starts it and talks to it.
"""

import gc
import io
import json
import os
import resource
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.simulators.command_line import without_times

KILLED = -signal.SIGKILL
TIMED_OUT = -signal.SIGALRM


@dataclass(frozen=True, slots=True)
class Death:
    """How a run ended: its exit code (KILLED for a killed one), its steps of writing so far, and what it said."""

    code: int
    steps: tuple[str, ...]
    said: str


class Mortal:
    """Runs `mag7`, and kills it where it is told to."""

    def __init__(self, env: dict[str, str], folder: Path, warm_up: Sequence[str] = ("dates", "--last", "1")) -> None:
        """`warm_up` is a command like those of the runs, done once in a lake of its own.

        What it imported and read from `data/`, which is most of what a short run costs, every run has then.
        """
        self.env = env
        self._folder = folder
        # One thread in the numeric libraries: nothing can be forked beside a second one.
        alone = {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.simulators.mortal", *warm_up],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**env, **alone}, text=True, bufsize=1,
        )  # fmt: skip
        assert self._answer() == "warm"

    def run(
        self,
        *words: str,
        lake: Path,
        die_at: int | None = None,
        within: bool = False,
        signals: Sequence[int] = (signal.SIGKILL,),
        die_after_s: float | None = None,
        env: Mapping[str, str] | None = None,
        largest_file: int | None = None,
        user: int | None = None,
    ) -> Death:
        """Run a command on a lake. It dies before its step `die_at` (the first is 0), or in the middle of it.

        `signals` are what it gets there, if it shall not be killed. After `die_after_s` seconds it dies wherever it is.
        `largest_file` in bytes is all that the disk has room for; `user` is whom the process runs as.
        """
        said = self._folder / "said"
        order = {
            "words": [*words, "--lake", str(lake)], "lake": str(lake), "said": str(said), "env": dict(env or {}),
            "die_at": die_at, "within": within, "signals": list(signals), "die_after_s": die_after_s,
            "largest_file": largest_file, "user": user,
        }  # fmt: skip
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order) + "\n")
        told = self._answer()
        return Death(told["code"], tuple(told["steps"]), without_times(said.read_text()))

    def _answer(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()


# What runs in the other process


class _Steps:
    """The system calls that change the lake, counted and told to the parent; the chosen one is not survived."""

    def __init__(self, order: dict[str, Any], told: int) -> None:
        self._lake = order["lake"]
        self._die_at = order["die_at"]
        self._within = order["within"]
        self._signals = order["signals"]
        self._told = told
        self._count = 0
        self._open: set[int] = set()
        self._real = {name: getattr(os, name) for name in ("open", "write", "close")}

    def install(self) -> None:
        """Stand in for the calls of `os`."""
        for name in ("replace", "rename", "link", "unlink", "remove", "mkdir", "rmdir"):
            setattr(os, name, self._counted(name, getattr(os, name)))
        os.open, os.write, os.close = self._opened, self._written, self._closed  # type: ignore[assignment]

    def _step(self, name: str, path: object, half: Callable[[], object] = lambda: None) -> None:
        self._real["write"](self._told, f"{name} {path}\n".encode())
        if self._count == self._die_at:
            if self._within:
                half()
            self._count += 1
            for number in self._signals:
                os.kill(os.getpid(), number)
        else:
            self._count += 1

    def _is_ours(self, path: object) -> bool:
        return str(path).startswith(self._lake)

    def _counted(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *others: Any, **more: Any) -> Any:
            if self._is_ours(path):
                self._step(name, path)
            return real(path, *others, **more)

        return call

    def _opened(self, path: Any, flags: int, *others: Any, **more: Any) -> int:
        writes = bool(flags & os.O_CREAT) and self._is_ours(path)
        if writes:
            self._step("open", path)
        handle: int = self._real["open"](path, flags, *others, **more)
        if writes:
            self._open.add(handle)
        return handle

    def _written(self, handle: int, data: Any) -> int:
        if handle in self._open:
            self._step("write", handle, lambda: self._real["write"](handle, bytes(data)[: len(data) // 2]))
        written: int = self._real["write"](handle, data)
        return written

    def _closed(self, handle: int) -> None:
        self._open.discard(handle)
        self._real["close"](handle)


def _live(order: dict[str, Any], told: int) -> None:
    """The life of a run, from the fork to its end."""
    said = os.open(order["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
    _Steps(order, told).install()
    os.environ.update(order["env"])
    if order["largest_file"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["largest_file"],) * 2)
    if order["user"] is not None:
        os.setgroups([])
        os.setgid(order["user"])
        os.setuid(order["user"])
    from mag7cli.cli import app

    if order["die_after_s"] is not None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, order["die_after_s"])
    code = 1
    try:
        app(order["words"])
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:  # noqa: BLE001  what an interpreter would do
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _warm_up(words: Sequence[str]) -> None:
    import mag7cli.collection.collector
    import mag7cli.lake.lock
    import mag7cli.vendors.polygon.client
    import mag7cli.vendors.retry  # noqa: F401
    from mag7cli.cli import app

    with redirect_stdout(io.StringIO()), suppress(SystemExit):
        app(list(words))
    gc.freeze()  # or each run would copy all that was imported to look for garbage in it


def _serve(words: Sequence[str]) -> None:
    """Fork a run for every order, and tell how it ended."""
    _warm_up(words)
    print(json.dumps("warm"), flush=True)
    for line in sys.stdin:
        receiver, told = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(receiver)
            _live(json.loads(line), told)
        os.close(told)
        with os.fdopen(receiver) as steps:
            found = steps.read().splitlines()
        _, status = os.waitpid(child, 0)
        print(json.dumps({"code": os.waitstatus_to_exitcode(status), "steps": found}), flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1:])
    os._exit(0)  # nothing is open, and the goodbyes of the libraries would be printed among the tests' lines
