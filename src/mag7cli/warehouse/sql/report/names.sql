-- What each of the Mag 7 was called last.
-- grain: one row per company
-- parameters: until (included)
SELECT d.ticker, d.company_name
FROM market_data.company_details AS d
INNER JOIN (
    SELECT ticker, MAX(trading_date) AS last_date
    FROM market_data.company_details
    WHERE trading_date <= CAST(:until AS DATE)
    GROUP BY ticker
) AS latest ON latest.ticker = d.ticker AND latest.last_date = d.trading_date
ORDER BY d.ticker
