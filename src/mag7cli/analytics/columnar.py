"""Rows of one type that are kept by column, and made when somebody looks at one. Pure.

The report of twenty years reads seventy thousand rows of companies and sessions, and looks at each once or twice: as
objects they would take three times the memory.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload

from mag7cli.market.money import cents, usd

if TYPE_CHECKING:
    from mag7cli.warehouse.engines import Rows

T = TypeVar("T")
Row = TypeVar("Row")


class Column(Protocol):
    """What grows by the values of one column, as a list and an array do."""

    def extend(self, values: Iterable[Any], /) -> None: ...
    def __len__(self) -> int: ...
    def __getitem__(self, place: int, /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...


class Repeated(list[Any]):
    """A column of few different values, of which each is in memory once."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str | date, str | date] = {}

    def extend(self, values: Iterable[Any], /) -> None:
        """Put these after those that are there."""
        super().extend(self._known.setdefault(value, value) for value in values)


class Amounts(Sequence[Decimal]):
    """A column of money in whole cents, none of it missing."""

    def __init__(self) -> None:
        self._cents: list[int] = []

    def extend(self, values: Iterable[Decimal], /) -> None:
        """Put these amounts (USD) after those that are there."""
        self._cents.extend(map(cents, values))

    @overload
    def __getitem__(self, index: int) -> Decimal: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Decimal]: ...
    def __getitem__(self, index: int | slice) -> Decimal | Sequence[Decimal]:
        """An amount (USD), or some of them."""
        return list(map(usd, self._cents[index])) if isinstance(index, slice) else usd(self._cents[index])

    def __iter__(self) -> Iterator[Decimal]:
        """The amounts (USD) in their order."""
        return map(usd, self._cents)

    def __len__(self) -> int:
        """How many amounts there are."""
        return len(self._cents)


def floats() -> "array[float]":
    """A column of numbers none of which is missing; a decimal becomes the float nearest to it."""
    return array("d")


@dataclass(frozen=True, slots=True, eq=False)
class ColumnarRows(Sequence[Row], Generic[Row]):
    """Rows of which `make` makes one of the values that the columns have in its place."""

    make: Callable[..., Row]
    columns: Sequence[Column]

    @classmethod
    def of(
        cls,
        make: Callable[..., Row],
        kinds: Mapping[str, Callable[[], Column]],
        results: "Iterable[Rows]",
    ) -> "ColumnarRows[Row]":
        """Of the results of queries, one after the other; `kinds` make the columns, empty, in the order of `make`."""
        columns = {name: kind() for name, kind in kinds.items()}
        for rows in results:
            if rows.values:
                values = dict(zip(rows.columns, zip(*rows.values, strict=True), strict=True))
                for name, column in columns.items():
                    column.extend(values[name])
        return cls(make, list(columns.values()))

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        """A row, or some of them."""
        if isinstance(index, slice):
            return [self._row(place) for place in range(len(self))[index]]
        return self._row(range(len(self))[index])

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.columns[0])

    def __iter__(self) -> Iterator[Row]:
        """The rows in their order."""
        return map(self.make, *self.columns)

    def __eq__(self, other: object) -> bool:
        """True for the same rows, however they are kept."""
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def _row(self, place: int) -> Row:
        return self.make(*(column[place] for column in self.columns))


@dataclass(frozen=True, slots=True, eq=False)
class MappedRows(Sequence[Row], Generic[T, Row]):
    """What `make` makes of each item of a sequence, when somebody looks at it."""

    make: Callable[[T], Row]
    items: Sequence[T]

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        """A row, or some of them."""
        return list(map(self.make, self.items[index])) if isinstance(index, slice) else self.make(self.items[index])

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.items)

    def __iter__(self) -> Iterator[Row]:
        """The rows in their order."""
        return map(self.make, self.items)

    def __eq__(self, other: object) -> bool:
        """True for the same rows, however they are kept."""
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]
