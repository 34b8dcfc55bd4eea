"""Files that people name on the command line, `-` being standard input: their bytes, and what messages call them."""

import sys
from pathlib import Path
from typing import Final

from mag7cli.core.errors import UsageError
from mag7cli.core.formatting import size

STANDARD_STREAM: Final = "-"

_LARGEST_BYTES: Final = 256 << 20  # a hundred times the holdings of the largest fund


def called(name: str) -> str:
    """What messages call a file."""
    return "standard input" if name == STANDARD_STREAM else name or "a file without a name"


def read_bytes(name: str) -> bytes:
    """The bytes of a file. Raises UsageError if it cannot be read, or does not end."""
    try:
        if name == STANDARD_STREAM:
            data = sys.stdin.buffer.read(_LARGEST_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{called(name)} cannot be read: {error.strerror}") from error
    if len(data) > _LARGEST_BYTES:
        raise UsageError(f"{called(name)} is larger than {size(_LARGEST_BYTES)}: no list of holdings is")
    return data
