"""Ctrl-C and SIGTERM: either unwinds the stack at once, or asks long work to end where nothing is lost."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType


@contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """Let SIGTERM unwind the stack as Ctrl-C does, so that locks are given back and files closed."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def signals_as_request(request: Callable[[], None]) -> Iterator[None]:
    """While the block runs, the first Ctrl-C or SIGTERM asks the work to end where nothing is lost; a second one kills.

    `request` is called between any two instructions of the main thread, so it must not take a lock.
    """
    if current_thread() is not main_thread():
        yield
        return

    def first(_number: int, _frame: FrameType | None) -> None:
        for number in before:
            signal.signal(number, signal.SIG_DFL)
        request()

    numbers = (signal.SIGINT, signal.SIGTERM)
    # What nohup or a shell's `&` told the program to ignore stays ignored.
    before = {number: signal.getsignal(number) for number in numbers if signal.getsignal(number) != signal.SIG_IGN}
    for number in before:
        signal.signal(number, first)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
