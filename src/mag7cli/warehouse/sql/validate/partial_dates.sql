-- Dates without a figure, because one of the Mag 7 has no market cap.
-- grain: one row per trading_date
-- severity: warning
-- scope: all dates
SELECT
    trading_date,
    partial_reason
FROM market_data.daily_summary
WHERE status = 'partial'
ORDER BY trading_date
