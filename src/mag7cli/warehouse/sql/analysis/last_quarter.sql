-- The share of the Mag 7 in the three months up to :as_of.
-- folder: Time Series Analysis
-- grain: one row per trading_date
-- parameters: as_of, three_months_before
SELECT
    trading_date,
    mag7_pct_of_sp500
FROM market_data.concentration_metrics
WHERE trading_date BETWEEN CAST(:three_months_before AS DATE) AND CAST(:as_of AS DATE)
ORDER BY trading_date
