"""Asking again: how often, and how long between. What is worth asking again, `faults` says."""

import logging
from collections.abc import Callable
from typing import Final, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from mag7cli.core.errors import MarketDataError, RateLimitError
from mag7cli.vendors.polygon.faults import RETRIED

logger = logging.getLogger(__name__)

T = TypeVar("T")

_BASE_S: Final = 0.5
_LONGEST_S: Final = 30.0


class Retry:
    """Calls again what failed in a way that may pass, at most `max_attempts` times in all.

    The waits are exponential with full jitter, so that threads which failed together do not come back together.
    After a 429 there is none: the limiter holds all threads for as long as the vendor asked.
    `wait` sleeps, and may raise to end the run; `random` gives numbers from 0 to 1. Safe to share between threads.
    """

    def __init__(self, max_attempts: int, wait: Callable[[float], None], random: Callable[[], float]) -> None:
        self._max_attempts = max_attempts
        self._random = random
        self._retrying = Retrying(
            stop=stop_after_attempt(max_attempts),
            retry=retry_if_exception_type(RETRIED),
            wait=self._pause_s,
            sleep=wait,
            before_sleep=self._note,
            retry_error_callback=_give_up,
        )

    def __call__(self, ask: Callable[[], T]) -> T:
        """What `ask` gives, or its last error with the number of attempts."""
        return self._retrying(ask)

    def _pause_s(self, state: RetryCallState) -> float:
        if isinstance(_error(state), RateLimitError):
            return 0.0
        longest = min(_LONGEST_S, _BASE_S * 2.0 ** (state.attempt_number - 1))
        return self._random() * longest

    def _note(self, state: RetryCallState) -> None:
        logger.info("attempt %d of %d failed: %s", state.attempt_number, self._max_attempts, _error(state))


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
