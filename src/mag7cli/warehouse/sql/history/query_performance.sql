-- The last queries with their runtime, queueing and bytes scanned, as Redshift recorded them.
-- folder: Performance Monitoring
-- grain: one row per query
-- engines: redshift
SELECT
    h.query_id,
    CAST(h.start_time AS VARCHAR(19)) AS started_at,
    TRIM(h.status) AS status,
    h.elapsed_time / 1000 AS runtime_ms,
    h.queue_time / 1000 AS queueing_ms,
    COALESCE(d.scanned_bytes, 0) AS scanned_bytes,
    TRIM(LEFT(h.query_text, 72)) AS statement
FROM sys_query_history h
LEFT JOIN (
    SELECT query_id, SUM(input_bytes) AS scanned_bytes
    FROM sys_query_detail
    WHERE step_name = 'scan'
    GROUP BY query_id
) d
    ON d.query_id = h.query_id
WHERE h.query_type = 'SELECT'
ORDER BY h.start_time DESC
LIMIT 50
