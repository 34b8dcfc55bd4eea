"""The sector of a line of the index on a date: the table of lines, and the dated changes of the classification."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

from mag7cli.core import packaged_data
from mag7cli.market import symbology

UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class SectorSpell:
    """A line in a sector from `first_day` until before `end_day`; None is open."""

    ticker: str
    sector: str
    first_day: date | None = None
    end_day: date | None = None

    def covers(self, day: date) -> bool:
        """Whether the line was in the sector on that day."""
        return (self.first_day is None or self.first_day <= day) and (self.end_day is None or day < self.end_day)


def sectors() -> tuple[str, ...]:
    """The names of the sectors, in alphabetical order."""
    return tuple(sorted({constituent.sector for constituent in symbology.known_constituents()}))


def sector_on(ticker: str, day: date) -> str:
    """The sector of a line on a date; `unknown` for a line that no table has."""
    if sector := _only_sectors().get(ticker):
        return sector
    for spell in _spells().get(ticker, ()):
        if spell.covers(day):
            return spell.sector
    return UNKNOWN


def spells_in(sector: str) -> tuple[SectorSpell, ...]:
    """Every line that was ever in a sector, with the days on which it was."""
    return tuple(spell for spells in _spells().values() for spell in spells if spell.sector == sector)


@cache
def _only_sectors() -> Mapping[str, str]:
    """The sector of each line that never had another: of all but some dozen."""
    return {ticker: spells[0].sector for ticker, spells in _spells().items() if len(spells) == 1}


@cache
def _spells() -> Mapping[str, tuple[SectorSpell, ...]]:
    spells: dict[str, tuple[SectorSpell, ...]] = {}
    spells |= {
        constituent.ticker: (SectorSpell(constituent.ticker, constituent.sector),)
        for constituent in symbology.known_constituents()
    }
    for row in packaged_data.read("sector_changes"):
        ticker, day = row["ticker"], date.fromisoformat(row["effective_date"])
        spells[ticker] = (
            SectorSpell(ticker, row["from_sector"], end_day=day),
            SectorSpell(ticker, row["to_sector"], first_day=day),
        )
    return spells
