CREATE SCHEMA IF NOT EXISTS market_data;

CREATE EXTERNAL TABLE IF NOT EXISTS `market_data`.`concentration_metrics` (
    `trading_date` date,
    `total_mag7_market_cap` decimal(20,2),
    `sp500_total_market_cap` decimal(20,2),
    `mag7_pct_of_sp500` double,
    `mag7_companies_count` int
)
STORED AS PARQUET
LOCATION 's3://bucket/lake/analytics/concentration_metrics/'
TBLPROPERTIES (
    'EXTERNAL'='TRUE',
    'classification'='parquet',
    'parquet.compression'='SNAPPY'
);

CREATE EXTERNAL TABLE IF NOT EXISTS `market_data`.`company_details` (
    `trading_date` date,
    `ticker` string,
    `company_name` string,
    `market_cap` decimal(20,2),
    `shares_outstanding` decimal(20,2),
    `currency` string,
    `description` string
)
STORED AS PARQUET
LOCATION 's3://bucket/lake/analytics/company_details/'
TBLPROPERTIES (
    'EXTERNAL'='TRUE',
    'classification'='parquet',
    'parquet.compression'='SNAPPY'
);

CREATE EXTERNAL TABLE IF NOT EXISTS `market_data`.`daily_trading` (
    `trading_date` date,
    `ticker` string,
    `open_price` decimal(20,6),
    `high_price` decimal(20,6),
    `low_price` decimal(20,6),
    `close_price` decimal(20,6),
    `volume` bigint,
    `vwap` decimal(20,6)
)
STORED AS PARQUET
LOCATION 's3://bucket/lake/analytics/daily_trading/'
TBLPROPERTIES (
    'EXTERNAL'='TRUE',
    'classification'='parquet',
    'parquet.compression'='SNAPPY'
);

CREATE EXTERNAL TABLE IF NOT EXISTS `market_data`.`magnificent7_metrics` (
    `trading_date` date,
    `ticker` string,
    `market_cap` decimal(20,2),
    `pct_of_mag7` double,
    `pct_of_sp500` double,
    `ranking` int
)
STORED AS PARQUET
LOCATION 's3://bucket/lake/analytics/magnificent7_metrics/'
TBLPROPERTIES (
    'EXTERNAL'='TRUE',
    'classification'='parquet',
    'parquet.compression'='SNAPPY'
);

CREATE EXTERNAL TABLE IF NOT EXISTS `market_data`.`failed_collections` (
    `trading_date` date,
    `ticker` string,
    `reason` string
)
STORED AS PARQUET
LOCATION 's3://bucket/lake/analytics/failed_collections/'
TBLPROPERTIES (
    'EXTERNAL'='TRUE',
    'classification'='parquet',
    'parquet.compression'='SNAPPY'
);

CREATE EXTERNAL TABLE IF NOT EXISTS `market_data`.`sp500_constituents` (
    `trading_date` date,
    `ticker` string,
    `symbol` string,
    `cik` string,
    `close_price` decimal(20,6),
    `shares_outstanding` decimal(20,2),
    `market_cap` decimal(20,2),
    `counted` boolean,
    `pct_of_sp500` double
)
STORED AS PARQUET
LOCATION 's3://bucket/lake/analytics/sp500_constituents/'
TBLPROPERTIES (
    'EXTERNAL'='TRUE',
    'classification'='parquet',
    'parquet.compression'='SNAPPY'
);

CREATE EXTERNAL TABLE IF NOT EXISTS `market_data`.`stock_splits` (
    `trading_date` date,
    `ticker` string,
    `split_from` decimal(20,6),
    `split_to` decimal(20,6),
    `ratio` double
)
STORED AS PARQUET
LOCATION 's3://bucket/lake/analytics/stock_splits/'
TBLPROPERTIES (
    'EXTERNAL'='TRUE',
    'classification'='parquet',
    'parquet.compression'='SNAPPY'
);

CREATE EXTERNAL TABLE IF NOT EXISTS `market_data`.`daily_summary` (
    `trading_date` date,
    `status` string,
    `partial_reason` string,
    `gross_market_cap` decimal(20,2),
    `companies_count` int,
    `lines_count` int,
    `failed_count` int,
    `not_listed_count` int,
    `corrections_count` int,
    `doubts_count` int,
    `top1_pct` double,
    `top5_pct` double,
    `top10_pct` double,
    `hhi` double,
    `effective_n` double,
    `membership_kind` string,
    `membership_as_of` date,
    `method` string,
    `simulated` boolean,
    `collected_at` string
)
STORED AS PARQUET
LOCATION 's3://bucket/lake/analytics/daily_summary/'
TBLPROPERTIES (
    'EXTERNAL'='TRUE',
    'classification'='parquet',
    'parquet.compression'='SNAPPY'
);

CREATE EXTERNAL TABLE IF NOT EXISTS `market_data`.`data_quality` (
    `trading_date` date,
    `ticker` string,
    `kind` string,
    `severity` string,
    `field` string,
    `from_value` decimal(38,6),
    `to_value` decimal(38,6),
    `reason` string,
    `evidence` string
)
STORED AS PARQUET
LOCATION 's3://bucket/lake/analytics/data_quality/'
TBLPROPERTIES (
    'EXTERNAL'='TRUE',
    'classification'='parquet',
    'parquet.compression'='SNAPPY'
);

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
