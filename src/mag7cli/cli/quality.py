"""How the quality of data is said in the output of every command."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from mag7cli.cli.output import Line
from mag7cli.core.formatting import counted

if TYPE_CHECKING:
    from mag7cli.cli.output import Style
    from mag7cli.lake.failed_checks import FailedCheck

SIMULATED: Final = "SIMULATED: these figures come from the sandbox market, not from the real one."
QUALITY_STYLES: Final[dict[str, "Style"]] = {"complete": "good", "suspect": "warn", "partial": "bad"}


def red_lines(failed: "Iterable[FailedCheck]") -> Iterator[Line]:
    """The checks of severity error that failed, and on which dates: their figures cannot be relied on."""
    for check in failed:
        dates = (
            f"{counted(len(check.dates), 'date')}, {check.dates[0]} to {check.dates[-1]}"
            if check.dates
            else "all dates"
        )
        yield Line(f"FAILED CHECK: {check.sentence} ({dates}); mag7 validate shows the rows.", "bad")
