-- The price returns of the Mag 7, the others, the index and all companies alike over the 252 sessions up to each date.
-- folder: Time Series Analysis
-- grain: one row per trading_date
SELECT trading_date, base_date, mag7_return_pct, rest_return_pct, sp500_return_pct, equal_weight_return_pct
FROM market_data.rolling_returns
WHERE sessions = 252
ORDER BY trading_date
