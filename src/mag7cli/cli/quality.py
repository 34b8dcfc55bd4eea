"""How the quality of data is said in the output of every command."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mag7cli.cli.output import Style

SIMULATED: Final = "SIMULATED: these figures come from the sandbox market, not from the real one."
QUALITY_STYLES: Final[dict[str, "Style"]] = {"complete": "good", "suspect": "warn", "partial": "bad"}
