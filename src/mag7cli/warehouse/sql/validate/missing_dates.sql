-- Trading dates between the first and the last that have no document.
-- grain: one row per trading_date
-- severity: error
-- scope: all dates
-- compare: sessions without a row
SELECT trading_date
FROM market_data.daily_summary
ORDER BY trading_date
