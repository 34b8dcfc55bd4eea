"""The result of a query as an Arrow table: straight from DuckDB, from the rows of any other engine."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mag7cli.warehouse.engines import SqlEngine, Value
from mag7cli.warehouse.engines.duckdb import DuckDbEngine

if TYPE_CHECKING:
    import pyarrow as pa


def query_arrow(engine: SqlEngine, sql: str, parameters: Mapping[str, Value] | None = None) -> "pa.Table":
    """Run one statement that reads. Raises EngineError."""
    import pyarrow as pa

    if isinstance(engine, DuckDbEngine):
        return engine.batches(sql, parameters, size=1_000_000).read_all()
    rows = engine.query(sql, parameters)
    columns = list(zip(*rows.values, strict=True)) or [()] * len(rows.columns)
    return pa.table(dict(zip(rows.columns, map(list, columns), strict=True)))
