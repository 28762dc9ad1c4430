-- id: Siapa yang hasil kerjanya tertinggi di unitnya?
-- en: Who has the highest result of their unit?
-- :region = all
-- :period = latest month
SELECT region, unit_id, unit_name, nip, employee_name, result_score, recommended_predicate, ranked_count
FROM employee_league
WHERE (:region = 'all' OR region = :region) AND period = :period AND place = 1
ORDER BY region, unit_id, nip
