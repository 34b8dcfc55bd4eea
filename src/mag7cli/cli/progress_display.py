"""What is shown of the progress of long work: a live display for a terminal, a line now and then for a log."""

import logging
import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from mag7cli.core.formatting import count, duration
from mag7cli.core.logs import NOTICE
from mag7cli.core.progress import Note

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

_LINE_EVERY_S: Final = 30.0
_LINE_EVERY_PCT: Final = 5.0
# Work that is over in seconds needs no twenty lines.
_LINE_NOT_BEFORE_S: Final = 5.0
_NARROW: Final = 60
_BETWEEN: Final = " · "

_log = logging.getLogger(__name__)


class _Standing:
    """What is known of the work: the count, and the newest of everything that was noted."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.total = 0
        self.done = 0
        self.note = Note()
        self._monotonic = monotonic
        self._started = self._noted_at = monotonic()

    def start(self, total: int) -> None:
        self.total, self.done, self._started = total, 0, self._monotonic()

    def learn(self, note: Note) -> None:
        """Take over what the note knows. Waiting and the time left are of the moment, the rest stays true."""
        old = self.note
        self.note = Note(
            note.doing or old.doing,
            old.calls if note.calls is None else note.calls,
            old.calls_per_minute if note.calls_per_minute is None else note.calls_per_minute,
            note.waiting_s,
            self._eta_after(note),
        )
        self._noted_at = self._monotonic()

    def _eta_after(self, note: Note) -> float | None:
        """What the note says of the time left; a count of calls without it takes back what was said before."""
        if note.eta_s is not None or note.calls is not None or self.note.eta_s is None:
            return note.eta_s
        return self.eta_s

    @property
    def eta_s(self) -> float | None:
        """Seconds left: as noted, less what has gone by since, or at the pace so far."""
        if self.note.eta_s is not None:
            return max(0.0, self.note.eta_s - (self._monotonic() - self._noted_at))
        if not 0 < self.done < self.total:
            return None
        return (self._monotonic() - self._started) / self.done * (self.total - self.done)

    def details(self) -> list[str]:
        """What stands behind the count, most important first."""
        note, eta = self.note, self.eta_s
        parts = [
            note.waiting_s and note.waiting_s >= 1 and f"waiting {duration(note.waiting_s)} for the plan",
            eta is not None and eta >= 1 and f"{duration(eta)} left",
            note.calls is not None and f"{count(note.calls)} calls",
            note.calls_per_minute is not None and f"{note.calls_per_minute:,.1f}/min",
        ]
        return [text for text in parts if text]

    def fields(self) -> dict[str, Any]:
        """The same for a machine."""
        known = {
            "done": self.done,
            "total": self.total,
            "doing": self.note.doing,
            "calls": self.note.calls,
            "calls_per_minute": self.note.calls_per_minute,
            "waiting_s": self.note.waiting_s,
            "eta_s": None if self.eta_s is None else round(self.eta_s, 1),
        }
        return {name: value for name, value in known.items() if value is not None}


class LoggedProgress:
    """A log line when 30 seconds have gone by, or 5 % and a few seconds, since the last; and one for the end."""

    def __init__(self, label: str, unit: str = "date", monotonic: Callable[[], float] = time.monotonic) -> None:
        self._label = label
        self._unit = unit
        self._monotonic = monotonic
        self._standing = _Standing(monotonic)
        self._lock = Lock()
        self._last_at = monotonic()
        self._last_done = 0
        self._said = False

    def start(self, total: int) -> None:
        """Count from nothing."""
        with self._lock:
            self._standing.start(total)
            self._last_at, self._last_done, self._said = self._monotonic(), 0, False

    def advance(self, steps: int = 1) -> None:
        """Count on."""
        with self._lock:
            self._standing.done += steps
            self._say_if_due()

    def note(self, note: Note) -> None:
        """Take over what is known."""
        with self._lock:
            self._standing.learn(note)
            self._say_if_due()

    def finish(self) -> None:
        """Say the end, if there was a middle."""
        with self._lock:
            if self._said and self._last_done != self._standing.done:
                self._say()
            self._said = False

    def _say_if_due(self) -> None:
        waited = self._monotonic() - self._last_at
        gained_pct = 100 * (self._standing.done - self._last_done) / max(self._standing.total, 1)
        if waited >= _LINE_EVERY_S or (gained_pct >= _LINE_EVERY_PCT and waited >= _LINE_NOT_BEFORE_S):
            self._say()

    def _say(self) -> None:
        standing = self._standing
        parts = [f"{count(standing.done)} of {count(standing.total)} {self._unit}s", *standing.details()]
        doing = f" {standing.note.doing}:" if standing.note.doing else ":"
        _log.log(NOTICE, "%s%s %s", self._label, doing, ", ".join(parts), extra={"fields": standing.fields()})
        self._last_at, self._last_done, self._said = self._monotonic(), standing.done, True


class Live:
    """A bar that stays on the last line of a terminal, log lines scrolling above it."""

    def __init__(self, label: str, unit: str = "date") -> None:
        self._label = label
        self._unit = unit
        self._standing = _Standing(time.monotonic)
        self._lock = Lock()
        self._display = _rich_progress()
        self._task = self._display.add_task(label, total=None, status="")

    def start(self, total: int) -> None:
        """Show the bar."""
        with self._lock:
            self._standing.start(total)
            self._display.update(self._task, total=total, completed=0)
            self._refresh()
        self._display.start()

    def advance(self, steps: int = 1) -> None:
        """Move the bar."""
        with self._lock:
            self._standing.done += steps
            self._refresh()

    def note(self, note: Note) -> None:
        """Show what is known."""
        with self._lock:
            self._standing.learn(note)
            self._refresh()

    def finish(self) -> None:
        """Take the bar away: what came of the work is said by the command."""
        self._display.stop()

    def _refresh(self) -> None:
        standing, room = self._standing, self._display.console.width - _bar_width(self._display.console.width)
        count_told = f"{count(standing.done)}/{count(standing.total)} {self._unit}s"
        doing = f"{self._label} {standing.note.doing or ''}".strip()
        if len(doing) + 1 + len(count_told) > room:
            doing = self._label
        status = _fitting([count_told, *standing.details()], room - len(doing) - 1)
        self._display.update(self._task, description=doing, completed=standing.done, status=status)


def _fitting(parts: Sequence[str], room: int) -> str:
    """As many of the parts, most important first, as there is room for."""
    text = parts[0]
    for part in parts[1:]:
        if len(text) + len(_BETWEEN) + len(part) <= room:
            text += _BETWEEN + part
    return text


def _bar_width(width: int) -> int:
    """The bar and the gap behind it: none where there is no room."""
    return 0 if width < _NARROW else min(30, width // 5) + 1


def _rich_progress() -> "RichProgress":
    """A line with what is being done, a bar, and what is known."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    console = Console(stderr=True, highlight=False, emoji=False)
    bar = _bar_width(console.width)
    return Progress(
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
        *([BarColumn(bar_width=bar - 1)] if bar else []),
        TextColumn("{task.fields[status]}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
        console=console,
        transient=True,
        refresh_per_second=5,
    )
