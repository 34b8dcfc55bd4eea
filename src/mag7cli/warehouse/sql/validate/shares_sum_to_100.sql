-- Dates on which the parts of the Mag 7 do not make 100 percent of them.
-- grain: one row per trading_date
-- severity: error
SELECT
    trading_date,
    SUM(pct_of_mag7) AS total_pct
FROM market_data.magnificent7_metrics
GROUP BY trading_date
HAVING ABS(SUM(pct_of_mag7) - 100) > 0.000001
ORDER BY trading_date
