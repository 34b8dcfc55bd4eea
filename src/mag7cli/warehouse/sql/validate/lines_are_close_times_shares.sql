-- Lines of the index whose market cap is not close times shares outstanding, rounded to the cent.
-- grain: one row per trading_date and ticker
-- severity: error
SELECT
    trading_date,
    ticker,
    market_cap,
    CAST(close_price AS DECIMAL(19,6)) * CAST(shares_outstanding AS DECIMAL(18,2)) AS close_times_shares
FROM market_data.sp500_constituents
WHERE ABS(
    market_cap - CAST(close_price AS DECIMAL(19,6)) * CAST(shares_outstanding AS DECIMAL(18,2))
) > 0.005
ORDER BY trading_date, ticker
