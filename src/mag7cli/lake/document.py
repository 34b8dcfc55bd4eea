"""The raw document of one trading date, and the arithmetic of concentration; knows nothing of vendors or files.

The document's keys are those of the console pipeline's collector, plus the ones that `docs/lake.md` lists as added.
A document is a plain dictionary, typed here, so that what is on disk is what the code handles. Money is in USD,
decimal and exact to the cent, in the file a number literal with all its digits; what the vendor said is a float with
the vendor's digits; percentages are 0-100; dates are ISO strings, as in the file.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final, NotRequired, TypedDict

import orjson

from mag7cli.core.errors import DocumentError
from mag7cli.lake import document_money
from mag7cli.lake.constituent_rows import ConstituentDocument, ConstituentRows
from mag7cli.market import money
from mag7cli.market.membership import MembershipKind
from mag7cli.market.money import CENTS, pct_of, usd

SCHEMA_VERSION: Final = 1


class TradingData(TypedDict):
    """One unadjusted daily bar. `timestamp` is 00:00 New York of the date in epoch milliseconds."""

    date: str
    close_price: float
    open_price: float | None
    high_price: float | None
    low_price: float | None
    volume: float | None
    vwap: float | None
    timestamp: int | None


# `from` is a keyword, so these two are declared by call.
Correction = TypedDict(
    "Correction", {"field": str, "from": float | None, "to": float | None, "reason": str, "evidence": str}
)
"""One value that was not taken as the vendor gave it: what it was, what it became, why, and the evidence."""

TickerCorrection = TypedDict(
    "TickerCorrection",
    {"ticker": str, "field": str, "from": float | None, "to": float | None, "reason": str, "evidence": str},
)
"""A correction of a constituent outside the Mag 7."""


class Doubt(TypedDict):
    """Something that no rule explains: the date is suspect. `used` and `other` are the two candidate values."""

    ticker: str
    kind: str
    field: str
    used: float | None
    other: float | None
    reason: str


class CompanyDocument(TypedDict):
    """One of the Mag 7. `market_cap` is close x `shares_outstanding`, both of the whole company on that day."""

    name: str
    market_cap: Decimal | None
    shares_outstanding: float | None
    currency: str | None
    description: str | None
    trading_data: TradingData | None
    cik: NotRequired[str | None]
    symbol: NotRequired[str | None]
    share_class_shares_outstanding: NotRequired[float | None]
    vendor_market_cap: NotRequired[float | None]
    vendor_shares_outstanding: NotRequired[float | None]
    corrections: NotRequired[list[Correction]]


class Ranking(TypedDict):
    """One of the Mag 7 by size. Percentages are 0-100."""

    ticker: str
    name: str
    market_cap: Decimal
    pct_of_mag7: float
    pct_of_sp500: float


class Rankings(TypedDict):
    """The Mag 7, largest first; empty on a partial date."""

    by_market_cap: list[Ranking]


class Concentration(TypedDict):
    """The answer of one date. `hhi` is on the 0-10,000 scale, `effective_n` is 10,000 / `hhi`.

    Those `by_class` value each listed class of a company at its own close, the headline all at the counted one's.
    """

    total_mag7_market_cap: Decimal
    sp500_total_market_cap: Decimal
    mag7_pct_of_sp500: float
    collection_date: str
    mag7_companies_count: int
    top10_pct: NotRequired[float]
    hhi: NotRequired[float]
    effective_n: NotRequired[float]
    total_mag7_market_cap_by_class: NotRequired[Decimal]
    sp500_total_market_cap_by_class: NotRequired[Decimal]
    mag7_pct_by_class: NotRequired[float]


class FailedTicker(TypedDict):
    """A constituent that could not be valued, and why; `last_known_market_cap` is what it adds to the total, USD."""

    ticker: str
    reason: str
    last_known_market_cap: NotRequired[float]


class UncertaintyDocument(TypedDict):
    """By how much (USD) the market caps of the Mag 7, and of the rest, may be above the truth and below it.

    `source` is one cause: `sampling`, `frozen_counts`, `stale_counts` or `rounding`.
    """

    source: str
    reason: str
    mag7_above: float
    mag7_below: float
    rest_above: float
    rest_below: float


class MembershipDocument(TypedDict):
    """Which list of constituents the date used: since when it was in force, and until when changes were known.

    `holdings` is the day of the holdings file that the list was brought forward from, absent without one; `accepted`
    what spoke against that file when it was kept all the same.
    """

    kind: MembershipKind
    as_of: str
    confirmed_until: NotRequired[str]
    holdings: NotRequired[str]
    accepted: NotRequired[str]


class Sp500Details(TypedDict):
    """The index of that date. `total_market_cap` counts each company once, `gross_market_cap` each line."""

    total_market_cap: Decimal
    processed_count: int
    failed_count: int
    failed_tickers: list[FailedTicker]
    gross_market_cap: NotRequired[Decimal]
    companies_count: NotRequired[int]
    not_listed: NotRequired[list[str]]
    membership: NotRequired[MembershipDocument]
    corrections: NotRequired[list[TickerCorrection]]
    constituents: NotRequired[list[ConstituentDocument] | ConstituentRows]


class SourceDocument(TypedDict):
    """Who said it, and how it was asked. `simulated` is true for the sandbox market."""

    vendor: str
    method: str
    version: str
    simulated: bool


class Document(TypedDict):
    """`market_data.json`. `concentration_metrics` is None on a partial date, and `partial` then says why.

    `judged_by` is what the share counts were held against besides each other: `closes` of the weeks around, by which a
    split shows that no list has, and `cover_pages`. `uncertainty` is what the bound of the share is made of, besides
    doubts and failed lines.
    """

    trading_date: str
    data_collection_time: str
    companies: dict[str, CompanyDocument]
    rankings: Rankings
    concentration_metrics: Concentration | None
    sp500_details: Sp500Details
    schema_version: NotRequired[int]
    source: NotRequired[SourceDocument]
    partial: NotRequired[str | None]
    doubts: NotRequired[list[Doubt]]
    judged_by: NotRequired[list[str]]
    uncertainty: NotRequired[list[UncertaintyDocument]]


def concentration(trading_date: date, mag7_caps: Iterable[int], company_caps: Sequence[int]) -> Concentration:
    """Concentration of one date from the caps (cents) of the Mag 7 and of every company of the index, each once.

    HHI is the sum of squared percentages, the effective number of companies its inverse: docs/methodology.md.
    """
    companies = list(mag7_caps)
    total, mag7 = usd(sum(company_caps)), usd(sum(companies))
    whole = float(total)
    shares_pct = sorted((100 * (cap / CENTS) / whole for cap in company_caps), reverse=True)
    hhi = math.fsum(pct * pct for pct in shares_pct)
    return {
        "total_mag7_market_cap": mag7,
        "sp500_total_market_cap": total,
        "mag7_pct_of_sp500": pct_of(mag7, total),
        "collection_date": trading_date.isoformat(),
        "mag7_companies_count": len(companies),
        "top10_pct": math.fsum(shares_pct[:10]),
        "hhi": hhi,
        "effective_n": 10_000 / hhi,
    }


def rank(companies: Mapping[str, CompanyDocument], metrics: Concentration) -> list[Ranking]:
    """The Mag 7 by market cap, largest first; equal caps in the order of `companies`."""
    valued = [(ticker, company, company["market_cap"] or Decimal(0)) for ticker, company in companies.items()]
    return [
        {
            "ticker": ticker,
            "name": company["name"],
            "market_cap": cap,
            "pct_of_mag7": pct_of(cap, metrics["total_mag7_market_cap"]),
            "pct_of_sp500": pct_of(cap, metrics["sp500_total_market_cap"]),
        }
        for ticker, company, cap in sorted(valued, key=lambda item: -item[2])
    ]


def company_caps(document: Document) -> dict[str, float]:
    """Market value of each company of the index, USD, by its counted line; empty where no constituents are listed."""
    rows = document["sp500_details"].get("constituents", [])
    return {row["ticker"]: float(row["market_cap"]) for row in rows if row["counted"]}


def encode(document: Document) -> bytes:
    """The document as one line of JSON, which jq, Spark and Athena's JSON reader all take."""
    return orjson.dumps(document, default=_json, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_PASSTHROUGH_DATACLASS)


def _json(value: object) -> orjson.Fragment:
    if isinstance(value, ConstituentRows):
        return value.json()
    if isinstance(value, Decimal):
        return money.json_literal(value)
    raise TypeError(f"a document has no {type(value).__name__}")


def decode(data: bytes, where: str) -> Document:
    """The document in these bytes. `where` names them in errors. Raises DocumentError.

    Totals are the sums of their lines, so that one that was written as a float is right all the same.
    """
    document = parse(data, where)
    problem = document_money.lines_problem(document)
    if problem:
        raise DocumentError(where, problem)
    document_money.settle(document, document_money.settle_lines(document))
    return document


def parse(data: bytes, where: str) -> Document:
    """The document with its amounts as the parser gives them, floats that stand for decimals: see `document_money`.

    For who reads a thousand documents and settles the amounts itself. Raises DocumentError.
    """
    try:
        document = document_money.exact(orjson.loads(data), data)
    except orjson.JSONDecodeError as error:
        raise DocumentError(where, f"not JSON ({error})") from error
    problem = _problem(document)
    if problem:
        raise DocumentError(where, problem)
    return document  # type: ignore[no-any-return]


def _problem(document: Any) -> str | None:
    """The first thing that makes this not a market data document, None if nothing does."""
    if not isinstance(document, dict):
        return f"a JSON object is expected, not {type(document).__name__}"
    for key, kind in _TOP_LEVEL.items():
        if not isinstance(document.get(key), kind):
            return f"{key!r} is missing or of another type"
    try:
        date.fromisoformat(document["trading_date"])
    except ValueError:
        return f"trading_date {document['trading_date']!r} is not a date"
    return _companies_problem(document["companies"]) or _metrics_problem(document)


_TOP_LEVEL: Final[dict[str, type | tuple[type, ...]]] = {
    "trading_date": str,
    "data_collection_time": str,
    "companies": dict,
    "rankings": dict,
    "sp500_details": dict,
}

_METRICS: Final = ("total_mag7_market_cap", "sp500_total_market_cap", "mag7_pct_of_sp500", "mag7_companies_count")


def _companies_problem(companies: dict[str, Any]) -> str | None:
    for ticker, company in companies.items():
        if not isinstance(company, dict) or not isinstance(company.get("name"), str):
            return f"company {ticker!r} has no name"
        for key in ("market_cap", "shares_outstanding"):
            if not isinstance(company.get(key), int | float | Decimal | None):
                return f"{key} of {ticker!r} is not a number"
    return None


def _metrics_problem(document: dict[str, Any]) -> str | None:
    metrics = document.setdefault("concentration_metrics", None)
    if metrics is None:
        return None
    if not isinstance(metrics, dict):
        return "'concentration_metrics' is of another type"
    for key in _METRICS:
        if not isinstance(metrics.get(key), int | float | Decimal):
            return f"concentration_metrics.{key} is not a number"
    return None
