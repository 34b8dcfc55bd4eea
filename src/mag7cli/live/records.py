"""A point as a record: one line of JSON for programs, for the page and for the lake; two Arrow tables of many.

Every record says that it is intraday and unofficial, how old and how complete it is, and whether it is simulated.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from mag7cli.core.clock import NEW_YORK
from mag7cli.live.follow import LiveUpdate, MarketClosed
from mag7cli.live.share import LiveCompany
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.market.trading_hours import TradingPhase, trading_hours

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION: Final = 1
KIND: Final = "intraday, unofficial"

Record = Mapping[str, Any]

_LISTS: Final = ("untraded", "halted")

POINTS: Final = "points"
COMPANIES: Final = "companies"

_COLUMNS: Final[Mapping[str, Mapping[str, str]]] = {
    POINTS: {
        "trading_date": "date32",
        "minute": "timestamp",
        "new_york_time": "string",
        "taken_at": "timestamp",
        "phase": "string",
        "group": "string",
        "share_pct": "float64",
        "low_pct": "float64",
        "high_pct": "float64",
        "is_close_bounded": "bool_",
        "since_close": "float64",
        "since_open": "float64",
        "group_cap_usd": "float64",
        "sp500_cap_usd": "float64",
        "constituents_count": "int32",
        "traded_count": "int32",
        "untraded": "string",
        "untraded_pct": "float64",
        "oldest_age_s": "float64",
        "oldest_ticker": "string",
        "halted": "string",
        "has_closes": "bool_",
        "source": "string",
        "feed": "string",
        "is_connected": "bool_",
        "close_date": "date32",
        "close_pct": "float64",
        "is_simulated": "bool_",
        "without": "string",
    },
    COMPANIES: {
        "trading_date": "date32",
        "minute": "timestamp",
        "new_york_time": "string",
        "group": "string",
        "ticker": "string",
        "price_usd": "float64",
        "market_cap_usd": "float64",
        "pct_of_sp500": "float64",
        "since_close": "float64",
        "traded_at": "timestamp",
        "without": "string",
    },
}
"""The columns of the two tables, by Arrow's names of types; lists of tickers are joined by commas. Timestamps are
UTC to the millisecond, without a zone: DuckDB cannot give one with a zone to a Python without pytz."""


def record(update: LiveUpdate) -> dict[str, Any]:
    """The point with all that a reader needs in order to trust it or not; times in ISO 8601 with offset."""
    point, base, status = update.point, update.baseline, update.status
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "trading_date": point.trading_date.isoformat(),
        "minute": point.minute.isoformat(),
        "taken_at": point.taken_at.isoformat(),
        "phase": point.phase.value,
        "is_early_close": trading_hours(point.trading_date).is_early_close,
        "group": ",".join(base.group),
        "without": ",".join(base.without),
        "share_pct": point.share_pct,
        "low_pct": point.low_pct,
        "high_pct": point.high_pct,
        "is_close_bounded": point.is_close_bounded,
        "share_text": point.share_text,
        "since_close": point.since_close,
        "since_open": point.since_open,
        "close_pct": base.share_pct,
        "close_date": base.close_date.isoformat(),
        "group_cap_usd": point.group_cap_usd,
        "sp500_cap_usd": point.sp500_cap_usd,
        "constituents_count": point.constituents_count,
        "traded_count": point.traded_count,
        "untraded": list(point.untraded),
        "untraded_pct": point.untraded_pct,
        "quiet": [{"ticker": quiet.ticker, "since": quiet.since.isoformat()} for quiet in point.quiet],
        "oldest_age_s": point.oldest_age_s,
        "oldest_ticker": point.oldest_ticker,
        "halted": list(point.halted),
        "has_closes": point.has_closes,
        "companies": [_company(company) for company in point.companies],
        "splits": [
            {"symbol": split.symbol, "split_from": split.split_from, "split_to": split.split_to}
            for split in base.splits
        ],
        "left_out": [{"ticker": ticker, "reason": reason} for ticker, reason in base.left_out],
        "source": status.kind,
        "feed": status.feed,
        "is_connected": status.is_connected,
        "reconnects": status.reconnects,
        "rejected": status.rejected,
        "is_simulated": base.is_simulated,
    }


def subject(entry: Record) -> tuple[str, str]:
    """Whose share a record is: the group, and who is left out of it and of the index; nobody in older records."""
    return entry["group"], entry.get("without") or ""


def is_of_the_seven(entry: Record) -> bool:
    """Whether a record is of the Mag 7 in the whole index."""
    return subject(entry) == (",".join(MAGNIFICENT_7), "")


def record_of_closed(closed: MarketClosed) -> dict[str, Any]:
    """That nothing trades, and when it will; the same times as in a point's record."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "phase": TradingPhase.CLOSED.value,
        "taken_at": closed.now.isoformat(),
        "next_pre_market_open": closed.pre_market_open.isoformat(),
        "next_open": closed.open.isoformat(),
    }


def arrow_table(name: str, records: Iterable[Record]) -> "pa.Table":
    """The records as one of the tables, `points` or `companies`; without records it is empty but typed."""
    import pyarrow as pa

    rows = _point_rows(records) if name == POINTS else _company_rows(records)
    return pa.Table.from_pylist(list(rows), schema=_schema(name))


def records_of(points: "pa.Table", companies: "pa.Table") -> list[dict[str, Any]]:
    """The records behind the two tables, as far as their columns go."""
    by_minute: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in companies.to_pylist():
        by_minute.setdefault((row["minute"], *subject(row)), []).append(_as_json(row))
    return [
        {
            **_as_json(row),
            "kind": KIND,
            **{name: [ticker for ticker in row[name].split(",") if ticker] for name in _LISTS},
            "companies": by_minute.get((row["minute"], *subject(row)), []),
        }
        for row in points.to_pylist()
    ]


def _company(company: LiveCompany) -> dict[str, Any]:
    return {
        "ticker": company.ticker,
        "name": company.name,
        "price_usd": company.price_usd,
        "market_cap_usd": company.market_cap_usd,
        "pct_of_sp500": company.pct_of_sp500,
        "since_close": company.since_close,
        "traded_at": company.traded_at.isoformat() if company.traded_at else None,
    }


def _point_rows(records: Iterable[Record]) -> Iterable[dict[str, Any]]:
    for entry in records:
        yield {**_typed(POINTS, entry), **{name: ",".join(entry[name]) for name in _LISTS}}


def _company_rows(records: Iterable[Record]) -> Iterable[dict[str, Any]]:
    for entry in records:
        shared = {name: entry.get(name, "") for name in ("trading_date", "minute", "group", "without")}
        yield from (_typed(COMPANIES, {**company, **shared}) for company in entry["companies"])


def _typed(name: str, entry: Record) -> dict[str, Any]:
    """The values of a table's columns, dates and times as such."""
    known = {
        "without": "",
        **entry,
        "new_york_time": datetime.fromisoformat(entry["minute"]).astimezone(NEW_YORK).strftime("%H:%M"),
    }
    return {column: _value(kind, known.get(column)) for column, kind in _COLUMNS[name].items()}


def _value(kind: str, value: Any) -> Any:
    if value is None or not isinstance(value, str) or kind == "string":
        return value
    if kind == "date32":
        return date.fromisoformat(value)
    return datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None)


def _as_json(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _json_value(value) for name, value in row.items()}


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).astimezone(NEW_YORK).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def _schema(name: str) -> "pa.Schema":
    import pyarrow as pa

    def arrow_type(kind: str) -> pa.DataType:
        return pa.timestamp("ms") if kind == "timestamp" else getattr(pa, kind)()

    return pa.schema([(column, arrow_type(kind)) for column, kind in _COLUMNS[name].items()])


def latest_by_minute(records: Sequence[Record]) -> list[Record]:
    """One record for each minute and subject, the last that was written, oldest minute first."""
    latest = {(datetime.fromisoformat(entry["minute"]), *subject(entry)): entry for entry in records}
    return [latest[key] for key in sorted(latest)]
