-- The share of the Mag 7 on every date, and its change from the date before.
-- folder: Time Series Analysis
-- grain: one row per trading_date
SELECT
    trading_date,
    total_mag7_market_cap,
    sp500_total_market_cap,
    mag7_pct_of_sp500,
    mag7_pct_of_sp500 - LAG(mag7_pct_of_sp500) OVER (ORDER BY trading_date) AS concentration_change
FROM market_data.concentration_metrics
ORDER BY trading_date
