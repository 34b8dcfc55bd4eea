"""SQL as text: where its placeholders are, how a value is written, what a statement is called.

Knows nothing of any engine's protocol, and does not understand SQL beyond its quotes and comments.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from mag7cli.core.errors import EngineError
from mag7cli.warehouse.engines import Value

# Whatever a colon may stand in without being a placeholder comes first.
_TOKEN: Final = re.compile(
    r"""
      (?P<comment> --[^\n]*\n? | /\*.*?\*/ )
    | (?P<other>   '(?:[^']|'')*' | "(?:[^"]|"")*" | :: )
    | :(?P<name>   [A-Za-z_]\w* )
    """,
    re.VERBOSE | re.DOTALL,
)
_NAME_LENGTH: Final = 72


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement without its comments, cut at its placeholders: `pieces[0] :names[0] pieces[1] …`."""

    pieces: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    def parse(cls, sql: str) -> "Statement":
        """Find the placeholders `:name` outside of comments, literals, quoted identifiers and `::` casts."""
        pieces: list[str] = [""]
        names: list[str] = []
        for text, name in _tokens(sql):
            if name is None:
                pieces[-1] += text
            else:
                names.append(name)
                pieces.append("")
        pieces[0] = pieces[0].lstrip()
        pieces[-1] = pieces[-1].rstrip().rstrip(";").rstrip()
        return cls(tuple(pieces), tuple(names))

    def render(self, placeholders: Iterator[str]) -> str:
        """The text with the next of `placeholders` in the place of each name."""
        rest = "".join(next(placeholders) + piece for piece in self.pieces[1:])
        return self.pieces[0] + rest

    @property
    def title(self) -> str:
        """The start of the statement on one line, as errors name it."""
        text = " ".join(self.render(f":{name}" for name in self.names).split())
        return text if len(text) <= _NAME_LENGTH else text[: _NAME_LENGTH - 1].rstrip() + "…"

    def values(self, parameters: Mapping[str, Value] | None) -> dict[str, Value]:
        """The values of the names that the statement uses; others are left out. Raises EngineError."""
        bound = parameters or {}
        missing = [name for name in dict.fromkeys(self.names) if name not in bound]
        if missing:
            raise EngineError(f"{self.title}: no value for :{', :'.join(missing)}")
        return {name: bound[name] for name in self.names}


def _tokens(sql: str) -> Iterator[tuple[str, str | None]]:
    end = 0
    for match in _TOKEN.finditer(sql):
        yield sql[end : match.start()], None
        if match["other"]:
            yield match["other"], None
        elif match["name"]:
            yield "", match["name"]
        else:
            # A comment separates words, so something must stay.
            yield ("\n" if match["comment"].startswith("--") else " "), None
        end = match.end()
    yield sql[end:], None


def plain(value: Value) -> str:
    """A value as the text that a database casts to the type it needs: `2024-12-13`, `true`, `0.01`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def quoted(text: str) -> str:
    """A string literal that every dialect reads alike. Raises EngineError for characters on which they disagree."""
    # Redshift takes a backslash for an escape, the others for itself.
    if "\0" in text or "\\" in text:
        raise EngineError(f"a string with a NUL or a backslash cannot be written into SQL: {text!r}")
    return "'" + text.replace("'", "''") + "'"
