-- How far the figures reach and whether a date stands twice.
-- folder: Data Validation
-- grain: one row
SELECT
    MIN(trading_date) AS earliest_date,
    MAX(trading_date) AS latest_date,
    COUNT(*) AS total_rows,
    COUNT(DISTINCT trading_date) AS unique_dates
FROM market_data.concentration_metrics
