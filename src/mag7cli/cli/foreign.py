"""How commands say that a lake has objects that are not mag7's."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from mag7cli.cli.output import Output
from mag7cli.core.formatting import counted

if TYPE_CHECKING:
    from mag7cli.lake.layout import Lake

_NAMED: Final = 3


def warn_of_foreign(output: Output, lake: "Lake", *zones: str) -> None:
    """Say so if there are such objects in these folders of a lake."""
    from mag7cli import library

    keys = library.foreign_objects(lake, zones=zones)
    if keys:
        output.warn(foreign_sentence(keys), foreign=keys)


def foreign_sentence(keys: Sequence[str]) -> str:
    """Names the first of the objects, and says that none was read."""
    more = len(keys) - _NAMED
    names = ", ".join(keys[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
    return f"Passed over {counted(len(keys), 'object')} that mag7 did not write: {names}."
