-- id: Siapa yang rajin hadir tetapi tugasnya sering terlambat?
-- en: Who is always present and yet late with tasks?
-- :region = all
-- :period = latest month
-- :limit = 20
SELECT region, unit_name, nip, employee_name, attendance_share, task_count, completed_count, on_time_share
FROM attendance_productivity
WHERE (:region = 'all' OR region = :region) AND period = :period
  AND attendance_share >= 0.95 AND on_time_share < 0.5
ORDER BY on_time_share, task_count DESC, nip
LIMIT :limit
