"""Whom an unattended command tells how it went: the options, and the telling around the work."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, NamedTuple

import typer

from mag7cli.cli.output import one_line
from mag7cli.cli.pasted import with_lake
from mag7cli.core.errors import EXIT_ERROR, EXIT_INTERRUPTED, Mag7Error


class ContactOptions(NamedTuple):
    """The options of telling; `core.notifications` says what each does."""

    ping_url: Annotated[
        str | None,
        typer.Option("--ping-url", metavar="URL", help="Ping this at the start, and at the end: /start, /fail."),
    ] = None
    on_failure: Annotated[
        str | None,
        typer.Option("--on-failure", metavar="COMMAND", help="Run this in a shell if it fails, the error on stdin."),
    ] = None

    @contextmanager
    def telling(self, lake: str | None) -> Iterator[None]:
        """Tell of the start, the end and how it ended. `lake` is the one that a hint must name.

        Raises UsageError for an address that cannot be pinged.
        """
        if self.ping_url is None and self.on_failure is None:
            yield
            return
        from mag7cli.core.notifications import Contacts

        contacts = Contacts(self.ping_url, self.on_failure)
        contacts.check(os.environ)
        contacts.started()
        try:
            yield
        except BaseException as error:
            said, exit_code = _ending(error)
            contacts.failed(with_lake(said, lake), exit_code)
            raise
        contacts.succeeded("done")


def _ending(error: BaseException) -> tuple[str, int]:
    """What to tell of an error, and its exit code; a bug tells its kind, its traceback stays here."""
    if isinstance(error, Mag7Error):
        return "\n".join([one_line(str(error)), *([one_line(error.hint)] if error.hint else [])]), error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", EXIT_INTERRUPTED
    return type(error).__name__, EXIT_ERROR
