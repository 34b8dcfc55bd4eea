"""Raw documents of a small index: the Mag 7 and two lines more, one of them a second class of Alphabet."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from mag7cli.lake import document as market_data
from mag7cli.lake.layout import Lake
from mag7cli.market.money import cents, market_cap_usd, total_usd
from mag7cli.market.symbology import MAGNIFICENT_7

OTHERS = ("GOOG", "XOM")
CLASS_GAIN = Decimal("1000000.01")
_SHARES = {ticker: 1_000_000_000 + 7_654_321 * place for place, ticker in enumerate((*MAGNIFICENT_7, *OTHERS))}


def days(count: int, first: date = date(2024, 6, 3)) -> list[date]:
    """Weekdays from `first` on."""
    found = [first]
    while len(found) < count:
        found.append(found[-1] + timedelta(days=3 if found[-1].weekday() == 4 else 1))
    return found


def document(day: date, *, scale: float = 1.0, shares: Mapping[str, int] | None = None, **changes: Any) -> Any:
    """A complete document: prices follow the date, `scale` moves them all, `changes` replaces top-level keys."""
    counts = {**_SHARES, **(shares or {})}
    lines = [_line(ticker, place, day, scale, counts[ticker]) for place, ticker in enumerate(counts)]
    caps = {line["ticker"]: cents(line["market_cap"]) for line in lines}
    companies = {line["ticker"]: _company(line, day) for line in lines if line["ticker"] in MAGNIFICENT_7}
    counted = [caps[line["ticker"]] for line in lines if line["counted"]]
    metrics = market_data.concentration(day, [caps[ticker] for ticker in MAGNIFICENT_7], counted)
    _value_by_class(lines, metrics)
    found = {
        "trading_date": day.isoformat(),
        "data_collection_time": f"{day}T18:00:00-04:00",
        "companies": companies,
        "rankings": {"by_market_cap": market_data.rank(companies, metrics)},
        "concentration_metrics": metrics,
        "sp500_details": {
            "total_market_cap": metrics["sp500_total_market_cap"],
            "processed_count": len(lines),
            "failed_count": 0,
            "failed_tickers": [],
            "gross_market_cap": total_usd(line["market_cap"] for line in lines),
            "companies_count": len(counted),
            "not_listed": ["GEV"],
            "membership": {"kind": "bundled", "as_of": "2024-12-06"},
            "corrections": [],
            "constituents": lines,
        },
        "schema_version": 1,
        "source": {"vendor": "sandbox", "method": "grouped", "version": "1", "simulated": True},
        "partial": None,
        "doubts": [],
    }
    return {**found, **changes}


def partial_document(day: date, missing: str = "NVDA") -> Any:
    """A document without one of the Mag 7: it has no concentration metrics and says why."""
    found = document(day)
    details = found["sp500_details"]
    del found["companies"][missing]
    details["constituents"] = [line for line in details["constituents"] if line["ticker"] != missing]
    lines = details["constituents"]
    details |= {
        "total_market_cap": total_usd(line["market_cap"] for line in lines if line["counted"]),
        "gross_market_cap": total_usd(line["market_cap"] for line in lines),
        "processed_count": len(lines),
        "failed_tickers": [{"ticker": missing, "reason": "no bar"}],
        "failed_count": 1,
    }
    return {
        **found,
        "concentration_metrics": None,
        "rankings": {"by_market_cap": []},
        "partial": f"{missing}: no bar",
    }


def fill(lake: Lake, on: Iterable[date]) -> None:
    """Complete documents on these days."""
    for day in on:
        lake.write_document(day, document(day))


def _value_by_class(lines: list[dict[str, Any]], metrics: market_data.Concentration) -> None:
    """Alphabet is worth a million and a cent more with each class at its own close."""
    google = next(line for line in lines if line["ticker"] == "GOOGL")
    google["market_cap_by_class"] = google["market_cap"] + CLASS_GAIN
    metrics["total_mag7_market_cap_by_class"] = metrics["total_mag7_market_cap"] + CLASS_GAIN
    metrics["sp500_total_market_cap_by_class"] = metrics["sp500_total_market_cap"] + CLASS_GAIN
    metrics["mag7_pct_by_class"] = metrics["mag7_pct_of_sp500"] + 0.01


def _line(ticker: str, place: int, day: date, scale: float, shares: int) -> dict[str, Any]:
    close = round((100 + 10 * place + day.toordinal() % 50 / 8 + place / 100) * scale, 4)
    return {
        "ticker": ticker,
        "symbol": ticker,
        "cik": "0001652044" if ticker in ("GOOGL", "GOOG") else f"{place:010}",
        "close_price": close,
        "shares_outstanding": shares,
        "market_cap": market_cap_usd(close, shares),
        "counted": ticker != "GOOG",
    }


def _company(line: dict[str, Any], day: date) -> dict[str, Any]:
    close = line["close_price"]
    return {
        "name": f"{line['ticker']} Inc.",
        "market_cap": line["market_cap"],
        "shares_outstanding": line["shares_outstanding"],
        "currency": "usd",
        "description": f"Makes things — since {1970 + len(line['ticker'])}.",
        "trading_data": {
            "date": day.isoformat(),
            "close_price": close,
            "open_price": round(close * 0.99, 4),
            "high_price": round(close * 1.02, 4),
            "low_price": round(close * 0.98, 4),
            "volume": 31_526_663.5,
            "vwap": round(close * 1.001, 4),
            "timestamp": 1734066000000,
        },
        "corrections": [],
    }
