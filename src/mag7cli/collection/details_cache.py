"""What the vendor said of each line's shares, by the date it was asked for: kept in the lake, asked for once.

An evening's answers are a file per date asked for, `raw/reference/details/date=D.json`, and never touch those before.
Those of a long range, some for each of many dates, are a file a month, `month=M.json`. A date stays where it is kept.
"""

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from sys import intern
from typing import Any, Final, Literal, TypeVar

import orjson

from mag7cli.core.clock import Clock
from mag7cli.core.errors import DocumentError, MarketDataError, TickerNotFoundError
from mag7cli.lake.layout import REFERENCE, Lake
from mag7cli.market import symbology
from mag7cli.market.records import TickerDetails
from mag7cli.shares.plausibility import correction_problem
from mag7cli.shares.records import ShareObservation
from mag7cli.shares.sampling import Request
from mag7cli.vendors.calls import VendorCalls

SCHEMA_VERSION: Final = 1
_FOLDER: Final = "details/"
# Enough that a run that dies loses seconds on a paid plan, and at most a few minutes on the free one.
_ANSWERS_BETWEEN_SAVES: Final = 20
# And no more often than that, since answers that come fast are of the same dates again.
_SECONDS_BETWEEN_SAVES: Final = 5.0

Status = Literal["ok", "not_listed", "refused"]
_Text = TypeVar("_Text", str, str | None)

Continues = Callable[[str, date, date], bool]


@dataclass(frozen=True, slots=True)
class DetailsRecord:
    """The vendor's answer for one line and date: `refused` if it was of another security, with the reason.

    `description` is kept for the Mag 7 only. Counts are in shares, `market_cap` in USD, both as the vendor gave them.
    An answer under a CIK that no table has keeps what it says: it may be of the line's new registrant. Once it was
    recognised as that it is `ok`, and `reason` says by what.
    """

    status: Status
    symbol: str
    fetched_at: str
    name: str | None = None
    cik: str | None = None
    currency: str | None = None
    market_cap: float | None = None
    weighted_shares: float | None = None
    share_class_shares: float | None = None
    description: str | None = None
    reason: str | None = None
    figi: str | None = None


_FIELDS: Final = tuple(field.name for field in fields(DetailsRecord))


class DetailsCache:
    """The answers of one lake; asks the vendor for those that are not there yet."""

    def __init__(
        self, lake: Lake, clock: Clock, calls: VendorCalls | None = None, continues: Continues | None = None
    ) -> None:
        """Without `calls` the cache can be read, but asks nothing.

        `continues` tells whether the prices of a line went on without a break between two dates.
        """
        self._lake = lake
        self._clock = clock
        self._calls = calls
        self._continues = continues or (lambda ticker, first, last: False)
        self._answers: dict[date, dict[str, DetailsRecord]] = {}
        self._days: dict[str, list[date]] = {}
        self._refused: dict[str, set[date]] = {}
        self._files: dict[date, str] = {}
        self._unsaved: list[date] = []
        self._saved_at = clock.monotonic()
        self._is_in_rounds = False
        self.failures: dict[Request, str] = {}

    def ask_by(self, calls: VendorCalls) -> None:
        """From now on ask the vendor this way for what is missing."""
        self._calls = calls

    def load(self) -> None:
        """Read what earlier runs were told. Raises DocumentError for a file that is no file of details."""
        for info in self._lake.reference_files(_FOLDER):
            answers_of = _decode(self._lake.store.read(info.key), self._lake.store.uri(info.key))
            self._files.update(dict.fromkeys(answers_of, info.key.removeprefix(REFERENCE + _FOLDER)))
            for day, answers in answers_of.items():
                for ticker, answer in answers.items():
                    self._keep(ticker, day, answer)
        self._recognise_registrants()

    def answer(self, ticker: str, day: date) -> DetailsRecord | None:
        """The answer for a line and date, None if it was not asked or could not be had."""
        return self._answers.get(day, {}).get(ticker)

    def observation(self, ticker: str, day: date) -> ShareObservation | None:
        """The answer as the share history takes it; None if there is none that names a count."""
        answer = self.answer(ticker, day)
        if answer is None or answer.status != "ok":
            return None
        cap, shares = answer.market_cap, answer.weighted_shares
        return ShareObservation(day, shares, answer.share_class_shares, cap / shares if cap and shares else None)

    def observations(self, ticker: str) -> list[ShareObservation]:
        """All answers of a line that name a count, oldest first."""
        observations = (self.observation(ticker, day) for day in self._days.get(ticker, ()))
        return [observation for observation in observations if observation]

    def latest(self, ticker: str, day: date, *, leave_out: date | None = None) -> tuple[date, DetailsRecord] | None:
        """The last good answer on or before a date, else the first after it; not the one for `leave_out`."""
        days = self._days.get(ticker, [])
        if leave_out in days:
            days = [on for on in days if on != leave_out]
        if not days:
            return None
        chosen = days[max(0, bisect_right(days, day) - 1)]
        return chosen, self._answers[chosen][ticker]

    def missing(self, requests: Iterable[Request]) -> list[Request]:
        """Those requests that have no answer yet, by date and ticker."""
        absent = {(ticker, day) for ticker, day in requests if self.answer(ticker, day) is None}
        return sorted(absent, key=lambda request: (request[1], request[0]))

    def ask(self, requests: Sequence[Request]) -> None:
        """Get the answers that are missing and keep them; what could not be had is in `failures`, with the reason."""
        missing = self.missing(requests)
        if not missing:
            return
        vendor = self._vendor
        try:
            for (ticker, day), answer in vendor.each(self._fetch, missing):
                if isinstance(answer, MarketDataError):
                    self.failures[ticker, day] = str(answer)
                    continue
                self.failures.pop((ticker, day), None)
                self._keep(ticker, day, answer)
                self._unsaved.append(day)
                if self._is_time_to_save(vendor.workers):
                    self._save_new()
        finally:
            self._unsaved += self._recognise_registrants()
            if not self._is_in_rounds:
                self._save_new()

    @contextmanager
    def rounds(self) -> Iterator[None]:
        """Questions that follow from each other's answers, and touch the same dates again: kept as they add up.

        What the death of a run within them loses is no more than within one question.
        """
        self._is_in_rounds = True
        try:
            yield
        finally:
            self._save_new()
            self._is_in_rounds = False

    def asked_between(self, first: date, last: date) -> list[Request]:
        """The questions of these days that have a good answer, by date and ticker."""
        days = sorted(day for day in self._answers if first <= day <= last)
        return [(t, day) for day in days for t, answer in sorted(self._answers[day].items()) if answer.status == "ok"]

    def days_around(self, ticker: str, day: date) -> tuple[date | None, date | None]:
        """The good answers of a line nearest to a date, before and after it."""
        days = self._days.get(ticker, [])
        before, after = [one for one in days if one < day], [one for one in days if one > day]
        return (before[-1] if before else None), (after[0] if after else None)

    def ask_again(self, requests: Iterable[Request], *, since: datetime | None) -> dict[Request, str]:
        """Ask anew what is answered already, but for what was answered from `since` on, and take what is new.

        An answer that could not be had, that is of another security or cannot be true leaves the one that is there:
        these are returned with the reason.
        """
        due = [(ticker, day) for ticker, day in requests if not self._is_answered(ticker, day, since)]
        problems: dict[Request, str] = {}
        touched: set[date] = set()
        try:
            for (ticker, day), answer in self._vendor.each(self._fetch, due):
                reason = _correction_problem(self._answers[day][ticker], answer)
                if reason or isinstance(answer, MarketDataError):
                    problems[ticker, day] = reason or str(answer)
                    continue
                self._answers[day][ticker] = answer
                touched.add(day)
                if len(touched) > _ANSWERS_BETWEEN_SAVES:
                    self._save(touched)
                    touched.clear()
        finally:
            self._save(touched)
        return problems

    def _is_answered(self, ticker: str, day: date, since: datetime | None) -> bool:
        return since is not None and datetime.fromisoformat(self._answers[day][ticker].fetched_at) >= since

    def refusals(self, ticker: str) -> Mapping[date, str]:
        """Why answers of a line were refused, by the date that they were asked for."""
        refused = self._refused.get(ticker, ())
        answers = {day: self._answers[day][ticker] for day in sorted(refused)}
        return {day: answer.reason or "another security" for day, answer in answers.items()}

    def registrant_doubt(self, ticker: str, day: date) -> str | None:
        """Why the answer for a date is of a new registrant that no table confirms, None if it is of a known one."""
        answer = self.answer(ticker, day)
        if answer is None or answer.status != "ok" or symbology.is_registrant(ticker, answer.cik):
            return None
        return answer.reason

    def _recognise_registrants(self) -> set[date]:
        """Take refused answers for the line's own where the company is the same under a new CIK; the dates of these."""
        changed: set[date] = set()
        for ticker, days in self._refused.items():
            for day in sorted(days):
                answer = self._answers[day][ticker]
                evidence = self._evidence(ticker, day, answer) if answer.cik else None
                if evidence is not None:
                    days.discard(day)
                    self._keep(ticker, day, replace(answer, status="ok", reason=evidence or None))
                    changed.add(day)
        return changed

    def _evidence(self, ticker: str, day: date, answer: DetailsRecord) -> str | None:
        """By what an answer under an unknown CIK is of the line; empty if a table confirms it, None if by nothing."""
        if symbology.is_registrant(ticker, answer.cik):
            return ""
        known = [self._answers[on][ticker] for on in self._days.get(ticker, ())]
        names = {other.name for other in known if other.name} | symbology.names_of(ticker)
        if answer.figi and any(answer.figi == other.figi for other in known):
            same = "the same FIGI"
        elif answer.name and any(symbology.is_same_name(answer.name, name) for name in names):
            same = "the same name"
        elif self._prices_continue(ticker, day):
            same = "prices that go on without a break"
        else:
            return None
        return (
            f"the vendor has {answer.name} under CIK {answer.cik}, with {same}: a new registrant of {ticker}? "
            "a row in data/symbol_history.csv confirms it"
        )

    def _prices_continue(self, ticker: str, day: date) -> bool:
        """Whether the line's prices lead from an accepted answer to a date without a break."""
        latest = self.latest(ticker, day)
        return latest is not None and self._continues(ticker, min(latest[0], day), max(latest[0], day))

    def refuse(self, ticker: str, day: date, reason: str) -> None:
        """Take an answer for a failed one, so that it is asked for again."""
        self.failures[ticker, day] = reason
        if self._answers.get(day, {}).pop(ticker, None):
            self._days[ticker].remove(day)
            self._save([day])

    @property
    def _vendor(self) -> VendorCalls:
        assert self._calls, "a cache that can only be read was asked"
        return self._calls

    def _keep(self, ticker: str, day: date, answer: DetailsRecord) -> None:
        self._answers.setdefault(day, {})[ticker] = answer
        if answer.status == "ok":
            insort(self._days.setdefault(ticker, []), day)
        elif answer.status == "refused":
            self._refused.setdefault(ticker, set()).add(day)

    def _fetch(self, request: Request) -> DetailsRecord:
        """Ask under each symbol that the line may have had on the date; the first that is this company answers."""
        ticker, day = request
        refused: DetailsRecord | None = None
        symbol = ticker
        for symbol in symbology.details_symbols_on(ticker, day):
            try:
                details = self._vendor.source.details(symbol, day)
            except TickerNotFoundError:
                continue
            refusal = symbology.refusal(ticker, day, details)
            if refusal is None:
                return _answer(ticker, details, self._now())
            if symbology.may_be_new_registrant(ticker, day, details):
                refused = replace(_answer(ticker, details, self._now()), status="refused", reason=refusal)
            elif refused is None:
                refused = DetailsRecord("refused", symbol, self._now(), reason=refusal)
        return refused or DetailsRecord("not_listed", symbol, self._now())

    def _now(self) -> str:
        return self._clock.now().isoformat()

    def _is_time_to_save(self, workers: int) -> bool:
        is_much = len(self._unsaved) >= _ANSWERS_BETWEEN_SAVES * workers
        return is_much and self._clock.monotonic() - self._saved_at >= _SECONDS_BETWEEN_SAVES

    def _save_new(self) -> None:
        days, self._unsaved = {*self._unsaved}, []
        self._save(days)
        self._saved_at = self._clock.monotonic()

    def _save(self, days: Iterable[date]) -> None:
        of_new = _month_name if self._is_in_rounds else _day_name
        names = {self._files.setdefault(day, of_new(day)) for day in days}
        together: dict[str, list[date]] = {name: [] for name in sorted(names)}
        for day, name in sorted(self._files.items()):
            if name in together:
                together[name].append(day)
        for name, its_days in together.items():
            self._lake.write_reference(
                _FOLDER + name, _encode(name, {day: self._answers.get(day, {}) for day in its_days})
            )


def _correction_problem(old: DetailsRecord, new: DetailsRecord | MarketDataError) -> str | None:
    """Why a later answer does not take the place of a good one; None if it does."""
    if isinstance(new, MarketDataError):
        return str(new)
    if new.status != "ok":
        return new.reason or "not listed any more, by this answer"
    for before, after in ((old.weighted_shares, new.weighted_shares), (old.share_class_shares, new.share_class_shares)):
        if before and (reason := correction_problem(before, after or 0.0)):
            return f"a count of {reason}"
    return None


def broken_files(lake: Lake) -> Iterator[DocumentError]:
    """Why files of the ledger cannot be read, one error each."""
    for info in lake.reference_files(_FOLDER):
        try:
            _decode(lake.store.read(info.key), lake.store.uri(info.key))
        except DocumentError as error:
            yield error


def _answer(ticker: str, details: TickerDetails, now: str) -> DetailsRecord:
    return DetailsRecord(
        "ok",
        _once(details.symbol),
        now,
        name=_once(details.name),
        cik=_once(details.cik),
        currency=_once(details.currency),
        market_cap=details.market_cap_usd,
        weighted_shares=details.weighted_shares,
        share_class_shares=details.share_class_shares,
        description=_once(details.description) if ticker in symbology.MAGNIFICENT_7 else None,
        figi=_once(details.composite_figi),
    )


def _once(text: _Text) -> _Text:
    """The same text in memory once: a line's answers, sixty in twenty years, differ in their numbers alone."""
    return intern(text) if isinstance(text, str) else text


def keys_of(day: date) -> tuple[str, str]:
    """Where the answers for a date may lie."""
    return REFERENCE + _FOLDER + _day_name(day), REFERENCE + _FOLDER + _month_name(day)


def _day_name(day: date) -> str:
    return f"date={day.isoformat()}.json"


def _month_name(day: date) -> str:
    return f"month={day:%Y-%m}.json"


def _encode(name: str, answers_of: Mapping[date, Mapping[str, DetailsRecord]]) -> bytes:
    """Sorted, and without what was not said, so that equal answers are equal bytes."""
    rows = {
        day.isoformat(): {
            ticker: {field: value for field in _FIELDS if (value := getattr(answers[ticker], field)) is not None}
            for ticker in sorted(answers)
        }
        for day, answers in answers_of.items()
    }
    kind, _, label = name.removesuffix(".json").partition("=")
    content = {"answers": rows[label]} if kind == "date" else {"dates": rows}
    document = {"schema_version": SCHEMA_VERSION, kind: label, **content}
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


def _decode(data: bytes, where: str) -> dict[date, dict[str, DetailsRecord]]:
    """The answers in a file by the date that they were asked for. Raises DocumentError."""
    try:
        document: dict[str, Any] = orjson.loads(data)
        if "month" in document:
            rows, name = document["dates"], f"month={document['month']}.json"
        else:
            rows, name = {document["date"]: document["answers"]}, f"date={document['date']}.json"
        answers_of = {
            date.fromisoformat(day): {ticker: DetailsRecord(**values) for ticker, values in answers.items()}
            for day, answers in rows.items()
        }
        _check_name(where, name, answers_of)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise DocumentError(where, f"not a file of details ({error}); delete it to ask the vendor again") from error
    return answers_of


def _check_name(where: str, name: str, days: Iterable[date]) -> None:
    if not where.endswith(f"/{name}"):
        raise ValueError(f"its content is that of {name}")
    for day in days:
        if name not in (_day_name(day), _month_name(day)):
            raise ValueError(f"it has answers for {day}")
