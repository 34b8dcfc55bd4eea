-- Market caps of the Mag 7 above ten trillion or below one hundred billion dollars.
-- The console pipeline's upper bound was five trillion, which Nvidia passed in October 2025.
-- grain: one row per trading_date and ticker
-- severity: warning
-- scope: all dates
SELECT
    trading_date,
    ticker,
    market_cap
FROM market_data.company_details
WHERE market_cap > 10000000000000
    OR market_cap < 100000000000
ORDER BY trading_date, ticker
