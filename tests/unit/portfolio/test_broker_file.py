"""Brokers' exports as they are: each known layout by an invented sample, and what no layout says."""

from datetime import date
from pathlib import Path

import pytest

from mag7cli.core.errors import UnreadableTableError
from mag7cli.portfolio import layouts
from mag7cli.portfolio.broker_file import days_in, parse
from mag7cli.portfolio.columns import heading_of
from mag7cli.portfolio.positions import Portfolio, Position

SAMPLES = Path(__file__).parents[2] / "data" / "brokers"
DAY = date(2026, 11, 20)

# What each sample holds: label, amount, currency, kind; then the options that are named, and the day.
POSITIONS = {
    "fidelity_positions": (
        [
            ("SPAXX", 1000, "cash"),
            ("NVDA", 16500, "stock"),
            ("MSFT", 4000, "stock"),
            ("Pending activity", -100, "cash"),
        ],
        1,
        DAY,
    ),
    "schwab_positions": (
        [("GOOGL", 3000, "stock"), ("SHOP", 6000, "stock"), ("Cash & Cash Investments", 1000, "cash")],
        1,
        DAY,
    ),
    "vanguard_holdings": (
        [("NVDA", 1800, "stock"), ("VMFXX", 500, "cash"), ("U S TREASURY NOTE 1.875 01/15/36", 2000, "bond")],
        0,
        None,
    ),
    "interactive_brokers_statement": (
        [
            ("NVDA", 1500, "stock"),
            ("AAPL", -500, "stock"),
            ("MRK", (800, "EUR"), "stock"),
            ("CSPX", (600, "EUR"), "fund"),
            ("CASH", (500, "EUR"), "cash"),
            ("CASH", 550, "cash"),
        ],
        1,
        DAY,
    ),
    "interactive_brokers_long": (
        [
            ("NVDA", 1500, "any"),
            ("MRK", (800, "EUR"), "any"),
            ("CSPX", (600, "EUR"), "any"),
            ("CASH", (500, "EUR"), "cash"),
            ("CASH", 550, "cash"),
        ],
        1,
        DAY,
    ),
    "interactive_brokers_flex": (
        [("NVDA", 1500, "stock"), ("NVD", (1000, "EUR"), "stock"), ("CASH", 1000, "cash")],
        0,
        DAY,
    ),
    "etrade_positions": (
        [
            ("AAPL", 5000, "any"),
            ("LCTX", 1167.65, "any"),
            ("KEY BANK CD CLEVELAND OH CD 3.85% 08/24/2027", 9999.34, "bond"),
            ("CASH", 2824.51, "cash"),
        ],
        1,
        DAY,
    ),
    "etrade_positions_qty": ([("AAPL", 5000, "any"), ("LCTX", 1167.65, "any"), ("CASH", 2832.35, "cash")], 0, None),
    "merrill_positions": (
        [("AMZN", 2000, "stock"), ("KO", 1500, "stock"), ("Cash & Money Accounts", 500, "cash")],
        0,
        DAY,
    ),
    "merrill_holdings": (
        [("AMZN", 2000, "stock"), ("KO", 1500, "stock"), ("Money accounts", 500, "cash")],
        0,
        None,
    ),
    "degiro_portfolio_en": (
        [
            ("CASH & CASH FUND & FTX CASH (CHF)", (143.2, "CHF"), "cash"),
            ("NVIDIA CORP", 1500, "stock"),
            ("ISHARES CORE S&P 500 UCITS ETF", (593.75, "CHF"), "fund"),
        ],
        0,
        None,
    ),
    **dict.fromkeys(
        ("degiro_portfolio_en_2", "degiro_portfolio_nl", "degiro_portfolio_de", "degiro_portfolio_fr"),
        (
            [
                ("CASH & CASH FUND & FTX CASH (EUR)", (100, "EUR"), "cash"),
                ("NVIDIA CORP", 1500, "stock"),
                ("ALLIANZ SE", (1291.2, "EUR"), "stock"),
            ],
            0,
            None,
        ),
    ),
    "comdirect_depot": (
        [
            ("NVIDIA CORP.      DL-,001", (1363.6, "EUR"), "stock"),
            ("ALLIANZ SE NA O.N.", (645600, "EUR"), "stock"),
            ("ISHSV-S+P500 DL ACC ETF", (1562.5, "EUR"), "fund"),
        ],
        0,
        DAY,
    ),
    "yahoo_portfolio": (
        [("NVDA", 900, "any"), ("VOD.L", (80, "GBP"), "any"), ("7203.T", (280000, "JPY"), "any")],
        0,
        DAY,
    ),
    "mag7_table": ([("IVV", 10000, "any"), ("NVDA", 2500.5, "any"), ("CASH", -500, "cash")], 0, None),
}
HISTORIES = [layout.name for layout in layouts.known() if layout.holds == "history"]


def sample(name: str) -> bytes:
    (path,) = SAMPLES.glob(f"{name}.*")
    return path.read_bytes()


def read(text: str, **options: object) -> Portfolio:
    return parse(text.encode(), "p.csv", **options)  # type: ignore[arg-type]


def brief(positions: tuple[Position, ...]) -> list[tuple[str, float | None, str, str]]:
    return [(p.label, p.amount, p.currency, p.kind) for p in positions]


def amounts(text: str, **options: object) -> dict[str, float | None]:
    return {position.label: position.amount for position in read(text, **options).positions}


def test_every_layout_has_a_sample_and_says_what_it_comes_to() -> None:
    assert {layout.name for layout in layouts.known()} == POSITIONS.keys() | set(HISTORIES)
    assert {path.stem for path in SAMPLES.iterdir()} == POSITIONS.keys() | set(HISTORIES)


@pytest.mark.parametrize("name", POSITIONS)
def test_a_known_export_is_read_as_what_it_is(name: str) -> None:
    expected, options, day = POSITIONS[name]

    portfolio = parse(sample(name), name)

    rows = [(label, *(value if isinstance(value, tuple) else (value, "USD")), kind) for label, value, kind in expected]
    assert brief(portfolio.positions) == rows
    assert len(portfolio.options) == options
    assert portfolio.as_of == day
    assert portfolio.readings[0].endswith(f"({name})")
    assert portfolio.warnings == ()


@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_of_transactions_is_refused_by_name(name: str) -> None:
    broker = next(layout.broker for layout in layouts.known() if layout.name == name)

    with pytest.raises(UnreadableTableError, match=rf"is {broker.replace('*', '.')}'s history of transactions"):
        parse(sample(name), name)


def test_a_day_of_its_own_on_nearly_every_line_tells_a_history() -> None:
    days = ["2026-10-01", "2026-10-14", "2026-10-14", "2026-11-02"]
    rows = [f"{day},{symbol},100" for day, symbol in zip(days, ["NVDA", "KO", "AAPL", "XOM"], strict=True)]

    with pytest.raises(UnreadableTableError, match="another day on nearly every line, from 2026-10-01 to 2026-11-02"):
        read("\n".join(["date,symbol,amount", *rows]))
    prices = [row.replace("2026-11-02", "2026-10-14") for row in rows]
    assert len(read("\n".join(["date,symbol,amount", *prices])).positions) == 4, "the days of prices differ a little"


@pytest.mark.parametrize("heading", ["Order ID", "Order Date", "Fill Price", "Trade ID"])
def test_a_column_that_only_trades_have_tells_a_history(heading: str) -> None:
    with pytest.raises(UnreadableTableError, match="history of transactions"):
        read(f"Symbol,Quantity,Price,Value,{heading}\nNVDA,10,150,1500,7\nAAPL,4,160,640,8\n")


def test_a_history_beside_positions_is_named_and_left_out() -> None:
    portfolio = parse(sample("vanguard_holdings"), "v")

    assert portfolio.skipped == ("v: the table at line 9 is Vanguard's history of transactions (1 line)",)


def test_a_history_without_known_headings_is_told_by_its_actions() -> None:
    with pytest.raises(UnreadableTableError, match="history of transactions"):
        read("Tag,Was,Symbol,Quantity,Price,Value\n1.1.,Kauf,NVDA,1,150,150\n2.1.,Verkauf,AAPL,1,250,250\n")


def test_the_statement_gives_rates_and_identifiers() -> None:
    portfolio = parse(sample("interactive_brokers_statement"), "ib")

    assert portfolio.rates == {"EUR": pytest.approx(1 / 0.9)}
    assert portfolio.positions[0].security.isin == "US67066G1040"
    assert parse(sample("interactive_brokers_flex"), "ib").rates == {"EUR": pytest.approx(1.1)}
    assert parse(sample("degiro_portfolio_nl"), "d").rates == {"EUR": pytest.approx(1.1, abs=1e-3)}


# A column is not trusted by its name alone


def test_a_column_that_says_how_a_share_is_held_makes_no_cash_of_it() -> None:
    text = (
        "Symbol,Quantity,Last Price,Current Value,Type\nNVDA,100,150,15000,Cash\nAAPL,1,250,250,Margin\nUSD,,,50,Cash\n"
    )

    assert brief(read(text).positions) == [
        ("NVDA", 15000, "USD", "any"),
        ("AAPL", 250, "USD", "any"),
        ("USD", 50, "USD", "cash"),
    ]


def test_a_column_of_kinds_is_believed_where_it_names_kinds() -> None:
    assert brief(read("symbol,value,type\nIVV,5,ETF\nNVDA,4,stock\nSAVINGS,2,cash\nXYZ,1,crypto\n").positions) == [
        ("IVV", 5, "USD", "fund"),
        ("NVDA", 4, "USD", "stock"),
        ("SAVINGS", 2, "USD", "cash"),
        ("XYZ", 1, "USD", "other"),
    ]


def test_a_known_ticker_is_never_cash_by_a_column() -> None:
    positions = read("symbol,value,type\nNVDA,4,cash\nFOO,2,cash\n", is_security={"NVDA"}.__contains__).positions

    assert [(position.symbol, position.kind) for position in positions] == [("NVDA", "any"), ("FOO", "any")]


def test_a_column_that_calls_a_share_cash_is_not_believed_for_the_other_lines() -> None:
    assert brief(
        read("symbol,value,type\nZZZX,1000,Cash\nKO,500,Margin\n", is_security={"KO"}.__contains__).positions
    ) == [
        ("ZZZX", 1000, "USD", "any"),
        ("KO", 500, "USD", "any"),
    ]


def test_words_for_cash_are_tickers_where_they_have_a_price() -> None:
    positions = read("symbol,quantity,price\nUSD,2,40\nCASH,3,50\nEUR,10,1\n").positions

    assert [(position.symbol, position.kind) for position in positions] == [
        ("USD", "any"),
        ("CASH", "any"),
        ("EUR", "cash"),
    ]


def test_a_price_column_of_texts_is_no_price() -> None:
    assert amounts("symbol,price,quantity,last price\nNVDA,high,2,150\nKO,low,1,60\n") == {"NVDA": 300, "KO": 60}


def test_of_two_amounts_the_one_that_is_quantity_times_price_counts() -> None:
    text = "symbol,quantity,price,market value,value\nNVDA,2,150,250,300\nKO,3,60,150,180\n"

    assert amounts(text) == {"NVDA": 300, "KO": 180}


def test_a_table_whose_amounts_are_no_products_is_refused() -> None:
    with pytest.raises(UnreadableTableError, match="quantity x price is not the amount on 3 of 3 lines"):
        read("symbol,quantity,price,amount\nNVDA,2,150,7\nKO,3,60,8\nPEP,4,160,9\n")


def test_a_single_amount_that_is_no_product_is_told() -> None:
    portfolio = read("symbol,quantity,price,amount\nNVDA,2,150,300\nKO,3,60,180\nPEP,4,160,650\n")

    assert portfolio.warnings == ("p.csv, line 4: 4 x 160 is not 650.00; the amount is used",)


# Totals are told by their sums


@pytest.mark.parametrize("label", ["Total", "Positions Total", "Gesamt", "", "All of it"])
def test_a_line_that_sums_the_others_is_no_position(label: str) -> None:
    assert amounts(f"symbol,amount\nNVDA,100.10\nKO,50.20\n{label},150.30\n") == {"NVDA": 100.1, "KO": 50.2}


def test_each_account_has_its_total_and_all_have_one() -> None:
    text = (
        "symbol,description,amount\nNVDA,NVIDIA CORP,100\nKO,COCA COLA CO,50\n,Account Total,150\n"
        "PEP,PEPSICO INC,30\nKO,COCA COLA CO,20\n,Account Total,50\n,Grand Total,200\n"
    )

    assert sum(filter(None, amounts(text).values())) == 200
    assert len(read(text).skipped) == 3


def test_a_total_that_sums_nothing_is_told() -> None:
    portfolio = read("symbol,amount\nNVDA,100\nKO,50\nTotal,500\n")

    assert brief(portfolio.positions) == [("NVDA", 100, "USD", "any"), ("KO", 50, "USD", "any")]
    assert portfolio.warnings == ("p.csv, line 4: 'Total' is not the sum of the lines above it; lines may be missing",)


def test_a_company_called_total_is_a_company() -> None:
    assert amounts("symbol,description,amount\nTTE,TOTALENERGIES SE,100\nKO,COCA COLA,50\n") == {"TTE": 100, "KO": 50}


def test_cash_as_large_as_a_share_is_no_total() -> None:
    assert amounts("symbol,amount\nNVDA,2500\nKO,2500\nCASH,5000\n") == {"NVDA": 2500, "KO": 2500, "CASH": 5000}


# What is owed, what has no value, what is in another currency


def test_shorts_and_debits_are_negative() -> None:
    text = "symbol,quantity,price,amount\nNVDA,-10,150,1500\nKO,10,60,600\nCASH,,,-400\n"

    assert amounts(text) == {"NVDA": -1500, "KO": 600, "CASH": -400}


def test_a_line_without_a_value_is_kept_as_unknown() -> None:
    assert amounts("symbol,quantity,price,amount\nNVDA,1,150,150\nXYZWS,10,n/a,n/a\n") == {"NVDA": 150, "XYZWS": None}


def test_a_line_of_nothing_is_named() -> None:
    assert read("symbol,amount\nNVDA,1\nOLD,0.00\n").skipped == ("p.csv, line 3: OLD: an amount of zero",)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("symbol,quantity,price\nSXR8.DE,2,620\nNVDA,1,150\n", (1240, "EUR")),
        ("symbol,quantity,price\nVOD.L,100,80\nNVDA,1,150\n", (80, "GBP")),
        ("symbol,quantity,price,amount,currency\nVOD,100,80,80,GBX\nNVDA,1,150,150,USD\n", (80, "GBP")),
        ("symbol,amount,currency\nSXR8,1240,EUR\nNVDA,150,USD\n", (1240, "EUR")),
        ('symbol,amount\nSXR8,"€1,240.00"\nNVDA,$150.00\n', (1240, "EUR")),
        ("symbol,amount (EUR)\nSXR8,1240\nNVDA,150\n", (1240, "EUR")),
    ],
)
def test_a_foreign_line_keeps_its_currency(text: str, value: tuple[float, str]) -> None:
    first = read(text).positions[0]

    assert (first.amount, first.currency) == value


# Figures that can be read in two ways


@pytest.mark.parametrize(
    "text",
    [
        "ticker;shares;price\nIVV;23,000;541,249\nNVDA;10,000;150,250\n",
        "ticker;amount\nNVDA;1.500\n",
        "ticker;amount\nNVDA;2,500\n",
    ],
)
def test_what_can_be_read_in_two_ways_is_refused_and_can_be_settled(text: str) -> None:
    with pytest.raises(UnreadableTableError, match="can be read in two ways") as refused:
        read(text)

    assert refused.value.hint == "say which: --decimal point, or --decimal comma"
    assert amounts(text, decimal_mark="comma") != amounts(text, decimal_mark="point")


def test_the_rest_of_the_file_settles_it() -> None:
    assert amounts("ticker;shares;price;gain\nIVV;23,000;541,249;1,5\n") == {"IVV": pytest.approx(12448.727)}


def test_a_column_that_is_not_read_proves_its_decimal_mark_too() -> None:
    text = 'symbol,quantity,price,cost basis\nNVDA,"1,000","2,000","0,70"\n'

    assert amounts(text) == {"NVDA": 2}
    with pytest.raises(UnreadableTableError, match="can be read in two ways"):
        read(text.replace("cost basis", "cost basis,part").replace('"0,70"', '"0,70",50.00%'))


def test_a_number_that_a_comma_cut_in_two_is_refused() -> None:
    with pytest.raises(UnreadableTableError, match="line 2 has more cells than the header has columns") as refused:
        read("ticker,amount\nNVDA,2,500\n")

    assert refused.value.hint == 'put a number with a comma between quotes: "2,500"'


# Unknown layouts


def test_an_unknown_layout_is_read_by_its_content_and_says_how() -> None:
    text = "Papel;Cuantos;Ultimo;Monto\nNVDA;10;150,50;1.505,00\nKO;5;60,20;301,00\nXOM;2;110,00;220,00\n"

    portfolio = read(text)

    assert brief(portfolio.positions) == [
        ("NVDA", 1505, "USD", "any"),
        ("KO", 301, "USD", "any"),
        ("XOM", 220, "USD", "any"),
    ]
    assert portfolio.readings == (
        "p.csv: read by its content: Papel as symbol, Cuantos as quantity, Ultimo as price, Monto as amount;"
        " quantity x price is the amount on 3 of 3 lines",
    )


def test_a_table_without_a_header_is_read_by_its_content() -> None:
    assert amounts("My depot\n\nNVDA,10,150.50,1505.00\nKO,5,60.20,301.00\n") == {"NVDA": 1505, "KO": 301}


def test_two_products_that_both_fit_are_not_chosen_between() -> None:
    text = "A,B,C,D,E,F\nNVDA,10,100,150,1000,1500\nKO,5,50,60,250,300\n"

    with pytest.raises(UnreadableTableError, match="no columns that name a security and its value"):
        read(text)


def test_what_nothing_proves_is_not_read() -> None:
    with pytest.raises(UnreadableTableError, match="no columns that name a security and its value"):
        read("A,B\nNVDA,10\nKO,5\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "p.csv is empty"),
        ("ticker,amount\n", "p.csv holds no position"),
        ("ticker,shares\nIVV,1\n", "p.csv holds no position"),
        ("some words\nof prose\n", "no columns that name a security"),
    ],
)
def test_what_holds_no_position_is_refused(text: str, message: str) -> None:
    with pytest.raises(UnreadableTableError, match=message):
        read(text)


def test_identifiers_without_their_leading_zeros_are_mended() -> None:
    (position,) = read("cusip,name,amount\n37833100,APPLE INC,100\n").positions

    assert position.security.cusip == "037833100"


def test_a_last_word_that_looks_like_a_ticker_and_sums_the_others_is_a_total() -> None:
    text = "symbol,amount\nNVDA,100.10\nKO,50.20\nSUMA,150.30\n"

    assert amounts(text) == {"NVDA": 100.1, "KO": 50.2}
    assert amounts(text, is_security={"SUMA"}.__contains__)["SUMA"] == 150.3


def test_a_company_whose_amount_happens_to_be_the_sum_of_the_others_is_no_total() -> None:
    text = "name,value\nNvidia Corp,1000\nCoca-Cola,1000\nApple Inc,2000\n"

    assert amounts(text, is_security={"Apple Inc"}.__contains__)["Apple Inc"] == 2000


@pytest.mark.parametrize(
    "text", ["name,value\nNvidia,1000\nCola,1000\n{},2000\n", "symbol,value\nNVDA,1000\nKO,1000\n{},2000\n"]
)
@pytest.mark.parametrize("label", ["My pension fund", "ZZZX"])
def test_a_round_sum_of_two_amounts_that_may_be_a_position_is_refused(text: str, label: str) -> None:
    with pytest.raises(
        UnreadableTableError, match=rf"line 4: '{label}' may be a position, or the sum of the others"
    ) as refused:
        read(text.format(label))

    assert refused.value.hint == "call it Total if it is one, else give it a ticker or an ISIN"
    assert amounts(text.format("Total")).keys() == amounts(text.format("Total 2").replace("2000", "2001")).keys() - {
        "Total 2"
    }


def test_weights_without_amounts_are_refused_with_the_way_to_read_them() -> None:
    with pytest.raises(UnreadableTableError, match="no line has a value") as refused:
        read("symbol,weight\nNVDA,60\nKO,40\n")

    assert refused.value.hint == "weights alone: call their column `amount`, and read the answer as percent"


@pytest.mark.parametrize(
    "footer", ["As of Nov 20, 2026", "No advice, 2026", "Downloaded 11/20/2026, 2:55 PM", '"One cell, in quotes"']
)
@pytest.mark.parametrize(
    "text",
    ["symbol,amount\nNVDA,100\nKO,50\n", "name,symbol,quantity,price,amount\nNvidia,NVDA,2,50,100\nCola,KO,1,50,50\n"],
)
def test_a_sentence_below_the_table_is_no_position(text: str, footer: str) -> None:
    if text.startswith("symbol") and footer == "No advice, 2026":
        return  # nothing tells these two cells from a name and its amount

    portfolio = read(f"{text}\n{footer}\n")

    assert {position.symbol: position.amount for position in portfolio.positions} == {"NVDA": 100, "KO": 50}
    assert len(portfolio.skipped) == 1


def test_a_row_that_leaves_its_last_cells_out_is_one_all_the_same() -> None:
    assert amounts("symbol,amount,note\nNVDA,100\nKO,50,mine\nAAPL,20\n") == {"NVDA": 100, "KO": 50, "AAPL": 20}
    assert amounts("name,amount,note\nNvidia Corp,100\nCoca-Cola,50,mine\n") == {"Nvidia Corp": 100, "Coca-Cola": 50}


def test_words_in_a_column_of_identifiers_are_a_name() -> None:
    text = "symbol/cusip,amount\nNVDA,100\nCash & Cash Investments,50\n"

    assert brief(read(text).positions)[1] == ("Cash & Cash Investments", 50, "USD", "cash")


def test_texts_that_a_spreadsheet_keeps_as_formulas_are_texts() -> None:
    assert amounts('symbol,quantity,price\n="KO",2,60\n"=""NVDA""",2,150\n') == {"KO": 120, "NVDA": 300}


# Days, repeated tables, guesses

DATED = "date,symbol,amount\n2026-10-01,NVDA,100\n2026-10-01,KO,300\n2026-11-02,NVDA,200\n2026-11-02,KO,200\n"


def test_one_security_on_several_days_is_refused_until_a_day_is_said() -> None:
    with pytest.raises(UnreadableTableError, match="on several days, from 2026-10-01 to 2026-11-02"):
        read(DATED)

    portfolio = read(DATED, on=date(2026, 10, 1))
    assert {position.symbol: position.amount for position in portfolio.positions} == {"NVDA": 100, "KO": 300}
    assert portfolio.as_of == date(2026, 10, 1)
    assert portfolio.skipped == ("p.csv: 2 lines of other days than 2026-10-01",)
    assert days_in(DATED.encode(), "p.csv") == [date(2026, 10, 1), date(2026, 11, 2)]


def test_quotes_of_different_days_are_no_several_days() -> None:
    assert read("date,symbol,amount\n2026-11-20,NVDA,100\n2026-11-19,7203.T,300\n").as_of == date(2026, 11, 20)


def test_a_table_that_repeats_lines_of_one_above_is_left_out() -> None:
    text = "symbol,amount\nNVDA,100\nKO,50\nXOM,20\n\nLargest\nsymbol,amount\nNVDA,100\nKO,50\n"

    assert amounts(text) == {"NVDA": 100, "KO": 50, "XOM": 20}
    assert read(text).warnings == ("p.csv: the table at line 7 repeats lines of one above, and is left out",)


@pytest.mark.parametrize("heading", ["Wert EUR", "value_eur", "Market Value in EUR", "Wert (EUR)", "Current value EUR"])
def test_a_heading_that_ends_in_a_currency_names_it(heading: str) -> None:
    found = read(f"isin;{heading}\nUS67066G1040;1.200,50\n")

    assert [(position.amount, position.currency) for position in found.positions] == [(1200.5, "EUR")]
    assert found.warnings == ()


def test_a_word_of_three_letters_is_no_currency() -> None:
    assert {heading_of(heading).currency for heading in ("Value now", "Amount all", "Price old")} == {None}


def test_dollars_that_are_only_guessed_are_told() -> None:
    assert read("symbol;amount\nNVDA;1.000,50\n").warnings == (
        "p.csv names no currency: its amounts are taken as US dollars",
    )
    assert read("symbol;amount;currency\nNVDA;1.000,50;USD\n").warnings == ()
    assert read("symbol,amount\nNVDA,1000.50\n").warnings == ()


def test_what_a_broker_calls_stocks_may_be_a_fund() -> None:
    assert brief(read("symbol,amount,asset category\nXEQT,5,Stocks\nABCD,5,Common\n").positions) == [
        ("XEQT", 5, "USD", "any"),
        ("ABCD", 5, "USD", "stock"),
    ]


def test_an_expense_ratio_counts_only_where_it_says_that_it_is_percent() -> None:
    text = "ticker,amount,expense ratio\nIVV,100,0.03%\nQQQ,50,0.002\n"

    assert read(text).expenses == {"IVV": 0.03}


def test_money_that_nobody_has_named_is_a_position_without_a_name() -> None:
    assert amounts("symbol,amount\n,500\nNVDA,100\nKO,30\n") == {"a line without a name": 500, "NVDA": 100, "KO": 30}


def test_two_columns_that_claim_the_same_and_differ_are_refused() -> None:
    with pytest.raises(UnreadableTableError, match="the columns Value and Balance both say the amount, and differ"):
        read("symbol,Value,Balance\nNVDA,1,100\nKO,2,200\n")
    assert amounts("symbol,Value,Balance\nNVDA,1,1\nKO,2,2\n") == {"NVDA": 1, "KO": 2}
    assert amounts("symbol,Value (EUR),Value (USD)\nNVDA,1,100\nKO,2,200\n") == {"NVDA": 100, "KO": 200}


def test_a_bare_dollar_is_the_dollar_of_the_column_of_currencies() -> None:
    first = read("symbol,amount,currency\nRY,$100,CAD\nKO,$50,USD\n").positions[0]

    assert (first.amount, first.currency) == (100, "CAD")


def test_weights_alone_are_no_values() -> None:
    with pytest.raises(UnreadableTableError, match="no line has a value"):
        read("symbol,weight\nNVDA,60%\nKO,40%\n")


def test_a_subtotal_of_one_line_is_a_total() -> None:
    portfolio = read("symbol,amount\nNVDA,100\nSubtotal,100\nKO,50\nPEP,20\nSubtotal,70\nTotal,170\n")

    assert (sum(position.amount or 0 for position in portfolio.positions), portfolio.warnings) == (170, ())


# What looks like a list of positions and is none


@pytest.mark.parametrize(
    "text",
    [
        "Date,Description,Amount\n11/20/2026,PAYROLL,1000.00\n11/21/2026,RENT,-500.00\n",
        "Settlement Date,Symbol,Quantity,Price,Amount\n11/20/2026,NVDA,1,150,150\n11/21/2026,KO,1,60,60\n",
    ],
)
def test_an_account_of_payments_or_trades_is_a_history(text: str) -> None:
    with pytest.raises(UnreadableTableError, match="history of transactions"):
        read(text)


def test_sections_of_a_statement_without_positions_are_none() -> None:
    text = "Dividends,Header,Currency,Description,Amount\nDividends,Data,USD,NVDA Cash Dividend,0.10\n"
    flex = '<F><CashTransaction currency="USD" description="NVDA" amount="5"/><X/></F>'

    for data in (text, flex):
        with pytest.raises(UnreadableTableError):
            read(data)
