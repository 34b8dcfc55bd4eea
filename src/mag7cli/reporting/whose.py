"""What the companies in question are called on the page."""

from dataclasses import dataclass
from typing import Final

from mag7cli.market.groups import THE_SEVEN, CompanyGroup


@dataclass(frozen=True, slots=True)
class Whose:
    """`short` stands beside a line, `them` and `subject` in a sentence: texts of ours, of which none was typed.

    `name` is how the group is asked for.
    """

    name: str
    short: str
    them: str
    subject: str
    is_the_seven: bool

    @property
    def title(self) -> str:
        """`them` at the beginning of a sentence."""
        return self.them[0].upper() + self.them[1:]


SEVEN: Final = Whose(THE_SEVEN.name, "Mag 7", "the Mag 7", THE_SEVEN.subject, is_the_seven=True)


def of(group: CompanyGroup) -> Whose:
    """The names of a group."""
    if group.is_the_seven:
        return SEVEN
    short = f"Top {group.largest}" if group.largest else group.sector or "the group"
    return Whose(group.name, short, "the group", group.subject, is_the_seven=False)
