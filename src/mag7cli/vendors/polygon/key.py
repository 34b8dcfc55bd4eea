"""The vendor's API key: where it comes from, and a type that does not show it."""

import json
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import PurePath
from typing import Final

from mag7cli.core.errors import AuthenticationError, ConfigError

KEY_VARIABLES: Final = ("POLYGON_API_KEY", "MASSIVE_API_KEY")
"""In the order in which they are asked. The vendor renamed itself in 2025; keys work under both names."""

_COMMAND_TIMEOUT_S: Final = 60.0  # a password manager may be waiting for a person
_HIDDEN: Final = "***"
_LONG: Final = 16


class _HiddenText(str):
    """Text that a traceback with local variables, or a log of headers, shows as stars."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(_HIDDEN)


class ApiKey:
    """A key that no repr, str or format shows. Raises ConfigError if it could not be sent in a header."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not value or not value.isascii() or not value.isprintable() or any(map(str.isspace, value)):
            raise ConfigError(
                "the API key is empty, or has characters in it that no key has",
                hint="copy it again from the vendor's dashboard",
            )
        self._value = _HiddenText(value)

    def authorization(self) -> str:
        """The value of the Authorization header: in a request the key is sent nowhere else."""
        return _HiddenText("Bearer " + self._value)

    def login(self) -> str:
        """The first message on a stream, which has no header for the key."""
        return _HiddenText(json.dumps({"action": "auth", "params": self._value}))

    def masked(self) -> str:
        """Enough to tell two keys apart: the last four characters of a long one."""
        return f"…{self._value[-4:]}" if len(self._value) >= _LONG else "…"

    def scrub(self, text: str) -> str:
        """The text, with stars where it has the key."""
        return text.replace(self._value, _HIDDEN)

    def scrub_body(self, data: bytes) -> bytes:
        """The same for a whole body, of which parts may be quoted.

        Only for keys as long as the vendor's: a short one, as for a server of one's own, can be an ordinary word.
        """
        return data.replace(self._value.encode(), _HIDDEN.encode()) if len(self._value) >= _LONG else data

    def __repr__(self) -> str:
        """Never the key."""
        return f"ApiKey({_HIDDEN})"

    __str__ = __repr__


def api_key_from(environ: Mapping[str, str], command: str | None = None) -> ApiKey:
    """The key from the environment, else from what the configured `api_key_command` prints.

    Raises AuthenticationError if there is none, ConfigError if the command fails.
    """
    for variable in KEY_VARIABLES:
        if value := environ.get(variable, "").strip():
            return ApiKey(value)
    if command:
        return ApiKey(_printed_by(command))
    raise AuthenticationError(
        "no API key: neither POLYGON_API_KEY nor MASSIVE_API_KEY is set, and there is no api_key_command",
        hint="set POLYGON_API_KEY, or run `mag7 demo` to see everything at work without a key",
    )


def _printed_by(command: str) -> str:
    """The first line that the command prints; what it says on stderr is dropped, since it may hold secrets."""
    arguments = _arguments(command)
    program = PurePath(arguments[0]).name
    try:
        done = subprocess.run(  # noqa: S603  the user's own command, without a shell
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_COMMAND_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(f"api_key_command ({program}) took longer than {_COMMAND_TIMEOUT_S:.0f} s") from None
    except OSError as error:
        raise ConfigError(f"api_key_command ({program}) cannot be run: {error.strerror}") from None
    if done.returncode != 0:
        raise ConfigError(
            f"api_key_command ({program}) ended with status {done.returncode}", hint="run it by hand to see why"
        )
    printed = done.stdout.decode("utf-8", errors="replace").split("\n")
    return printed[0].strip()


def _arguments(command: str) -> list[str]:
    try:
        arguments = shlex.split(command)
    except ValueError as error:
        raise ConfigError(f"api_key_command cannot be split into words: {error}") from None
    if not arguments:
        raise ConfigError("api_key_command is empty")
    return arguments
