-- The lowest and the highest share of the Mag 7.
-- grain: one row
-- severity: info
-- scope: all dates
SELECT
    MIN(mag7_pct_of_sp500) AS lowest_value,
    MAX(mag7_pct_of_sp500) AS highest_value
FROM market_data.concentration_metrics
