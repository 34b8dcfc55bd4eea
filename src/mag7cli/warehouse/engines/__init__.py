"""The `SqlEngine` protocol: run one statement, get typed rows. DuckDB, Athena and Redshift are its three sides."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, Protocol

Dialect = Literal["duckdb", "athena", "redshift"]
Value = str | int | float | bool | date | Decimal | None


@dataclass(frozen=True, slots=True)
class Rows:
    """The result of a query: column names, rows of typed values, and the engine's `note` (such as bytes scanned).

    `types` are the engine's own names of the columns' types, with the digits of a decimal.
    """

    columns: tuple[str, ...]
    values: tuple[tuple[Value, ...], ...]
    note: str | None = None
    types: tuple[str, ...] = ()

    def records(self) -> list[dict[str, Value]]:
        """The rows as dictionaries."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.values]


@dataclass(frozen=True, slots=True)
class RowStream:
    """The result of a query as it comes: `blocks` of rows, each asked of the engine when it is taken.

    `types` are as in `Rows`. Taking a block may raise EngineError.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    blocks: Iterator[Sequence[tuple[Value, ...]]]


def type_name(name: str, precision: int | None, scale: int | None) -> str:
    """The type of a column as SQL writes it, of what a service's API says apart: `decimal(20,2)`, `double`."""
    return f"{name}({precision},{scale})" if name in ("decimal", "numeric") and precision else name


class SqlEngine(Protocol):
    """Runs SQL over the tables of a lake or a warehouse, in the schema `market_data`.

    Placeholders in `sql` are `:name`; values travel apart from the text wherever the engine allows it.
    Every method may raise EngineError, whose message names the statement.
    """

    dialect: Dialect

    def query(self, sql: str, parameters: Mapping[str, Value] | None = None) -> Rows:
        """Run one statement that reads."""
        ...

    def execute(self, statements: Sequence[str]) -> None:
        """Run statements that write, all or none where the engine has transactions."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
