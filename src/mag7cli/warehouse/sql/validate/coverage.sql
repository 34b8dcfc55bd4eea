-- How far the figures reach: first and last date, and how many there are.
-- grain: one row
-- severity: info
-- scope: all dates
SELECT
    MIN(trading_date) AS earliest_date,
    MAX(trading_date) AS latest_date,
    COUNT(*) AS total_rows,
    COUNT(DISTINCT trading_date) AS unique_dates
FROM market_data.concentration_metrics
