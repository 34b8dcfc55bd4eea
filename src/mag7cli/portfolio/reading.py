"""Which column of a table is what: by its known layout, by its headings, or by what is in the cells.

A heading is a claim, the cells are the evidence: a column that is called a price and holds texts is none. Where the
headings say nothing, three columns of numbers of which one is the product of the other two prove themselves, and a
column of tickers or ISINs shows itself. What cannot be proven is not read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final, Literal

from mag7cli.core.numerals import DecimalMark, Numeral, is_nothing, marks
from mag7cli.portfolio import layouts
from mag7cli.portfolio.columns import IDENTITY_ROLES, Column
from mag7cli.portfolio.currencies import USD, unit_of
from mag7cli.portfolio.figures import agreement
from mag7cli.portfolio.layouts import Layout
from mag7cli.portfolio.securities import is_isin, symbol_of
from mag7cli.portfolio.table import Table

NUMERIC_ROLES: Final = frozenset(
    {"quantity", "price", "amount", "local_amount", "weight", "notional", "fx_rate", "multiplier", "expense"}
)
_MONEY: Final = frozenset({"price", "amount", "local_amount"})
_MOSTLY: Final = 0.6
_PROVEN: Final = 0.8
_FEWEST_PROOFS: Final = 2
_SAMPLE: Final = 200
_PRODUCT: Final = ("quantity", "price", "amount")


class AmbiguousColumnsError(ValueError):
    """Several columns are called the same thing, say different things, and nothing tells which counts."""

    def __init__(self, role: str, headings: Sequence[str]) -> None:
        super().__init__(f"the columns {' and '.join(headings)} both say the {role}, and differ")


By = Literal["layout", "headings", "content"]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a table is read: by what, and its columns by role; `layout` is the known export that it is.

    `proof` says on how many lines quantity x price is the amount, of how many that have all three.
    """

    by: By
    columns: Mapping[str, Column]
    layout: Layout | None = None
    proof: tuple[int, int] = (0, 0)

    @property
    def sentence(self) -> str:
        """How the table is read, for people: which column is taken for what, and the proof."""
        if self.layout:
            return f"read as an export of {self.layout.broker} ({self.layout.name})"
        parts = ", ".join(
            f"{column.heading or f'column {column.index + 1}'} as {role}" for role, column in self._shown()
        )
        agreeing, comparable = self.proof
        proof = f"; quantity x price is the amount on {agreeing} of {comparable} lines" if comparable else ""
        return f"read by its {self.by}: {parts}{proof}"

    def index(self, role: str) -> int | None:
        """Where the column of a role stands, None if there is none."""
        column = self.columns.get(role)
        return column.index if column else None

    def _shown(self) -> Iterator[tuple[str, Column]]:
        shown = ("symbol", "isin", "cusip", "sedol", "wkn", "identifier", "name", *_PRODUCT, "weight", "currency")
        return ((role, self.columns[role]) for role in shown if role in self.columns)


def read(table: Table) -> Reading | None:
    """How a table is to be read, None if it cannot be: it names no security, or says of none how much there is.

    Raises AmbiguousColumnsError where two columns claim the same and differ.
    """
    sample = table.head(_SAMPLE)
    layout = layouts.of(table.title, table.headings)
    columns = _by_headings(sample, layout)
    by: By = "layout" if layout else "headings"
    if not _is_complete(columns):
        columns, by, layout = _by_content(sample) | columns, "content", None
    if not _is_complete(columns):
        return None
    return Reading(by, columns, layout, _proof(table, columns) if by == "content" else (0, 0))


def _is_complete(columns: Mapping[str, Column]) -> bool:
    """Whether the columns name a security and give its value, or what its value can be made of."""
    has_value = not columns.keys().isdisjoint({"amount", "local_amount", "weight"})
    return not IDENTITY_ROLES.isdisjoint(columns) and (has_value or {"quantity", "price"} <= columns.keys())


# By layout and headings


def _by_headings(table: Table, layout: Layout | None) -> dict[str, Column]:
    """The columns that the headings name and the cells confirm; of several for one role, the one that fits best."""
    claims: dict[str, list[Column]] = {}
    taken = _by_layout(table, layout)
    for column in _apart(table, table.columns):
        if column.role not in taken and column.index not in {known.index for known in taken.values()}:
            claims.setdefault(column.role, []).append(column)
    confirmed = {
        role: fitting
        for role, columns in claims.items()
        if (fitting := [column for column in columns if _confirms(table, column)])
    }
    return taken | _choose(table, confirmed, taken)


def _by_layout(table: Table, layout: Layout | None) -> dict[str, Column]:
    if layout is None:
        return {}
    indexes = {role: layout.index_of(role, table.headings) for role in layout.columns}
    columns = [Column(role, index, table.headings[index]) for role, index in indexes.items() if index is not None]
    return {column.role: column for column in _apart(table, columns)}


def _apart(table: Table, columns: Iterable[Column]) -> Iterator[Column]:
    """The columns; a heading over a currency with its amount beside it, which has no heading, names both."""
    for column in columns:
        after = column.index + 1
        over_two = column.role in _MONEY and after < len(table.headings) and not table.headings[after]
        if over_two and _share(table, column.index, lambda text, numeral: unit_of(text) is not None) >= _MOSTLY:
            yield Column("currency", column.index, column.heading)
            yield Column(column.role, after, column.heading, column.currency)
        else:
            yield column


def _confirms(table: Table, column: Column) -> bool:
    """Whether the cells of a column are what its heading says, as far as that can be seen."""
    if column.role in NUMERIC_ROLES:
        return _share(table, column.index, lambda text, numeral: numeral is not None) >= _MOSTLY
    if column.role == "isin":
        return _share(table, column.index, lambda text, numeral: is_isin(text.upper())) >= _MOSTLY
    return True


def _choose(table: Table, claims: Mapping[str, list[Column]], taken: Mapping[str, Column]) -> dict[str, Column]:
    """One column for each role: of several symbols, those that differ most; of prices and amounts, those that fit.

    Raises AmbiguousColumnsError where several fit alike and say different things.
    """
    chosen = {role: columns[0] for role, columns in claims.items()}
    if len(claims.get("symbol", ())) > 1:  # one of them may repeat the symbol of the fund itself
        chosen["symbol"] = max(claims["symbol"], key=lambda column: _variety(table, column.index))
    if all(len(claims.get(role, ())) < 2 for role in _PRODUCT):
        return chosen
    known = {**chosen, **taken}
    options = [
        {"price": price, "amount": amount} for price in claims.get("price", ()) for amount in claims.get("amount", ())
    ]
    best = max(options, key=lambda option: _proof(table, known | option)[0], default={})
    if best and _proof(table, known | best)[0] >= min(_FEWEST_PROOFS, len(table.rows)):
        return chosen | best
    for role in _PRODUCT:
        chosen |= _agreeing(table, role, claims.get(role, ()))
    return chosen


def _agreeing(table: Table, role: str, columns: Sequence[Column]) -> dict[str, Column]:
    """The one column of a role: the only one, the one in dollars, or any if all say the same."""
    in_dollars = [column for column in columns if (unit := unit_of(column.currency)) and unit.currency == USD]
    if len(columns) < 2 or in_dollars or len({tuple(table.texts(column.index)) for column in columns}) == 1:
        return dict(zip((role,), in_dollars or columns, strict=False))
    raise AmbiguousColumnsError(role, [column.heading for column in columns])


def _proof(table: Table, columns: Mapping[str, Column]) -> tuple[int, int]:
    """On how many lines quantity x price is the amount, of those that have all three; by the best decimal marks."""
    if not all(role in columns for role in _PRODUCT):
        return 0, 0
    numerals = [table.numerals(columns[role].index) for role in _PRODUCT]
    return max(agreement(*(_values(each, mark) for each in numerals)) for mark in _marks_of(numerals))


def _marks_of(columns: Iterable[Sequence[Numeral | None]]) -> Sequence[DecimalMark]:
    proven = set[DecimalMark]()
    for numerals in columns:
        proven |= marks(numerals)
    return tuple(proven) if len(proven) == 1 else ("point", "comma")


def _values(numerals: Sequence[Numeral | None], mark: DecimalMark) -> list[float | None]:
    return [numeral.value(mark) if numeral else None for numeral in numerals]


# By content


def _by_content(table: Table) -> dict[str, Column]:
    """The columns that the cells show: tickers or ISINs, and a quantity, a price and an amount that prove each other.

    Where more than one triple of columns proves itself (what was paid, and what it is worth) there is no telling which,
    and none is returned.
    """
    taken = {column.index for column in table.columns}
    free = [index for index in range(table.width) if index not in taken]
    identities = _identities(table, free)
    numeric = [index for index in free if _share(table, index, lambda text, numeral: numeral is not None) >= _PROVEN]
    triples = {triple[2]: triple for triple in permutations(numeric, 3) if _proves(table, triple)}
    if len(triples) != 1:
        return identities
    (triple,) = triples.values()
    return identities | {role: _column(table, role, index) for role, index in zip(_PRODUCT, triple, strict=True)}


def _identities(table: Table, indexes: Iterable[int]) -> dict[str, Column]:
    tests: Mapping[str, Callable[[str, Numeral | None], bool]] = {
        "isin": lambda text, numeral: is_isin(text.upper()),
        "symbol": lambda text, numeral: numeral is None and text.isupper() and symbol_of(text) is not None,
    }
    identities: dict[str, Column] = {}
    for index in indexes:
        role = next((role for role, test in tests.items() if _share(table, index, test) >= _PROVEN), None)
        if role and role not in identities and _variety(table, index) > 1:
            identities[role] = _column(table, role, index)
    return identities


def _variety(table: Table, index: int) -> int:
    """How many different values a column has: one that repeats a word, such as a currency, names no security."""
    texts = [text for text in table.texts(index) if text]
    return len(set(texts)) if len(texts) > 1 else 2 * len(texts)


def _proves(table: Table, triple: tuple[int, int, int]) -> bool:
    """Whether the third column is the product of the first two on nearly all lines, and not by a factor of one."""
    numerals = [table.numerals(index) for index in triple]
    for mark in _marks_of(numerals):
        values = [_values(each, mark) for each in numerals]
        agreeing, comparable = agreement(*values)
        if comparable >= _FEWEST_PROOFS and agreeing >= _PROVEN * comparable and _is_no_copy(values):
            return triple[0] < triple[1]  # a product has no order: the left one is called the quantity
    return False


def _is_no_copy(values: Sequence[Sequence[float | None]]) -> bool:
    """Whether neither factor is one (or nothing) throughout, for then the amounts are but a copy of the other."""
    return all(any(value not in (None, 0.0, 1.0) for value in factor) for factor in values[:2])


def _share(table: Table, index: int, test: Callable[[str, Numeral | None], bool]) -> float:
    """The share of the cells of a column, of those that say anything, which pass a test; nothing of an empty column."""
    texts, numerals = table.texts(index), table.numerals(index)
    said = [(text, numeral) for text, numeral in zip(texts, numerals, strict=True) if not is_nothing(text)]
    return sum(test(text, numeral) for text, numeral in said) / len(said) if said else 0.0


def _column(table: Table, role: str, index: int) -> Column:
    heading = table.headings[index] if index < len(table.headings) else ""
    return Column(role, index, heading)
