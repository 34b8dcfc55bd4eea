"""A fund's weight of the Mag 7 on a date, and the lines that belong together."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal

from mag7cli.market import symbology

Basis = Literal["file", "interpolated", "carried"]


@dataclass(frozen=True, slots=True)
class FundWeightDay:
    """A fund's weight of the Mag 7 on a date, percent by line: both lines of Alphabet.

    `as_of` is the day of the file behind it, the earlier of two; `basis` says whether it is the file's own figure.
    `return_pct` is what the fund gained since the date before by the prices of what its last file lists, percent,
    without dividends and costs; None where no file says that.
    """

    on: date
    fund: str
    as_of: date
    basis: Basis
    weights_pct: Mapping[str, float]
    return_pct: float | None = None

    @property
    def mag7_pct(self) -> float:
        """The Mag 7 together."""
        return sum(self.weights_pct.values())


@cache
def counted_lines() -> dict[str, str]:
    """The counted line of each line's company, by whose price all of its lines are moved."""
    companies = symbology.companies(symbology.known_constituents())
    return {security: company.counted for company in companies for security in (company.counted, *company.others)}
