"""Sums that must come out whatever is held, and the one answer that a file has however it is written."""

import csv
import io
from collections.abc import Callable, Sequence
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from mag7cli.core.errors import HoldingsFormatError, UnreadableTableError
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.portfolio.broker_file import parse
from mag7cli.portfolio.exposure import expose
from mag7cli.portfolio.fund_file import FundHolding, FundHoldings
from mag7cli.portfolio.fund_file import parse as parse_fund
from mag7cli.portfolio.positions import Position
from mag7cli.portfolio.securities import Security

# Whatever is held

TICKERS = st.sampled_from([*MAGNIFICENT_7, "GOOG", "BRK.B", "JPM", "ZZZZ", "USD", "FUNDA", "FUNDB", "TQQQ"])
KINDS = st.sampled_from(["stock", "stock", "fund", "cash", "future", "bond"])


@st.composite
def holdings(draw: st.DrawFn) -> FundHoldings:
    """A fund whose lines and open part sum to one; some lines may be owed."""
    rows = draw(st.lists(st.tuples(TICKERS, KINDS, st.floats(-0.2, 1.0)), max_size=8))
    lines = [FundHolding(Security(ticker, country=""), kind, weight) for ticker, kind, weight in rows]
    rest = 1 - sum(line.weight for line in lines)
    if rest < 0:
        lines.append(FundHolding(Security(name="owed"), "cash", rest))
    return FundHoldings("A fund", date(2024, 12, 6), tuple(lines), max(0.0, rest))


FUNDS = st.dictionaries(st.sampled_from(["FUNDA", "FUNDB"]), holdings())
POSITION = st.builds(
    Position,
    TICKERS,
    st.floats(-1e7, 1e7).filter(lambda amount: abs(amount) > 0.01),
    st.sampled_from(["any", "fund", "stock", "cash", "bond"]),
)


@settings(deadline=None)
@given(st.lists(POSITION, min_size=1, max_size=8), FUNDS)
def test_every_amount_that_goes_in_comes_out_under_one_of_four_heads(
    positions: list[Position], funds: dict[str, FundHoldings]
) -> None:
    answer = expose(positions, funds)

    size = sum(abs(position.amount or 0.0) for position in positions)
    assert abs(answer.total - sum(position.amount or 0.0 for position in positions)) < 1e-6 * size
    heads = answer.mag7_amount + answer.others_amount + answer.cash + answer.unknown_amount
    assert abs(heads - answer.total) < 1e-6 * size
    assert len(answer.mag7) == 7
    assert answer.low_pct <= answer.mag7_pct + 1e-9
    assert answer.mag7_pct <= answer.high_pct + 1e-9


@settings(deadline=None)
@given(st.lists(POSITION, min_size=1, max_size=8), FUNDS)
def test_a_company_is_held_by_the_ways_that_are_named(
    positions: list[Position], funds: dict[str, FundHoldings]
) -> None:
    answer = expose(positions, funds, top=100)

    assert answer.others_count == len(answer.others)
    for company in (*answer.mag7, *answer.others):
        assert abs(sum(company.via.values()) - company.amount) < 1e-6 * (1 + abs(company.amount))
        assert company.ticker != "GOOG", "the second line of Alphabet is no company of its own"


# However it is written

SYMBOLS = ["NVDA", "KO", "XOM", "IVV", "BRK.B", "AAPL"]
SPELLINGS: Sequence[tuple[str, Callable[[float], str]]] = (
    ("plain", lambda value: f"{value:.2f}"),
    ("shortest", repr),
    ("US", lambda value: f"{value:,.2f}"),
    ("dollars", lambda value: f"${value:,.2f}"),
    ("German", lambda value: f"{value:,.2f}".translate(str.maketrans(",.", ".,"))),
    ("Swiss", lambda value: f"{value:,.2f}".replace(",", "\u2019")),
    ("French", lambda value: f"{value:,.2f}".replace(",", "\u202f").replace(".", ",")),
    ("decimal comma", lambda value: f"{value:.2f}".replace(".", ",")),
    ("three places", lambda value: f"{value:.3f}"),
    ("three places and a comma", lambda value: f"{value:.3f}".replace(".", ",")),
    ("grouped three places", lambda value: f"{value:,.3f}"),
    ("whole", lambda value: f"{value:,.0f}"),
    ("code before", lambda value: f"USD {value:,.2f}"),
    ("code after", lambda value: f"{value:,.2f} USD"),
    ("formula", lambda value: f'="{value:.2f}"'),
)
MONEY = {
    "three places": lambda value: f"{value:.2f}",
    "three places and a comma": lambda value: f"{value:.2f}".replace(".", ","),
    "grouped three places": lambda value: f"{value:,.2f}",
}
HEADINGS = {
    "symbol": ["Symbol", "Ticker", "Instrument", "Symbol/CUSIP"],
    "name": ["Description", "Bezeichnung", "Investment Name"],
    "quantity": ["Quantity", "Shares", "St\u00fcck"],
    "price": ["Last Price", "Kurs", "Share Price"],
    "amount": ["Current Value", "Market Value", "Wert in USD"],
    "cost": ["Cost Basis", "Total Cost"],
    "part": ["% of Account"],
    "held": ["Type"],
    "other": ["Day change", "Notes"],
}
FUND_PREAMBLES = ["", 'A fund\nFund Holdings as of,"Nov 20, 2026"\n\n', "Fondsposition per;20.Nov.2026\n"]
PREAMBLES = ["", "My portfolio", "As of Nov 20, 2026", "a;b,c", "Total value of it all, and more"]
FOOTERS = ["", "Disclaimer: no advice, 2026", "As of Nov 20, 2026", '"Date downloaded 11/20/2026, 2:55 PM"']


@st.composite
def written_files(draw: st.DrawFn) -> tuple[bytes, dict[str, float]]:
    """A file of positions, and the values that it means; columns, rows, preamble, delimiter and numbers vary."""
    symbols = draw(st.lists(st.sampled_from(SYMBOLS), min_size=2, max_size=5, unique=True))
    quantities = [draw(st.integers(1, 5000)) for _ in symbols]
    prices = [draw(st.integers(100, 900_000)) / 100 for _ in symbols]
    style, spell = draw(st.sampled_from(SPELLINGS))
    if style == "whole":
        prices = [float(round(price)) for price in prices]
    spell_quantity = draw(st.sampled_from([spell, str]))
    cells = {
        "symbol": symbols,
        "name": [f"{symbol} Company Inc" for symbol in symbols],
        "quantity": [spell_quantity(quantity) for quantity in quantities],
        "price": [spell(price) for price in prices],
        # money has two decimals, whatever shares and prices have
        "amount": [MONEY.get(style, spell)(q * price) for q, price in zip(quantities, prices, strict=True)],
        "cost": [MONEY.get(style, spell)(0.7 * q * price) for q, price in zip(quantities, prices, strict=True)],
        "part": [spell(round(100 / len(symbols), 2)) + "%" for _ in symbols],
        "held": draw(st.lists(st.sampled_from(["Cash", "Margin"]), min_size=len(symbols), max_size=len(symbols))),
        "other": ["x" for _ in symbols],
    }
    left_out = draw(st.sampled_from([[], ["amount"], ["quantity", "price"], ["name", "other"]]))
    left_out = [*left_out, *draw(st.lists(st.sampled_from(["cost", "part", "held"]), unique=True))]
    columns = draw(st.permutations([role for role in cells if role not in left_out]))
    order = draw(st.permutations(range(len(symbols))))
    buffer = io.StringIO()
    for line in draw(st.lists(st.sampled_from(PREAMBLES), max_size=3)):
        buffer.write(line + "\n")
    writer = csv.writer(buffer, delimiter=draw(st.sampled_from([",", ";", "\t"])))
    writer.writerow([draw(st.sampled_from(HEADINGS[role])) for role in columns])
    writer.writerows([[cells[role][place] for role in columns] for place in order])
    values = {s: quantity * price for s, quantity, price in zip(symbols, quantities, prices, strict=True)}
    if "amount" in columns and draw(st.booleans()):
        cash = {"symbol": "CASH", "name": "Cash", "amount": spell(2500.0)}
        total = {"symbol": "Total", "amount": MONEY.get(style, spell)(sum(values.values()) + 2500)}
        writer.writerows([[row.get(role, "") for role in columns] for row in (cash, total)])
        values["CASH"] = 2500.0
    for line in draw(st.lists(st.sampled_from(FOOTERS), max_size=2)):
        buffer.write(line + "\n")
    return buffer.getvalue().encode("utf-8"), values


@settings(deadline=None)
@given(written_files())
def test_a_file_means_the_same_however_it_is_written_or_is_refused(file: tuple[bytes, dict[str, float]]) -> None:
    data, values = file

    try:
        positions = parse(data, "p.csv").positions
    except UnreadableTableError:
        return
    amounts = {position.symbol: position.amount or 0.0 for position in positions}
    assert amounts.keys() == values.keys()
    for symbol, value in values.items():
        assert abs(amounts[symbol] - value) <= 0.01


@st.composite
def fund_files(draw: st.DrawFn) -> tuple[bytes, dict[str, float]]:
    """A fund's file with its weights in percent; columns, rows, preamble, delimiter and numbers vary."""
    parts = draw(st.lists(st.integers(1, 60), min_size=2, max_size=len(SYMBOLS)))
    symbols = SYMBOLS[: len(parts)]
    values = {symbol: 100_000.0 * part for symbol, part in zip(symbols, parts, strict=True)}
    weights = {symbol: 100 * part / sum(parts) for symbol, part in zip(symbols, parts, strict=True)}
    _, spell = draw(st.sampled_from([each for each in SPELLINGS if each[0] not in {"whole", "dollars", *MONEY}]))
    cells = {
        "Ticker": symbols,
        "Name": [f"{symbol} Company Inc" for symbol in symbols],
        "Market Value": [spell(value) for value in values.values()],
        "Weight (%)": [spell(round(weight, 2)) for weight in weights.values()],
    }
    columns = draw(st.permutations(draw(st.sampled_from([list(cells), ["Ticker", "Name", "Weight (%)"]]))))
    buffer = io.StringIO()
    buffer.write(
        draw(st.sampled_from(["", 'A fund\nFund Holdings as of,"Nov 20, 2026"\n\n', "Fondsposition per;20.Nov.2026\n"]))
    )
    writer = csv.writer(buffer, delimiter=draw(st.sampled_from([",", ";", "\t"])))
    writer.writerow(columns)
    writer.writerows(
        [[cells[column][place] for column in columns] for place in draw(st.permutations(range(len(symbols))))]
    )
    if draw(st.booleans()):
        total = {"Ticker": "Total", "Market Value": spell(sum(values.values())), "Weight (%)": spell(100.0)}
        writer.writerow([total.get(column, "") for column in columns])
    for line in draw(st.lists(st.sampled_from(FOOTERS), max_size=2)):
        buffer.write(line + "\n")
    return buffer.getvalue().encode(), weights


@settings(deadline=None)
@given(fund_files())
def test_a_fund_has_the_same_weights_however_its_file_is_written(file: tuple[bytes, dict[str, float]]) -> None:
    data, weights = file

    try:
        holdings = parse_fund(data, "f.csv")
    except HoldingsFormatError:
        return
    assert abs(sum(row.weight for row in holdings.rows) + holdings.unknown - 1) < 1e-9
    for row in holdings.rows:
        assert abs(100 * row.weight - weights[row.security.symbol]) < 0.02
