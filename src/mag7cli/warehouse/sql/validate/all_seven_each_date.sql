-- Dates with a figure on which the details are not of exactly seven companies.
-- grain: one row per trading_date
-- severity: error
SELECT
    c.trading_date,
    COUNT(DISTINCT d.ticker) AS company_count
FROM market_data.concentration_metrics c
LEFT JOIN market_data.company_details d
    ON d.trading_date = c.trading_date
    AND d.market_cap IS NOT NULL
GROUP BY c.trading_date
HAVING COUNT(DISTINCT d.ticker) <> 7
ORDER BY c.trading_date
