"""`mag7 deploy`: the pipeline in an AWS account, from the template to its end."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, NamedTuple

import typer

from mag7cli.cli.app import TEXT_JSON, TEXT_JSON_CSV, command
from mag7cli.cli.options import (
    ApiKeyCommandOption,
    EndOption,
    StartOption,
    check_period,
    parse_folder,
    parse_out_file,
)
from mag7cli.cli.output import Column, Grid, Line, Output, Result
from mag7cli.core.errors import UsageError

if TYPE_CHECKING:
    from mag7cli.deployment.package import Architecture, Package
    from mag7cli.deployment.stack import ChangeSet, StackEvent
    from mag7cli.deployment.template import Choice
    from mag7cli.doctor.aws_access import Account

_MINUTES_OF_LOGS: Final = 60

StackOption = Annotated[str, typer.Option("--stack", metavar="NAME", help="The name of the stack.")]
WithOption = Annotated[
    list[str] | None, typer.Option("--with", metavar="PART", help="A part to have besides the default ones.")
]
WithoutOption = Annotated[list[str] | None, typer.Option("--without", metavar="PART", help="A part to leave out.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter, such as Plan=developer.")
]
ArchitectureOption = Annotated[
    Literal["arm64", "x86_64"], typer.Option("--architecture", help="The processor of the functions.")
]
PackageOption = Annotated[
    Path | None, typer.Option("--package", metavar="FILE", help="A zip file that deploy package made; else it is made.")
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


class ChoiceOptions(NamedTuple):
    """The options that say what is deployed."""

    with_: WithOption = None
    without: WithoutOption = None
    set_: SetOption = None

    def choice(self) -> "Choice":
        """The parts and parameters. Raises UsageError, ExtraMissingError."""
        from mag7cli.deployment.template import choose

        return choose(self.with_ or (), self.without or (), dict(map(_pair, self.set_ or ())))


_DEFAULT: Final = ChoiceOptions()


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise UsageError(f"--set {text}: write NAME=VALUE")
    return name, value


# Without an account


@command(
    "mag7 deploy render > mag7.yaml",
    "mag7 deploy render --with redshift --set Plan=developer --out deployment",
)
def render(
    output: Output,
    choice: ChoiceOptions = _DEFAULT,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            parser=parse_folder,
            metavar="FOLDER",
            help="Write template, notebooks and diagram into a folder.",
        ),
    ] = None,
) -> None:
    """Print the CloudFormation template of the pipeline.

    It needs no account, and is the same for every account: parts are switched by its parameters, which have the chosen
    ones as defaults. Into a folder go, besides, the notebooks of the warehouse and a Mermaid diagram of the parts.
    """
    from mag7cli.deployment import parts, template

    chosen = choice.choice()
    text = parts.dump(template.render(chosen))
    if out is None:
        output.lines(text.splitlines())
        return
    for path in _written(out, text, chosen):
        output.notice(f"wrote {path}")


def _written(folder: Path, text: str, choice: "Choice") -> Iterator[Path]:
    from mag7cli.core.errors import StoreError
    from mag7cli.deployment import diagram, notebooks

    bucket = choice.values.get("BucketName") or "my-bucket"
    files = {"template.yaml": text, "architecture.mermaid": diagram.mermaid(choice), **notebooks.all_notebooks(bucket)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_text(content, encoding="utf-8")
            yield folder / name
    except OSError as error:
        raise StoreError(f"--out {folder} cannot be written: {error.strerror}") from error


@command("mag7 deploy package", "mag7 deploy package --out functions.zip --architecture x86_64", formats=TEXT_JSON)
def package(
    output: Output,
    out: Annotated[Path, typer.Option("--out", parser=parse_out_file, metavar="FILE", help="The zip file.")] = Path(
        "mag7-functions.zip"
    ),
    architecture: ArchitectureOption = "arm64",
) -> None:
    """Make the zip file of the functions, from the wheels of their runtime.

    The versions are those installed here; the same versions make the same content. pip fetches the wheels.
    """
    output.show(_packaged(_built(out, architecture)))


def _built(out: Path, architecture: "Architecture") -> "Package":
    from mag7cli.deployment.functions import CHART_LIBRARY
    from mag7cli.deployment.package import build
    from mag7cli.reporting import library, png

    # The renderer does not fit into a function, what it makes does.
    chart_library = library.script(png.load()).encode()
    return build(out, architecture, {f"mag7cli/deployment/{CHART_LIBRARY}": chart_library})


def _packaged(package: "Package") -> Result:
    grid = Grid((Column("distribution"), Column("version")), list(package.versions.items()))
    sizes = f"{package.zip_bytes / 2**20:.1f} MiB, {package.unzipped_bytes / 2**20:.1f} of 250 MiB unzipped"
    return Result(
        document={
            "path": str(package.path), "key": package.key, "architecture": package.architecture,
            "zip_bytes": package.zip_bytes, "unzipped_bytes": package.unzipped_bytes,
            "versions": dict(package.versions),
        },
        grid=grid,
        text=[grid, Line(), Line(f"{package.path}: {sizes}, {package.key}")],
    )  # fmt: skip


@command("mag7 deploy cost", "mag7 deploy cost --with redshift --set BaseCapacity=8", formats=TEXT_JSON_CSV)
def cost(output: Output, choice: ChoiceOptions = _DEFAULT) -> None:
    """Estimate what a month costs, with its assumptions.

    Prices are those of one region on one day; a bill is what counts. The vendor's plan is not in it.
    """
    from mag7cli.deployment.cost import estimate, total_usd

    items = estimate(choice.choice())
    grid = Grid(
        (
            Column("item"),
            Column("units", right=True, show=lambda value: f"{value:,.2f}"),
            Column("unit"),
            Column("usd", right=True, show=lambda value: f"{value:.2f}"),
            Column("assumption", optional=True),
        ),
        [[item.name, item.units, item.unit, item.usd, item.assumption] for item in items],
    )
    total = total_usd(items)
    output.show(
        Result(
            document={"usd_a_month": round(total, 2), "items": grid.records()},
            grid=grid,
            text=[grid, Line(), Line(f"About ${total:.2f} a month.", "strong")],
        )
    )


# With an account


@command("mag7 deploy diff", "mag7 deploy diff --with redshift", formats=TEXT_JSON_CSV)
def diff(
    output: Output,
    stack: StackOption = "mag7",
    choice: ChoiceOptions = _DEFAULT,
    architecture: ArchitectureOption = "arm64",
    package: PackageOption = None,
) -> None:
    """Say what an apply with the same options would change, and change nothing.

    Only the template, and the package if it is new, are uploaded.
    """
    from mag7cli.deployment.stack import discard

    prepared = _prepared(output, stack, choice.choice(), architecture, package)
    output.show(_changes(prepared))
    discard(prepared)


@command(
    "mag7 deploy apply --yes",
    "mag7 deploy apply --set Plan=developer --set NotificationEmail=me@example.com --yes",
)
def apply(
    output: Output,
    stack: StackOption = "mag7",
    choice: ChoiceOptions = _DEFAULT,
    architecture: ArchitectureOption = "arm64",
    package: PackageOption = None,
    allow_replacement: Annotated[
        bool, typer.Option("--allow-replacement", help="Also where that loses what a resource holds.")
    ] = False,
    yes: YesOption = False,
) -> None:
    """Make the stack, or bring it up to date, and follow it to its end.

    What will change is said first. A stack that fails is rolled back, and the first reason is told.
    """
    from mag7cli.deployment.stack import check_keeps_data, discard, execute

    prepared = _prepared(output, stack, choice.choice(), architecture, package)
    output.show(_changes(prepared))
    if not prepared.changes:
        discard(prepared)
        return
    if not allow_replacement:
        check_keeps_data(prepared)
    if not _confirmed(f"Change the stack {stack}?", yes):
        discard(prepared)
        raise UsageError("nothing was changed", hint="add --yes")
    _follow(output, execute(prepared), len(prepared.changes))
    output.notice(f"the stack {stack} is up to date; mag7 deploy secret puts the key into it")


def _prepared(
    output: Output, stack: str, choice: "Choice", architecture: "Architecture", path: Path | None
) -> "ChangeSet":
    """Upload what CloudFormation reads, and ask it what would change."""
    from dataclasses import replace

    from mag7cli.deployment import stack as stacks
    from mag7cli.deployment.template import check_region

    account = _account()
    check_region(choice, account.region)
    bucket = stacks.code_bucket(account.account, account.region)
    values = {"Architecture": architecture, **choice.values}
    if "functions" in choice.on and "CodeKey" not in values:
        _need_bucket(output, bucket, account)
        packed = _package_of(output, path, architecture)
        if stacks.upload_package(packed, bucket):
            output.notice(f"uploaded {packed.path} as s3://{bucket}/{packed.key}")
        values |= {"CodeKey": packed.key, "CodeBucket": bucket}
    if "spark" in choice.on and "SparkWheelsKey" not in values:
        _need_bucket(output, bucket, account)
        values |= _uploaded_job(output, bucket)
    _need_bucket(output, bucket, account)
    return stacks.prepare(stack, replace(choice, values=values), bucket)


def _uploaded_job(output: Output, bucket: str) -> dict[str, str]:
    """The parameters that name the code of the Spark job, which is there now."""
    from tempfile import gettempdir

    from mag7cli.deployment import glue_job
    from mag7cli.deployment.stack import upload_job

    output.notice("packing the wheels of the Spark job")
    code = glue_job.build(Path(gettempdir(), "mag7.gluewheels.zip"))
    if upload_job(code, bucket):
        output.notice(f"uploaded s3://{bucket}/{code.wheels_key}")
    return {"SparkScriptKey": code.script_key, "SparkWheelsKey": code.wheels_key, "CodeBucket": bucket}


def _need_bucket(output: Output, bucket: str, account: "Account") -> None:
    from mag7cli.deployment.stack import prepare_bucket

    if prepare_bucket(bucket, account.region):
        output.notice(f"made the bucket {bucket} for templates and packages")


def _package_of(output: Output, path: Path | None, architecture: "Architecture") -> "Package":
    from tempfile import gettempdir

    from mag7cli.deployment.package import opened

    if path is not None:
        return opened(path, architecture)
    output.notice("packing the functions; this takes a minute")
    return _built(Path(gettempdir(), f"mag7-functions-{architecture}.zip"), architecture)


def _account() -> "Account":
    from mag7cli.doctor.aws_access import account_in_use

    return account_in_use()


def _changes(change_set: "ChangeSet") -> Result:
    columns = (Column("action"), Column("resource"), Column("type"), Column("replaces"), Column("properties"))
    rows = [
        [entry.action, entry.name, entry.kind, entry.replaces, ", ".join(entry.properties)]
        for entry in change_set.changes
    ]
    text = [Line(entry.sentence(), "warn" if entry.replaces else "") for entry in change_set.changes]
    return Result(
        document={"stack": change_set.stack, "is_new": change_set.is_new, "changes": Grid(columns, rows).records()},
        grid=Grid(columns, rows),
        text=text or [Line(f"Nothing would change in the stack {change_set.stack}.")],
    )


def _confirmed(question: str, yes: bool) -> bool:
    """True if it was said beforehand, or is now by a person at a terminal."""
    return yes or (sys.stdin.isatty() and sys.stderr.isatty() and typer.confirm(question, err=True))


def _follow(output: Output, events: Iterator["StackEvent"], expected: int) -> None:
    """Follow a stack to its end; what is done is progress, what fails is said at once."""
    with output.progress("Stack", "resource") as progress:
        progress.start(expected)
        for event in events:
            if event.status.endswith("_COMPLETE") and "CLEANUP" not in event.status:
                progress.advance()
            if event.is_failure:
                output.warn(f"{event.resource} ({event.kind}): {event.reason}")


@command("mag7 deploy status", formats=TEXT_JSON)
def status(output: Output, stack: StackOption = "mag7") -> None:
    """Show the stack, its outputs, and the last executions of its machines."""
    from mag7cli.deployment.executions import latest
    from mag7cli.deployment.stack import existing

    deployed = existing(stack)
    executions = latest(deployed)
    grid = Grid(
        (Column("machine"), Column("execution"), Column("status"), Column("started"), Column("ended")),
        [
            [execution.machine, execution.name, execution.status, execution.started, execution.ended]
            for execution in executions
        ],
    )
    outputs = Grid((Column("output"), Column("value")), list(deployed.outputs.items()))
    heading = f"{deployed.name}: {deployed.status}{f', {deployed.reason}' if deployed.reason else ''}"
    output.show(
        Result(
            document={
                "stack": deployed.name,
                "status": deployed.status,
                "outputs": dict(deployed.outputs),
                "executions": grid.records(),
            },
            grid=grid,
            text=[Line(heading, "strong"), Line(), outputs, Line(), grid],
        )
    )


@command(
    "mag7 deploy start history --start 2021-01-04",
    "mag7 deploy start recovery",
)
def start(
    output: Output,
    machine: Annotated[Literal["history", "recovery"], typer.Argument(help="Which machine.")],
    first: StartOption = None,
    last: EndOption = None,
    again: Annotated[bool, typer.Option("--again", help="Also if the same range was done already.")] = False,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Tell what happens until it ends.")] = True,
    stack: StackOption = "mag7",
) -> None:
    """Start a machine: the history of a range, or the recovery of what failed.

    The same range twice is one execution. Ctrl-C ends the following, not the execution.
    """
    from mag7cli.deployment import executions
    from mag7cli.deployment.stack import existing

    check_period(first, last)
    event = {name: str(day) for name, day in (("start", first), ("end", last)) if day}
    execution = executions.start(existing(stack), machine, event, again=again)
    output.lines([execution.arn])
    if follow:
        for step in executions.follow(execution):
            output.notice(f"{step.state} {step.happened}")


@command("mag7 deploy logs collect", "mag7 deploy logs transform --minutes 600")
def logs(
    output: Output,
    function: Annotated[str, typer.Argument(metavar="FUNCTION", help="Which function, such as collect.")],
    minutes: Annotated[int, typer.Option("--minutes", min=1, help="How far back.")] = _MINUTES_OF_LOGS,
    stack: StackOption = "mag7",
) -> None:
    """Print what a function logged."""
    from mag7cli.deployment import executions
    from mag7cli.deployment.roles import FUNCTIONS
    from mag7cli.deployment.stack import existing

    known = [name.lower() for name in FUNCTIONS]
    if function not in known:
        raise UsageError(f"there is no function {function!r}", hint=f"use one of {', '.join(known)}")
    since = datetime.now(UTC) - timedelta(minutes=minutes)
    output.lines(list(executions.logs(existing(stack), function, since)))


@command("mag7 deploy secret < key.txt", "mag7 deploy secret")
def secret(output: Output, stack: StackOption = "mag7", api_key_command: ApiKeyCommandOption = None) -> None:
    """Put the vendor's key into the stack's secret.

    It is read from standard input (pass show polygon | mag7 deploy secret), from the configured api_key_command, or at
    a terminal without being shown. The key is in no template, event, variable or log; the collector alone may read it.
    """
    from mag7cli.deployment.executions import put_key
    from mag7cli.deployment.stack import existing

    deployed = existing(stack)
    arn = put_key(deployed, _key(api_key_command))
    output.notice(f"the key is in {arn}")


def _key(api_key_command: str | None) -> str:
    if api_key_command and sys.stdin.isatty():
        from mag7cli.vendors.polygon.key import api_key_from

        return api_key_from({}, api_key_command).authorization().removeprefix("Bearer ")
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass("The API key (it is not shown): ")
    return sys.stdin.read()


@command("mag7 deploy destroy --yes")
def destroy(output: Output, stack: StackOption = "mag7", yes: YesOption = False) -> None:
    """Delete the stack and follow it to its end; the data stays.

    What stays is said, with the command that removes it.
    """
    from mag7cli.deployment import stack as stacks

    deployed = stacks.existing(stack)
    account = _account()
    if not _confirmed(f"Delete the stack {stack}? Its bucket stays.", yes):
        raise UsageError("nothing was deleted", hint="add --yes")
    _follow(output, stacks.delete(stack), len(deployed.outputs))
    stays = stacks.leftovers(deployed, stacks.code_bucket(account.account, account.region))
    output.lines([f"Kept: {sentence}" for sentence in stays])
