"""What may keep a collection from working, found before it does: each check with what was found and what would help.

Nothing is changed but one object that is written to the lake and removed again. The cloud is `aws_doctor`'s business.
"""

import os
import re
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from mag7cli.core.clock import NOW_VARIABLE, Clock
from mag7cli.core.errors import ConfigError, Mag7Error, MarketDataError, PlanError
from mag7cli.core.extras import install_command
from mag7cli.core.formatting import counted, duration, size
from mag7cli.doctor.integrity import broken_answers
from mag7cli.lake.layout import Lake
from mag7cli.lake.lock import holder_of
from mag7cli.market import calendar
from mag7cli.tables.table_files import foreign_objects
from mag7cli.vendors.base import MarketDataSource
from mag7cli.vendors.subscription import Plan

State = Literal["ok", "warning", "failed"]

_DISTRIBUTION: Final = "mag7cli"
_REQUIREMENT_NAME: Final = re.compile(r"[\w.-]+")
_EXTRAS: Final = {"report": "vl_convert"}

# Any line that has traded for longer than the longest plan reaches back.
_OLD_LINE: Final = "MSFT"

# The vendor counts the free plan's window and its sessions by days: a clock a minute off asks for the wrong day.
_SKEW_S: Final = 60.0
_CALENDAR_AHEAD: Final = timedelta(days=60)
_SPACE: Final = 500_000_000
_PROBE: Final = ".mag7-doctor-"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `fix` is what helps if it is not in order."""

    check: str
    state: State
    outcome: str
    fix: str | None = None


def examine(
    lake: Callable[[], Lake],
    source: Callable[[], MarketDataSource],
    plan: Plan,
    clock: Clock,
    environ: Mapping[str, str],
) -> Iterator[Finding]:
    """Every check, each as soon as it is done. What cannot be made is a finding like any other."""
    yield _python()
    yield from _packages()
    yield from _extras()
    yield from _clock(environ)
    yield _calendar(clock.now().date())
    yield from _lake(lake)
    yield from _vendor(source, plan, clock)


def _checked(check: str, look: Callable[[], str]) -> Finding:
    """The finding of a check that says what it found or raises what is wrong."""
    try:
        return Finding(check, "ok", look())
    except Mag7Error as error:
        return Finding(check, "failed", str(error), error.hint)


# This machine


def _python() -> Finding:
    return Finding("python", "ok", f"{sys.version.split()[0]} on {sys.platform}")


def _packages() -> Iterator[Finding]:
    """The libraries that mag7 depends on, by the names they are installed under."""
    try:
        versions = {name: _version(name) for name in _required()}
    except metadata.PackageNotFoundError:
        yield Finding("packages", "warning", "not known: mag7 runs without being installed", "pip install mag7cli")
        return
    there = [f"{name} {version}" for name, version in versions.items() if version]
    missing = [name for name, version in versions.items() if not version]
    if missing:
        yield Finding("packages", "failed", f"not installed: {', '.join(missing)}", "pip install --upgrade mag7cli")
    else:
        yield Finding("packages", "ok", ", ".join(there))


def _required() -> Iterator[str]:
    """The names of what every installation needs; what has a marker belongs to an extra.

    Raises PackageNotFoundError if mag7 itself is not installed.
    """
    for requirement in metadata.requires(_DISTRIBUTION) or ():
        name = _REQUIREMENT_NAME.match(requirement)
        if name and ";" not in requirement:
            yield name[0]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _extras() -> Iterator[Finding]:
    for extra, module in _EXTRAS.items():
        if find_spec(module):
            yield Finding(f"extra {extra}", "ok", "installed")
        else:
            yield Finding(f"extra {extra}", "warning", "not installed", install_command(extra))


def _clock(environ: Mapping[str, str]) -> Iterator[Finding]:
    if environ.get(NOW_VARIABLE):
        yield Finding("clock", "warning", f"stands still: {NOW_VARIABLE} is set", f"unset {NOW_VARIABLE}")


def _calendar(today: date) -> Finding:
    """Whether the shipped sessions reach far enough ahead."""
    until = calendar.known_until()
    reach = f"sessions are known until {until}"
    if until - today < _CALENDAR_AHEAD:
        return Finding("calendar", "warning", reach, "pip install --upgrade mag7cli")
    return Finding("calendar", "ok", reach)


# The lake


def _lake(lake: Callable[[], Lake]) -> Iterator[Finding]:
    """Whether the lake can be written, who holds it, and how much room there is."""
    try:
        place = lake()
    except Mag7Error as error:
        yield Finding("lake", "failed", str(error), error.hint)
        return
    root = place.store.local_root
    if root is not None and not root.exists():
        yield _place_of_new_lake(root)
        return
    yield _checked("lake", lambda: _written(place))
    yield from _foreign(place)
    yield _checked("answers", lambda: _answers(place))
    holder = holder_of(place)
    if holder:
        yield Finding(
            "lock", "warning", f"{holder.what} (process {holder.pid} on {holder.host}) is at work", "wait for it to end"
        )
    if root is not None:
        yield _space(root)


def _foreign(lake: Lake) -> Iterator[Finding]:
    """Objects that mag7 did not write: no command reads them, but other engines may."""
    try:
        keys = [info.key for info in foreign_objects(lake)]
    except Mag7Error as error:
        yield Finding("foreign objects", "failed", str(error), error.hint)
        return
    if keys:
        found = f"{counted(len(keys), 'object')} that mag7 did not write, the first is {keys[0]}"
        yield Finding("foreign objects", "warning", found, "mag7 verify names all; move them out of the lake")


def _answers(lake: Lake) -> str:
    """How much of what the vendor answered can be read: a collection goes on with it. Raises Mag7Error."""
    if lake.store.local_root is None:
        return "not looked at on S3, where it takes hundreds of requests; mag7 verify does"
    broken = list(broken_answers(lake))
    if broken:
        what = f"{counted(len(broken), 'file')} damaged; the first is {broken[0].key}: {broken[0].reason}"
        raise Mag7Error(what, hint="mag7 verify names all")
    files = counted(len(lake.reference_files("")), "file")
    return f"{files} can be read; mag7 verify also reads documents and tables"


def _place_of_new_lake(root: Path) -> Finding:
    """Whether a lake that is not there yet could be made; it is not made."""
    folder = next(parent for parent in root.absolute().parents if parent.exists())
    if os.access(folder, os.W_OK | os.X_OK):
        return Finding("lake", "ok", f"{root} is made by the first command that writes")
    return Finding("lake", "failed", f"{root} cannot be made: {folder} is not writable", "choose another --lake")


def _written(lake: Lake) -> str:
    """Write an object, read it back, remove it. Raises StoreError."""
    key = f"{_PROBE}{secrets.token_hex(8)}"
    lake.store.create(key, b"probe")
    try:
        lake.store.read(key)
    finally:
        lake.store.delete(key)
    return f"{lake.store.uri('')} can be written"


def _space(root: Path) -> Finding:
    from shutil import disk_usage

    free = disk_usage(root).free
    if free < _SPACE:
        return Finding("disk", "warning", f"{size(free)} free", "free some space, or choose another --lake")
    return Finding("disk", "ok", f"{size(free)} free")


# The vendor


def _vendor(source: Callable[[], MarketDataSource], plan: Plan, clock: Clock) -> Iterator[Finding]:
    """Whether there is a key, whether the vendor takes it, whether the clocks agree, and how far back it reaches."""
    try:
        vendor = source()
    except (MarketDataError, ConfigError) as error:
        yield Finding("key", "failed", str(error), error.hint)
        return
    yield Finding("key", "ok", "there is one")
    try:
        server_time = vendor.status().server_time
    except MarketDataError as error:
        yield Finding("vendor", "failed", str(error), error.hint)
        return
    yield Finding("vendor", "ok", "takes the key, and is simulated" if vendor.simulated else "takes the key")
    if vendor.simulated:  # it has a day of its own
        return
    yield _skew(server_time, clock.now())
    yield Finding("rate", "ok", f"{plan.rate}, as the plan {plan.name} allows")
    yield _depth(vendor, plan, clock)


def _skew(server_time: str, now: datetime) -> Finding:
    """How far this machine's clock is from the vendor's."""
    try:
        skew_s = abs((datetime.fromisoformat(server_time) - now).total_seconds())
    except (ValueError, TypeError):
        return Finding("clock skew", "warning", f"the vendor's time {server_time!r} cannot be read")
    if skew_s > _SKEW_S:
        return Finding(
            "clock skew", "failed", f"{duration(skew_s)} from the vendor's", "set this machine's clock by NTP"
        )
    return Finding("clock skew", "ok", f"{skew_s:.0f} s from the vendor's")


def _depth(vendor: MarketDataSource, plan: Plan, clock: Clock) -> Finding:
    """Whether the key reaches as far back as its plan says: one call, for the first week of the plan's window."""
    first = calendar.next_session(plan.first_date(clock.now().date()))
    fix = 'name the key\'s plan with --plan or MAG7_PLAN, or plan = "…" in mag7.toml'
    try:
        bars = vendor.bars(_OLD_LINE, first, first + timedelta(days=7))
    except PlanError as error:
        return Finding("history", "failed", str(error), fix)
    except MarketDataError as error:
        return Finding("history", "failed", str(error), error.hint)
    if not bars:
        return Finding("history", "failed", f"nothing is served for {first}, as the plan {plan.name} promises", fix)
    return Finding("history", "ok", f"reaches back to {first}, as the plan {plan.name} promises")
