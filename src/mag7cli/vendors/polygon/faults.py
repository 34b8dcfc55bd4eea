"""What an answer other than 200 means: status, headers and text of the vendor's refusals as our errors.

The texts are the vendor's, as captured live in 2024 to 2026. For a 403 only the text tells "not yet" from "too old"
and "not in the plan". The text is in `error` for 401 and 429 and in `message` for 403 and 404, so both are read.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import orjson

from mag7cli.core.errors import (
    AuthenticationError,
    MalformedResponseError,
    MarketDataError,
    NotYetAvailableError,
    PlanError,
    RateLimitError,
    TickerNotFoundError,
    VendorUnavailableError,
)
from mag7cli.vendors.polygon.wire import HttpAnswer, NoAnswerError

RETRIED: Final = (RateLimitError, VendorUnavailableError, MalformedResponseError)
"""What may be different the next time; everything else is said at once."""

_TOO_EARLY: Final = "before end of day"
_TOO_OLD: Final = "timeframe"
_LATER: Final = "run the same command again later: what was collected is kept"
_CERTIFICATES: Final = "behind a proxy that signs for others, name its certificates in SSL_CERT_FILE"
_EXCERPT: Final = 200


def refusal(answer: HttpAnswer, request: str, scrub: Callable[[str], str]) -> MarketDataError | None:
    """The error that this answer to what was `request` is; None for a 200, whose body is still to be judged.

    `scrub` takes the key out of what the vendor said.
    """
    if answer.status == 200:
        return None
    body = _body(answer.data)
    said = _text(body, answer.data, scrub)
    error, hint = _kind(answer.status, body, said)
    return error(
        f"{request}: {answer.status} {said}".rstrip(),
        hint=hint,
        status=answer.status,
        request_id=request_id(answer, body),
    )


def malformed(answer: HttpAnswer, request: str, reason: str) -> MalformedResponseError:
    """The error that a 200 is whose body cannot be what was `request` for."""
    return MalformedResponseError(f"{request}: {reason}", status=answer.status, request_id=request_id(answer, {}))


def no_answer(failure: NoAnswerError, request: str) -> MarketDataError:
    """The error that it is to have got no whole answer to what was `request`."""
    if failure.untrusted:
        return MarketDataError(f"{request}: {failure}", hint=_CERTIFICATES)
    return VendorUnavailableError(f"{request}: {failure}", hint=_LATER)


def _kind(status: int, body: Mapping[str, Any], said: str) -> tuple[type[MarketDataError], str | None]:
    """The class of the error, and what helps."""
    if status == 401:
        return AuthenticationError, "check POLYGON_API_KEY: the vendor does not know this key"
    if status == 403:
        return _forbidden(said)
    if status == 429:
        return RateLimitError, "set --plan or --rate to what the key's plan allows, or run again later"
    if status == 404 and body.get("status") == "NOT_FOUND":
        return TickerNotFoundError, None
    if status == 404:  # not the vendor's own: taken for one, every ticker would count as not listed
        return MalformedResponseError, "is POLYGON_BASE_URL the address of the vendor?"
    if status == 408 or status >= 500:
        return VendorUnavailableError, _LATER
    if status < 300:
        return MalformedResponseError, None
    if status < 400:
        return MarketDataError, "set POLYGON_BASE_URL to the address itself: redirects are not followed with a key"
    return MarketDataError, None


def _forbidden(said: str) -> tuple[type[MarketDataError], str]:
    """The three meanings of the vendor's 403."""
    if _TOO_EARLY in said.lower():
        return NotYetAvailableError, "the free plan serves a session after midnight in New York: run again then"
    if _TOO_OLD in said.lower():
        return PlanError, "ask for later dates, or for a plan with a longer history"
    return PlanError, "the key's plan does not include this"


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds that a Retry-After header asks for, as a number or as a date; None without a usable one."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((aware - now).total_seconds(), 0.0)


def request_id(answer: HttpAnswer, body: Mapping[str, Any]) -> str | None:
    """The vendor's name for the request, which its support asks for."""
    identifier = body.get("request_id") or answer.headers.get("X-Request-Id")
    return str(identifier) if identifier else None


def _body(data: bytes) -> Mapping[str, Any]:
    """The JSON object that the vendor sends with a refusal; empty if this is something else, as from a proxy."""
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _text(body: Mapping[str, Any], data: bytes, scrub: Callable[[str], str]) -> str:
    """What the vendor said, in one line; scrubbed before it is cut, or half a key would be left."""
    said = body.get("error") or body.get("message") or data.decode("utf-8", errors="replace")
    return " ".join(scrub(str(said)).split())[:_EXCERPT]
