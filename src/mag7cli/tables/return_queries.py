"""The text of the views of returns: price returns of companies, chained from close to close, and of what they make up.

The same text in every dialect, so without named windows, VALUES or date arithmetic. What the figures mean and who says
so: docs/methodology.md, "Returns".
"""

from collections.abc import Sequence
from typing import Final

from mag7cli.core import packaged_data
from mag7cli.market.symbology import MAGNIFICENT_7

LONGEST_ABSENCE: Final = 5
"""A line that lacks a price on more collected dates in a row than this has no return over the hole."""


def _spin_offs() -> str:
    """The days on which a part of a company left it, as rows of a query."""
    rows = ((row["ticker"], row["ex_date"]) for row in packaged_data.read("spin_offs"))
    return "\n    UNION ALL ".join(
        f"SELECT '{ticker}' AS ticker, CAST('{day}' AS DATE) AS ex_date" for ticker, day in rows
    )


# A split is the list's, unless the close moved by 1.4 and more against it while the market value went on: then it is
# what the share counts say, in halves, as splits are. On the day of a spin-off a company has no return: what left is
# not known. Few columns go through the windows, since each is sorted.
COMPANY_RETURNS: Final = f"""\
WITH spin_offs AS (
    {_spin_offs()}
),
sessions AS (
    SELECT trading_date, ROW_NUMBER() OVER (ORDER BY trading_date) AS session_number
    FROM market_data.concentration_metrics
),
closes AS (
    SELECT
        c.ticker,
        s.session_number,
        CAST(c.close_price AS DOUBLE PRECISION) AS close_price,
        CAST(c.market_cap AS DOUBLE PRECISION) AS market_cap,
        CASE WHEN c.counted THEN CAST(c.market_cap AS DOUBLE PRECISION) END AS counted_cap
    FROM market_data.sp500_constituents c
    JOIN sessions s ON s.trading_date = c.trading_date
),
steps AS (
    SELECT
        ticker,
        session_number,
        close_price,
        market_cap,
        LAG(session_number) OVER (PARTITION BY ticker ORDER BY session_number) AS base_number,
        LAG(close_price) OVER (PARTITION BY ticker ORDER BY session_number) AS base_close,
        LAG(counted_cap) OVER (PARTITION BY ticker ORDER BY session_number) AS base_cap
    FROM closes
),
dated AS (
    SELECT
        s.trading_date,
        b.trading_date AS base_date,
        t.ticker,
        t.close_price / t.base_close AS price_ratio,
        t.market_cap / t.base_cap AS cap_ratio,
        t.base_cap,
        EXTRACT(YEAR FROM s.trading_date) * 12 + EXTRACT(MONTH FROM s.trading_date) - 1 AS month_number,
        EXTRACT(DAY FROM s.trading_date) AS day_number,
        15 + (12 - (EXTRACT(DOW FROM s.trading_date) - EXTRACT(DAY FROM s.trading_date) + 36) % 7) % 7 AS third_friday
    FROM steps t
    JOIN sessions s ON s.session_number = t.session_number
    JOIN sessions b ON b.session_number = t.base_number
    WHERE t.base_cap > 0 AND t.session_number - t.base_number <= {LONGEST_ABSENCE + 1}
),
listed AS (
    SELECT d.trading_date, d.ticker, EXP(SUM(LN(s.ratio))) AS ratio
    FROM dated d
    JOIN market_data.stock_splits s
        ON s.ticker = d.ticker AND s.trading_date > d.base_date AND s.trading_date <= d.trading_date
    GROUP BY d.trading_date, d.ticker
),
parted AS (
    SELECT DISTINCT d.trading_date, d.ticker
    FROM dated d
    JOIN spin_offs o ON o.ticker = d.ticker AND o.ex_date > d.base_date AND o.ex_date <= d.trading_date
),
returns AS (
    SELECT
        d.trading_date,
        d.base_date,
        d.ticker,
        d.base_cap,
        d.price_ratio * CASE
            WHEN ABS(LN(d.price_ratio * COALESCE(l.ratio, 1.0))) < LN(1.4) OR ABS(LN(d.cap_ratio)) > LN(1.3)
                THEN COALESCE(l.ratio, 1.0)
            WHEN d.cap_ratio > d.price_ratio THEN ROUND(2 * d.cap_ratio / d.price_ratio) / 2.0e0
            ELSE 2.0e0 / ROUND(2 * d.price_ratio / d.cap_ratio)
        END - 1 AS price_return,
        d.month_number - d.month_number % 3
            + CASE WHEN d.month_number % 3 = 2 AND d.day_number > d.third_friday THEN 3 ELSE 0 END AS quarter_number
    FROM dated d
    LEFT JOIN listed l ON l.trading_date = d.trading_date AND l.ticker = d.ticker
    LEFT JOIN parted p ON p.trading_date = d.trading_date AND p.ticker = d.ticker
    WHERE p.ticker IS NULL
),
held AS (
    SELECT
        trading_date,
        base_date,
        ticker,
        base_cap,
        price_return,
        EXP(COALESCE(SUM(LN(1 + price_return)) OVER (
            PARTITION BY ticker, quarter_number ORDER BY trading_date ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0)) AS units
    FROM returns
)
SELECT
    trading_date,
    base_date,
    ticker,
    100 * price_return AS price_return_pct,
    100 * base_cap / SUM(base_cap) OVER (PARTITION BY trading_date) AS weight_pct,
    100 * base_cap * price_return / SUM(base_cap) OVER (PARTITION BY trading_date) AS contribution_pct,
    100 * units / SUM(units) OVER (PARTITION BY trading_date) AS equal_weight_pct
FROM held"""  # noqa: S608 -- values of our own tables

_SEVEN: Final = ", ".join(f"'{ticker}'" for ticker in MAGNIFICENT_7)

DAILY_RETURNS: Final = f"""\
SELECT
    trading_date,
    MAX(base_date) AS base_date,
    COUNT(*) AS companies_count,
    SUM(contribution_pct) AS sp500_return_pct,
    100 * SUM(CASE WHEN ticker IN ({_SEVEN}) THEN contribution_pct ELSE 0 END)
        / NULLIF(SUM(CASE WHEN ticker IN ({_SEVEN}) THEN weight_pct ELSE 0 END), 0) AS mag7_return_pct,
    100 * SUM(CASE WHEN ticker IN ({_SEVEN}) THEN 0 ELSE contribution_pct END)
        / NULLIF(SUM(CASE WHEN ticker IN ({_SEVEN}) THEN 0 ELSE weight_pct END), 0) AS rest_return_pct,
    SUM(equal_weight_pct * price_return_pct) / 100 AS equal_weight_return_pct,
    SUM(CASE WHEN ticker IN ({_SEVEN}) THEN weight_pct ELSE 0 END) AS mag7_weight_pct
FROM market_data.company_returns
GROUP BY trading_date"""  # noqa: S608

ROLLING_SESSIONS: Final = (21, 63, 252)
"""A month, a quarter and a year of sessions."""


def rolling(source: str, columns: Sequence[str]) -> str:
    """Returns over the sessions that end on each date, chained from the daily ones of a table or a query in brackets.

    Full windows only; in one that lacks a return of a column, that column is NULL.
    """
    windows = "\nUNION ALL\n".join(_window(sessions, columns) for sessions in ROLLING_SESSIONS)
    return f"WITH daily AS (\n    SELECT trading_date, base_date, {', '.join(columns)} FROM {source}\n)\n{windows}"  # noqa: S608


def _window(sessions: int, columns: Sequence[str]) -> str:
    frame = f"OVER (ORDER BY trading_date ROWS BETWEEN {sessions - 1} PRECEDING AND CURRENT ROW)"
    sums = "".join(
        f",\n        CASE WHEN COUNT({column}) {frame} = {sessions}"
        f"\n            THEN SUM(LN(1 + {column} / 100)) {frame} END AS {column}"
        for column in columns
    )
    gains = "".join(f",\n    100 * (EXP({column}) - 1) AS {column}" for column in columns)
    return f"""\
SELECT
    trading_date,
    {sessions} AS sessions,
    base_date{gains}
FROM (
    SELECT
        trading_date,
        MIN(base_date) {frame} AS base_date,
        COUNT(*) {frame} AS dates{sums}
    FROM daily
) w{sessions}
WHERE dates = {sessions}"""  # noqa: S608 -- names of our own columns


ROLLING_RETURNS: Final = rolling(
    "market_data.daily_returns",
    ("sp500_return_pct", "mag7_return_pct", "rest_return_pct", "equal_weight_return_pct"),
)

COMPANY_RANKINGS: Final = """\
SELECT
    trading_date,
    ticker,
    market_cap,
    pct_of_sp500,
    ROW_NUMBER() OVER (PARTITION BY trading_date ORDER BY market_cap DESC, ticker) AS ranking
FROM market_data.sp500_constituents
WHERE counted"""
