-- The splits of the Mag 7.
-- grain: one row per execution date and company
-- parameters: since, until (both included)
SELECT trading_date, ticker, split_from, split_to
FROM market_data.stock_splits
WHERE ticker IN (SELECT DISTINCT ticker FROM market_data.magnificent7_metrics)
    AND trading_date >= CAST(:since AS DATE) AND trading_date <= CAST(:until AS DATE)
ORDER BY trading_date, ticker
