"""Known exports of brokers: the rows of `data/broker_layouts.csv`, and which of them a table is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, get_args

from mag7cli.core import packaged_data

Holds = Literal["positions", "history", "cash"]

_BY_NUMBER: Final = "#"


@dataclass(frozen=True, slots=True)
class Layout:
    """A known export: the headings that tell it, and its columns by role where the dictionary would not know."""

    name: str
    broker: str
    holds: Holds
    section: str
    marks: frozenset[str]
    columns: Mapping[str, str]

    def fits(self, title: str, headings: Sequence[str]) -> bool:
        """Whether a table of this title and these headings has this layout."""
        return (not self.section or self.section == title) and self.marks <= {plain(heading) for heading in headings}

    def index_of(self, role: str, headings: Sequence[str]) -> int | None:
        """The column that this layout says has a role; None if it says nothing."""
        heading = self.columns.get(role)
        if heading is None:
            return None
        if heading.startswith(_BY_NUMBER):
            return int(heading.removeprefix(_BY_NUMBER)) - 1
        return [plain(each) for each in headings].index(heading)


def of(title: str, headings: Sequence[str]) -> Layout | None:
    """The layout of a table, the one with the most marks if several fit; None if it is no known one."""
    fitting = [layout for layout in known() if layout.fits(title, headings)]
    return max(fitting, key=lambda layout: (bool(layout.section), len(layout.marks)), default=None)


def plain(heading: str) -> str:
    """A heading as the table of layouts compares it."""
    return " ".join(heading.lower().split())


@cache
def known() -> tuple[Layout, ...]:
    """The layouts, in the order of the table."""
    return tuple(_layout(row) for row in packaged_data.read("broker_layouts"))


def _layout(row: Mapping[str, str]) -> Layout:
    pairs = (pair.partition("=") for pair in row["columns"].split("|") if pair)
    return Layout(
        name=row["layout"],
        broker=row["broker"],
        holds=next(holds for holds in get_args(Holds) if holds == row["holds"]),
        section=row["section"],
        marks=frozenset(row["marks"].split("|")),
        columns={role: heading for role, _, heading in pairs},
    )
