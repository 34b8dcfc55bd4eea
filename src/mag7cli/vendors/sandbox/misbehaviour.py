"""How a simulated server misbehaves: scripted, rule by rule, or at random from a seed.

Owns which request is spoilt and what becomes of its answer; `server` does what only a socket can.
"""

import random
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import orjson

from mag7cli.vendors.sandbox.answers import Response, too_many_requests

FaultKind = Literal[
    "status",
    "reset",
    "cut_body",
    "slow_body",
    "hang",
    "html200",
    "truncated_json",
    "wrong_content",
    "empty_results",
    "wrong_type_json",
]

TRANSPORT: Final[frozenset[FaultKind]] = frozenset({"reset", "cut_body", "slow_body", "hang"})
"""Kinds that leave the answer alone and spoil its way to the client."""

_HTML: Final = b"<!DOCTYPE html><html><head><title>Log in</title></head><body>Please log in to continue.</body></html>"
_ANOTHER: Final = "ZZZZ"
_RANDOM_KINDS: Final[tuple[FaultKind, ...]] = (
    "status",
    "reset",
    "cut_body",
    "html200",
    "truncated_json",
    "wrong_content",
    "empty_results",
    "wrong_type_json",
)


@dataclass(frozen=True, slots=True)
class FaultRule:
    """The next `times` requests (None: all) whose target contains `match` are spoilt, after letting `after` pass.

    `status` and `retry_after` (seconds, or an HTTP date) are for the kind `status`; `delay_s` is how long `hang` says
    nothing and `slow_body` takes.
    """

    match: str
    kind: FaultKind
    status: int = 500
    retry_after: str | None = None
    times: int | None = 1
    after: int = 0
    delay_s: float = 5.0


@dataclass(frozen=True, slots=True)
class RandomFaults:
    """Spoil a part of all requests; which ones follows from the seed, the target and how often it was asked.

    No target is spoilt more than `most` times, so a client that repeats often enough gets there.
    """

    seed: int
    rate: float = 0.2
    kinds: Sequence[FaultKind] = _RANDOM_KINDS
    statuses: Sequence[int] = (429, 500, 502, 503)
    most: int = 3
    delay_s: float = 0.05

    def drawn(self, target: str, attempt: int) -> FaultRule | None:
        """The fault of this attempt, if it has one."""
        rng = random.Random(f"{self.seed}|{target}|{attempt}")
        if rng.random() >= self.rate:
            return None
        kind, status = rng.choice(list(self.kinds)), rng.choice(list(self.statuses))
        return FaultRule(target, kind, status=status, retry_after=rng.choice([None, "0"]), delay_s=self.delay_s)


class Script:
    """Which request is spoilt, and how: the first rule that applies, else chance. Safe to share between threads."""

    def __init__(self, faults: Iterable[FaultRule | RandomFaults]) -> None:
        rules = list(faults)
        self._rules = [fault for fault in rules if isinstance(fault, FaultRule)]
        self._random = [fault for fault in rules if isinstance(fault, RandomFaults)]
        self._seen: Counter[int] = Counter()
        self._attempts: Counter[str] = Counter()
        self._spoilt: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, rule: FaultRule) -> None:
        """One more rule, after those that are there."""
        with self._lock:
            self._rules.append(rule)

    def next(self, target: str) -> FaultRule | None:
        """What befalls this request."""
        if not self._rules and not self._random:
            return None
        with self._lock:
            return self._scripted(target) or self._by_chance(target)

    def _scripted(self, target: str) -> FaultRule | None:
        for position, rule in enumerate(self._rules):
            if rule.match not in target:
                continue
            self._seen[position] += 1
            nth = self._seen[position] - rule.after
            if nth > 0 and (rule.times is None or nth <= rule.times):
                return rule
        return None

    def _by_chance(self, target: str) -> FaultRule | None:
        for source in self._random:
            self._attempts[target] += 1
            fault = source.drawn(target, self._attempts[target])
            if fault and self._spoilt[target] < source.most:
                self._spoilt[target] += 1
                return fault
        return None


def spoilt(answer: Response, fault: FaultRule) -> Response:
    """What is sent instead of a good answer; for the kinds of `TRANSPORT` the answer itself."""
    match fault.kind:
        case "status":
            return _refusal(fault)
        case "html200":
            return Response(200, _HTML, "text/html; charset=utf-8")
        case "truncated_json":
            return replace(answer, status=200, body=answer.body[: max(len(answer.body) // 2, 1)])
        case "wrong_type_json":
            return replace(answer, status=200, body=b'["unexpected"]')
        case "wrong_content":
            return replace(answer, body=orjson.dumps(_about_another(orjson.loads(answer.body))))
        case "empty_results":
            return replace(answer, status=200, body=orjson.dumps(_emptied(orjson.loads(answer.body))))
    return answer


def _refusal(fault: FaultRule) -> Response:
    if fault.status == 429:
        return too_many_requests(fault.retry_after)
    body = orjson.dumps({"status": "ERROR", "request_id": "0" * 32, "error": "internal server error"})
    headers = (("Retry-After", fault.retry_after),) if fault.retry_after else ()
    return Response(fault.status, body, headers=headers)


def _about_another(body: Any) -> Any:
    """The same body with another security's symbol wherever one is."""
    if isinstance(body, dict):
        return {
            key: _ANOTHER if key in ("ticker", "T", "symbol") else _about_another(value) for key, value in body.items()
        }
    return [_about_another(value) for value in body] if isinstance(body, list) else body


def _emptied(body: Any) -> Any:
    """A 200 that has nothing to say, counted as such."""
    if not isinstance(body, dict):
        return body
    envelope = {key: value for key, value in body.items() if key not in ("results", "next_url")}
    return {key: 0 if key in ("queryCount", "resultsCount", "count") else value for key, value in envelope.items()}
