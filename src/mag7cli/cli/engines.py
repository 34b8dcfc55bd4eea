"""Which SQL engine a command runs on: the options that say so, and the engine behind them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from mag7cli.cli.options import DEFAULT_LAKE, EngineOption, LakeOption

if TYPE_CHECKING:
    from mag7cli.warehouse.engines import SqlEngine
    from mag7cli.warehouse.engines.redshift import Warehouse

_REDSHIFT_DATABASE: Final = "dev"


class EngineOptions(NamedTuple):
    """The options of every command that runs SQL."""

    lake: LakeOption = DEFAULT_LAKE
    engine: EngineOption = "duckdb"
    workgroup: Annotated[
        str | None,
        typer.Option("--workgroup", metavar="NAME", help="The workgroup of Athena, or of Redshift Serverless."),
    ] = None
    output_location: Annotated[
        str | None,
        typer.Option(
            "--output-location", metavar="S3-URI", help="Athena: where results go, if the workgroup does not say."
        ),
    ] = None
    cluster: Annotated[
        str | None, typer.Option("--cluster", metavar="NAME", help="Redshift: a cluster instead of a workgroup.")
    ] = None
    database: Annotated[
        str | None,
        typer.Option("--database", metavar="NAME", help="The database, if not market_data in Athena, dev in Redshift."),
    ] = None
    db_user: Annotated[
        str | None, typer.Option("--db-user", metavar="NAME", help="Redshift: the user of a cluster, by IAM.")
    ] = None
    secret_arn: Annotated[
        str | None,
        typer.Option("--secret-arn", metavar="ARN", help="Redshift: the secret with user and password, not IAM."),
    ] = None


LOCAL: Final = EngineOptions()
"""The default: DuckDB over the lake."""


@contextmanager
def opened(options: EngineOptions, *, read_only: bool = False) -> Iterator["SqlEngine"]:
    """The engine over the tables, on Redshift kept from writing if `read_only`. Raises EngineError, UsageError."""
    engine = _open(options, read_only)
    try:
        yield engine
    finally:
        engine.close()


@contextmanager
def named(options: EngineOptions) -> Iterator["SqlEngine | None"]:
    """The engine that the options name; None for DuckDB, which the library opens where it needs it."""
    if options.engine == "duckdb":
        yield None
        return
    with opened(options) as engine:
        yield engine


def _open(options: EngineOptions, read_only: bool) -> "SqlEngine":
    if options.engine == "athena":
        return _athena(options)
    if options.engine == "redshift":
        return _redshift(options, read_only)
    from mag7cli.lake.layout import Lake
    from mag7cli.warehouse.engines.duckdb import DuckDbEngine

    return DuckDbEngine.over_lake(Lake.at(options.lake).require())


def _athena(options: EngineOptions) -> "SqlEngine":
    from mag7cli.tables.schema import SCHEMA
    from mag7cli.warehouse.engines.athena import AthenaEngine

    return AthenaEngine(
        database=options.database or SCHEMA,
        workgroup=options.workgroup or "primary",
        output_location=options.output_location,
    )


def _redshift(options: EngineOptions, read_only: bool) -> "SqlEngine":
    from mag7cli.warehouse.engines.redshift import RedshiftEngine

    return RedshiftEngine(warehouse_of(options), read_only=read_only)


def warehouse_of(options: EngineOptions) -> "Warehouse":
    """Which Redshift is meant. Raises UsageError."""
    from mag7cli.warehouse.engines.redshift import Warehouse

    return Warehouse(
        options.workgroup,
        options.cluster,
        options.database or _REDSHIFT_DATABASE,
        options.db_user,
        options.secret_arn,
    )
