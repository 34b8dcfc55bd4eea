"""Commands in hints and results that are meant to be pasted: they name the lake that they are about."""

import re
from typing import Final

# Those whose lake is chosen by --lake; `demo` makes its own.
LAKE_COMMANDS: Final = (
    *("tickers", "collect", "transform", "validate", "load", "run", "show", "live", "report", "exposure"),
    *("funds add", "funds list", "funds refresh", "status", "explain", "verify", "export", "sql", "doctor"),
    "service print",
)
_COMMAND: Final = re.compile(rf"\bmag7 (?:{'|'.join(LAKE_COMMANDS)})\b(?! --help)(?![^;,:]* --lake)")
_DEFAULTS: Final = ("./lake", "lake", "lake/", "./lake/")


def lake_to_name(lake: str, *, is_typed: bool) -> str | None:
    """The lake as pasted commands must name it; None where they mean it anyway, by default or by the configuration."""
    return lake if is_typed and lake not in _DEFAULTS else None


def with_lake(text: str, lake: str | None) -> str:
    """The text with `--lake` behind each command of mag7 in it, quoted for a shell where that is needed."""
    if lake is None or "mag7 " not in text:
        return text
    import shlex

    option = f" --lake {shlex.quote(lake)}"
    return _COMMAND.sub(lambda command: command[0] + option, text)
