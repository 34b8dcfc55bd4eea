-- Under which symbols each of the Mag 7 traded, and from when on.
-- grain: one row per company and symbol
-- parameters: since, until (both included)
SELECT ticker, symbol, MIN(trading_date) AS first_date
FROM market_data.sp500_constituents
WHERE ticker IN (SELECT DISTINCT ticker FROM market_data.magnificent7_metrics)
    AND trading_date >= CAST(:since AS DATE) AND trading_date <= CAST(:until AS DATE)
GROUP BY ticker, symbol
ORDER BY first_date, ticker
