"""How the quality of data is said in the output of every command."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Final

from mag7cli.cli.origin import SIMULATED as SIMULATED
from mag7cli.cli.output import Line
from mag7cli.core.formatting import counted

if TYPE_CHECKING:
    from mag7cli.cli.output import Style
    from mag7cli.lake.failed_checks import FailedCheck

QUALITY_STYLES: Final[dict[str, "Style"]] = {"complete": "good", "suspect": "warn", "partial": "bad"}


def red_lines(failed: "Iterable[FailedCheck]") -> Iterator[Line]:
    """The checks of severity error that failed, and on which dates: their figures cannot be relied on."""
    return (Line(sentence, "bad") for sentence in red_sentences(failed))


def unmade_sentence(days: Sequence[date]) -> str:
    """Dates that were collected, and whose tables are not made yet."""
    dates = f"{counted(len(days), 'date')}, {days[0]} to {days[-1]}"
    return f"The tables are not up to date: {dates}. mag7 transform makes them."


def red_sentences(failed: "Iterable[FailedCheck]") -> Iterator[str]:
    """The same as text."""
    for check in failed:
        remedy = "mag7 validate shows the rows" if check.rows else "mag7 validate runs them"
        yield f"FAILED CHECK: {check.sentence} ({_concerned(check)}); {remedy}."


def _concerned(check: "FailedCheck") -> str:
    if not check.dates:
        return "all dates"
    return f"{counted(len(check.dates), 'date')}, {check.dates[0]} to {check.dates[-1]}"
