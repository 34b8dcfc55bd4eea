"""`mag7 service`: the files by which a machine of one's own runs mag7 every evening."""

import getpass
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from mag7cli.cli.app import command
from mag7cli.cli.collect import PlanOption
from mag7cli.cli.options import DEFAULT_LAKE, PROGRAM, LakeOption, parse_folder, parse_out_file
from mag7cli.cli.output import Output
from mag7cli.core.errors import StoreError, UsageError
from mag7cli.deployment.units import Scheduler, Service, files

_LOCALTIME = Path("/etc/localtime")


def parse_zone(value: str | ZoneInfo) -> ZoneInfo:
    """A time zone by its name, such as `Europe/Berlin`."""
    try:
        return value if isinstance(value, ZoneInfo) else ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise typer.BadParameter(f"there is no time zone {value!r}: write one like Europe/Berlin") from error


@command(
    "mag7 service print systemd --lake /srv/mag7/lake --user mag7 --key-file /etc/mag7/key",
    "mag7 service print cron --timezone UTC",
    "mag7 service print launchd --out units",
)
def print_(
    output: Output,
    scheduler: Annotated[Scheduler, typer.Argument(help="Who starts it: systemd, cron, launchd; or logrotate.")],
    folder: Annotated[
        Path | None,
        typer.Option("--folder", parser=parse_folder, metavar="DIR", help="Where it runs; by default here."),
    ] = None,
    user: Annotated[str | None, typer.Option("--user", metavar="NAME", help="Whom it runs as; by default you.")] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(
            "--key-file", parser=parse_out_file, metavar="FILE", help="The file with the key; by default DIR/key."
        ),
    ] = None,
    timezone: Annotated[
        ZoneInfo | None,
        typer.Option("--timezone", parser=parse_zone, metavar="ZONE", help="The machine's time zone, if another."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", parser=parse_folder, metavar="DIR", help="Write the files into a folder."),
    ] = None,
    plan: PlanOption = "basic",
    ping_url: Annotated[
        str | None, typer.Option("--ping-url", metavar="URL", help="An address that every run pings.")
    ] = None,
    lake: LakeOption = DEFAULT_LAKE,
) -> None:
    """Print the files by which a machine runs mag7 after every session.

    At half past midnight in New York, in summer and in winter: a timer and a hardened service for systemd, a line for
    cron whose time is right on both sides of every change of clocks, a job for launchd, a rule for logrotate. Nothing
    is installed; docs/unattended.md says how.
    """
    place = (folder or Path()).absolute()
    service = Service(
        program=_program(),
        folder=place,
        lake=lake if lake.startswith("s3://") else str(Path(lake).absolute()),
        key_file=(key_file or place / "key").absolute(),
        user=user or getpass.getuser(),
        zone=timezone or machine_zone(),
        options=("--plan", plan, *(("--ping-url", ping_url) if ping_url else ())),
    )
    made = files(service, scheduler, year=datetime.now(UTC).year)
    if out is None:
        several = len(made) > 1
        output.lines([f"# {name}\n{text}" if several else text.removesuffix("\n") for name, text in made.items()])
        return
    for name, text in made.items():
        _write(out / name, text)
        output.notice(f"wrote {out / name}")


def machine_zone() -> ZoneInfo:
    """The zone of this machine's clock, UTC where it cannot be told. Raises UsageError for a TZ that is none."""
    name = os.environ.get("TZ") or (str(_LOCALTIME.resolve()).partition("zoneinfo/")[2] if _LOCALTIME.exists() else "")
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(f"the machine's time zone {name!r} is not known", hint="--timezone names it") from error


def _program() -> Path:
    """The program that was called, as an absolute path."""
    beside = Path(sys.executable).with_name(PROGRAM)
    called = shutil.which(sys.argv[0])
    return beside if beside.exists() or called is None else Path(called).absolute()


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
