-- Companies of the Mag 7 whose market cap is not close times shares outstanding, rounded to the cent.
-- grain: one row per trading_date and ticker
-- severity: error
SELECT
    d.trading_date,
    d.ticker,
    d.market_cap,
    -- A product of these has 37 digits, which every engine holds; one of shorter types DuckDB would cut at 18.
    CAST(t.close_price AS DECIMAL(19,6)) * CAST(d.shares_outstanding AS DECIMAL(18,2)) AS close_times_shares
FROM market_data.company_details d
JOIN market_data.daily_trading t
    ON t.trading_date = d.trading_date
    AND t.ticker = d.ticker
WHERE ABS(
    d.market_cap - CAST(t.close_price AS DECIMAL(19,6)) * CAST(d.shares_outstanding AS DECIMAL(18,2))
) > 0.005
ORDER BY d.trading_date, d.ticker
