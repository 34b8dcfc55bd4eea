-- Keys that stand in a table more than once.
-- grain: one row per table and key
-- severity: error
SELECT table_name, trading_date, ticker, COUNT(*) AS row_count
FROM (
    SELECT 'concentration_metrics' AS table_name, trading_date, CAST(NULL AS VARCHAR(10)) AS ticker
    FROM market_data.concentration_metrics
    UNION ALL
    SELECT 'company_details', trading_date, ticker FROM market_data.company_details
    UNION ALL
    SELECT 'daily_trading', trading_date, ticker FROM market_data.daily_trading
    UNION ALL
    SELECT 'magnificent7_metrics', trading_date, ticker FROM market_data.magnificent7_metrics
    UNION ALL
    SELECT 'failed_collections', trading_date, ticker FROM market_data.failed_collections
    UNION ALL
    SELECT 'sp500_constituents', trading_date, ticker FROM market_data.sp500_constituents
    UNION ALL
    SELECT 'stock_splits', trading_date, ticker FROM market_data.stock_splits
    UNION ALL
    SELECT 'daily_summary', trading_date, CAST(NULL AS VARCHAR(10)) FROM market_data.daily_summary
) every_key
GROUP BY table_name, trading_date, ticker
HAVING COUNT(*) > 1
ORDER BY table_name, trading_date, ticker
