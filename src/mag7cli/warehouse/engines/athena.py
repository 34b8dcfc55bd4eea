"""The Athena side of `engines.SqlEngine`: queries over the lake's `processed/` zone, through the Glue catalog.

Values travel as execution parameters, results come back typed. The tables themselves are `catalog`'s business.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date
from decimal import Decimal
from typing import Any, Final

from mag7cli.core.errors import EngineError
from mag7cli.lake import aws
from mag7cli.tables.schema import SCHEMA
from mag7cli.warehouse.engines import Dialect, Rows, Value, type_name
from mag7cli.warehouse.engines.polling import Sleep, wait_until
from mag7cli.warehouse.engines.sql_text import Statement, plain, quoted

_log = logging.getLogger(__name__)

_ATTEMPTS: Final = 3
_FINAL_STATES: Final = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})
# Athena sends every value as text and its type beside it; what is not here stays text.
_FROM_TEXT: Final[Mapping[str, Callable[[str], Value]]] = {
    "tinyint": int,
    "smallint": int,
    "integer": int,
    "bigint": int,
    "float": float,
    "real": float,
    "double": float,
    "decimal": Decimal,
    "boolean": lambda text: text == "true",
    "date": date.fromisoformat,
}


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How an execution ended; `retryable` is Athena's own opinion."""

    execution_id: str
    state: str
    reason: str
    retryable: bool
    is_query: bool
    scanned_bytes: int


class AthenaEngine:
    """One workgroup of Athena. `output_location` may be left out if the workgroup has one of its own."""

    dialect: Dialect = "athena"

    def __init__(
        self,
        *,
        database: str = SCHEMA,
        workgroup: str = "primary",
        output_location: str | None = None,
        sleep: Sleep = time.sleep,
    ) -> None:
        self._where: dict[str, Any] = {
            "QueryExecutionContext": {"Database": database},
            "WorkGroup": workgroup,
        }
        if output_location:
            self._where["ResultConfiguration"] = {"OutputLocation": output_location}
        self._sleep = sleep
        self._client = aws.client("athena")

    def query(self, sql: str, parameters: Mapping[str, Value] | None = None) -> Rows:
        """Run one statement that reads; the note says how many bytes it scanned, which is what Athena bills."""
        statement = Statement.parse(sql)
        with aws.errors_as(EngineError, statement.title):
            outcome = self._run(statement, parameters)
            rows = self._results(outcome)
        return replace(rows, note=f"Athena scanned {_size(outcome.scanned_bytes)}")

    def execute(self, statements: Sequence[str]) -> None:
        """Run statements one after the other; Athena has no transactions."""
        for sql in statements:
            statement = Statement.parse(sql)
            with aws.errors_as(EngineError, statement.title):
                self._run(statement, None)

    def history(self, limit: int) -> Rows:
        """The last queries of the workgroup, newest first, with milliseconds and bytes; at most 50."""
        with aws.errors_as(EngineError, "the history of queries"):
            ids = self._client.list_query_executions(WorkGroup=self._where["WorkGroup"], MaxResults=limit)
            listed = ids.get("QueryExecutionIds", [])
            answer = self._client.batch_get_query_execution(QueryExecutionIds=listed) if listed else {}
        executions = sorted(answer.get("QueryExecutions", ()), key=_submitted, reverse=True)
        return Rows(_HISTORY, tuple(map(_history_row, executions)), types=_HISTORY_TYPES)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _run(self, statement: Statement, parameters: Mapping[str, Value] | None) -> _Outcome:
        values = statement.values(parameters)
        for attempt in range(1, _ATTEMPTS + 1):
            outcome = self._run_once(statement, [literal(values[name]) for name in statement.names])
            if outcome.state == "SUCCEEDED":
                return outcome
            if not outcome.retryable or attempt == _ATTEMPTS:
                break
            _log.info("Athena asks to try again: %s", outcome.reason)
            self._sleep(attempt)
        raise EngineError(f"{statement.title}: {outcome.state.lower()} on Athena: {outcome.reason}")

    def _run_once(self, statement: Statement, values: list[str]) -> _Outcome:
        execution_id = self._start(statement, values)
        try:
            return wait_until(lambda: self._outcome(execution_id), self._sleep)
        except BaseException:
            # Whoever stops waiting (Ctrl-C most of all) does not want to pay for the rest of the scan.
            self._cancel(execution_id)
            raise

    def _start(self, statement: Statement, values: list[str]) -> str:
        from botocore.exceptions import ClientError

        request = {**self._where, "QueryString": statement.render("?" for _ in statement.names)}
        if values:
            request["ExecutionParameters"] = values
        try:
            execution_id: str = self._client.start_query_execution(**request)["QueryExecutionId"]
        except ClientError as error:
            if hint := _hint(aws.said(error)):
                raise EngineError(f"{statement.title}: {aws.said(error)}", hint=hint) from error
            raise
        return execution_id

    def _outcome(self, execution_id: str) -> _Outcome | None:
        execution = self._client.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]
        status = execution["Status"]
        if status["State"] not in _FINAL_STATES:
            return None
        error = status.get("AthenaError", {})
        reason = status.get("StateChangeReason") or error.get("ErrorMessage") or "no reason given"
        return _Outcome(
            execution_id,
            status["State"],
            " ".join(reason.split()),
            error.get("Retryable", False),
            execution.get("StatementType") == "DML",
            execution.get("Statistics", {}).get("DataScannedInBytes", 0),
        )

    def _cancel(self, execution_id: str) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client.stop_query_execution(QueryExecutionId=execution_id)
        except (BotoCoreError, ClientError) as error:
            _log.warning("Athena query %s could not be cancelled: %s", execution_id, error)

    def _results(self, outcome: _Outcome) -> Rows:
        pages = self._client.get_paginator("get_query_results").paginate(QueryExecutionId=outcome.execution_id)
        described: list[Mapping[str, Any]] = []
        values: list[tuple[Value, ...]] = []
        for number, page in enumerate(pages):
            result = page["ResultSet"]
            described = result["ResultSetMetadata"]["ColumnInfo"]
            # The first row of a query's first page repeats the column names.
            rows = result["Rows"][1:] if outcome.is_query and number == 0 else result["Rows"]
            values.extend(_typed(rows, [column["Type"] for column in described]))
        types = tuple(type_name(column["Type"], column.get("Precision"), column.get("Scale")) for column in described)
        return Rows(tuple(column["Name"] for column in described), tuple(values), types=types)


_HISTORY: Final = (
    "query_id", "started_at", "status", "runtime_ms", "queueing_ms", "scanned_bytes", "statement",
)  # fmt: skip
_HISTORY_TYPES: Final = ("varchar", "varchar", "varchar", "bigint", "bigint", "bigint", "varchar")


def _submitted(execution: Mapping[str, Any]) -> str:
    moment = execution["Status"]["SubmissionDateTime"]
    return str(moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"))


def _history_row(execution: Mapping[str, Any]) -> tuple[Value, ...]:
    statistics = execution.get("Statistics", {})
    return (
        execution["QueryExecutionId"],
        _submitted(execution),
        execution["Status"]["State"],
        statistics.get("TotalExecutionTimeInMillis", 0),
        statistics.get("QueryQueueTimeInMillis", 0),
        statistics.get("DataScannedInBytes", 0),
        Statement.parse(execution["Query"]).title,
    )


def _typed(rows: Sequence[Mapping[str, Any]], types: Sequence[str]) -> Iterator[tuple[Value, ...]]:
    readers = [_FROM_TEXT.get(name, str) for name in types]
    for row in rows:
        # NULL is a cell without text; an empty string is a cell with an empty one.
        texts = _cells(row["Data"], len(readers))
        yield tuple(None if text is None else read(text) for read, text in zip(readers, texts, strict=True))


def _cells(cells: Sequence[Mapping[str, str]], columns: int) -> list[str | None]:
    """The texts of a row. DESCRIBE and SHOW send one cell for all their columns, padded and parted by tabs."""
    texts = [cell.get("VarCharValue") for cell in cells]
    if len(texts) == columns or len(texts) != 1:
        return texts
    parts: list[str | None] = [part.strip() for part in (texts[0] or "").split("\t")]
    return [*parts, *([None] * columns)][:columns]


def literal(value: Value) -> str:
    """A value as an execution parameter, which Athena reads as an SQL literal.

    Source: Athena user guide, "Use parameterized queries": strings only count as strings inside single quotes.
    """
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool | int):
        return plain(value)
    if isinstance(value, date):
        return f"DATE '{plain(value)}'"
    return f"DECIMAL '{value:f}'" if isinstance(value, Decimal) else f"DOUBLE '{value!r}'"


def _hint(message: str) -> str | None:
    lowered = message.lower()
    if "output location" in lowered:
        return "name a place for results: --output-location s3://bucket/athena/, or set it in the workgroup"
    if "workgroup" in lowered:
        return "`aws athena list-work-groups` shows the workgroups there are"
    return None


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
