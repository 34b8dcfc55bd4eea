"""Asking again: how often, and how long between; no other module imports tenacity.

What is worth asking again is the caller's to say: `polygon.faults` for the vendor, `ishares` for the issuer's site.
"""

import logging
from collections.abc import Callable
from typing import Final, NoReturn, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from mag7cli.core.errors import MarketDataError, RateLimitError

logger = logging.getLogger(__name__)

T = TypeVar("T")

Pause = Callable[[MarketDataError, int], float]
"""Seconds before the next attempt, by the last error and the number of attempts so far."""

_BASE_S: Final = 0.5
_LONGEST_S: Final = 30.0


class Retry:
    """Calls again what failed in a way that may pass, at most `max_attempts` times in all.

    `passing` are the errors that may; all others are raised at once. `wait` sleeps, and may raise to end the run.
    Safe to share between threads.
    """

    def __init__(
        self,
        max_attempts: int,
        passing: tuple[type[MarketDataError], ...],
        *,
        pause: Pause,
        wait: Callable[[float], None],
    ) -> None:
        self._max_attempts = max_attempts
        self._passing = passing
        self._retrying = Retrying(
            stop=stop_after_attempt(max_attempts),
            retry=retry_if_exception_type(passing),
            wait=lambda state: pause(_error(state), state.attempt_number),
            sleep=wait,
            before_sleep=self._note,
            retry_error_callback=_give_up,
        )

    def __call__(self, ask: Callable[[], T]) -> T:
        """What `ask` gives, or its last error with the number of attempts."""
        try:
            return ask()  # nearly always: what counts attempts takes as long as a tenth of a call
        except self._passing as error:
            failed = [error]
        return self._retrying(lambda: _raise(failed.pop()) if failed else ask())

    def _note(self, state: RetryCallState) -> None:
        logger.info("attempt %d of %d failed: %s", state.attempt_number, self._max_attempts, _error(state))


def full_jitter(random: Callable[[], float]) -> Pause:
    """Exponential pauses with full jitter, so that threads which failed together do not come back together.

    After a 429 there is none: the limiter holds all threads for as long as the vendor asked. `random` gives numbers
    from 0 to 1.
    """

    def pause_s(error: MarketDataError, attempts: int) -> float:
        if isinstance(error, RateLimitError):
            return 0.0
        longest = min(_LONGEST_S, _BASE_S * 2.0 ** (attempts - 1))
        return random() * longest

    return pause_s


def _raise(error: MarketDataError) -> NoReturn:
    raise error


def _error(state: RetryCallState) -> MarketDataError:
    """Why the last attempt failed."""
    outcome = state.outcome
    error = outcome.exception() if outcome else None
    if not isinstance(error, MarketDataError):
        raise TypeError(f"asked again after {error!r}")
    return error


def _give_up(state: RetryCallState) -> None:
    """Raise the last error, with the number of attempts in its message."""
    error = _error(state)
    message = f"{error} (asked {state.attempt_number} times)" if state.attempt_number > 1 else str(error)
    raise type(error)(message, hint=error.hint, status=error.status, request_id=error.request_id) from error
