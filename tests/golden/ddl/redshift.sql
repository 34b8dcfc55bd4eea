CREATE SCHEMA IF NOT EXISTS market_data;

CREATE TABLE IF NOT EXISTS market_data.concentration_metrics (
    trading_date DATE NOT NULL,
    total_mag7_market_cap DECIMAL(20,2) NOT NULL,
    sp500_total_market_cap DECIMAL(20,2) NOT NULL,
    mag7_pct_of_sp500 DOUBLE PRECISION NOT NULL,
    mag7_companies_count INTEGER NOT NULL,
    PRIMARY KEY (trading_date)
)
DISTKEY(trading_date)
SORTKEY(trading_date);

CREATE TABLE IF NOT EXISTS market_data.company_details (
    trading_date DATE NOT NULL,
    ticker VARCHAR(10) NOT NULL,
    company_name VARCHAR(255) NOT NULL,
    market_cap DECIMAL(20,2),
    shares_outstanding DECIMAL(20,2),
    currency VARCHAR(3),
    description VARCHAR(65535),
    PRIMARY KEY (trading_date, ticker)
)
DISTKEY(trading_date)
COMPOUND SORTKEY(trading_date, ticker);

CREATE TABLE IF NOT EXISTS market_data.daily_trading (
    trading_date DATE NOT NULL,
    ticker VARCHAR(10) NOT NULL,
    open_price DECIMAL(20,6),
    high_price DECIMAL(20,6),
    low_price DECIMAL(20,6),
    close_price DECIMAL(20,6) NOT NULL,
    volume BIGINT,
    vwap DECIMAL(20,6),
    PRIMARY KEY (trading_date, ticker)
)
DISTKEY(trading_date)
COMPOUND SORTKEY(trading_date, ticker);

CREATE TABLE IF NOT EXISTS market_data.magnificent7_metrics (
    trading_date DATE NOT NULL,
    ticker VARCHAR(10) NOT NULL,
    market_cap DECIMAL(20,2) NOT NULL,
    pct_of_mag7 DOUBLE PRECISION NOT NULL,
    pct_of_sp500 DOUBLE PRECISION NOT NULL,
    ranking INTEGER NOT NULL,
    PRIMARY KEY (trading_date, ticker)
)
DISTKEY(trading_date)
COMPOUND SORTKEY(trading_date, ticker);

CREATE TABLE IF NOT EXISTS market_data.failed_collections (
    trading_date DATE NOT NULL,
    ticker VARCHAR(10),
    reason VARCHAR(1024) NOT NULL
)
DISTKEY(trading_date)
SORTKEY(trading_date);

CREATE TABLE IF NOT EXISTS market_data.sp500_constituents (
    trading_date DATE NOT NULL,
    ticker VARCHAR(10) NOT NULL,
    symbol VARCHAR(10) NOT NULL,
    cik VARCHAR(10),
    close_price DECIMAL(20,6) NOT NULL,
    shares_outstanding DECIMAL(20,2) NOT NULL,
    market_cap DECIMAL(20,2) NOT NULL,
    counted BOOLEAN NOT NULL,
    pct_of_sp500 DOUBLE PRECISION,
    market_cap_by_class DECIMAL(20,2),
    PRIMARY KEY (trading_date, ticker)
)
DISTKEY(trading_date)
COMPOUND SORTKEY(trading_date, ticker);

CREATE TABLE IF NOT EXISTS market_data.stock_splits (
    trading_date DATE NOT NULL,
    ticker VARCHAR(10) NOT NULL,
    split_from DECIMAL(20,6) NOT NULL,
    split_to DECIMAL(20,6) NOT NULL,
    ratio DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (trading_date, ticker)
)
DISTKEY(trading_date)
COMPOUND SORTKEY(trading_date, ticker);

CREATE TABLE IF NOT EXISTS market_data.daily_summary (
    trading_date DATE NOT NULL,
    status VARCHAR(10) NOT NULL,
    partial_reason VARCHAR(1024),
    gross_market_cap DECIMAL(20,2),
    total_mag7_market_cap_by_class DECIMAL(20,2),
    sp500_total_market_cap_by_class DECIMAL(20,2),
    mag7_pct_by_class DOUBLE PRECISION,
    companies_count INTEGER,
    lines_count INTEGER,
    failed_count INTEGER NOT NULL,
    not_listed_count INTEGER,
    corrections_count INTEGER NOT NULL,
    doubts_count INTEGER NOT NULL,
    mag7_pct_low DOUBLE PRECISION,
    mag7_pct_high DOUBLE PRECISION,
    top1_pct DOUBLE PRECISION,
    top5_pct DOUBLE PRECISION,
    top10_pct DOUBLE PRECISION,
    hhi DOUBLE PRECISION,
    effective_n DOUBLE PRECISION,
    membership_kind VARCHAR(10),
    membership_as_of DATE,
    method VARCHAR(20),
    simulated BOOLEAN,
    collected_at VARCHAR(40),
    PRIMARY KEY (trading_date)
)
DISTKEY(trading_date)
SORTKEY(trading_date);

CREATE TABLE IF NOT EXISTS market_data.data_quality (
    trading_date DATE NOT NULL,
    ticker VARCHAR(10),
    kind VARCHAR(40) NOT NULL,
    severity VARCHAR(10) NOT NULL,
    field VARCHAR(40),
    from_value DECIMAL(38,6),
    to_value DECIMAL(38,6),
    reason VARCHAR(1024) NOT NULL,
    evidence VARCHAR(4096)
)
DISTKEY(trading_date)
SORTKEY(trading_date);

CREATE OR REPLACE VIEW market_data.daily_trading_adjusted AS
SELECT
    t.trading_date,
    t.ticker,
    CAST(ROUND(t.open_price / f.split_factor, 6) + 0.0000001 AS DECIMAL(20,6)) AS open_price,
    CAST(ROUND(t.high_price / f.split_factor, 6) + 0.0000001 AS DECIMAL(20,6)) AS high_price,
    CAST(ROUND(t.low_price / f.split_factor, 6) + 0.0000001 AS DECIMAL(20,6)) AS low_price,
    CAST(ROUND(t.close_price / f.split_factor, 6) + 0.0000001 AS DECIMAL(20,6)) AS close_price,
    CAST(ROUND(t.volume * f.split_factor) AS BIGINT) AS volume,
    CAST(ROUND(t.vwap / f.split_factor, 6) + 0.0000001 AS DECIMAL(20,6)) AS vwap,
    f.split_factor
FROM market_data.daily_trading t
JOIN (
    SELECT
        d.trading_date,
        d.ticker,
        COALESCE(ROUND(EXP(SUM(LN(s.ratio))), 9), 1.0) AS split_factor
    FROM market_data.daily_trading d
    LEFT JOIN market_data.stock_splits s
        ON s.ticker = d.ticker
        AND s.trading_date > d.trading_date
        AND s.trading_date <= (SELECT MAX(trading_date) FROM market_data.daily_trading)
    GROUP BY d.trading_date, d.ticker
) f
    ON f.trading_date = t.trading_date
    AND f.ticker = t.ticker;

CREATE OR REPLACE VIEW market_data.company_rankings AS
SELECT
    trading_date,
    ticker,
    market_cap,
    pct_of_sp500,
    ROW_NUMBER() OVER (PARTITION BY trading_date ORDER BY market_cap DESC, ticker) AS ranking
FROM market_data.sp500_constituents
WHERE counted;

CREATE OR REPLACE VIEW market_data.company_returns AS
WITH spin_offs AS (
    SELECT 'MRK' AS ticker, CAST('2021-06-03' AS DATE) AS ex_date
    UNION ALL SELECT 'BBWI' AS ticker, CAST('2021-08-03' AS DATE) AS ex_date
    UNION ALL SELECT 'DELL' AS ticker, CAST('2021-11-01' AS DATE) AS ex_date
    UNION ALL SELECT 'IBM' AS ticker, CAST('2021-11-04' AS DATE) AS ex_date
    UNION ALL SELECT 'EXC' AS ticker, CAST('2022-02-02' AS DATE) AS ex_date
    UNION ALL SELECT 'T' AS ticker, CAST('2022-04-11' AS DATE) AS ex_date
    UNION ALL SELECT 'FBIN' AS ticker, CAST('2022-12-15' AS DATE) AS ex_date
    UNION ALL SELECT 'GE' AS ticker, CAST('2023-01-04' AS DATE) AS ex_date
    UNION ALL SELECT 'DHR' AS ticker, CAST('2023-10-02' AS DATE) AS ex_date
    UNION ALL SELECT 'K' AS ticker, CAST('2023-10-02' AS DATE) AS ex_date
    UNION ALL SELECT 'MMM' AS ticker, CAST('2024-04-01' AS DATE) AS ex_date
    UNION ALL SELECT 'GE' AS ticker, CAST('2024-04-02' AS DATE) AS ex_date
    UNION ALL SELECT 'J' AS ticker, CAST('2024-09-30' AS DATE) AS ex_date
    UNION ALL SELECT 'WDC' AS ticker, CAST('2025-02-24' AS DATE) AS ex_date
    UNION ALL SELECT 'HON' AS ticker, CAST('2025-10-30' AS DATE) AS ex_date
    UNION ALL SELECT 'DD' AS ticker, CAST('2025-11-03' AS DATE) AS ex_date
    UNION ALL SELECT 'FDX' AS ticker, CAST('2026-06-01' AS DATE) AS ex_date
    UNION ALL SELECT 'HON' AS ticker, CAST('2026-06-29' AS DATE) AS ex_date
    UNION ALL SELECT 'CTVA' AS ticker, CAST('2026-10-01' AS DATE) AS ex_date
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
    WHERE t.base_cap > 0 AND t.session_number - t.base_number <= 6
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
FROM held;

CREATE OR REPLACE VIEW market_data.daily_returns AS
SELECT
    trading_date,
    MAX(base_date) AS base_date,
    COUNT(*) AS companies_count,
    SUM(contribution_pct) AS sp500_return_pct,
    100 * SUM(CASE WHEN ticker IN ('AAPL', 'MSFT', 'GOOGL', 'AMZN', 'NVDA', 'META', 'TSLA') THEN contribution_pct ELSE 0 END)
        / NULLIF(SUM(CASE WHEN ticker IN ('AAPL', 'MSFT', 'GOOGL', 'AMZN', 'NVDA', 'META', 'TSLA') THEN weight_pct ELSE 0 END), 0) AS mag7_return_pct,
    100 * SUM(CASE WHEN ticker IN ('AAPL', 'MSFT', 'GOOGL', 'AMZN', 'NVDA', 'META', 'TSLA') THEN 0 ELSE contribution_pct END)
        / NULLIF(SUM(CASE WHEN ticker IN ('AAPL', 'MSFT', 'GOOGL', 'AMZN', 'NVDA', 'META', 'TSLA') THEN 0 ELSE weight_pct END), 0) AS rest_return_pct,
    SUM(equal_weight_pct * price_return_pct) / 100 AS equal_weight_return_pct,
    SUM(CASE WHEN ticker IN ('AAPL', 'MSFT', 'GOOGL', 'AMZN', 'NVDA', 'META', 'TSLA') THEN weight_pct ELSE 0 END) AS mag7_weight_pct
FROM market_data.company_returns
GROUP BY trading_date;

CREATE OR REPLACE VIEW market_data.rolling_returns AS
WITH daily AS (
    SELECT trading_date, base_date, sp500_return_pct, mag7_return_pct, rest_return_pct, equal_weight_return_pct FROM market_data.daily_returns
)
SELECT
    trading_date,
    21 AS sessions,
    base_date,
    100 * (EXP(sp500_return_pct) - 1) AS sp500_return_pct,
    100 * (EXP(mag7_return_pct) - 1) AS mag7_return_pct,
    100 * (EXP(rest_return_pct) - 1) AS rest_return_pct,
    100 * (EXP(equal_weight_return_pct) - 1) AS equal_weight_return_pct
FROM (
    SELECT
        trading_date,
        MIN(base_date) OVER (ORDER BY trading_date ROWS BETWEEN 20 PRECEDING AND CURRENT ROW) AS base_date,
        COUNT(*) OVER (ORDER BY trading_date ROWS BETWEEN 20 PRECEDING AND CURRENT ROW) AS dates,
        CASE WHEN COUNT(sp500_return_pct) OVER (ORDER BY trading_date ROWS BETWEEN 20 PRECEDING AND CURRENT ROW) = 21
            THEN SUM(LN(1 + sp500_return_pct / 100)) OVER (ORDER BY trading_date ROWS BETWEEN 20 PRECEDING AND CURRENT ROW) END AS sp500_return_pct,
        CASE WHEN COUNT(mag7_return_pct) OVER (ORDER BY trading_date ROWS BETWEEN 20 PRECEDING AND CURRENT ROW) = 21
            THEN SUM(LN(1 + mag7_return_pct / 100)) OVER (ORDER BY trading_date ROWS BETWEEN 20 PRECEDING AND CURRENT ROW) END AS mag7_return_pct,
        CASE WHEN COUNT(rest_return_pct) OVER (ORDER BY trading_date ROWS BETWEEN 20 PRECEDING AND CURRENT ROW) = 21
            THEN SUM(LN(1 + rest_return_pct / 100)) OVER (ORDER BY trading_date ROWS BETWEEN 20 PRECEDING AND CURRENT ROW) END AS rest_return_pct,
        CASE WHEN COUNT(equal_weight_return_pct) OVER (ORDER BY trading_date ROWS BETWEEN 20 PRECEDING AND CURRENT ROW) = 21
            THEN SUM(LN(1 + equal_weight_return_pct / 100)) OVER (ORDER BY trading_date ROWS BETWEEN 20 PRECEDING AND CURRENT ROW) END AS equal_weight_return_pct
    FROM daily
) w21
WHERE dates = 21
UNION ALL
SELECT
    trading_date,
    63 AS sessions,
    base_date,
    100 * (EXP(sp500_return_pct) - 1) AS sp500_return_pct,
    100 * (EXP(mag7_return_pct) - 1) AS mag7_return_pct,
    100 * (EXP(rest_return_pct) - 1) AS rest_return_pct,
    100 * (EXP(equal_weight_return_pct) - 1) AS equal_weight_return_pct
FROM (
    SELECT
        trading_date,
        MIN(base_date) OVER (ORDER BY trading_date ROWS BETWEEN 62 PRECEDING AND CURRENT ROW) AS base_date,
        COUNT(*) OVER (ORDER BY trading_date ROWS BETWEEN 62 PRECEDING AND CURRENT ROW) AS dates,
        CASE WHEN COUNT(sp500_return_pct) OVER (ORDER BY trading_date ROWS BETWEEN 62 PRECEDING AND CURRENT ROW) = 63
            THEN SUM(LN(1 + sp500_return_pct / 100)) OVER (ORDER BY trading_date ROWS BETWEEN 62 PRECEDING AND CURRENT ROW) END AS sp500_return_pct,
        CASE WHEN COUNT(mag7_return_pct) OVER (ORDER BY trading_date ROWS BETWEEN 62 PRECEDING AND CURRENT ROW) = 63
            THEN SUM(LN(1 + mag7_return_pct / 100)) OVER (ORDER BY trading_date ROWS BETWEEN 62 PRECEDING AND CURRENT ROW) END AS mag7_return_pct,
        CASE WHEN COUNT(rest_return_pct) OVER (ORDER BY trading_date ROWS BETWEEN 62 PRECEDING AND CURRENT ROW) = 63
            THEN SUM(LN(1 + rest_return_pct / 100)) OVER (ORDER BY trading_date ROWS BETWEEN 62 PRECEDING AND CURRENT ROW) END AS rest_return_pct,
        CASE WHEN COUNT(equal_weight_return_pct) OVER (ORDER BY trading_date ROWS BETWEEN 62 PRECEDING AND CURRENT ROW) = 63
            THEN SUM(LN(1 + equal_weight_return_pct / 100)) OVER (ORDER BY trading_date ROWS BETWEEN 62 PRECEDING AND CURRENT ROW) END AS equal_weight_return_pct
    FROM daily
) w63
WHERE dates = 63
UNION ALL
SELECT
    trading_date,
    252 AS sessions,
    base_date,
    100 * (EXP(sp500_return_pct) - 1) AS sp500_return_pct,
    100 * (EXP(mag7_return_pct) - 1) AS mag7_return_pct,
    100 * (EXP(rest_return_pct) - 1) AS rest_return_pct,
    100 * (EXP(equal_weight_return_pct) - 1) AS equal_weight_return_pct
FROM (
    SELECT
        trading_date,
        MIN(base_date) OVER (ORDER BY trading_date ROWS BETWEEN 251 PRECEDING AND CURRENT ROW) AS base_date,
        COUNT(*) OVER (ORDER BY trading_date ROWS BETWEEN 251 PRECEDING AND CURRENT ROW) AS dates,
        CASE WHEN COUNT(sp500_return_pct) OVER (ORDER BY trading_date ROWS BETWEEN 251 PRECEDING AND CURRENT ROW) = 252
            THEN SUM(LN(1 + sp500_return_pct / 100)) OVER (ORDER BY trading_date ROWS BETWEEN 251 PRECEDING AND CURRENT ROW) END AS sp500_return_pct,
        CASE WHEN COUNT(mag7_return_pct) OVER (ORDER BY trading_date ROWS BETWEEN 251 PRECEDING AND CURRENT ROW) = 252
            THEN SUM(LN(1 + mag7_return_pct / 100)) OVER (ORDER BY trading_date ROWS BETWEEN 251 PRECEDING AND CURRENT ROW) END AS mag7_return_pct,
        CASE WHEN COUNT(rest_return_pct) OVER (ORDER BY trading_date ROWS BETWEEN 251 PRECEDING AND CURRENT ROW) = 252
            THEN SUM(LN(1 + rest_return_pct / 100)) OVER (ORDER BY trading_date ROWS BETWEEN 251 PRECEDING AND CURRENT ROW) END AS rest_return_pct,
        CASE WHEN COUNT(equal_weight_return_pct) OVER (ORDER BY trading_date ROWS BETWEEN 251 PRECEDING AND CURRENT ROW) = 252
            THEN SUM(LN(1 + equal_weight_return_pct / 100)) OVER (ORDER BY trading_date ROWS BETWEEN 251 PRECEDING AND CURRENT ROW) END AS equal_weight_return_pct
    FROM daily
) w252
WHERE dates = 252;
