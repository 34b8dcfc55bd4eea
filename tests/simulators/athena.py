"""Athena over real HTTP: reads table definitions from Glue, files from S3, and executes the SQL on DuckDB.

It is as strict as the real one where mag7 depends on it: tables exist only if the Glue catalog says so, partitions
only where they are registered, every object of a folder is read, each folder costs a LIST request (`lists` counts
them), Parquet types must equal the catalog's, parameters stand in WHERE only, and an output location is needed.
Differences between Trino's and DuckDB's functions are sqlglot's to bridge.
"""

import io
import itertools
import re
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import sqlglot
from sqlglot import exp
from tests.simulators import decimal_digits
from tests.simulators.aws_json import JsonService, ServiceError, Stored

_TYPES = {
    "TINYINT": "tinyint",
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    # Trino's sum of bigints is a bigint, DuckDB's is wider.
    "HUGEINT": "bigint",
    "FLOAT": "real",
    "DOUBLE": "double",
    "VARCHAR": "varchar",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
}
_ARROW_TYPES = {
    "date": pa.date32(),
    "double": pa.float64(),
    "bigint": pa.int64(),
    "int": pa.int32(),
    "boolean": pa.bool_(),
    "string": pa.string(),
}
_LARGEST_PAGE = 1_000
_MARK = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|\?""")


@dataclass(slots=True)
class Execution:
    """One query: the `states` still to be told before its `outcome`, and what it found."""

    sql: str
    parameters: list[str]
    workgroup: str
    states: deque[str]
    outcome: str = ""
    reason: str = ""
    retryable: bool = False
    columns: list[tuple[str, str]] = field(default_factory=list)
    digits: list[tuple[int, int]] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)
    scanned_bytes: int = 0
    is_query: bool = True


class QueryFailedError(Exception):
    """Why a query ends FAILED."""

    def __init__(self, reason: str, *, retryable: bool = False) -> None:
        super().__init__(reason)
        self.retryable = retryable


class AthenaSimulator(JsonService):
    """`glue` is a boto3 client of the loopback account, `stored` lists its objects.

    Knobs: `states` told before the outcome, `fail_next`, `page_rows`; `managed` workgroups keep results themselves and
    refuse a place, `enforced` ones ignore the caller's.
    """

    def __init__(self, glue: Any, stored: Stored) -> None:
        super().__init__(
            {
                "StartQueryExecution": self.start,
                "GetQueryExecution": self.describe,
                "GetQueryResults": self.results,
                "StopQueryExecution": self.stop,
                "GetWorkGroup": self.workgroup,
                "ListQueryExecutions": self.listed,
                "BatchGetQueryExecution": self.batch,
            }
        )
        self.glue = glue
        self.stored = stored
        self.workgroups: dict[str, str | None] = {"primary": None, "mag7": "s3://results/"}
        self.managed: set[str] = set()
        self.enforced: set[str] = set()
        self.states = ("QUEUED", "RUNNING")
        self.fail_next: deque[QueryFailedError] = deque()
        self.page_rows = _LARGEST_PAGE
        self.executions: dict[str, Execution] = {}
        self.lists = 0
        self.views: dict[str, str] = {}
        self.duckdb = duckdb.connect()
        self.duckdb.execute("CREATE SCHEMA market_data; CREATE SCHEMA market_data_by_date")

    # Operations

    def start(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        workgroup = request.get("WorkGroup", "primary")
        if workgroup not in self.workgroups:
            raise ServiceError("InvalidRequestException", "WorkGroup is not found.")
        if request.get("ResultConfiguration") and workgroup in self.managed:
            raise ServiceError(
                "InvalidRequestException", "ResultConfiguration cannot be set when managed query results are enabled"
            )
        has_place = request.get("ResultConfiguration", {}).get("OutputLocation") or self.workgroups[workgroup]
        if not has_place and workgroup not in self.managed:
            raise ServiceError(
                "InvalidRequestException",
                "No output location provided. An output location is required either through the Workgroup result "
                "configuration setting or as an API input.",
            )
        execution_id = str(uuid.uuid4())
        self.executions[execution_id] = Execution(
            request["QueryString"], list(request.get("ExecutionParameters", ())), workgroup, deque(self.states)
        )
        return {"QueryExecutionId": execution_id}

    def describe(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        execution = self._execution(request)
        if not execution.outcome and not execution.states:
            self._run(execution)
        state = execution.outcome or execution.states.popleft()
        status: dict[str, Any] = {"State": state, "SubmissionDateTime": 0}
        if execution.reason:
            status["StateChangeReason"] = execution.reason
            status["AthenaError"] = {"ErrorMessage": execution.reason, "Retryable": execution.retryable}
        return {
            "QueryExecution": {
                "QueryExecutionId": request["QueryExecutionId"],
                "Query": execution.sql,
                "StatementType": "DML" if execution.columns and execution.is_query else "DDL",
                "WorkGroup": execution.workgroup,
                "Status": status,
                "Statistics": {
                    "DataScannedInBytes": execution.scanned_bytes,
                    "TotalExecutionTimeInMillis": 1_200,
                    "QueryQueueTimeInMillis": 200,
                },
            }
        }

    def results(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        execution = self._execution(request)
        if execution.outcome != "SUCCEEDED":
            raise ServiceError("InvalidRequestException", f"Query did not finish successfully: {execution.outcome}")
        header: list[list[str | None]] = (
            [[name for name, _ in execution.columns]] if execution.columns and execution.is_query else []
        )
        rows = header + execution.rows
        start = int(request.get("NextToken", 0))
        page = rows[start : start + self.page_rows]
        answer: dict[str, Any] = {
            "ResultSet": {
                "Rows": [{"Data": [{} if text is None else {"VarCharValue": text} for text in row]} for row in page],
                "ResultSetMetadata": {
                    "ColumnInfo": [
                        {"Name": name, "Type": kind, "Precision": precision, "Scale": scale}
                        for (name, kind), (precision, scale) in zip(execution.columns, execution.digits, strict=True)
                    ]
                },
            }
        }
        if start + self.page_rows < len(rows):
            answer["NextToken"] = str(start + self.page_rows)
        return answer

    def listed(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        ids = [key for key, one in self.executions.items() if one.workgroup == request["WorkGroup"]]
        return {"QueryExecutionIds": ids[-request["MaxResults"] :]}

    def batch(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        described = [self.describe({"QueryExecutionId": key}) for key in request["QueryExecutionIds"]]
        return {"QueryExecutions": [one["QueryExecution"] for one in described]}

    def stop(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        execution = self._execution(request)
        if not execution.outcome:
            execution.outcome, execution.reason = "CANCELLED", "Query cancelled by user"
        return {}

    def workgroup(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        name = request["WorkGroup"]
        if name not in self.workgroups:
            raise ServiceError("InvalidRequestException", "WorkGroup is not found.")
        location = self.workgroups[name]
        configuration: dict[str, Any] = {"ResultConfiguration": {"OutputLocation": location} if location else {}}
        configuration["ManagedQueryResultsConfiguration"] = {"Enabled": name in self.managed}
        configuration["EnforceWorkGroupConfiguration"] = name in self.enforced
        return {"WorkGroup": {"Name": name, "State": "ENABLED", "Configuration": configuration}}

    def _execution(self, request: Mapping[str, Any]) -> Execution:
        try:
            return self.executions[request["QueryExecutionId"]]
        except KeyError:
            raise ServiceError("InvalidRequestException", "QueryExecution was not found") from None

    # Execution

    def _run(self, execution: Execution) -> None:
        try:
            if self.fail_next:
                raise self.fail_next.popleft()
            self._execute(execution)
        except QueryFailedError as error:
            execution.outcome, execution.reason, execution.retryable = "FAILED", str(error), error.retryable
        except (duckdb.Error, sqlglot.errors.ParseError) as error:
            execution.outcome, execution.reason = "FAILED", f"SYNTAX_ERROR: {error}"
        else:
            execution.outcome = "SUCCEEDED"

    def _execute(self, execution: Execution) -> None:
        statement = bound(execution.sql, execution.parameters)
        if isinstance(statement, exp.Create) and statement.kind == "VIEW":
            self.views[statement.this.name] = statement.expression.sql("athena")
            return
        if isinstance(statement, exp.Describe):
            self._describe_table(statement.this, execution)
            return
        if not isinstance(statement, exp.Query):
            raise QueryFailedError(f"the simulator runs queries and views only: {execution.sql[:60]}")
        self._provide(statement, execution)
        cursor = self.duckdb.execute(statement.sql("duckdb"))
        execution.columns = [(column[0], _TYPES.get(str(column[1]), "decimal")) for column in cursor.description]
        execution.digits = decimal_digits.of(cursor.description)
        execution.rows = [[text_of(value) for value in row] for row in cursor.fetchall()]

    def _describe_table(self, table: exp.Table, execution: Execution) -> None:
        """Three columns in one cell, each padded, tabs between them: the way of Hive."""
        columns = self.glue.get_table(DatabaseName=table.db, Name=table.name)["Table"]["StorageDescriptor"]["Columns"]
        execution.is_query = False
        execution.columns = [("col_name", "string"), ("data_type", "string"), ("comment", "string")]
        execution.digits = [(0, 0)] * 3
        execution.rows = [[f"{column['Name']:<20}\t{column['Type']:<20}\t{'':<20}"] for column in columns]

    def _provide(self, statement: exp.Expression, execution: Execution) -> None:
        """Put the tables and views that a query names into DuckDB as the catalog and the bucket have them now."""
        for table in statement.find_all(exp.Table):
            if table.name in self.views:
                query = sqlglot.parse_one(self.views[table.name], read="athena")
                self._provide(query, execution)
                view = f"market_data.{table.name}"
                self.duckdb.execute(f"CREATE OR REPLACE VIEW {view} AS {query.sql('duckdb')}")
            elif table.db:
                data, size = self._read(table.db, table.name)
                execution.scanned_bytes += size
                self.duckdb.register("arriving", data)
                self.duckdb.execute(f"CREATE OR REPLACE TABLE {table.db}.{table.name} AS SELECT * FROM arriving")
                self.duckdb.unregister("arriving")

    def _read(self, database: str, name: str) -> tuple[pa.Table, int]:
        try:
            table = self.glue.get_table(DatabaseName=database, Name=name)["Table"]
        except self.glue.exceptions.EntityNotFoundException:
            raise QueryFailedError(
                f"TABLE_NOT_FOUND: Table 'awsdatacatalog.{database}.{name}' does not exist"
            ) from None
        columns = table["StorageDescriptor"]["Columns"]
        wanted = pa.schema([(column["Name"], arrow_type(column["Type"])) for column in columns])
        if not table["PartitionKeys"]:
            files = list(self._files(table["StorageDescriptor"]["Location"]))
            parts = [wanted.empty_table(), *(_read_by_name(data, wanted, uri) for uri, data in files)]
            return pa.concat_tables(parts), sum(len(data) for _, data in files)
        key = table["PartitionKeys"][0]["Name"]
        parts, size = [wanted.empty_table().append_column(key, pa.array([], pa.date32()))], 0
        for day, location in self._partitions(database, name):
            for uri, data in self._files(location):
                size += len(data)
                part = _read_by_name(data, wanted, uri)
                parts.append(part.append_column(key, pa.array([day] * len(part), pa.date32())))
        return pa.concat_tables(parts), size

    def _files(self, location: str) -> Iterator[tuple[str, bytes]]:
        """Every object of a folder, for one LIST request a thousand; names that begin with _ or . are skipped."""
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        self.lists += 1
        for number, (key, data) in enumerate(self.stored(bucket, prefix), start=1):
            self.lists += number % 1_000 == 0
            if not key.rpartition("/")[2].startswith(("_", ".")):
                yield f"s3://{bucket}/{key}", data

    def _partitions(self, database: str, name: str) -> Iterator[tuple[date, str]]:
        pages = self.glue.get_paginator("get_partitions").paginate(DatabaseName=database, TableName=name)
        for page in pages:
            for partition in page["Partitions"]:
                yield date.fromisoformat(partition["Values"][0]), partition["StorageDescriptor"]["Location"]


def bound(sql: str, parameters: list[str]) -> exp.Expression:
    """The statement with the values in the place of its question marks, which Athena allows in WHERE only."""
    count = itertools.count()
    numbered = _MARK.sub(lambda found: f":p{next(count)}" if found[0] == "?" else found[0], sql)
    statement = sqlglot.parse_one(numbered, read="athena")
    marks = {str(node.this): node for node in statement.find_all(exp.Placeholder)}
    if len(marks) != len(parameters):
        raise QueryFailedError(f"Incorrect number of parameters: expected {len(marks)} but found {len(parameters)}")
    for number, text in enumerate(parameters):
        mark = marks[f"p{number}"]
        if mark.find_ancestor(exp.Where) is None:
            raise QueryFailedError("Parameters are only allowed in the WHERE clause")
        # DuckDB would give a bare DECIMAL three digits after the point.
        mark.replace(sqlglot.parse_one(re.sub(r"^DECIMAL '(.*)'$", r"\1", text), read="athena"))
    return statement


def arrow_type(name: str) -> pa.DataType:
    """The Parquet type that a Glue column type wants."""
    if match := re.fullmatch(r"decimal\((\d+),(\d+)\)", name):
        return pa.decimal128(int(match[1]), int(match[2]))
    return _ARROW_TYPES[name]


def _read_by_name(data: bytes, wanted: pa.Schema, uri: str) -> pa.Table:
    part = pq.read_table(io.BytesIO(data))
    for column in wanted:
        if part.schema.field(column.name).type != column.type:
            found = part.schema.field(column.name).type
            raise QueryFailedError(
                f"HIVE_BAD_DATA: Field {column.name}'s type {found} in parquet file {uri} is incompatible with type "
                f"{column.type} defined in table schema"
            )
    return part.select(wanted.names).cast(wanted)


def text_of(value: object) -> str | None:
    """A value as Athena writes it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # Java writes ten million as 1.0E7.
        return f"{value:.16E}" if abs(value) >= 1e7 else repr(value)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
