"""The Redshift side of `engines.SqlEngine`, through the Data API: no driver, no open port, no password.

Knows nothing of what is loaded, nor from where: that is `redshift_load`'s business.
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from mag7cli.core.errors import EngineError, UsageError
from mag7cli.lake import aws
from mag7cli.warehouse.engines import Dialect, Rows, Value, type_name
from mag7cli.warehouse.engines.polling import Sleep, wait_until
from mag7cli.warehouse.engines.sql_text import Statement, plain

_log = logging.getLogger(__name__)

MAX_BATCH: Final = 40
"""Statements in one transaction. Source: Redshift Data API reference, BatchExecuteStatement."""

_READ_ONLY: Final = "BEGIN READ ONLY"
_SESSION_S: Final = 600
_FINAL_STATES: Final = frozenset({"FINISHED", "FAILED", "ABORTED"})


@dataclass(frozen=True, slots=True)
class Warehouse:
    """Which Redshift: a serverless `workgroup` or a `cluster`, and as whom.

    Without `secret_arn` the caller's IAM identity becomes the database user; `db_user` is for clusters only.
    """

    workgroup: str | None = None
    cluster: str | None = None
    database: str = "dev"
    db_user: str | None = None
    secret_arn: str | None = None

    def __post_init__(self) -> None:
        if bool(self.workgroup) == bool(self.cluster):
            raise UsageError(
                "Redshift needs either a serverless workgroup or a cluster",
                hint="--workgroup market-analysis, or --cluster NAME",
            )
        if self.db_user and (self.workgroup or self.secret_arn):
            raise UsageError("--db-user goes with --cluster and IAM: a workgroup or a secret brings its own user")

    def request(self) -> dict[str, str]:
        """The part of every request that says where and as whom."""
        chosen = {
            "WorkgroupName": self.workgroup,
            "ClusterIdentifier": self.cluster,
            "Database": self.database,
            "DbUser": self.db_user,
            "SecretArn": self.secret_arn,
        }
        return {name: value for name, value in chosen.items() if value}


class RedshiftEngine:
    """One database of one Redshift warehouse."""

    dialect: Dialect = "redshift"

    def __init__(self, warehouse: Warehouse, *, read_only: bool = False, sleep: Sleep = time.sleep) -> None:
        """Talk to the warehouse.

        Args:
            warehouse: Which one, and as whom.
            read_only: Let `query` run in a transaction that Redshift itself keeps from writing: for SQL of others.
            sleep: How to wait.
        """
        self._where = warehouse.request()
        self._read_only = read_only
        self._sleep = sleep
        self._client = aws.client("redshift-data")

    def query(self, sql: str, parameters: Mapping[str, Value] | None = None) -> Rows:
        """Run one statement that reads."""
        statement = Statement.parse(sql)
        with aws.errors_as(EngineError, statement.title), self._place() as place:
            done = self._run_one(statement, parameters, place)
            return self._results(done["Id"]) if done.get("HasResultSet") else Rows((), ())

    @contextmanager
    def _place(self) -> Iterator[Mapping[str, Any]]:
        """Where a query runs: anywhere, or in a session whose transaction may only read.

        Source: Redshift database developer guide, BEGIN; Data API reference, SessionKeepAliveSeconds.
        """
        if not self._read_only:
            yield self._where
            return
        opened = self._client.execute_statement(**self._where, Sql=_READ_ONLY, SessionKeepAliveSeconds=_SESSION_S)
        self._wait(opened["Id"])
        place = {"SessionId": opened["SessionId"]}
        try:
            yield place
        finally:
            # Nothing waits for it, and a session that nobody uses ends by itself.
            self._client.execute_statement(**place, Sql="ROLLBACK")

    def execute(self, statements: Sequence[str]) -> None:
        """Run statements as one transaction: all of them or none. At most 40, without COMMIT or TRUNCATE.

        A single statement is its own transaction, as COPY JOB demands. Raises EngineError, which names the statement
        that failed; Ctrl-C cancels and so rolls back.
        """
        parsed = [Statement.parse(sql) for sql in statements]
        if len(parsed) == 1:
            with aws.errors_as(EngineError, parsed[0].title):
                self._run_one(parsed[0], None, self._where)
        elif parsed:
            self._run_batch(parsed)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _run_one(
        self, statement: Statement, parameters: Mapping[str, Value] | None, place: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        sql, values = _bound(statement, statement.values(parameters))
        request: dict[str, Any] = {**place, "Sql": sql}
        if values:
            request["Parameters"] = values
        done = self._wait(self._client.execute_statement(**request)["Id"])
        if done["Status"] != "FINISHED":
            raise _failure(statement, done)
        return done

    def _run_batch(self, statements: Sequence[Statement]) -> None:
        if len(statements) > MAX_BATCH:
            raise EngineError(f"{len(statements)} statements: Redshift takes at most {MAX_BATCH} in one transaction")
        texts = [_text(statement) for statement in statements]
        with aws.errors_as(EngineError, f"{statements[0].title} and {len(statements) - 1} more"):
            done = self._wait(self._client.batch_execute_statement(**self._where, Sqls=texts)["Id"])
        if done["Status"] != "FINISHED":
            raise _batch_failure(statements, done)

    def _wait(self, statement_id: str) -> Mapping[str, Any]:
        try:
            return wait_until(lambda: self._finished(statement_id), self._sleep)
        except BaseException:
            # Whoever stops waiting (Ctrl-C most of all) wants the transaction rolled back.
            self._cancel(statement_id)
            raise

    def _finished(self, statement_id: str) -> Mapping[str, Any] | None:
        described: Mapping[str, Any] = self._client.describe_statement(Id=statement_id)
        return described if described["Status"] in _FINAL_STATES else None

    def _cancel(self, statement_id: str) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client.cancel_statement(Id=statement_id)
        except (BotoCoreError, ClientError) as error:
            _log.warning("Redshift statement %s could not be cancelled: %s", statement_id, error)

    def _results(self, statement_id: str) -> Rows:
        described: list[Mapping[str, Any]] = []
        values: list[tuple[Value, ...]] = []
        for page in self._client.get_paginator("get_statement_result").paginate(Id=statement_id):
            described = page["ColumnMetadata"]
            values.extend(_typed(page["Records"], [column["typeName"] for column in described]))
        types = tuple(
            type_name(column["typeName"], column.get("precision"), column.get("scale")) for column in described
        )
        return Rows(tuple(column["name"] for column in described), tuple(values), types=types)


def _text(statement: Statement) -> str:
    statement.values(None)
    return statement.render(iter(()))


def _bound(statement: Statement, values: Mapping[str, Value]) -> tuple[str, list[dict[str, str]]]:
    """The text and its parameters. The Data API knows neither NULL nor an empty value: those two go into the text."""
    in_text = {name: "NULL" if value is None else "''" for name, value in values.items() if value in (None, "")}
    sql = statement.render(in_text.get(name, f":{name}") for name in statement.names)
    return sql, [{"name": name, "value": plain(value)} for name, value in values.items() if name not in in_text]


def _typed(records: Sequence[Sequence[Mapping[str, Any]]], types: Sequence[str]) -> Iterator[tuple[Value, ...]]:
    for record in records:
        yield tuple(_value(cell, kind) for cell, kind in zip(record, types, strict=True))


def _value(cell: Mapping[str, Any], type_name: str) -> Value:
    """The Data API has types for integers, doubles and booleans; the rest are texts beside the column's type."""
    if cell.get("isNull"):
        return None
    value: Value = next(iter(cell.values()))
    if not isinstance(value, str):
        return value
    if type_name == "numeric":
        return Decimal(value)
    if type_name == "date":
        return date.fromisoformat(value)
    # CHAR columns, as in the system views, come padded to their full width.
    return value.rstrip() if type_name in ("bpchar", "char") else value


def _failure(statement: Statement, done: Mapping[str, Any]) -> EngineError:
    reason = " ".join(str(done.get("Error") or "no reason given").split())
    return EngineError(f"{statement.title}: {done['Status'].lower()} on Redshift: {reason}", hint=explain(reason))


def _batch_failure(statements: Sequence[Statement], done: Mapping[str, Any]) -> EngineError:
    """The failure of the sub-statement that failed; nothing of the batch is left behind."""
    for statement, sub in zip(statements, done.get("SubStatements", ()), strict=False):
        if sub["Status"] in ("FAILED", "ABORTED"):
            return _failure(statement, {**sub, "Error": sub.get("Error") or done.get("Error")})
    return _failure(statements[0], done)


def explain(reason: str) -> str | None:
    """What helps against an error of Redshift's, None if its own words are the best there are."""
    lowered = reason.lower()
    return next((helps for said, helps in _ADVICE.items() if said in lowered), None)


_FILES_AND_TABLE: Final = "the files and the table disagree: `mag7 transform --force`, then `mag7 load --recreate`"
_ADVICE: Final[dict[str, str]] = {
    "incompatible parquet schema": _FILES_AND_TABLE,
    "unmatched number of columns": _FILES_AND_TABLE,
    "longer than the length defined": _FILES_AND_TABLE,
    "read-only": "mag7 sql only reads: mag7 transform and mag7 load write the tables",
    "permission denied": "the database user lacks a privilege: `mag7 doctor --aws` prints the GRANT",
    "access denied": "the role of COPY cannot read the bucket: `mag7 doctor --aws` prints the policy it needs",
    "not authorized": "the role of COPY cannot be used or cannot read: `mag7 doctor --aws` prints what it needs",
    "prefix": "there are no files below this address: run `mag7 transform` first",
    "serializable isolation violation": "something else wrote to the same table: run the load again",
}
