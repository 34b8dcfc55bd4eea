-- Every date that was collected, with its figure where it has one and what is known of its quality.
-- grain: one row per trading date, oldest first
-- parameters: since, until (both included)
SELECT
    s.trading_date,
    s.status,
    s.partial_reason,
    s.failed_count,
    m.total_mag7_market_cap,
    m.sp500_total_market_cap,
    m.mag7_pct_of_sp500,
    s.mag7_pct_low,
    s.mag7_pct_high,
    s.companies_count,
    s.top10_pct,
    s.hhi,
    s.effective_n,
    s.membership_kind,
    s.membership_as_of,
    s.method,
    s.simulated
FROM market_data.daily_summary AS s
LEFT JOIN market_data.concentration_metrics AS m ON m.trading_date = s.trading_date
WHERE s.trading_date >= CAST(:since AS DATE) AND s.trading_date <= CAST(:until AS DATE)
ORDER BY s.trading_date
