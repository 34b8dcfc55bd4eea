"""The book of prices is the same whatever the order, the repetitions and the cuts of the bars that are in it."""

from collections.abc import Sequence
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from mag7cli.live.prices import LastPrice, PriceBook
from mag7cli.market.intraday import MINUTE_MS, MinuteBar, TradingHalt
from mag7cli.market.trading_hours import TradingPhase, trading_hours

DAY = date(2024, 12, 24)  # an early close, so that all edges differ from the ordinary ones
HOURS = trading_hours(DAY)
SYMBOLS = ("AAPL", "MSFT", "BRK.B")
FIRST_MS = round(HOURS.pre_market_open.timestamp() * 1000)
MINUTES = 13 * 60

bars = st.builds(
    MinuteBar,
    symbol=st.sampled_from([*SYMBOLS, "GME"]),
    start_ms=st.integers(-5, MINUTES + 5).map(lambda minute: FIRST_MS + minute * MINUTE_MS),
    close_usd=st.floats(0.01, 1e4),
    volume=st.floats(0, 1e6),
    day_volume=st.none() | st.floats(0, 1e8),
    day_open_usd=st.none() | st.floats(0.01, 1e4),
)
halts = st.builds(
    TradingHalt, symbol=st.sampled_from(SYMBOLS), at_ms=st.integers(FIRST_MS, FIRST_MS + 1000), is_halted=st.booleans()
)


def book_of(messages: Sequence[MinuteBar | TradingHalt]) -> PriceBook:
    book = PriceBook(HOURS, SYMBOLS)
    for message in messages:
        book.add(message) if isinstance(message, MinuteBar) else book.add_halt(message)
    return book


def state(book: PriceBook) -> object:
    return [book.prices(phase) for phase in TradingPhase], book.opens(), book.halted(), book.latest_ms


@given(st.lists(bars | halts, max_size=40), st.data())
def test_any_order_of_the_same_messages_ends_in_the_same_book(
    messages: list[MinuteBar | TradingHalt], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(messages))

    assert state(book_of(messages)) == state(book_of(shuffled))
    assert book_of(messages).counts == book_of(shuffled).counts


@given(st.lists(bars, max_size=30), st.data())
def test_a_connection_cut_anywhere_whose_bars_come_again_loses_none_and_counts_none_twice(
    messages: list[MinuteBar], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(messages)))
    resumed_from = data.draw(st.integers(0, cut))

    whole, resumed = book_of(messages), book_of([*messages[:cut], *messages[resumed_from:]])

    assert state(whole) == state(resumed)
    assert resumed.counts.minutes == whole.counts.minutes
    assert resumed.counts.bars == len(messages) + cut - resumed_from


@given(st.lists(bars, max_size=40))
def test_every_bar_is_counted_in_one_place_and_every_minute_once(messages: list[MinuteBar]) -> None:
    counts = book_of(messages).counts

    of_ours = {(bar.symbol, bar.start_ms) for bar in messages if bar.symbol in SYMBOLS and _is_of_the_day(bar)}
    assert counts.minutes == len(of_ours)
    assert counts.bars == len(messages)


@given(st.lists(bars, max_size=40))
def test_the_price_of_a_phase_is_of_its_newest_minute_and_of_no_other_phase(messages: list[MinuteBar]) -> None:
    book = book_of(messages)

    for phase in (TradingPhase.PRE_MARKET, TradingPhase.REGULAR, TradingPhase.AFTER_HOURS):
        for symbol in SYMBOLS:
            of_phase = [bar for bar in messages if bar.symbol == symbol and _phase(bar) is phase]
            assert book.prices(phase).get(symbol) == _expected(of_phase)


def _expected(of_phase: list[MinuteBar]) -> LastPrice | None:
    if not of_phase:
        return None
    newest = max(bar.start_ms for bar in of_phase)
    last = max(
        (bar for bar in of_phase if bar.start_ms == newest),
        key=lambda bar: (bar.volume, bar.day_volume or 0, bar.close_usd),
    )
    return LastPrice(last.symbol, last.close_usd, last.end_ms)


def _is_of_the_day(bar: MinuteBar) -> bool:
    return FIRST_MS <= bar.start_ms < FIRST_MS + MINUTES * MINUTE_MS


def _phase(bar: MinuteBar) -> TradingPhase | None:
    if not _is_of_the_day(bar):
        return None
    minute = (bar.start_ms - FIRST_MS) // MINUTE_MS
    if minute < 330:
        return TradingPhase.PRE_MARKET
    return TradingPhase.REGULAR if minute < 540 else TradingPhase.AFTER_HOURS
