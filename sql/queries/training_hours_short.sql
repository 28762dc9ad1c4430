-- id: Siapa yang jam pelatihannya tahun ini masih kurang dari yang diharapkan?
-- en: Whose training hours of the year are still short of what is expected?
-- :region = all
-- :period = latest month
-- :percent = 50
SELECT
  year.region,
  unit.unit_name,
  year.nip,
  person.employee_name,
  year.hours,
  year.expected_hours,
  year.programme_count
FROM training_year AS year
LEFT JOIN employee_latest AS person ON person.region = year.region AND person.nip = year.nip
LEFT JOIN unit_latest AS unit ON unit.region = year.region AND unit.unit_id = year.unit_id
WHERE (:region = 'all' OR year.region = :region) AND year.period = :period AND 100 * year.hours_share < :percent
ORDER BY year.hours, year.region, year.nip
