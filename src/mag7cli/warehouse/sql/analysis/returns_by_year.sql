-- Did the Mag 7 beat the rest? Price returns of each calendar year, percent, without dividends.
-- folder: Time Series Analysis
-- grain: one row per year
SELECT
    EXTRACT(YEAR FROM trading_date) AS calendar_year,
    MIN(base_date) AS base_date,
    MAX(trading_date) AS last_date,
    100 * (EXP(SUM(LN(1 + mag7_return_pct / 100))) - 1) AS mag7_return_pct,
    100 * (EXP(SUM(LN(1 + rest_return_pct / 100))) - 1) AS rest_return_pct,
    100 * (EXP(SUM(LN(1 + sp500_return_pct / 100))) - 1) AS sp500_return_pct,
    100 * (EXP(SUM(LN(1 + equal_weight_return_pct / 100))) - 1) AS equal_weight_return_pct
FROM market_data.daily_returns
GROUP BY EXTRACT(YEAR FROM trading_date)
ORDER BY calendar_year
