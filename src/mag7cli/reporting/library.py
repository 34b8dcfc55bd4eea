"""The chart library as one script, for the page. Making it takes the renderer seconds, so it is kept between runs.

What is kept is only ever a copy: a file that is missing, cut short or of another version is made again.
"""

from pathlib import Path
from typing import Any, Final

from mag7cli.core import user_cache

# The page needs one name of the library.
_NAMES: Final = "window.vegaEmbed = vegaEmbed;"


def script(renderer: Any, folder: Path | None = None) -> str:
    """The library; `folder` is where it is kept, the user's cache folder unless said otherwise."""
    versions = (
        f"{renderer.get_vega_version()}-{renderer.get_vegalite_versions()[-1]}-{renderer.get_vega_embed_version()}"
    )
    return user_cache.kept_text(f"vega-{versions}.js", lambda: str(renderer.javascript_bundle(_NAMES)), folder)
