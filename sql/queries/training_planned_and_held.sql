-- id: Berapa dari rencana pelatihan yang terlaksana, dan berapa biaya per jamnya?
-- en: How much of the training plan was held, and what did an hour cost?
-- :region = all
-- :year = latest year
SELECT region, programme_id, name AS programme_name, competency_code, planned_hours, realised_hours, planned_cost,
  realised_cost, cost_per_hour, unmet_count
FROM training_programme
WHERE (:region = 'all' OR region = :region) AND CAST(year AS text) = :year
ORDER BY region, unmet_count DESC, programme_id
