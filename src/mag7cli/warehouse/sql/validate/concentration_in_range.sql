-- Figures that cannot be: no positive total, a share outside 0 to 100 percent, or not of seven companies.
-- grain: one row per trading_date
-- severity: error
SELECT
    trading_date,
    total_mag7_market_cap,
    sp500_total_market_cap,
    mag7_pct_of_sp500,
    mag7_companies_count
FROM market_data.concentration_metrics
WHERE total_mag7_market_cap <= 0
    OR sp500_total_market_cap <= total_mag7_market_cap
    OR mag7_pct_of_sp500 <= 0
    OR mag7_pct_of_sp500 >= 100
    OR mag7_companies_count <> 7
ORDER BY trading_date
