-- id: Siapa yang paling sering terlambat?
-- en: Who was late most often?
-- :region = all
-- :period = latest month
-- :limit = 10
SELECT region, unit_name, nip, employee_name, late_count, late_minutes, workday_count
FROM allowance_effect
WHERE (:region = 'all' OR region = :region) AND period = :period AND late_count > 0
ORDER BY late_count DESC, late_minutes DESC, nip
LIMIT :limit
