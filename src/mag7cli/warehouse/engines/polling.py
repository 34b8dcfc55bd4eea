"""Waiting for a statement that runs elsewhere: soon at first, then less and less often."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

Sleep = Callable[[float], None]
Answer = TypeVar("Answer")

_FIRST_S: Final = 0.1
_LONGEST_S: Final = 2.0
_FACTOR: Final = 1.5


def wait_until(ask: Callable[[], Answer | None], sleep: Sleep = time.sleep) -> Answer:
    """Ask again and again until there is an answer. The pauses grow from 0.1 to 2 seconds."""
    pause_s = _FIRST_S
    while (answer := ask()) is None:
        sleep(pause_s)
        pause_s = min(pause_s * _FACTOR, _LONGEST_S)
    return answer
