-- Shares outside of the bound that is stated with them.
-- grain: one row per trading_date
-- severity: error
SELECT
    c.trading_date,
    c.mag7_pct_of_sp500,
    s.mag7_pct_low,
    s.mag7_pct_high
FROM market_data.concentration_metrics c
JOIN market_data.daily_summary s
    ON s.trading_date = c.trading_date
WHERE c.mag7_pct_of_sp500 < s.mag7_pct_low - 0.0000001
    OR c.mag7_pct_of_sp500 > s.mag7_pct_high + 0.0000001
ORDER BY c.trading_date
