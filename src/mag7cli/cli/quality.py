"""How the quality of data is said in the output of every command."""

from typing import TYPE_CHECKING, Final

from mag7cli.cli.origin import SIMULATED as SIMULATED

if TYPE_CHECKING:
    from mag7cli.cli.output import Style

QUALITY_STYLES: Final[dict[str, "Style"]] = {"complete": "good", "suspect": "warn", "partial": "bad"}
