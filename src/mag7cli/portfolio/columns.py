"""What the columns of a table mean, by their headings: the dictionary of `data/portfolio_columns.csv`.

Knows nothing of the cells below a heading, which have the last word: see `content`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from mag7cli.core import packaged_data
from mag7cli.portfolio.currencies import is_currency

IDENTITY_ROLES: Final = frozenset({"symbol", "isin", "cusip", "sedol", "wkn", "identifier", "name"})
VALUE_ROLES: Final = frozenset({"amount", "local_amount", "quantity", "weight"})

_CURRENCY_SLOT: Final = "{ccy}"
_BRACKETED_CURRENCY: Final = re.compile(r" ?[(\[](?P<mark>[$€£]|[a-z]{3})[)\]]$")
_CLOSING_MARK: Final = re.compile(r" (?P<mark>[$€£])$")
_CODE: Final = re.compile(r"(?<![a-z])[a-z]{3}(?![a-z])")


@dataclass(frozen=True, slots=True)
class Column:
    """A column whose heading is known: what it means, where it stands, and the currency that the heading names."""

    role: str
    index: int
    heading: str
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    """What a heading says: its role, None if it is not in the dictionary, and a currency as it is written."""

    role: str | None
    currency: str | None


def columns_of(headings: Sequence[str]) -> tuple[Column, ...]:
    """The columns of a header row whose headings are known, in their order."""
    read = ((index, heading, heading_of(heading)) for index, heading in enumerate(headings))
    return tuple(
        Column(meaning.role, index, heading, meaning.currency) for index, heading, meaning in read if meaning.role
    )


@lru_cache(maxsize=4096)
def heading_of(heading: str) -> Heading:
    """What one heading means."""
    plain, currency = _plain(heading)
    role = _roles().get(plain)
    if role:
        return Heading(role, currency)
    for code in _CODE.finditer(plain):
        slotted = f"{plain[: code.start()]}{_CURRENCY_SLOT}{plain[code.end() :]}"
        named = code.group().upper()
        if slotted in _roles() and (named in heading or is_currency(named)):  # `Value now` is in no currency
            return Heading(_roles()[slotted], named)
    rest, _, last = plain.rpartition(" ")
    role = _roles().get(rest.removesuffix(" in"))
    return Heading(role, last.upper()) if role and is_currency(last.upper()) else Heading(None, currency)


def roles_in(headings: Iterable[str]) -> frozenset[str]:
    """The roles that the headings name."""
    return frozenset(role for heading in headings if (role := heading_of(heading).role))


def is_header(headings: Sequence[str]) -> bool:
    """Whether a row is the header of a table of securities: it names a security and how much there is of it."""
    roles = roles_in(headings)
    return not IDENTITY_ROLES.isdisjoint(roles) and not VALUE_ROLES.isdisjoint(roles)


def _plain(heading: str) -> tuple[str, str | None]:
    """A heading without case, underscores and a closing currency, which is returned beside it."""
    plain = " ".join(heading.lower().replace("_", " ").replace("\u2019", "'").split()).rstrip("*: ")
    if plain in _roles():
        return plain, None
    match = _BRACKETED_CURRENCY.search(plain) or _CLOSING_MARK.search(plain)
    if not match:
        return plain, None
    mark = match["mark"]
    return plain[: match.start()].strip(), mark.upper() if mark.isalpha() else mark


@cache
def _roles() -> Mapping[str, str]:
    return {row["name"]: row["role"] for row in packaged_data.read("portfolio_columns")}
