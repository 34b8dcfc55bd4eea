"""Texts that take long to make, kept in the user's cache folder: only ever copies, which can be deleted.

A file that is missing, cut short or of another version is made again.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path


def kept_text(name: str, make: Callable[[], str], folder: Path | None = None) -> str:
    """The text of this name, made if it is not kept yet; `folder` instead of the user's cache folder."""
    place = folder or cache_folder()
    if place is None:
        return make()
    return _kept(place / name) or _keep(place / name, make)


def cache_folder() -> Path | None:
    """Where the XDG base directory specification puts what can be made again; None for a process without a home."""
    base, home = os.environ.get("XDG_CACHE_HOME") or "", os.environ.get("HOME") or ""
    if Path(base).is_absolute():
        return Path(base) / "mag7"
    return Path(home) / ".cache" / "mag7" if home else None


def _kept(path: Path) -> str | None:
    """The text of a file whose first line is the hash of the rest; None for any other file."""
    try:
        digest, _, text = path.read_bytes().decode().partition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return text if digest == _digest(text) else None


def _keep(path: Path, make: Callable[[], str]) -> str:
    """Make the text, and keep it if the folder can be written."""
    text = make()
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(f"{_digest(text)}\n{text}".encode())
        part.replace(path)
    except OSError:
        return text  # a read-only home costs the next run some seconds, no more
    return text


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
