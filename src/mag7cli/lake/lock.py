"""One run at a time: a lease on the lake, which a run that died does not hold for ever.

The lease is an object that names its holder and is renewed while it works. On the holder's own machine a dead process
is seen at once; from another machine a lease that was not renewed for some minutes counts as abandoned.

Work that is spread over processes that come and go (an execution of functions) holds the lake by a token instead:
`take` and `release` it, and every process `joined` to it renews the lease while it works.
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
# Between two functions an execution may wait for the vendor, which it does for a quarter of an hour at most.
_EXECUTION_ABANDONED_AFTER_S: Final = 3_600.0
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lake: `born` tells a process from a later one with the same number; times are epoch seconds.

    `lease_s` is how long after its last renewal the lease holds for others.
    """

    host: str
    pid: int
    born: str
    token: str
    what: str
    since: float
    renewed: float
    lease_s: float = _ABANDONED_AFTER_S


@contextmanager
def locked(lake: Lake, what: str, *, now: Callable[[], float] = time.time) -> Iterator[None]:
    """Hold the lake while the block runs. `what` is told to whoever comes second. Raises LockedError.

    What a run that died has left behind is removed first.
    """
    holder = Holder(_here(), os.getpid(), _born(os.getpid()), secrets.token_hex(8), what, now(), now())
    was_abandoned = _take(lake, holder, now)
    lake.store.sweep(deep=was_abandoned)
    try:
        with _renewed(lake, holder, now):
            yield
    finally:
        if _is_held_by(lake, holder):
            lake.store.delete(LOCK)


def take(lake: Lake, what: str, token: str, *, now: Callable[[], float] = time.time) -> None:
    """Hold the lake for an execution until `release`; taking it again with the same token renews the lease.

    Args:
        lake: The lake.
        what: Told to whoever comes second.
        token: Known to the processes of the execution only.
        now: The time in epoch seconds.

    Raises:
        LockedError: Another run or execution holds it.
    """
    holder = _execution(what, token, now())
    if not _renew_once(lake, holder, now()):
        _take(lake, holder, now)


def release(lake: Lake, token: str) -> bool:
    """Let go of the lake; False if the execution did not hold it any more."""
    present = holder_of(lake)
    if present is None or present.token != token:
        return False
    lake.store.delete(LOCK)
    return True


@contextmanager
def joined(lake: Lake, token: str, *, now: Callable[[], float] = time.time) -> Iterator[None]:
    """Work for the execution that holds the lake by this token, renewing its lease. Raises LockedError."""
    present = holder_of(lake)
    if present is None or present.token != token or not _renew_once(lake, present, now()):
        raise LockedError(
            f"{lake.store.uri('')} is not held by this execution any more",
            hint="start it again: what was written is kept",
        )
    with _renewed(lake, present, now):
        yield


def _execution(what: str, token: str, moment: float) -> Holder:
    return Holder(
        host="",
        pid=0,
        born="",
        token=token,
        what=what,
        since=moment,
        renewed=moment,
        lease_s=_EXECUTION_ABANDONED_AFTER_S,
    )


@contextmanager
def _renewed(lake: Lake, holder: Holder, now: Callable[[], float]) -> Iterator[None]:
    """Renew the lease from a thread of its own while the block runs."""
    done = threading.Event()
    renewal = threading.Thread(target=_renew, args=(lake, holder, done, now), daemon=True, name="mag7-lease")
    renewal.start()
    try:
        yield
    finally:
        done.set()
        renewal.join()


def holder_of(lake: Lake) -> Holder | None:
    """Who holds the lake; None if nobody does, or the lease cannot be read."""
    try:
        holder = Holder(**orjson.loads(lake.store.read(LOCK)))
        return replace(
            holder,
            pid=int(holder.pid),
            since=float(holder.since),
            renewed=float(holder.renewed),
            lease_s=float(holder.lease_s),
        )
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
            f"{lake.store.uri('')} is held by {other.what!r} ({_where(other)}, "
            f"since {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(other.since))})",
            hint="wait for it to end; a run that died is found out by itself",
        )
    try:
        lake.store.replace(LOCK, _encode(holder), version)
    except (KeyExistsError, KeyNotFoundError):
        return False
    return _is_held_by(lake, holder)


def _where(holder: Holder) -> str:
    return f"process {holder.pid} on {holder.host.partition('/')[0]}" if holder.host else "an execution of functions"


def _is_alive(other: Holder, host: str, now: float) -> bool:
    if other.host == host and other.born:
        return _born(other.pid) == other.born
    # A lease from the future was written by a clock that was wrong, and would hold until then.
    return abs(now - other.renewed) < other.lease_s


def _here() -> str:
    """This machine, as no other is called: names repeat (every Lambda function is `localhost`), boots do not.

    A Lambda environment is told apart by its log stream, which no other one writes to.
    """
    boot = ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return "/".join(filter(None, (socket.gethostname(), boot, os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME"))))


def _born(pid: int) -> str:
    """When a process of this machine started, in the kernel's ticks; empty if it is gone or the kernel does not say."""
    try:
        # The name in parentheses may hold anything; start time is the 20th field after it: proc(5).
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _is_held_by(lake: Lake, holder: Holder) -> bool:
    current = holder_of(lake)
    return current is not None and current.token == holder.token


def _renew(lake: Lake, holder: Holder, done: threading.Event, now: Callable[[], float]) -> None:
    while not done.wait(_RENEWED_EVERY_S):
        # A lake that cannot be written for a moment is for the run itself to report.
        with suppress(StoreError):
            _renew_once(lake, holder, now())


def _renew_once(lake: Lake, holder: Holder, moment: float) -> bool:
    """Renew the lease; False if somebody else, or nobody, has it."""
    held = _is_held_by(lake, holder)
    if held:
        lake.store.write(LOCK, _encode(holder, renewed=moment))
    return held


def _encode(holder: Holder, **changed: float) -> bytes:
    return orjson.dumps({**asdict(holder), **changed})
