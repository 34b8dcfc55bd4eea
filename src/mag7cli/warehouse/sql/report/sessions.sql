-- Where each of the Mag 7 opened and closed, unadjusted: within one session no split can fall.
-- grain: one row per trading date and company, oldest first
-- parameters: since, until (both included)
SELECT trading_date, ticker, open_price, close_price
FROM market_data.daily_trading
WHERE open_price IS NOT NULL
    AND trading_date >= CAST(:since AS DATE) AND trading_date <= CAST(:until AS DATE)
ORDER BY trading_date, ticker
