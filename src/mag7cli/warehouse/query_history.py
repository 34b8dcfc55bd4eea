"""What an engine remembers of its queries: runtime, queueing, bytes.

Redshift has it as system views (45 days where it is serverless, SYS_QUERY_HISTORY), Athena as its list of executions
(45 days), DuckDB not at all.
"""

from typing import Final

from mag7cli.core.errors import UsageError
from mag7cli.warehouse import sql_files
from mag7cli.warehouse.engines import Rows, SqlEngine
from mag7cli.warehouse.engines.athena import AthenaEngine

NAME: Final = "query_performance"
"""What `mag7 sql --name` calls it."""

FOLDER: Final = "Performance Monitoring"
MEANING: Final = "The last queries with their runtime, queueing and bytes, as the engine recorded them."

_LAST: Final = 50


def history(engine: SqlEngine) -> Rows:
    """The last queries, newest first. Raises UsageError for an engine that keeps no history, EngineError."""
    if engine.dialect == "redshift":
        return engine.query(sql_files.read("history", NAME).sql)
    if isinstance(engine, AthenaEngine):
        return engine.history(_LAST)
    raise UsageError(f"{NAME}: DuckDB keeps no history of its queries", hint="--engine athena, or --engine redshift")
