-- id: Unit mana yang hasil kerjanya paling tinggi?
-- en: Which units have the highest result?
-- :region = all
-- :period = latest month
-- :limit = 10
SELECT region, place, unit_id, unit_name, result_score, coverage_share, evaluated_count, baik_or_better_count
FROM unit_league
WHERE (:region = 'all' OR region = :region) AND period = :period AND place IS NOT NULL
ORDER BY place, region, unit_id
LIMIT :limit
