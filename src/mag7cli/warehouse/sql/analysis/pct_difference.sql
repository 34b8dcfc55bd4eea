-- Dates on which the share of the Mag 7 differs by more than 0.01 points from the sum of their parts.
-- folder: Data Validation
-- grain: one row per trading_date
SELECT
    c.trading_date,
    ABS(c.mag7_pct_of_sp500 - SUM(m.pct_of_sp500)) AS pct_difference
FROM market_data.concentration_metrics c
JOIN market_data.magnificent7_metrics m
    ON m.trading_date = c.trading_date
GROUP BY c.trading_date, c.mag7_pct_of_sp500
HAVING ABS(c.mag7_pct_of_sp500 - SUM(m.pct_of_sp500)) > 0.01
ORDER BY c.trading_date
