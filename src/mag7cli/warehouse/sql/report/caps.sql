-- The Mag 7 by market cap, on the dates that have a figure.
-- grain: one row per trading date and company, oldest first
-- parameters: since, until (both included)
SELECT trading_date, ticker, market_cap, pct_of_mag7, pct_of_sp500, ranking
FROM market_data.magnificent7_metrics
WHERE trading_date >= CAST(:since AS DATE) AND trading_date <= CAST(:until AS DATE)
ORDER BY trading_date, ranking
