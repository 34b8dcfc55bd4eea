"""Numbers as people write them: 1,234.56 or 1.234,56 or 1’234.56. Pure; knows no files and no columns."""

import re
from collections.abc import Iterable, Mapping
from typing import Final, Literal

DecimalMark = Literal[".", ","]

# An apostrophe of Switzerland, straight or curly, and the spaces that typesetters put between thousands.
_OTHER_GROUPS: Final = "'’   "
_SHAPES: Final[Mapping[DecimalMark, re.Pattern[str]]] = {
    ".": re.compile(rf"-?(\d{{1,3}}([,{_OTHER_GROUPS}]\d{{3}})+|\d+)?(\.\d*)?"),
    ",": re.compile(rf"-?(\d{{1,3}}([.{_OTHER_GROUPS}]\d{{3}})+|\d+)?(,\d*)?"),
}
_GROUPS: Final[Mapping[DecimalMark, str]] = {".": f",{_OTHER_GROUPS}", ",": f".{_OTHER_GROUPS}"}


def decimal_mark(texts: Iterable[str]) -> DecimalMark:
    """What stands before the decimals in most of the texts that can be read in one way only; a point where none can."""
    votes = [mark for text in texts if (mark := _only_mark(_bare(text)))]
    return "," if votes.count(",") > votes.count(".") else "."


def to_number(text: str, mark: DecimalMark = ".") -> float | None:
    """A number with thousands separators, a sign or brackets, a dollar or a percent sign; None for what is none."""
    bare = _bare(text)
    negative = bare.startswith("(") and bare.endswith(")")
    digits = bare.strip("()")
    if not _SHAPES[mark].fullmatch(digits) or not any(letter.isdigit() for letter in digits):
        return None
    grouped = str.maketrans(mark, ".", _GROUPS[mark])
    value = float(digits.translate(grouped))
    return -value if negative else value


def _bare(text: str) -> str:
    return text.removesuffix("%").replace("$", "").strip().replace("−", "-")


def _only_mark(text: str) -> DecimalMark | None:
    """The decimal mark of a number that has a meaning with one mark only: 7,15 and 1.234,5, but not 1,234."""
    values = {mark: value for mark in _SHAPES if (value := to_number(text, mark)) is not None}
    if len(values) == 1:
        return next(iter(values))
    return None
