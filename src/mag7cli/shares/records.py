"""What the share arithmetic is given, the vendor's answers, and what it says of a count that is not theirs."""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

Basis = Literal["weighted", "share_class", "cover_page", "last_known"]
"""What a count is taken from."""

DoubtKind = Literal["shares_jump", "shares_step", "split_undecided", "ratio_misfit", "cover_page_differs"]
"""The sorts of doubt about a count: docs/methodology.md says when each is raised."""

HONOURED_FROM: Final = date(2021, 10, 1)
"""From about here on the vendor's whole-company counts honour the date asked for; before, they may stand still."""


@dataclass(frozen=True, slots=True)
class ShareObservation:
    """What the vendor said of a line for one date: counts of the whole company and of the line's own class.

    `close` (USD) is the unadjusted one that the answer's own market cap implies, None if it names none.
    """

    on: date
    weighted: float | None
    share_class: float | None
    close: float | None = None


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Why a count is not the vendor's: `doubtful` if no rule explains it, so that the date is suspect.

    `kind` is the sort of doubt; `other` is the second candidate, where there is one besides the vendor's own count.
    `is_frozen` if the vendor's history stands still on the date; `is_converted` if the count was given in the share
    units of another day. The count may be off by `open_part` of itself, where that is known.
    """

    reason: str
    evidence: str
    doubtful: bool = False
    kind: DoubtKind = "shares_jump"
    other: float | None = None
    is_frozen: bool = False
    is_converted: bool = False
    open_part: float = 0.0
