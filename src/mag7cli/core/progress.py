"""How long work tells where it stands: `Progress` and `Listener`. How that is shown is the command line's business."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Note:
    """What is worth knowing besides the count. None: unknown, or unchanged since the last note.

    `doing` is what is being worked on, such as a trading date; `waiting_s` is how long the plan's rate makes us wait.
    """

    doing: str | None = None
    calls: int | None = None
    calls_per_minute: float | None = None
    waiting_s: float | None = None
    eta_s: float | None = None


class Progress(Protocol):
    """Told by the work, from any of its threads."""

    def start(self, total: int) -> None:
        """The work has `total` steps."""
        ...

    def advance(self, steps: int = 1) -> None:
        """So many steps more are done."""
        ...

    def note(self, note: Note) -> None:
        """Something worth showing has changed."""
        ...

    def finish(self) -> None:
        """The work is over, well or badly; may be called twice."""
        ...


class NoProgress:
    """Tells nobody."""

    def start(self, total: int) -> None:
        """Say nothing."""

    def advance(self, steps: int = 1) -> None:
        """Say nothing."""

    def note(self, note: Note) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Say nothing."""


class Listener(Protocol):
    """Who hears of long work: its sentences, its progress, and the wish to end it early."""

    def notice(self, text: str) -> None:
        """A sentence that is good to know, such as what a run is about to do."""
        ...

    def warn(self, text: str) -> None:
        """A sentence that should be read, such as that a range was cut."""
        ...

    def progress(self, label: str, unit: str = "date") -> AbstractContextManager[Progress]:
        """What is told of the work while the block runs."""
        ...

    def ends_early(self, request: Callable[[], None]) -> AbstractContextManager[None]:
        """While the block runs, `request` may be called at any time to end the work where nothing is lost."""
        ...


class Silence:
    """Hears nothing, and never ends the work: the default of the library."""

    def notice(self, text: str) -> None:
        """Say nothing."""

    def warn(self, text: str) -> None:
        """Say nothing."""

    def progress(self, label: str, unit: str = "date") -> AbstractContextManager[Progress]:
        """Show nothing."""
        return nullcontext(NoProgress())

    def ends_early(self, request: Callable[[], None]) -> AbstractContextManager[None]:
        """Let the work go on."""
        return nullcontext()
