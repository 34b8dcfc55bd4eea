"""Every error that mag7 raises on purpose, and the exit code that each one ends in.

Anything that is not a `Mag7Error` is a bug and keeps its traceback.

    Mag7Error                         exit 1
    ├── UsageError                    2   an option or argument that cannot be used
    │   └── UnreadableTableError      2   a file that is no table, or one that cannot be understood
    ├── ConfigError                   2   a configuration file that cannot be read
    ├── HoldingsFormatError           1   a file that is not a fund holdings file
    │   └── NoHoldingsError           1   the issuer's empty template: no holdings for that date
    ├── DocumentError                 1   a raw document that cannot be understood
    ├── CalendarError                 1   a date that the trading calendar does not cover
    ├── StoreError                    1   the lake cannot be read or written
    │   ├── KeyNotFoundError          1
    │   └── KeyExistsError            1   a conditional write found the key taken
    ├── LockedError                   7   another run holds the lake
    ├── EngineError                   1   a SQL engine refused or failed a statement
    ├── ExtraMissingError             1   an optional dependency is not installed
    ├── IncompleteError               3   finished, but dates, lines or documents failed
    ├── InvalidDataError              6   a check found rows, or a table is not what the documents make
    ├── UnwellError                   8   status --check found something
    ├── StoppedEarlyError             5   a limit of the run was reached; run again later
    ├── InterruptedRunError         130   Ctrl-C or SIGTERM; what was collected is kept
    └── MarketDataError               1   the vendor's answer cannot be used
        ├── AuthenticationError       4   401, or no key at all
        ├── PlanError                 4   403: not in the plan, or older than its history
        ├── NotYetAvailableError      5   403: the session's data is served later
        ├── RateLimitError            5   429 for longer than the retries last
        ├── VendorUnavailableError    5   5xx, network or timeout for longer than the retries last
        ├── TickerNotFoundError       1   404: the symbol is not active on that date
        └── MalformedResponseError    1   200 with a body that is empty, truncated or of another thing
"""

from typing import Final

EXIT_DONE: Final = 0
EXIT_ERROR: Final = 1
EXIT_USAGE: Final = 2
EXIT_PARTIAL: Final = 3
EXIT_REFUSED: Final = 4
EXIT_LATER: Final = 5
EXIT_INVALID: Final = 6
EXIT_LOCKED: Final = 7
EXIT_UNWELL: Final = 8
EXIT_INTERRUPTED: Final = 130

EXIT_CODES: Final[dict[int, str]] = {
    EXIT_DONE: "done",
    EXIT_ERROR: "error",
    EXIT_USAGE: "usage: an option, argument or configuration that cannot be used",
    EXIT_PARTIAL: "finished, but some dates or tickers failed, or part of the answer is unknown",
    EXIT_REFUSED: "the vendor refused the key or the plan",
    EXIT_LATER: "stopped early, run again later (rate, network, --max-calls, --max-duration)",
    EXIT_INVALID: "validation failed",
    EXIT_LOCKED: "another run holds the lake",
    EXIT_UNWELL: "the lake is not as mag7 status --check wants it",
    EXIT_INTERRUPTED: "interrupted",
}


class Mag7Error(Exception):
    """What went wrong in one line, with `hint`, the command or setting that helps."""

    exit_code: int = EXIT_ERROR

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(Mag7Error):
    """An option or argument that cannot be used."""

    exit_code = EXIT_USAGE


class UnreadableTableError(UsageError):
    """A file that is no table, or a table that cannot be understood or can be understood in two ways."""


class ConfigError(Mag7Error):
    """A configuration file or value that cannot be read."""

    exit_code = EXIT_USAGE


class HoldingsFormatError(Mag7Error):
    """A file that is not a fund holdings file, or one without holdings."""


class NoHoldingsError(HoldingsFormatError):
    """The issuer's empty template: there are no holdings for that date."""


class DocumentError(Mag7Error):
    """A raw document that cannot be understood; `where` names it."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.where = where
        self.reason = reason


class CalendarError(Mag7Error):
    """A date that the trading calendar does not cover."""


class StoreError(Mag7Error):
    """The lake cannot be read or written."""


class KeyNotFoundError(StoreError):
    """No object has this key."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"{uri}: no such object")


class KeyExistsError(StoreError):
    """A conditional write found that the key is taken."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"{uri}: exists already")


class LockedError(Mag7Error):
    """Another run holds the lake."""

    exit_code = EXIT_LOCKED


class EngineError(Mag7Error):
    """A SQL engine refused or failed a statement; the message names the statement."""


class ExtraMissingError(Mag7Error):
    """An optional dependency is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        from mag7cli.core.extras import install_command

        super().__init__(f"{what} needs an optional part of mag7 that is not installed", hint=install_command(extra))


class IncompleteError(Mag7Error):
    """The work is finished and its result was given, but some dates, lines or documents failed."""

    exit_code = EXIT_PARTIAL


class InvalidDataError(Mag7Error):
    """The data is there and cannot be relied on: a check of severity error found rows, or a table differs."""

    exit_code = EXIT_INVALID


class UnwellError(Mag7Error):
    """The lake is behind, doubtful or red by the thresholds of `mag7 status --check`."""

    exit_code = EXIT_UNWELL


class StoppedEarlyError(Mag7Error):
    """A limit of the run was reached (calls, duration, rate); what was collected is kept."""

    exit_code = EXIT_LATER


class InterruptedRunError(Mag7Error):
    """Ctrl-C or SIGTERM; what was collected is kept."""

    exit_code = EXIT_INTERRUPTED


class MarketDataError(Mag7Error):
    """The vendor's answer cannot be used. `status` is the HTTP status, None where there was none."""

    def __init__(
        self, message: str, *, hint: str | None = None, status: int | None = None, request_id: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.request_id = request_id


class AuthenticationError(MarketDataError):
    """The vendor does not know the key, or there is none."""

    exit_code = EXIT_REFUSED


class PlanError(MarketDataError):
    """The key's plan does not include this data, or not this far back."""

    exit_code = EXIT_REFUSED


class NotYetAvailableError(MarketDataError):
    """The plan serves this session's data later (midnight New York on the free plan)."""

    exit_code = EXIT_LATER


class RateLimitError(MarketDataError):
    """The vendor kept answering 429 for longer than the retries last."""

    exit_code = EXIT_LATER


class VendorUnavailableError(MarketDataError):
    """Server errors, a dead network or timeouts for longer than the retries last."""

    exit_code = EXIT_LATER


class TickerNotFoundError(MarketDataError):
    """The symbol is unknown, or not active on that date."""


class MalformedResponseError(MarketDataError):
    """A 200 whose body is empty, truncated, not JSON, or of another security."""
