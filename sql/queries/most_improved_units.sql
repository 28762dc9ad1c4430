-- id: Unit mana yang paling membaik dibanding bulan sebelumnya?
-- en: Which units improved most over the month before?
-- :region = all
-- :period = latest month
-- :limit = 10
SELECT region, unit_id, unit_name, result_score_before, result_score, change
FROM unit_trend
WHERE (:region = 'all' OR region = :region) AND period = :period AND change > 0
ORDER BY change DESC, region, unit_id
LIMIT :limit
