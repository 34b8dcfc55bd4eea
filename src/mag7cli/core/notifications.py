"""How a run tells somebody who is not there: an address that is pinged, and a command of the user's own.

Neither can make a run fail. The vendor's key goes to neither: not in the address, not in what is sent, not in the
environment of the command.
"""

import logging
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit, urlunsplit

from mag7cli.core.errors import UsageError

Signal = Literal["start", "success", "failure"]

_KEY_VARIABLES: Final = frozenset({"POLYGON_API_KEY", "MASSIVE_API_KEY"})
# What monitors of scheduled jobs understand: Healthchecks, and those that took over its paths.
_PATHS: Final[Mapping[Signal, str]] = {"start": "/start", "success": "", "failure": "/fail"}
_PATIENCE_S: Final = 10.0
_TRIES: Final = 3
_COMMAND_PATIENCE_S: Final = 60.0
_SAID_MOST: Final = 10_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Contacts:
    """Whom to tell: `ping_url` of each start and end, `on_failure`, a shell command, of each failure."""

    ping_url: str | None = None
    on_failure: str | None = None

    def check(self, environ: Mapping[str, str]) -> None:
        """Raise UsageError for an address that cannot be pinged, or that has the vendor's key in it."""
        if self.ping_url is None:
            return
        parts = urlsplit(self.ping_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError("--ping-url is not an address like https://hc-ping.com/…")
        if any(environ.get(name) and environ[name] in self.ping_url for name in _KEY_VARIABLES):
            raise UsageError("--ping-url has the vendor's key in it", hint="the key goes to the vendor only")

    def started(self) -> None:
        """Tell that a run has begun."""
        self._ping("start", "")

    def succeeded(self, said: str) -> None:
        """Tell that it went well."""
        self._ping("success", said)

    def failed(self, said: str, exit_code: int) -> None:
        """Tell that it did not: the line that it ended with, and its exit code."""
        self._ping("failure", said)
        if self.on_failure:
            _run(self.on_failure, said, exit_code)

    def _ping(self, signal: Signal, said: str) -> None:
        if self.ping_url:
            _send(address_of(self.ping_url, signal), said)


def address_of(ping_url: str, signal: Signal) -> str:
    """Where a signal goes: the address itself for success, `/start` and `/fail` behind its path for the others."""
    parts = urlsplit(ping_url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + _PATHS[signal]))


def _send(address: str, said: str) -> None:
    # The vendor's client brings it; a command that pings nobody does not wait for it.
    import urllib3

    retries = urllib3.Retry(
        _TRIES - 1, allowed_methods=None, backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504)
    )
    with urllib3.PoolManager(retries=retries, timeout=_PATIENCE_S) as pool:
        try:
            answer = pool.request("POST", address, body=said.encode()[:_SAID_MOST])
        except urllib3.exceptions.HTTPError as error:
            _complain(address, type(getattr(error, "reason", None) or error).__name__)
        else:
            if answer.status >= 400:
                _complain(address, str(answer.status))


def _complain(address: str, why: str) -> None:
    # The path of such an address is a secret of its own.
    _log.warning("%s could not be pinged: %s", urlsplit(address).hostname, why)


def _run(command: str, said: str, exit_code: int) -> None:
    environ = {name: value for name, value in os.environ.items() if name not in _KEY_VARIABLES}
    known = {"MAG7_EXIT_CODE": str(exit_code), "MAG7_ERROR": said.partition("\n")[0]}
    try:
        ended = subprocess.run(  # noqa: S602 - a line of the user's own, for a shell, as in a crontab
            command,
            shell=True,
            env=environ | known,
            input=f"{said}\n".encode(),
            stdout=subprocess.DEVNULL,
            timeout=_COMMAND_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        _log.warning("--on-failure could not be run: %s", type(error).__name__)
    else:
        if ended.returncode:
            _log.warning("--on-failure ended with exit code %d", ended.returncode)
