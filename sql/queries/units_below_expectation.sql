-- id: Unit mana yang hasilnya di bawah ekspektasi?
-- en: Which units' result is below expectation?
-- :region = all
-- :period = latest month
-- :below = 90
SELECT region, unit_id, unit_name, result_score, result_score_before, change, coverage_share
FROM unit_trend
WHERE (:region = 'all' OR region = :region) AND period = :period AND result_score < :below
ORDER BY result_score, region, unit_id
