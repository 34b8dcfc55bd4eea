"""Columns of written numbers as values: the decimal mark is settled by the rest of the table, or the table is refused.

A cell that can be read in one way only is read so. One that can be read in two ways follows the proven mark of its
column, else the proof that quantity x price = amount, else the proven mark of the table. Where nothing settles it there
is no value: a wrong figure is worse than none.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from mag7cli.core.numerals import DecimalMark, Numeral, marks

Values = Sequence[float | None]
Numerals = Sequence[Numeral | None]

_MARKS: Final[tuple[DecimalMark, ...]] = ("point", "comma")
_PROVEN: Final = 0.9
_RELATIVE_TOLERANCE: Final = 0.005
_ABSOLUTE_TOLERANCE: Final = 0.02


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a table beside its columns.

    `declared` is the mark that somebody says it has, `elsewhere` are the marks that other columns prove, `delimiter` is
    what separates its columns if it is a CSV.
    """

    declared: DecimalMark | None = None
    elsewhere: frozenset[DecimalMark] = frozenset()
    delimiter: str | None = None


class TwoReadingsError(ValueError):
    """Columns can be read in two ways. `roles` are the open ones, `first` and `second` one cell's two values."""

    def __init__(self, roles: Iterable[str], first: float, second: float) -> None:
        super().__init__("the figures can be read in two ways")
        self.roles = tuple(roles)
        self.first, self.second = first, second


def settle(columns: Mapping[str, Numerals], evidence: Evidence, needed: Iterable[str]) -> dict[str, Values]:
    """The values of the columns, by role.

    Args:
        columns: The numerals of the columns `quantity`, `price`, `amount` and others, by role, all of one length.
        evidence: What is known beside them.
        needed: The roles that must have values; of the others, an open column has none.

    Raises:
        TwoReadingsError: A needed column can be read in two ways and nothing settles it.
    """
    choices = {role: _marks_of(numerals, evidence.declared) for role, numerals in columns.items()}
    open_roles = [role for role, numerals in columns.items() if len(choices[role]) > 1 and _first_open(numerals)]
    settled = {role: choice[0] for role, choice in choices.items() if role not in open_roles}
    settled |= _by_proof(columns, settled, open_roles)
    unsettled = [role for role in open_roles if role not in settled]
    consensus = _consensus(columns, evidence)
    if consensus:
        settled |= dict.fromkeys(unsettled, consensus)
    elif "amount" in unsettled and _has_grouping_commas(columns["amount"], evidence):
        settled["amount"] = "point"
    left = [role for role in needed if role in columns and role not in settled]
    if left:
        raise _two_readings(columns, left)
    return {role: _values(numerals, settled.get(role)) for role, numerals in columns.items()}


def agree(quantity: float, price: float, amount: float) -> bool:
    """Whether quantity x price is the amount, as far as rounded figures can tell."""
    return abs(quantity * price - amount) <= max(_RELATIVE_TOLERANCE * abs(amount), _ABSOLUTE_TOLERANCE)


def agreement(quantities: Values, prices: Values, amounts: Values) -> tuple[int, int]:
    """On how many rows quantity x price is the amount, and how many rows have all three."""
    rows = [
        (quantity, price, amount)
        for quantity, price, amount in zip(quantities, prices, amounts, strict=True)
        if quantity is not None and price is not None and amount is not None
    ]
    return sum(agree(*row) for row in rows), len(rows)


def _marks_of(numerals: Numerals, declared: DecimalMark | None) -> tuple[DecimalMark, ...]:
    """The decimal marks that a column can have: its proven one, else the declared one, else both."""
    proven = marks(numerals)
    if len(proven) == 1:
        return tuple(proven)
    return (declared,) if declared else _MARKS


def _by_proof(
    columns: Mapping[str, Numerals], settled: Mapping[str, DecimalMark], open_roles: Sequence[str]
) -> Mapping[str, DecimalMark]:
    """The marks of open columns by which quantity x price is the amount, if that is so by one choice only."""
    proof = ("quantity", "price", "amount")
    unsettled = [role for role in proof if role in open_roles]
    if not unsettled or not all(role in columns for role in proof):
        return {}
    fitting = []
    for choice in product(_MARKS, repeat=len(unsettled)):
        trial = {**settled, **dict(zip(unsettled, choice, strict=True))}
        agreeing, comparable = agreement(*(_values(columns[role], trial.get(role)) for role in proof))
        if comparable and agreeing >= _PROVEN * comparable:
            fitting.append(dict(zip(unsettled, choice, strict=True)))
    return fitting[0] if len(fitting) == 1 else {}


def _consensus(columns: Mapping[str, Numerals], evidence: Evidence) -> DecimalMark | None:
    """The only decimal mark that anything in the table proves."""
    proven = set(evidence.elsewhere)
    for numerals in columns.values():
        proven |= marks(numerals)
    return proven.pop() if len(proven) == 1 else None


def _has_grouping_commas(amounts: Numerals, evidence: Evidence) -> bool:
    """Whether every amount that can be read in two ways has a comma before three digits, in a file of commas.

    Where commas separate columns they are rarely decimal marks, and money has two decimals, not three.
    """
    doubtful = [numeral for numeral in amounts if numeral and numeral.is_open]
    return evidence.delimiter == "," and all((n.point or 0) ** 2 > (n.comma or 0) ** 2 for n in doubtful)


def _values(numerals: Numerals, mark: DecimalMark | None) -> list[float | None]:
    """The values of a column by a mark; without one, of the cells that can be read in one way."""
    return list(_read(numerals, mark))


def _read(numerals: Numerals, mark: DecimalMark | None) -> Iterator[float | None]:
    for numeral in numerals:
        if numeral is None or (mark is None and numeral.is_open):
            yield None
        else:
            yield numeral.value(mark or "point")


def _first_open(numerals: Numerals) -> Numeral | None:
    return next((numeral for numeral in numerals if numeral and numeral.is_open), None)


def _two_readings(columns: Mapping[str, Numerals], roles: Sequence[str]) -> TwoReadingsError:
    numeral = _first_open(columns[roles[0]])
    assert numeral is not None
    assert numeral.point is not None
    assert numeral.comma is not None
    return TwoReadingsError(roles, numeral.point, numeral.comma)
