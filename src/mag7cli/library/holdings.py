"""Who is in the index on a date, by the files of funds that the lake keeps."""

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mag7cli.core.clock import Clock, SystemClock
from mag7cli.core.errors import Mag7Error
from mag7cli.core.progress import Listener, Silence
from mag7cli.lake.layout import Lake

if TYPE_CHECKING:
    from mag7cli.lake.holdings import JudgedHoldings
    from mag7cli.market.holdings_file import Holdings
    from mag7cli.market.membership import Membership
    from mag7cli.portfolio.kept_funds import KeptFile
    from mag7cli.vendors.ishares import Every, HoldingsSite


def members(lake: Lake, *, on: date | None = None, clock: Clock | None = None) -> "Membership":
    """Who is in the S&P 500 on a day.

    Args:
        lake: Its latest holdings file on or before the day is where the list begins, if it keeps any.
        on: The day; by default the last session that is over.
        clock: The time; by default this machine's.

    Returns:
        The constituents in the vendor's spelling, since when the list is in force, and how it is known.

    Raises:
        HoldingsFormatError: A file that the lake keeps is broken.
    """
    from mag7cli.lake.holdings import read_all_kept
    from mag7cli.market.calendar import last_completed_session
    from mag7cli.market.membership import members_on

    day = on or last_completed_session((clock or SystemClock()).now())
    return members_on(day, read_all_kept(lake))


def keep_holdings(
    lake: Lake, *, data: bytes, name: str, as_of: date | None = None, accept: bool = False, clock: Clock | None = None
) -> "JudgedHoldings":
    """Read a holdings file of the index fund, and keep it in the lake if it is what it should be. Holds the lake.

    Args:
        lake: Where to keep it.
        data: The file as ishares.com gives it.
        name: What the file is called in errors.
        as_of: Its day, where it does not say.
        accept: Keep it although it is doubtful, or in place of another one of its day.
        clock: The time; by default this machine's.

    Returns:
        What was read, whether it was kept, what speaks against it, and its differences from the known history.

    Raises:
        HoldingsFormatError: It is no such file.
        LockedError: Another run holds the lake.
    """
    from mag7cli.market import holdings_file

    holdings = holdings_file.parse(data, name, as_of=as_of)
    return _kept(lake, holdings, data, accept=accept, clock=clock)


def download_holdings(
    lake: Lake, *, as_of: date | None = None, accept: bool = False, clock: Clock | None = None
) -> "JudgedHoldings":
    """Get the index fund's holdings from the issuer, and keep them in the lake as `keep_holdings` does.

    Args:
        lake: Where to keep them.
        as_of: The day; by default the latest one.
        accept: Keep them although they are doubtful, or in place of others of their day.
        clock: The time; by default this machine's.

    Returns:
        What came, whether it was kept, what speaks against it, and its differences from the known history.

    Raises:
        NoHoldingsError: The issuer has none of that day.
        HoldingsFormatError: What came is no holdings file of that day.
        VendorUnavailableError: The issuer did not answer.
        LockedError: Another run holds the lake.
    """
    from mag7cli.vendors.ishares import HoldingsSite

    holdings, data = HoldingsSite().download(as_of)
    return _kept(lake, holdings, data, accept=accept, clock=clock)


def download_holdings_history(
    lake: Lake,
    *,
    since: date,
    every: "Every" = "month",
    accept: bool = False,
    listener: Listener | None = None,
    clock: Clock | None = None,
) -> "Iterator[JudgedHoldings]":
    """Get the holdings files that the lake lacks, one a week, month or quarter; each is kept as it comes.

    Args:
        lake: Where to keep them.
        since: The first day.
        every: `week`, `month` or `quarter`.
        accept: Keep doubtful ones, and in place of others.
        listener: Hears of progress.
        clock: The time; by default this machine's.

    Yields:
        Each file as `keep_holdings` returns it, oldest first.

    Raises:
        VendorUnavailableError: The issuer did not answer; what came before is kept.
        LockedError: Another run holds the lake.
    """
    from mag7cli.core.progress import Note
    from mag7cli.market.calendar import last_completed_session
    from mag7cli.vendors.ishares import HoldingsSite, days_to_ask

    days = days_to_ask(since, last_completed_session((clock or SystemClock()).now()), every)
    with (listener or Silence()).progress("holdings", unit="file") as progress:
        progress.start(len(days))
        for holdings, data in HoldingsSite().history(days, lake.holdings_dates()):
            yield _kept(lake, holdings, data, accept=accept, clock=clock)
            progress.note(Note(doing=str(holdings.as_of)))
            progress.advance()


def _kept(lake: Lake, holdings: "Holdings", data: bytes, *, accept: bool, clock: Clock | None) -> "JudgedHoldings":
    """Judge a file, and keep it while nobody else writes; what is refused makes no lake."""
    from mag7cli.lake.holdings import JudgedHoldings, judge, keep
    from mag7cli.lake.lock import locked

    today = (clock or SystemClock()).now().date()
    is_kept = holdings.as_of and (accept or not judge(lake, holdings, today))
    with locked(lake, "mag7 tickers") if is_kept else nullcontext():
        verdict = keep(lake, holdings, data, today=today, accept=accept)
    return JudgedHoldings(holdings, verdict)


def keep_fund(
    lake: Lake, *, symbol: str, data: bytes, name: str, as_of: date | None = None, clock: Clock | None = None
) -> "KeptFile":
    """Keep the holdings file of any fund, after reading it, so that `exposure` opens the fund by it. Holds the lake.

    Args:
        lake: Where to keep it.
        symbol: The fund's ticker or ISIN.
        data: The file as its issuer gives it.
        name: Its name, by which errors call it.
        as_of: Its day, where it does not say.
        clock: The time; by default this machine's.

    Returns:
        The file in the lake: whose it is, of which day, its key.

    Raises:
        HoldingsFormatError: It is no holdings file that can be read.
        UsageError: It is of another fund, or does not say of which day.
        LockedError: Another run holds the lake.
    """
    from mag7cli.lake.lock import locked
    from mag7cli.portfolio import kept_funds

    plain, today = kept_funds.plain_symbol(symbol), (clock or SystemClock()).now().date()
    with locked(lake, "mag7 funds"):
        return kept_funds.keep(lake, plain, data, name=name, today=today, as_of=as_of)


def download_fund(
    lake: Lake,
    *,
    symbol: str,
    url: str | None = None,
    as_of: date | None = None,
    site: "HoldingsSite | None" = None,
    clock: Clock | None = None,
) -> "KeptFile":
    """Get the newest holdings file of a fund from its issuer, and keep it as `keep_fund` does.

    Args:
        lake: Where to keep it.
        symbol: The fund's ticker or ISIN.
        url: Where the issuer serves it, remembered for the next time; by default what was remembered or is known.
        as_of: Its day, where it does not say.
        site: Who fetches, if several are fetched one after the other.
        clock: The time; by default this machine's.

    Returns:
        The file in the lake: whose it is, of which day, its key.

    Raises:
        UsageError: Nobody has said where the file is.
        HoldingsFormatError: What came is no holdings file.
        VendorUnavailableError: The issuer did not answer.
        LockedError: Another run holds the lake.
    """
    from mag7cli.portfolio import kept_funds
    from mag7cli.vendors.ishares import HoldingsSite

    address = url or kept_funds.address_of(lake, kept_funds.plain_symbol(symbol))
    try:
        data = (site or HoldingsSite()).latest(address)
    except Mag7Error as error:
        error.hint = "save the file with a browser, then: mag7 funds add SYMBOL=FILE"
        raise
    name = urlsplit(address).path.rpartition("/")[2] or "holdings"
    fund_file = keep_fund(lake, symbol=symbol, data=data, name=name, as_of=as_of, clock=clock)
    if url:
        kept_funds.remember(lake, fund_file.symbol, url)
    return fund_file
