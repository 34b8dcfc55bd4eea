"""How often Python looks for objects that only refer to each other."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# By default it looks after every 700 new objects, of which one document has a thousand.
_SELDOM: Final = (100_000, 50, 100)


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Look seldom, while many objects are made that hold no circles: to look takes a tenth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], _SELDOM[0]), *_SELDOM[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
