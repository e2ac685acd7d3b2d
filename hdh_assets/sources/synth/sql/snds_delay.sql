CREATE TABLE delay AS
SELECT range::INTEGER AS late,
CASE range WHEN 0 THEN 0.72 WHEN 1 THEN 0.18 ELSE 0.04 * 0.6 ** (range - 2) END AS share
FROM range({latest} + 1)
