"""The Redshift Data API over real HTTP: executes the SQL on DuckDB and COPY from the loopback account's S3.

It is as strict as the real one where mag7 depends on it: a batch is one transaction of at most 40 statements, keys
are not enforced, COPY from Parquet goes by position and refuses other physical types and strings with too many bytes,
parameters are neither unused nor empty, COPY JOB wants a named role and no transaction, and loads each file name once.
"""

import io
import json
import re
import threading
import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlglot
from sqlglot import exp
from tests.simulators import decimal_digits
from tests.simulators.aws_json import JsonService, ServiceError, Stored

_TYPES = {
    "SMALLINT": "int2",
    "INTEGER": "int4",
    "BIGINT": "int8",
    "HUGEINT": "numeric",
    "FLOAT": "float4",
    "DOUBLE": "float8",
    "VARCHAR": "varchar",
    "BOOLEAN": "bool",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
}
_ARROW_TYPES = {
    "date": pa.date32(),
    "character varying": pa.string(),
    "double precision": pa.float64(),
    "bigint": pa.int64(),
    "integer": pa.int32(),
    "boolean": pa.bool_(),
}
_COPY = re.compile(
    r"COPY\s+(?P<table>[\w.]+)\s+FROM\s+'s3://(?P<bucket>[^/']+)/(?P<prefix>[^']*)'\s+"
    r"IAM_ROLE\s+(?P<role>default|'arn:aws:iam::\d{12}:role/[\w/-]+')\s+FORMAT\s+(?:AS\s+)?PARQUET"
    r"(?:\s+JOB\s+CREATE\s+(?P<job>\w+)\s+AUTO\s+ON)?(?P<manifest>\s+MANIFEST)?\s*",
    re.IGNORECASE,
)
_PARAMETER = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|::|:([A-Za-z_]\w*)""")
_MAX_BATCH = 40
_SYSTEM_VIEWS = """
CREATE TABLE copy_jobs (
    owner VARCHAR, job_id BIGINT, job_name VARCHAR, iam_role VARCHAR, job_text VARCHAR, is_auto INTEGER);
CREATE TABLE copy_job_details (
    owner VARCHAR, job_name VARCHAR, file_location VARCHAR, file_name VARCHAR, file_size BIGINT, status VARCHAR);
CREATE TABLE svv_copy_job_integrations (
    job_owner INTEGER, channel_arn VARCHAR, bucket VARCHAR, channel_state VARCHAR, db_name VARCHAR, job_name VARCHAR,
    job_state INTEGER);
CREATE TABLE caller (name VARCHAR);
INSERT INTO caller VALUES ('IAM:us');
CREATE VIEW sys_copy_job AS SELECT * EXCLUDE (owner) FROM copy_jobs WHERE owner = (SELECT name FROM caller);
CREATE VIEW sys_copy_job_detail AS
    SELECT * EXCLUDE (owner) FROM copy_job_details WHERE owner = (SELECT name FROM caller);
CREATE TABLE sys_copy_job_info (job_name VARCHAR, record_time TIMESTAMP, message VARCHAR);
CREATE TABLE svv_columns (
    table_schema VARCHAR, table_name VARCHAR, column_name VARCHAR, ordinal_position INTEGER, is_nullable VARCHAR,
    data_type VARCHAR, character_maximum_length INTEGER, numeric_precision INTEGER, numeric_scale INTEGER);
CREATE TABLE sys_query_history (
    query_id BIGINT, start_time TIMESTAMP, status VARCHAR, elapsed_time BIGINT, queue_time BIGINT, query_type VARCHAR,
    query_text VARCHAR);
CREATE TABLE sys_query_detail (query_id BIGINT, step_name VARCHAR, input_bytes BIGINT);
CREATE TABLE sys_load_error_detail (
    query_id BIGINT, start_time TIMESTAMP, file_name VARCHAR, column_name VARCHAR, column_type VARCHAR,
    column_length VARCHAR, error_code INTEGER, error_message VARCHAR);
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as SVV_COLUMNS describes it; DuckDB itself forgets the length of a VARCHAR."""

    name: str
    is_nullable: str
    data_type: str
    max_bytes: int | None
    precision: int | None
    scale: int | None

    @property
    def arrow_type(self) -> pa.DataType:
        """The only physical type that COPY takes for it."""
        if self.data_type == "numeric":
            return pa.decimal128(self.precision, self.scale)
        return _ARROW_TYPES[self.data_type]


@dataclass(slots=True)
class Submission:
    """What was sent: `states` still to be told before the outcome, and for each statement how it ended."""

    sqls: list[str]
    is_batch: bool
    states: deque[str]
    outcome: str = ""
    error: str = ""
    sub_states: list[str] = field(default_factory=list)
    columns: list[tuple[str, str]] = field(default_factory=list)
    digits: list[tuple[int, int]] = field(default_factory=list)
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)


class StatementFailedError(Exception):
    """Why a statement ends FAILED."""


class RedshiftSimulator(JsonService):
    """`stored` lists the objects of the loopback account.

    Knobs: `states` told before the outcome, `page_rows`, and `pause_before`: a statement that contains this text waits
    inside its transaction until `resume` is set (`paused` tells when it got there).
    """

    def __init__(self, stored: Stored) -> None:
        super().__init__(
            {
                "ExecuteStatement": self.execute,
                "BatchExecuteStatement": self.batch,
                "DescribeStatement": self.describe,
                "GetStatementResult": self.results,
                "CancelStatement": self.cancel,
            }
        )
        self.stored = stored
        self.states = ("SUBMITTED", "STARTED")
        self.page_rows = 1_000
        self.pause_before: str | None = None
        self.paused = threading.Event()
        self.resume = threading.Event()
        self.submissions: dict[str, Submission] = {}
        self.jobs: dict[str, tuple[re.Match[str], set[str]]] = {}
        self.owners: dict[str, str] = {}
        self.read_only: set[str] = set()
        self.integrated = False
        self.duckdb = duckdb.connect(config={"threads": 1})
        self.duckdb.execute(_SYSTEM_VIEWS)
        self.may_create = True

    @property
    def caller(self) -> str:
        """The database user: a regular one, who sees his own jobs only."""
        return str(self.duckdb.cursor().execute("SELECT name FROM caller").fetchall()[0][0])

    @caller.setter
    def caller(self, name: str) -> None:
        self.duckdb.cursor().execute("UPDATE caller SET name = ?", [name])

    def integrate(self) -> None:
        """Set up the bucket's S3 event integration, which a warehouse does not have by itself."""
        self.integrated = True
        self.duckdb.cursor().execute(
            "INSERT INTO svv_copy_job_integrations VALUES (100, 'arn', 'bucket', 'Established', 'dev', '', 0)"
        )

    @property
    def may_create(self) -> bool:
        """What HAS_DATABASE_PRIVILEGE answers, as the text that the Data API makes of it."""
        return self._may_create

    @may_create.setter
    def may_create(self, granted: bool) -> None:
        self._may_create = granted
        self.duckdb.execute(
            "CREATE OR REPLACE MACRO has_database_privilege(user_name, database_name, privilege) "
            f"AS '{str(granted).lower()}'"
        )

    # Operations

    def execute(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        if request["Sql"] == "ROLLBACK":
            self.read_only.discard(request["SessionId"])
            return self._submit(request, ["SELECT 1"], is_batch=False)
        if session := request.get("SessionId"):
            self._check_session(session, request["Sql"])
        if not session and request.get("SessionKeepAliveSeconds"):
            session = str(uuid.uuid4())
            self.read_only.add(session)
            assert request["Sql"] == "BEGIN READ ONLY"
            return {**self._submit(request, ["SELECT 1"], is_batch=False), "SessionId": session}
        return self._submit(request, [_bound(request["Sql"], request.get("Parameters", ()))], is_batch=False)

    def _check_session(self, session: str, sql: str) -> None:
        statement = sqlglot.parse_one(_PARAMETER.sub("NULL", sql), read="redshift")
        if session in self.read_only and not isinstance(statement, exp.Query):
            raise ServiceError("ValidationException", "ERROR: transaction is read-only")

    def batch(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        if len(request["Sqls"]) > _MAX_BATCH:
            raise ServiceError("ValidationException", f"Member must have length less than or equal to {_MAX_BATCH}")
        return self._submit(request, list(request["Sqls"]), is_batch=True)

    def describe(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        submission = self._submission(request)
        state = submission.states.popleft() if submission.states else submission.outcome or "STARTED"
        answer: dict[str, Any] = {
            "Id": request["Id"],
            "Status": state,
            "HasResultSet": bool(submission.columns),
        }
        if submission.error and state == submission.outcome:
            answer["Error"] = submission.error
        if submission.is_batch:
            answer["SubStatements"] = [
                {"Id": f"{request['Id']}:{number + 1}", "Status": status, "QueryString": submission.sqls[number]}
                | ({"Error": submission.error} if status == "FAILED" else {})
                for number, status in enumerate(submission.sub_states)
            ]
        return answer

    def results(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        submission = self._submission(request)
        if submission.outcome != "FINISHED" or not submission.columns:
            raise ServiceError("ResourceNotFoundException", "Query does not have result.")
        columns = submission.columns
        start = int(request.get("NextToken", 0))
        page = submission.rows[start : start + self.page_rows]
        answer: dict[str, Any] = {
            "ColumnMetadata": [
                {"name": name, "typeName": kind, "precision": precision, "scale": scale}
                for (name, kind), (precision, scale) in zip(columns, submission.digits, strict=True)
            ],
            "Records": [[_cell(v, kind) for v, (_, kind) in zip(row, columns, strict=True)] for row in page],
            "TotalNumRows": len(submission.rows),
        }
        if start + self.page_rows < len(submission.rows):
            answer["NextToken"] = str(start + self.page_rows)
        return answer

    def cancel(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        submission = self._submission(request)
        if submission.outcome:
            raise ServiceError("ValidationException", "Could not cancel a query that is already in a finished state")
        submission.cancelled.set()
        return {"Status": True}

    def _submission(self, request: Mapping[str, Any]) -> Submission:
        try:
            return self.submissions[request["Id"]]
        except KeyError:
            raise ServiceError("ResourceNotFoundException", "Query does not exist.") from None

    def _submit(self, request: Mapping[str, Any], sqls: list[str], *, is_batch: bool) -> Mapping[str, Any]:
        if "SessionId" not in request and ("WorkgroupName" in request) == ("ClusterIdentifier" in request):
            raise ServiceError("ValidationException", "Exactly one of WorkgroupName and ClusterIdentifier is needed")
        statement_id = str(uuid.uuid4())
        submission = Submission(sqls, is_batch, deque(self.states), sub_states=["SUBMITTED"] * len(sqls))
        self.submissions[statement_id] = submission
        # The warehouse goes on whether or not anybody asks how far it is.
        threading.Thread(target=self._run, args=(submission,), daemon=True).start()
        return {"Id": statement_id}

    # Execution

    def _run(self, submission: Submission) -> None:
        connection = self.duckdb.cursor()
        try:
            self._run_transaction(connection, submission)
        except Exception as error:
            # A bug of the simulator must not look like a statement that never ends.
            submission.error, submission.outcome = f"simulator: {error!r}", "FAILED"
            raise

    def _run_transaction(self, connection: duckdb.DuckDBPyConnection, submission: Submission) -> None:
        connection.execute("BEGIN")
        for number, sql in enumerate(submission.sqls):
            try:
                self._wait_if_asked(sql, submission)
                self._execute(connection, sql, submission)
            except (StatementFailedError, duckdb.Error, sqlglot.errors.ParseError) as error:
                connection.execute("ROLLBACK")
                ended = "ABORTED" if submission.cancelled.is_set() else "FAILED"
                submission.sub_states[number:] = [ended] + ["ABORTED"] * (len(submission.sqls) - number - 1)
                submission.error, submission.outcome = f"ERROR: {error}", ended
                return
            submission.sub_states[number] = "FINISHED"
        connection.execute("COMMIT")
        submission.outcome = "FINISHED"

    def _wait_if_asked(self, sql: str, submission: Submission) -> None:
        if self.pause_before and self.pause_before in sql:
            self.paused.set()
            while not self.resume.wait(0.005) and not submission.cancelled.is_set():
                continue
        if submission.cancelled.is_set():
            raise StatementFailedError("Query cancelled on user's request")

    def _execute(self, connection: duckdb.DuckDBPyConnection, sql: str, submission: Submission) -> None:
        if match := _COPY.fullmatch(sql.strip()):
            self._copy_statement(connection, match, submission)
            return
        if drop := re.fullmatch(r"COPY JOB DROP (\w+)", sql.strip()):
            del self.jobs[drop[1]]
            connection.execute("DELETE FROM copy_jobs WHERE job_name LIKE ? || '%'", [drop[1]])
            return
        if re.match(r"\s*(COPY|TRUNCATE|COMMIT|BEGIN|VACUUM|GRANT)\b", sql, re.IGNORECASE):
            raise StatementFailedError(f"syntax error or not allowed in a transaction: {sql[:60]}")
        statement, translated = _translated(sql)
        if isinstance(statement, exp.Create) and statement.kind == "TABLE":
            _remember_columns(connection, statement)
        if isinstance(statement, exp.Drop) and statement.kind == "TABLE":
            dropped = [table.name for table in statement.find_all(exp.Table)]
            connection.execute("DELETE FROM svv_columns WHERE list_contains(?, table_name)", [dropped])
        cursor = connection.execute(translated)
        if isinstance(statement, exp.Query):
            submission.columns = [(column[0], _TYPES.get(str(column[1]), "numeric")) for column in cursor.description]
            submission.digits = decimal_digits.of(cursor.description)
            submission.rows = cursor.fetchall()

    # COPY

    def _copy_statement(
        self, connection: duckdb.DuckDBPyConnection, match: re.Match[str], submission: Submission
    ) -> None:
        if match["job"]:
            self._create_job(connection, match, submission)
            return
        files = list(self._listed(match) if match["manifest"] else self._objects(match))
        if not files:
            raise StatementFailedError(f"The specified S3 prefix '{match['prefix']}' does not exist")
        for key, data in files:
            self._copy_file(connection, match, key, data)

    def _listed(self, match: re.Match[str]) -> Iterable[tuple[str, bytes]]:
        """The files of a manifest: for Parquet each entry has to say how long its file is."""
        ((_, manifest),) = self._objects(match)
        for entry in json.loads(manifest)["entries"]:
            bucket, _, key = entry["url"].removeprefix("s3://").partition("/")
            files = [(name, data) for name, data in self.stored(bucket, key) if name == key]
            if [len(data) for _, data in files] != [entry["meta"]["content_length"]]:
                raise StatementFailedError(f"the manifest entry {entry['url']} does not fit its file")
            yield from files

    def _create_job(self, connection: duckdb.DuckDBPyConnection, match: re.Match[str], submission: Submission) -> None:
        if submission.is_batch:
            raise StatementFailedError("COPY JOB CREATE cannot run inside a transaction block")
        if match["role"].lower() == "default":
            raise StatementFailedError("COPY JOB does not support the default IAM role")
        if match["job"] in self.jobs:
            raise StatementFailedError(f"copy job {match['job']} already exists")
        # Files that were there before the job are never loaded by it.
        self.owners[match["job"]] = self.caller
        self.jobs[match["job"]] = (match, {key for key, _ in self._objects(match)})
        values = [self.caller, len(self.jobs), match["job"].ljust(128), match["role"].strip("'"), match[0]]
        connection.execute("INSERT INTO copy_jobs VALUES (?, ?, ?, ?, ?, 1)", values)

    def deliver(self) -> None:
        """Let the COPY JOBs see the files that arrived: each new file name once, in a transaction of its own."""
        for name, (match, seen) in self.jobs.items() if self.integrated else ():
            for key, data in self._objects(match):
                if key in seen:
                    continue
                seen.add(key)
                connection = self.duckdb.cursor()
                connection.execute("BEGIN")
                try:
                    self._copy_file(connection, match, key, data)
                    status = "Ingested"
                    connection.execute("COMMIT")
                except (StatementFailedError, duckdb.Error):
                    connection.execute("ROLLBACK")
                    status = "Error"
                connection.execute(
                    "INSERT INTO copy_job_details VALUES (?, ?, ?, ?, ?, ?)",
                    [self.owners[name], name, match["bucket"], key, len(data), status],
                )

    def _objects(self, match: re.Match[str]) -> Iterable[tuple[str, bytes]]:
        return self.stored(match["bucket"], match["prefix"].replace("''", "'"))

    def _copy_file(self, connection: duckdb.DuckDBPyConnection, match: re.Match[str], key: str, data: bytes) -> None:
        uri = f"s3://{match['bucket']}/{key}"
        columns = _columns(connection, match["table"])
        if not columns:
            raise StatementFailedError(f'relation "{match["table"]}" does not exist')
        table = pq.read_table(io.BytesIO(data))
        for column, problem in _problems(table, columns, uri):
            self._log_error(uri, column, problem)
            raise StatementFailedError(problem)
        connection.register("arriving", table)
        connection.execute(f"INSERT INTO {match['table']} SELECT * FROM arriving")
        connection.unregister("arriving")

    def _log_error(self, uri: str, column: str, problem: str) -> None:
        self.duckdb.cursor().execute(
            "INSERT INTO sys_load_error_detail VALUES (1, ?, ?, ?, '', '', 15007, ?)",
            [datetime.now(UTC).replace(tzinfo=None), uri.ljust(256), column.ljust(127), problem],
        )


@cache
def _translated(sql: str) -> tuple[exp.Expression, str]:
    """The statement as Redshift reads it, and its text for DuckDB; kept, since every load sends the same ones."""
    statement = sqlglot.parse_one(sql, read="redshift")
    return statement, _with_cuts(_without_keys(statement.copy())).sql("duckdb")


def _without_keys(statement: exp.Expression) -> exp.Expression:
    """Redshift does not enforce the keys of a table."""
    if isinstance(statement, exp.Create) and statement.kind == "TABLE":
        for key in list(statement.find_all(exp.PrimaryKey)):
            key.pop()
        statement.set("properties", None)
    return statement


def _with_cuts(statement: exp.Expression) -> exp.Expression:
    """The statement with casts of computed values to decimals that cut, as Redshift may do, where DuckDB rounds."""
    for cast in list(statement.find_all(exp.Cast)):
        if cast.to.is_type("decimal") and isinstance(cast.this, exp.Binary):
            scale = 10 ** int(cast.to.expressions[1].name)
            cast.set(
                "this", sqlglot.parse_one(f"TRUNC(({cast.this.sql('duckdb')}) * {scale}) / {scale}", read="duckdb")
            )
    return statement


def _remember_columns(connection: duckdb.DuckDBPyConnection, statement: exp.Create) -> None:
    """Keep the columns in SVV_COLUMNS."""
    table = statement.this.this
    if not connection.execute("SELECT 1 FROM svv_columns WHERE table_name = ?", [table.name]).fetchall():
        for position, found in enumerate(statement.find_all(exp.ColumnDef), start=1):
            nullable = not any(isinstance(c.kind, exp.NotNullColumnConstraint) for c in found.constraints)
            row = [table.db, table.name, found.name, position, "YES" if nullable else "NO", *_described(found.kind)]
            connection.execute("INSERT INTO svv_columns VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def _described(kind: exp.DataType) -> tuple[str, int | None, int | None, int | None]:
    text = kind.sql("redshift").lower()
    if match := re.fullmatch(r"(?:decimal|numeric)\((\d+), (\d+)\)", text):
        return "numeric", None, int(match[1]), int(match[2])
    if match := re.fullmatch(r"varchar(?:\((\d+)\))?|text", text):
        # TEXT is a VARCHAR(256), whatever PostgreSQL makes of it.
        return "character varying", int(match[1] or 256), None, None
    return text, None, None, None


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> list[Column]:
    rows = connection.execute(
        "SELECT column_name, is_nullable, data_type, character_maximum_length, numeric_precision, numeric_scale "
        "FROM svv_columns WHERE table_schema || '.' || table_name = ? ORDER BY ordinal_position",
        [table],
    )
    return [Column(*row) for row in rows.fetchall()]


def _problems(table: pa.Table, columns: Sequence[Column], uri: str) -> Iterator[tuple[str, str]]:
    """What COPY has against a file, with the column concerned: position by position, as Redshift compares."""
    if table.num_columns != len(columns):
        yield "", f"{uri}: Unmatched number of columns between table and file. {len(columns)}, {table.num_columns}"
        return
    for column, values in zip(columns, table.columns, strict=True):
        if problem := _problem(column, values, uri):
            yield column.name, problem


def _problem(column: Column, values: pa.ChunkedArray, uri: str) -> str:
    if values.type != column.arrow_type:
        return (
            f"File '{uri}' has an incompatible Parquet schema for column '{column.name}'. "
            f"Column type: {column.data_type}, Parquet schema: {values.type}"
        )
    if column.is_nullable == "NO" and values.null_count:
        return f"Missing data for not-null field {column.name}"
    longest = 0 if column.max_bytes is None else pc.max(pc.binary_length(values)).as_py() or 0
    if column.max_bytes is not None and longest > column.max_bytes:
        return (
            f"The length of the data column {column.name} is longer than the length defined in the table. "
            f"Table: {column.max_bytes}, Data: {longest}"
        )
    return ""


def _bound(sql: str, parameters: Sequence[Mapping[str, str]]) -> str:
    values = {parameter["name"]: parameter["value"] for parameter in parameters}
    used: set[str] = set()

    def value_of(match: re.Match[str]) -> str:
        if not match[1]:
            return match[0]
        if match[1] not in values:
            raise ServiceError("ValidationException", f"No value for parameter {match[1]}")
        used.add(match[1])
        return "'" + values[match[1]].replace("'", "''") + "'"

    text = _PARAMETER.sub(value_of, sql)
    if unused := values.keys() - used:
        raise ServiceError("ValidationException", f"Parameters list contains unused parameters: {sorted(unused)}")
    if any(not value for value in values.values()):
        raise ServiceError("ValidationException", "Parameter values must have length greater than or equal to 1")
    return text


def _cell(value: object, kind: str) -> Mapping[str, Any]:
    if value is None:
        return {"isNull": True}
    if kind == "bool":
        return {"booleanValue": value}
    if kind in ("float4", "float8"):
        return {"doubleValue": value}
    return {"longValue": value} if kind.startswith("int") else {"stringValue": str(value)}
