-- Rows that lack a value without which they mean nothing.
-- grain: one row per table and date
-- severity: error
SELECT table_name, trading_date, COUNT(*) AS row_count
FROM (
    SELECT 'concentration_metrics' AS table_name, trading_date
    FROM market_data.concentration_metrics
    WHERE trading_date IS NULL OR mag7_pct_of_sp500 IS NULL OR sp500_total_market_cap IS NULL
    UNION ALL
    SELECT 'company_details', d.trading_date
    FROM market_data.company_details d
    JOIN market_data.concentration_metrics c
        ON c.trading_date = d.trading_date
    WHERE d.ticker IS NULL OR d.company_name IS NULL OR d.market_cap IS NULL OR d.shares_outstanding IS NULL
    UNION ALL
    SELECT 'daily_trading', trading_date
    FROM market_data.daily_trading
    WHERE ticker IS NULL OR close_price IS NULL
    UNION ALL
    SELECT 'magnificent7_metrics', trading_date
    FROM market_data.magnificent7_metrics
    WHERE ticker IS NULL OR market_cap IS NULL OR pct_of_mag7 IS NULL OR pct_of_sp500 IS NULL OR ranking IS NULL
    UNION ALL
    SELECT 'failed_collections', trading_date
    FROM market_data.failed_collections
    WHERE reason IS NULL
    UNION ALL
    SELECT 'sp500_constituents', trading_date
    FROM market_data.sp500_constituents
    WHERE ticker IS NULL OR close_price IS NULL OR shares_outstanding IS NULL OR market_cap IS NULL
) every_gap
GROUP BY table_name, trading_date
ORDER BY table_name, trading_date
