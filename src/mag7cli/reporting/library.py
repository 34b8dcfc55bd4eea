"""The chart library as one script, for the page. Making it takes the renderer seconds, so it is kept between runs.

What is kept is only ever a copy: a file that is missing, cut short or of another version is made again.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

# The page needs one name of the library.
_NAMES: Final = "window.vegaEmbed = vegaEmbed;"


def script(renderer: Any, folder: Path | None = None) -> str:
    """The library; `folder` is where it is kept, the user's cache folder unless said otherwise."""
    versions = (
        f"{renderer.get_vega_version()}-{renderer.get_vegalite_versions()[-1]}-{renderer.get_vega_embed_version()}"
    )
    kept_in = folder or _cache_folder()
    if kept_in is None:
        return str(renderer.javascript_bundle(_NAMES))
    path = kept_in / f"vega-{versions}.js"
    return _kept(path) or _keep(path, lambda: str(renderer.javascript_bundle(_NAMES)))


def _cache_folder() -> Path | None:
    """Where the XDG base directory specification puts what can be made again; None for a process without a home."""
    base, home = os.environ.get("XDG_CACHE_HOME") or "", os.environ.get("HOME") or ""
    if Path(base).is_absolute():
        return Path(base) / "mag7"
    return Path(home) / ".cache" / "mag7" if home else None


def _kept(path: Path) -> str | None:
    """The script of a file whose first line is the hash of the rest; None for any other file."""
    try:
        digest, _, text = path.read_bytes().decode().partition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return text if digest == _digest(text) else None


def _keep(path: Path, make: Callable[[], str]) -> str:
    """Make the script, and keep it if the folder can be written."""
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
