"""How long work tells where it stands: the `Progress` protocol. How it is shown is `progress_display`'s business."""

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
