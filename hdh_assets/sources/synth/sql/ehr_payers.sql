WITH listed AS (
    SELECT row_number() OVER (ORDER BY position) - 1 AS n, label FROM code_ehr WHERE kind = 'payer'
),
billed AS (
    SELECT payer_of(payer_draw) AS n, sum(covered(payer_draw, amount)) AS paid, sum(amount) AS charged,
    count(*) FILTER (rank = 0) AS visits,
        count(*) FILTER (rank = 1) AS drugs, count(DISTINCT id) AS customers
    FROM bill GROUP BY ALL
)
SELECT payer_id(n) AS id, label AS name, coalesce(paid, 0)::DECIMAL(18, 2) AS amount_covered,
    coalesce(charged - paid, 0)::DECIMAL(18, 2) AS amount_uncovered, coalesce(paid, 0)::DECIMAL(18, 2) AS revenue,
    coalesce(visits, 0) AS covered_encounters, 0 AS uncovered_encounters, coalesce(drugs, 0) AS covered_medications,
    0 AS uncovered_medications, 0 AS covered_procedures, 0 AS uncovered_procedures, 0 AS covered_immunizations,
    0 AS uncovered_immunizations, coalesce(customers, 0) AS unique_customers,
    CASE WHEN customers > 0 THEN '0.9' ELSE 'NaN' END AS qols_avg, coalesce(customers, 0) * 12 AS member_months
FROM listed LEFT JOIN billed USING (n) ORDER BY n
