"""`mag7 load`: the lake's tables into a warehouse, however often."""

from typing import TYPE_CHECKING, Annotated

import typer

from mag7cli.cli.app import TEXT_JSON, command
from mag7cli.cli.engines import EngineOptions, opened
from mag7cli.cli.foreign import warn_of_foreign
from mag7cli.cli.options import DryRunOption
from mag7cli.cli.output import Column, Grid, Line, Output, Result
from mag7cli.cli.quality import red_sentences
from mag7cli.core.errors import UsageError
from mag7cli.core.formatting import count, counted

if TYPE_CHECKING:
    from mag7cli.lake.layout import Lake
    from mag7cli.warehouse.duckdb_load import LoadResult

IamRoleOption = Annotated[
    str, typer.Option("--iam-role", metavar="ARN", help="Redshift: the role that reads the bucket, or default.")
]
AutoCopyOption = Annotated[
    bool, typer.Option("--auto-copy", help="Redshift: let COPY JOBs load each new date by themselves.")
]
EndAutoCopyOption = Annotated[
    bool, typer.Option("--end-auto-copy", help="Redshift: drop the COPY JOBs and their files, then load everything.")
]
StatusOption = Annotated[bool, typer.Option("--status", help="Redshift: what was loaded, what failed, and why.")]
RecreateOption = Annotated[bool, typer.Option("--recreate", help="Redshift: replace tables of an older shape.")]


@command(
    "mag7 load",
    "mag7 load --engine athena --lake s3://my-bucket --output-location s3://my-bucket/athena/",
    "mag7 load --engine redshift --lake s3://my-bucket --workgroup market-analysis --dry-run",
    formats=TEXT_JSON,
)
def load(
    output: Output,
    options: EngineOptions,
    dry_run: DryRunOption = False,
    iam_role: IamRoleOption = "default",
    auto_copy: AutoCopyOption = False,
    status: StatusOption = False,
    recreate: RecreateOption = False,
    end_auto_copy: EndAutoCopyOption = False,
) -> None:
    """Load the tables into the warehouse.

    Whatever was there, a load ends in the lake's rows, so it can be repeated. DuckDB makes warehouse.duckdb in the
    lake, Athena queries the lake in place and gets its catalog, Redshift copies from the bucket.
    """
    from mag7cli.lake import failed_checks
    from mag7cli.lake.layout import ANALYTICS, PROCESSED, Lake

    place = Lake.at(options.lake)
    if options.engine != "redshift" and (auto_copy or status or recreate or end_auto_copy):
        raise UsageError(
            "--auto-copy, --end-auto-copy, --status and --recreate belong to Redshift", hint="add --engine redshift"
        )
    # Athena and Redshift refuse a local lake by themselves.
    if not status and (options.engine == "duckdb" or place.store.local_root is None):
        warn_of_foreign(output, place.require(), ANALYTICS, PROCESSED)
    if dry_run:
        output.lines(
            [
                f"{statement};\n"
                for statement in _statements(options, place, iam_role, auto_copy=auto_copy, recreate=recreate)
            ]
        )
        return
    for sentence in red_sentences(failed_checks.read(place)):
        output.warn(sentence)
    if options.engine == "duckdb":
        output.show(_local(place))
    elif options.engine == "athena":
        output.show(_athena(options, place))
    else:
        from mag7cli.cli.load_redshift import RedshiftMode, load_redshift

        mode = RedshiftMode(auto_copy=auto_copy, end_auto_copy=end_auto_copy, status=status, recreate=recreate)
        output.show(load_redshift(options, place, iam_role, mode))


def _statements(options: EngineOptions, lake: "Lake", role: str, *, auto_copy: bool, recreate: bool) -> list[str]:
    """The exact SQL of a load."""
    if options.engine == "athena":
        from mag7cli.warehouse.glue_catalog import statements

        return statements(lake)
    if options.engine == "redshift":
        from mag7cli.warehouse import copy_jobs, redshift_load

        jobs = copy_jobs.statements(lake.store, role) if auto_copy else []
        return [*redshift_load.dry_run(lake, role, recreate=recreate), *jobs]
    from mag7cli.warehouse.duckdb_load import statements as duckdb_statements

    return duckdb_statements(lake)


def _local(lake: "Lake") -> Result:
    from mag7cli import library

    return load_result(library.load(lake))


def load_result(result: "LoadResult") -> Result:
    """What a load into the local warehouse did, as a person and as a program read it."""
    grid = Grid((Column("table"), Column("rows", right=True, show=count)), list(map(list, result.rows.items())))
    done = f"replaced {counted(len(result.replaced), 'table')}" if result.replaced else "everything was up to date"
    return Result(
        document={
            "warehouse": result.where,
            "replaced": list(result.replaced),
            "unchanged": list(result.unchanged),
            "rows": dict(result.rows),
        },
        grid=grid,
        text=[grid, Line(""), Line(f"{result.where}: {done}.")],
    )


def _athena(options: EngineOptions, lake: "Lake") -> Result:
    from mag7cli import library

    with opened(options) as engine:
        changes = library.load_athena(lake, engine=engine)
    grid = Grid(
        (Column("kind"), Column("name"), Column("action")),
        [[change.kind, change.name, change.action] for change in changes],
    )
    return Result(document={"catalog": grid.records()}, grid=grid)
