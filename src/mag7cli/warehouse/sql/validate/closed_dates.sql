-- Dates in the tables on which the exchange was closed.
-- grain: one row per trading_date
-- severity: error
-- scope: all dates
-- compare: rows without a session
SELECT trading_date
FROM market_data.daily_summary
ORDER BY trading_date
