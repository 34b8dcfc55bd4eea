"""One run at a time: a lease on the lake, which a run that died does not hold for ever.

The lease is an object that names its holder and is renewed while it works. On the holder's own machine a dead process
is seen at once; from another machine a lease that was not renewed for some minutes counts as abandoned.
"""

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import orjson

from mag7cli.core.errors import KeyExistsError, KeyNotFoundError, LockedError, StoreError
from mag7cli.lake.layout import LOCK, Lake

_RENEWED_EVERY_S: Final = 30.0
_ABANDONED_AFTER_S: Final = 300.0
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lake: `born` tells a process from a later one with the same number; times are epoch seconds."""

    host: str
    pid: int
    born: str
    token: str
    what: str
    since: float
    renewed: float


@contextmanager
def locked(lake: Lake, what: str, *, now: Callable[[], float] = time.time) -> Iterator[None]:
    """Hold the lake while the block runs. `what` is told to whoever comes second. Raises LockedError.

    What a run that died has left behind is removed first.
    """
    holder = Holder(socket.gethostname(), os.getpid(), _born(os.getpid()), secrets.token_hex(8), what, now(), now())
    was_abandoned = _take(lake, holder, now)
    lake.store.sweep(deep=was_abandoned)
    done = threading.Event()
    renewal = threading.Thread(target=_renew, args=(lake, holder, done, now), daemon=True, name="mag7-lease")
    renewal.start()
    try:
        yield
    finally:
        done.set()
        renewal.join()
        if _is_held_by(lake, holder):
            lake.store.delete(LOCK)


def holder_of(lake: Lake) -> Holder | None:
    """Who holds the lake; None if nobody does, or the lease cannot be read."""
    try:
        found = Holder(**orjson.loads(lake.store.read(LOCK)))
        return replace(found, pid=int(found.pid), since=float(found.since), renewed=float(found.renewed))
    except (KeyNotFoundError, orjson.JSONDecodeError, TypeError, ValueError):
        return None


def _take(lake: Lake, holder: Holder, now: Callable[[], float]) -> bool:
    """Take the lease; True if a run that died held it."""
    for _ in range(_TRIES):
        try:
            lake.store.create(LOCK, _encode(holder))
            return False
        except KeyExistsError:
            if _take_over(lake, holder, now):
                return True
    raise LockedError(f"{lake.store.uri(LOCK)} changes hands too fast", hint="try again in a minute")


def _take_over(lake: Lake, holder: Holder, now: Callable[[], float]) -> bool:
    """Replace the lease of a run that died; False if it changed meanwhile. Raises LockedError if its run lives."""
    try:
        version = lake.store.info(LOCK).version
    except KeyNotFoundError:
        return False
    other = holder_of(lake)
    if other is not None and _is_alive(other, holder.host, now()):
        raise LockedError(
            f"{lake.store.uri('')} is held by {other.what!r} (process {other.pid} on {other.host}, "
            f"since {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(other.since))})",
            hint="wait for it to end; a run that died is found out by itself",
        )
    try:
        lake.store.replace(LOCK, _encode(holder), version)
    except (KeyExistsError, KeyNotFoundError):
        return False
    return _is_held_by(lake, holder)


def _is_alive(other: Holder, host: str, now: float) -> bool:
    if other.host == host and other.born:
        return _born(other.pid) == other.born
    # A lease from the future was written by a clock that was wrong, and would hold until then.
    return abs(now - other.renewed) < _ABANDONED_AFTER_S


def _born(pid: int) -> str:
    """When a process of this machine started, in the kernel's ticks; empty if it is gone or the kernel does not say."""
    try:
        # The name in parentheses may hold anything; start time is the 20th field after it: proc(5).
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _is_held_by(lake: Lake, holder: Holder) -> bool:
    found = holder_of(lake)
    return found is not None and found.token == holder.token


def _renew(lake: Lake, holder: Holder, done: threading.Event, now: Callable[[], float]) -> None:
    while not done.wait(_RENEWED_EVERY_S):
        # A lake that cannot be written for a moment is for the run itself to report.
        with suppress(StoreError):
            if _is_held_by(lake, holder):
                lake.store.write(LOCK, _encode(holder, renewed=now()))


def _encode(holder: Holder, **changed: float) -> bytes:
    return orjson.dumps({**asdict(holder), **changed})
