-- Lines of the index that could not be valued: the total lacks them.
-- grain: one row per trading_date and ticker
-- severity: warning
-- scope: all dates
SELECT
    trading_date,
    ticker,
    reason
FROM market_data.failed_collections
WHERE ticker IS NOT NULL
ORDER BY trading_date, ticker
