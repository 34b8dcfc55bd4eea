"""The holdings files of funds that a lake keeps, by fund and by the day that they are of; the newest opens a position.

A file is kept as it was given. The file of the index fund, which a lake keeps for the index itself, counts as one.
"""

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from mag7cli.core import packaged_data
from mag7cli.core.errors import KeyNotFoundError, UsageError
from mag7cli.lake import write_record
from mag7cli.lake.layout import FUNDS, Lake
from mag7cli.portfolio import fund_file
from mag7cli.portfolio.fund_file import FundHoldings
from mag7cli.portfolio.identity import is_us_symbol
from mag7cli.portfolio.known_funds import known_fund
from mag7cli.portfolio.positions import Position

INDEX_FUND: Final = "IVV"
"""The fund of the index, whose files a lake keeps for the index itself."""

_KEY: Final = re.compile(rf"{FUNDS}fund=(?P<symbol>[^/]+)/as_of=(?P<day>\d{{4}}-\d\d-\d\d)/(?P<name>\w[\w.\-]*)")
_ADDRESSES: Final = f"{FUNDS}addresses.json"
_SYMBOL: Final = re.compile(r"[A-Z0-9][A-Z0-9.\-]{0,14}")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME: Final = 80
_FIRST_DAY: Final = date(1993, 1, 29)  # the first fund of its kind in the United States, SPY


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A holdings file of a fund in a lake: whose, of which day, and where it lies."""

    symbol: str
    as_of: date
    key: str


def keep(lake: Lake, symbol: str, data: bytes, *, name: str, today: date, as_of: date | None = None) -> KeptFile:
    """Keep a holdings file of a fund, after reading it; another file of the same day is not replaced.

    Args:
        lake: Where it is kept.
        symbol: The fund's ticker or ISIN.
        data: The file as the issuer gives it.
        name: Its name.
        today: The day on which it is given: no file is of a later one.
        as_of: Its day, if the file does not say.

    Returns:
        The file in the lake.

    Raises:
        HoldingsFormatError: It is no holdings file.
        UsageError: It is of no day, of a day to come, of another fund, or another file of that day is there.
    """
    fund = plain_symbol(symbol)
    holdings = fund_file.parse(data, name, as_of=as_of)
    day = _checked_day(holdings, name, today)
    _refuse_other_fund(holdings, fund, name)
    file = KeptFile(fund, day, f"{FUNDS}fund={fund}/as_of={day}/{_file_name(name)}")
    same_day = [each for each in kept_files(lake) if (each.symbol, each.as_of) == (fund, day)]
    if any(lake.store.read(each.key) == data for each in same_day):
        return next(each for each in same_day if lake.store.read(each.key) == data)
    if same_day:
        raise UsageError(
            f"{fund} of {day} is kept already, and {name} is another file",
            hint=f"remove {lake.store.uri(same_day[0].key)} first, if that one is wrong",
        )
    lake.store.write(file.key, data, durable=True)
    write_record.note(lake, file.key, data)
    return file


def can_be_kept(key: str) -> bool:
    """Whether a lake can file a fund under this: a ticker or an identifier can, a name cannot."""
    return _SYMBOL.fullmatch(key) is not None


def plain_symbol(symbol: str) -> str:
    """A fund's symbol as a lake files it. Raises UsageError for what is none."""
    plain = symbol.strip().upper()
    if not can_be_kept(plain):
        raise UsageError(f"{symbol!r} is no ticker or ISIN of a fund", hint="mag7 funds add QQQ=QQQ_holdings.csv")
    return plain


def kept_files(lake: Lake) -> list[KeptFile]:
    """The files that a lake keeps of funds, by symbol and day, the index fund's among them."""
    matches = (_KEY.fullmatch(each.key) for each in lake.store.list(FUNDS))
    files = [KeptFile(m["symbol"], date.fromisoformat(m["day"]), m[0]) for m in matches if m]
    files += [KeptFile(INDEX_FUND, day, lake.holdings_key(day)) for day in lake.holdings_dates()]
    return sorted(files, key=lambda each: (each.symbol, each.as_of, each.key))


def newest(files: Iterable[KeptFile], day: date | None = None) -> dict[str, KeptFile]:
    """The newest file of each fund, by symbol; with a day, the newest until then, or else the first after it."""
    by_day = sorted(files, key=lambda each: each.as_of)
    if day is None:
        return {each.symbol: each for each in by_day}
    later = {each.symbol: each for each in reversed(by_day) if each.as_of > day}
    return later | {each.symbol: each for each in by_day if each.as_of <= day}


def read(lake: Lake, file: KeptFile) -> FundHoldings:
    """The holdings in a kept file. Raises HoldingsFormatError."""
    return fund_file.parse(lake.store.read(file.key), lake.store.uri(file.key), as_of=file.as_of)


def addresses(lake: Lake) -> dict[str, str]:
    """Where the newest file of each kept fund may be had: what was remembered, else its issuer's known address."""
    remembered = _remembered(lake)
    known = {each.symbol: _issuers_address(each.symbol) for each in kept_files(lake)}
    return {symbol: address for symbol, address in (known | remembered).items() if address}


def address_of(lake: Lake, symbol: str) -> str:
    """Where the newest file of a fund may be had. Raises UsageError if nobody has said."""
    address = _remembered(lake).get(symbol) or _issuers_address(symbol)
    if not address:
        raise UsageError(
            f"no address of the holdings of {symbol} is known", hint=f"say it: mag7 funds add {symbol} --url https://…"
        )
    return address


def remember(lake: Lake, symbol: str, address: str) -> None:
    """Keep the address of a fund's holdings for the next time."""
    known = _remembered(lake) | {symbol: address}
    lake.store.write(_ADDRESSES, json.dumps(known, indent=2, sort_keys=True).encode())


def for_positions(
    lake: Lake, positions: Iterable[Position], loaded: Mapping[str, FundHoldings], day: date | None = None
) -> dict[str, FundHoldings]:
    """The holdings that open positions of a day: those loaded, and the newest of the lake; funds inside funds, too."""
    files = newest(kept_files(lake), day)
    funds = dict(loaded)
    symbols = {key for position in positions for key in position.fund_keys}
    symbols |= set(_inner(funds.values()))
    while fresh := symbols & files.keys() - funds.keys():
        opened = {symbol: read(lake, files[symbol]) for symbol in sorted(fresh)}
        funds |= opened
        symbols |= set(_inner(opened.values()))
    return funds


def index_fund(lake: Lake, day: date | None = None) -> FundHoldings | None:
    """The newest holdings of the index fund, with a day those until then; None if the lake keeps none."""
    file = newest(kept_files(lake), day).get(INDEX_FUND)
    return read(lake, file) if file else None


def _remembered(lake: Lake) -> dict[str, str]:
    try:
        document = json.loads(lake.store.read(_ADDRESSES))
    except KeyNotFoundError:
        return {}
    except ValueError as error:
        raise UsageError(f"{lake.store.uri(_ADDRESSES)} is no JSON: {error}", hint="mend or remove the file") from error
    return {str(symbol): str(address) for symbol, address in document.items()} if isinstance(document, dict) else {}


def _issuers_address(symbol: str) -> str:
    """The address that the issuer of a fund is known to serve it at; empty if none is."""
    fund = known_fund(symbol)
    if fund is None:
        return ""
    templates = {row["issuer"]: row["address"] for row in packaged_data.read("fund_addresses")}
    return templates.get(fund.issuer, "").format(symbol=symbol, symbol_lower=symbol.lower())


def _inner(funds: Iterable[FundHoldings]) -> Iterator[str]:
    """The symbols and ISINs of what may be funds inside funds."""
    for fund in funds:
        for row in fund.rows:
            if row.kind == "fund" or (row.kind == "stock" and is_us_symbol(row.security)):
                yield from (row.security.symbol, row.security.isin)


def _checked_day(holdings: FundHoldings, name: str, today: date) -> date:
    if holdings.as_of is None:
        raise UsageError(f"{name} does not say of which day it is", hint="say it: --as-of YYYY-MM-DD")
    if not _FIRST_DAY <= holdings.as_of <= today:
        raise UsageError(f"{name} says that it is of {holdings.as_of}, which cannot be", hint="look into the file")
    return holdings.as_of


def _refuse_other_fund(holdings: FundHoldings, symbol: str, name: str) -> None:
    if holdings.symbol and holdings.symbol != symbol and symbol.isalpha():
        raise UsageError(
            f"{name} is of {holdings.symbol}, not of {symbol}",
            hint=f"mag7 funds add {holdings.symbol}={shlex.quote(name)}",
        )


def _file_name(name: str) -> str:
    """The last part of a name, without what a key cannot have."""
    plain = _UNSAFE.sub("_", name.replace("\\", "/").rpartition("/")[2]).strip("._")
    return plain[-_LONGEST_NAME:] or "holdings"
