-- The ten largest companies of :as_of, with their part of the index.
-- folder: Concentration Metrics
-- grain: one row per company
-- parameters: as_of
SELECT trading_date, ranking, ticker, market_cap, pct_of_sp500
FROM market_data.company_rankings
WHERE trading_date = CAST(:as_of AS DATE) AND ranking <= 10
ORDER BY ranking
