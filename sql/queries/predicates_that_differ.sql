-- id: Predikat resmi siapa yang berbeda dari yang disarankan?
-- en: Whose official predicate differs from the recommended one?
-- :region = all
-- :period = latest month
SELECT region, unit_name, nip, employee_name, result_score, behaviour_score, recommended_predicate, official_predicate
FROM employee_league
WHERE (:region = 'all' OR region = :region) AND period = :period AND official_predicate <> recommended_predicate
ORDER BY region, unit_name, nip
