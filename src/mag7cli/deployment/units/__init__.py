"""The files by which a machine of one's own runs mag7 every evening: systemd, cron, launchd, logrotate.

Each is a text beside this module, but for launchd's, which the standard library writes.
"""

import plistlib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from typing import Final, Literal
from zoneinfo import ZoneInfo

from mag7cli.deployment.schedule import LocalTime, local_time

Scheduler = Literal["systemd", "cron", "launchd", "logrotate"]

_LABEL: Final = "org.mag7.run"
_KEY_COMMAND: Final = "MAG7_API_KEY_COMMAND"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What is to run where.

    Args:
        program: The installed `mag7`, an absolute path.
        folder: Where it runs: `mag7.toml` is looked for there, and logs go there.
        lake: The lake: an absolute path, or `s3://…`.
        key_file: A file with the vendor's key, which only its owner can read.
        user: Whom it runs as.
        zone: The machine's time zone, for schedulers that know no other.
        options: Further options of `mag7 run`.
    """

    program: Path
    folder: Path
    lake: str
    key_file: Path
    user: str
    zone: ZoneInfo
    options: Sequence[str] = ()

    @property
    def words(self) -> list[str]:
        """The command and its arguments."""
        return [str(self.program), "run", "--quiet", "--lake", self.lake, *self.options]


def files(service: Service, scheduler: Scheduler, *, year: int) -> Mapping[str, str]:
    """The files for a scheduler, by name. `year` is this one: changes of clocks are looked up for it and the next."""
    local = local_time(service.zone, year=year)
    if scheduler == "systemd":
        return {name: _systemd(name, service) for name in ("mag7.service", "mag7.timer")}
    if scheduler == "cron":
        return {"mag7.crontab": _crontab(service, local)}
    if scheduler == "launchd":
        return {f"{_LABEL}.plist": _plist(service, local)}
    values = {"folder": str(service.folder), "user": service.user, "log": f'"{service.folder}/mag7.log"'}
    return {"mag7.logrotate": _template("mag7.logrotate").substitute(values)}


def _systemd(name: str, service: Service) -> str:
    homes = (service.program, service.folder, service.key_file)
    at_home = any(path.is_relative_to(home) for path in homes for home in (Path("/home"), Path("/root")))
    writable = [str(service.folder), *([] if service.lake.startswith("s3://") else [service.lake])]
    return _template(name).substitute(
        command=" ".join(map(_systemd_quoted, service.words)),
        folder=str(service.folder).replace("%", "%%"),
        writable=" ".join(_systemd_quoted(path) for path in dict.fromkeys(writable)),
        user=service.user,
        key_file=str(service.key_file).replace("%", "%%"),
        protect_home="read-only" if at_home else "yes",
    )


def _crontab(service: Service, local: LocalTime) -> str:
    weekdays = [(day + 1) % 7 for day in local.weekdays]  # cron's Sunday is 0
    return _template("mag7.crontab").substitute(
        at=f"{local.at:%H:%M}",
        zone=service.zone.key,
        weekdays=local.weekday_names,
        user=service.user,
        minute=local.at.minute,
        hour=local.at.hour,
        weekday_numbers=f"{weekdays[0]}-{weekdays[-1]}",
        command=_cron_command(service),
    )


def _cron_command(service: Service) -> str:
    """The command with its variable: busybox's cron, that of Alpine, takes no variables but its own from a crontab."""
    variable = f"{_KEY_COMMAND}={shlex.quote(_key_command(service))}"
    command = f"cd {shlex.quote(str(service.folder))} && {variable} {shlex.join(service.words)}"
    # In a crontab a bare % ends the command.
    return command.replace("%", r"\%")


def _plist(service: Service, local: LocalTime) -> str:
    times = [{"Weekday": (day + 1) % 7, "Hour": local.at.hour, "Minute": local.at.minute} for day in local.weekdays]
    log = str(service.folder / "mag7.log")
    return plistlib.dumps(
        {
            "Label": _LABEL,
            "ProgramArguments": service.words,
            "WorkingDirectory": str(service.folder),
            "EnvironmentVariables": {_KEY_COMMAND: _key_command(service)},
            "StartCalendarInterval": times,
            "StandardOutPath": log,
            "StandardErrorPath": log,
            "ProcessType": "Background",
        },
        sort_keys=False,
    ).decode()


def _key_command(service: Service) -> str:
    return f"cat {shlex.quote(str(service.key_file))}"


def _systemd_quoted(word: str) -> str:
    """A word of a unit file: its % would be a specifier, its $ a variable."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != word or any(char in word for char in " ';\t") else word


def _template(name: str) -> Template:
    return Template((resources.files("mag7cli.deployment.units") / name).read_text(encoding="utf-8"))
