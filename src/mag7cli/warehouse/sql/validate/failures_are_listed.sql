-- Dates whose failed lines are not all listed with a reason.
-- grain: one row per trading_date
-- severity: error
SELECT
    d.trading_date,
    d.failed_count,
    COUNT(f.ticker) AS rows_listed
FROM market_data.daily_summary d
LEFT JOIN market_data.failed_collections f
    ON f.trading_date = d.trading_date
GROUP BY d.trading_date, d.failed_count
HAVING d.failed_count <> COUNT(f.ticker)
ORDER BY d.trading_date
