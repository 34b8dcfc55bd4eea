-- Bars whose prices are not positive, or whose low and high do not enclose the others.
-- grain: one row per trading_date and ticker
-- severity: error
SELECT
    trading_date,
    ticker,
    open_price,
    high_price,
    low_price,
    close_price
FROM market_data.daily_trading
WHERE close_price <= 0
    OR low_price <= 0
    OR low_price > open_price
    OR low_price > close_price
    OR high_price < open_price
    OR high_price < close_price
    OR volume < 0
ORDER BY trading_date, ticker
