-- The lowest and the highest share of the seven.
-- grain: one row
-- severity: info
-- scope: all dates
SELECT
    MIN(mag7_pct_of_sp500) AS lowest_value,
    MAX(mag7_pct_of_sp500) AS highest_value
FROM market_data.concentration_metrics
