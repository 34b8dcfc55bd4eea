"""Figures as people read them. Knows nothing of where they stand on the page."""

import math
import re
from decimal import Decimal
from typing import Final

Number = int | float | Decimal

_POWERS: Final = ((1e12, "T"), (1e9, "B"), (1e6, "M"))
_BYTES: Final = ("B", "kB", "MB", "GB", "TB")

# What is not to be broken, and the spaces before it: a command that is to be pasted, with its options; a figure with
# its unit; a word.
_COMMAND: Final = r"mag7 [a-z]+(?: (?:--[\w-]+(?: (?:'[^']*'|[^\s']\S*))?|\d{4}-\d\d-\d\d))*\S*"
_FIGURE: Final = r"[-+$\d][\d,.]* (?:%|[TBM]|points?)(?!\w)[.,;:]?"
_ATOM: Final = re.compile(rf"(\s*)({_COMMAND}|{_FIGURE}|\S+)")

MISSING: Final = "–"

# What a float is off from the decimal that it stands for.
_SLACK: Final = 1e-9


def usd(amount: Number | None) -> str:
    """An amount of money in the largest fitting unit: `$3.65 T`, `$12.40 M`, `$950.00`."""
    if amount is None:
        return MISSING
    size, sign = abs(float(amount)), "-" if amount < 0 else ""
    for power, letter in _POWERS:
        if size >= power * 0.99995:
            return f"{sign}${size / power:,.2f} {letter}"
    return f"{sign}${size:,.2f}"


def money(amount: Number | None, currency: str) -> str:
    """An amount in any currency: `$950.00`, and `950.00 EUR` where it is not in US dollars."""
    text = usd(amount)
    return text if currency == "USD" or amount is None else f"{text.replace('$', '')} {currency}"


def pct(value: Number | None, digits: int = 2) -> str:
    """A percentage (0-100): `33.28 %`."""
    return MISSING if value is None else f"{value:.{digits}f} %"


def pct_within(value: Number, low: Number | None, high: Number | None, digits: int = 2) -> str:
    """A percentage with its bound: `33.28 % ± 0.02`, or `33.21 to 33.30 %` where the sides differ; without, alone.

    The bound is rounded outwards, so that whatever lies within it lies within what is printed.
    """
    if low is None or high is None:
        return pct(value, digits)
    unit = 10**digits
    middle = round(float(value) * unit)
    lowest, highest = math.floor(float(low) * unit + _SLACK), math.ceil(float(high) * unit - _SLACK)
    below, above = max(1, middle - lowest), max(1, highest - middle)
    if abs(below - above) <= 1:
        return f"{middle / unit:.{digits}f} % ± {max(below, above) / unit:.{digits}f}"
    return f"{lowest / unit:.{digits}f} to {highest / unit:.{digits}f} %"


def change(value: Number | None, digits: int = 2) -> str:
    """A difference with its sign: `+0.41`, `-1.20`, `0.00` without one."""
    if value is None:
        return MISSING
    rounded = round(float(value), digits)
    return f"{rounded:+.{digits}f}" if rounded else f"{0:.{digits}f}"


def count(value: Number | None) -> str:
    """A whole number with its thousands apart: `1,005`."""
    return MISSING if value is None else f"{value:,.0f}"


def counted(value: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: `1 date`, `1,005 dates`."""
    return f"{value:,} {noun if value == 1 else plural or noun + 's'}"


def size(octets: int) -> str:
    """A number of bytes in decimal units: `71 MB`."""
    amount = float(octets)
    unit = _BYTES[0]
    for unit in _BYTES:
        if amount < 999.5 or unit == _BYTES[-1]:
            break
        amount /= 1000
    return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"


def duration(seconds: float) -> str:
    """A length of time in its two largest units: `2 h 05 min`, `3 min 20 s`, `4 s`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most `width`, broken at words; neither a word nor a command to be pasted is broken.

    What is longer than a line stays whole, for the terminal to break. Further lines are indented as the first.
    """
    if len(text) <= width:
        return [text]
    indent = text[: len(text) - len(text.lstrip())]
    lines, current = [], ""
    for space, atom in _ATOM.findall(text):
        if current.strip() and len(current) + len(space) + len(atom) > width:
            lines.append(current)
            current = indent + atom
        else:
            current += space + atom
    return [*lines, current]
