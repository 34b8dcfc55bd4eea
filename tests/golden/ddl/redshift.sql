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
    companies_count INTEGER,
    lines_count INTEGER,
    failed_count INTEGER NOT NULL,
    not_listed_count INTEGER,
    corrections_count INTEGER NOT NULL,
    doubts_count INTEGER NOT NULL,
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
