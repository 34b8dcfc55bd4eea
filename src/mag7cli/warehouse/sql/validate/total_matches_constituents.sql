-- Dates on which the index's total is not the sum of its companies, each counted once.
-- grain: one row per trading_date
-- severity: error
SELECT
    c.trading_date,
    c.sp500_total_market_cap,
    SUM(s.market_cap) AS sum_of_companies
FROM market_data.concentration_metrics c
JOIN market_data.sp500_constituents s
    ON s.trading_date = c.trading_date
    AND s.counted
GROUP BY c.trading_date, c.sp500_total_market_cap
HAVING c.sp500_total_market_cap <> SUM(s.market_cap)
ORDER BY c.trading_date
