-- Dates with a figure on which the parts of the index's companies do not make 100 percent of it.
-- grain: one row per trading_date
-- severity: error
SELECT
    s.trading_date,
    SUM(s.pct_of_sp500) AS total_pct
FROM market_data.sp500_constituents s
JOIN market_data.concentration_metrics c
    ON c.trading_date = s.trading_date
GROUP BY s.trading_date
HAVING SUM(s.pct_of_sp500) IS NULL
    OR ABS(SUM(s.pct_of_sp500) - 100) > 0.000001
ORDER BY s.trading_date
