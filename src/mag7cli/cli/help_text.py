"""Help that fits the terminal, however narrow: Click sets it for fifty columns at least, and breaks options in two."""

import re
from collections.abc import Sequence
from typing import Final

from typer._click.formatting import HelpFormatter

from mag7cli.core.formatting import wrapped

# Below this there is no room for a text beside an option.
_NARROW: Final = 60
_MARGIN: Final = 2
_BESIDE: Final = 30
# Where a list of values can be folded: behind a word, and behind the bar between two values.
_PLACES: Final = re.compile(r"(?<=[\s|])")
# Stands for a hyphen while lines are broken, for Click would break `--max-duration` there.
_HYPHEN: Final = "\N{NON-BREAKING HYPHEN}"


class FittingFormatter(HelpFormatter):
    """Definitions stand beside their terms where there is room, below them where there is not."""

    def __init__(self, width: int | None, max_width: int | None) -> None:
        import shutil

        columns = min(shutil.get_terminal_size().columns, max_width or 80)
        super().__init__(width=width or columns - _MARGIN)

    def write(self, string: str) -> None:
        """Write a piece whose lines are broken."""
        super().write(string.replace(_HYPHEN, "-"))

    def write_text(self, text: str) -> None:
        """Write paragraphs."""
        super().write_text(text.replace("-", _HYPHEN))

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = _BESIDE, col_spacing: int = 2) -> None:
        """Write a list of terms with their definitions."""
        if self._has_room_beside([term for term, _ in rows]):
            super().write_dl([(term, text.replace("-", _HYPHEN)) for term, text in rows], col_max, col_spacing)
            return
        indent = " " * self.current_indent
        for term, text in rows:
            lines = [indent + line for line in folded(term, self.width - len(indent))]
            lines += wrapped(f"{indent}    {text}", self.width) if text else []
            self.write("".join(f"{line}\n" for line in lines))

    def _has_room_beside(self, terms: Sequence[str]) -> bool:
        longest = max(map(len, terms), default=0)
        if self.width + _MARGIN < _NARROW:
            return longest <= self.width // 3
        return longest <= self.width - self.current_indent


def folded(term: str, width: int) -> list[str]:
    """An option with its values, in lines of at most `width` where its parts allow it."""
    lines = [""]
    for part in _PLACES.split(term):
        if lines[-1] and len((lines[-1] + part).rstrip()) > width:
            lines.append("")
        lines[-1] += part
    return [line.rstrip() for line in lines]
