-- Companies of the seven whose market cap is not close times shares outstanding, to the cent.
-- grain: one row per trading_date and ticker
-- severity: error
SELECT
    d.trading_date,
    d.ticker,
    d.market_cap,
    CAST(t.close_price AS DOUBLE PRECISION) * CAST(d.shares_outstanding AS DOUBLE PRECISION) AS close_times_shares
FROM market_data.company_details d
JOIN market_data.daily_trading t
    ON t.trading_date = d.trading_date
    AND t.ticker = d.ticker
WHERE ABS(
    CAST(d.market_cap AS DOUBLE PRECISION)
    - CAST(t.close_price AS DOUBLE PRECISION) * CAST(d.shares_outstanding AS DOUBLE PRECISION)
) > 0.01
ORDER BY d.trading_date, d.ticker
