"""Files that are written as a whole: whoever reads one meanwhile, or after a death, has the old bytes or the new."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from mag7cli.core.errors import StoreError


@contextmanager
def replacing(path: Path, *, make_folder: bool = False) -> Iterator[IO[bytes]]:
    """Write beside a file, and put it in its place once the block has ended well.

    Args:
        path: The file.
        make_folder: Make the folder that it lies in.

    Yields:
        What to write into.

    Raises:
        StoreError: It cannot be written; what was there is as it was.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w+b") as stream:
            yield stream
        part.replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
