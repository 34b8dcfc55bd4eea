"""How far the joins and leaves of the index are known, and how the list of a date is, in words. Pure."""

from datetime import date
from functools import cache
from typing import Final

from mag7cli.core import packaged_data

TABLE: Final = "index_changes"
"""The table of joins and leaves that is shipped with the package."""

_CONFIRMED: Final = "confirmed_until: "


@cache
def confirmed_until() -> date:
    """The last day for which the table was compared with a fund's file; of later changes it knows nothing."""
    comments = packaged_data.provenance(TABLE)
    return next(
        date.fromisoformat(comment.removeprefix(_CONFIRMED)) for comment in comments if comment.startswith(_CONFIRMED)
    )


def how_known(kind: str | None, as_of: date | None) -> str:
    """How the list of a date is known, and how far the knowledge of joins and leaves reaches, in words."""
    words = {
        "observed": f"the holdings file of {as_of}",
        "history": f"in force since {as_of}",
        "nearest": f"the nearest list, of {as_of}",
        "bundled": f"the nearest list that comes with mag7, of {as_of}",
    }
    until = f"joins and leaves known until {confirmed_until()}"
    return f"{words.get(kind or '', 'a list of unknown origin')}; {until}"
