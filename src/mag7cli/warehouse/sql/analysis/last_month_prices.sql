-- Close and market cap of the Mag 7 in the month up to :as_of.
-- folder: Time Series Analysis
-- grain: one row per trading_date and ticker
-- parameters: as_of, month_before
SELECT
    t.trading_date,
    t.ticker,
    t.close_price,
    m.market_cap,
    m.pct_of_sp500
FROM market_data.daily_trading t
JOIN market_data.magnificent7_metrics m
    ON m.trading_date = t.trading_date
    AND m.ticker = t.ticker
WHERE t.trading_date BETWEEN CAST(:month_before AS DATE) AND CAST(:as_of AS DATE)
ORDER BY t.trading_date, t.ticker
