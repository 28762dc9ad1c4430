-- id: Layanan mana yang paling sering selesai terlambat?
-- en: Which services are finished late most often?
-- :region = all
-- :period = latest month
-- :limit = 10
SELECT
  task.region,
  task.unit_id,
  unit.unit_name,
  task.service_code,
  count(task.is_on_time) AS judged_count,
  count(*) FILTER (WHERE NOT task.is_on_time) AS late_count,
  round(100.0 * count(*) FILTER (WHERE NOT task.is_on_time) / count(task.is_on_time), 1) AS late_percent,
  round(CAST(avg(task.duration_hours) AS numeric), 1) AS mean_duration_hours
FROM task_outcome AS task
LEFT JOIN unit_latest AS unit ON unit.region = task.region AND unit.unit_id = task.unit_id
WHERE (:region = 'all' OR task.region = :region) AND task.period = :period
  AND task.status_code <> 'cancelled' AND task.is_on_time IS NOT NULL
GROUP BY task.region, task.unit_id, unit.unit_name, task.service_code
HAVING count(*) FILTER (WHERE NOT task.is_on_time) > 0
ORDER BY late_percent DESC, late_count DESC, task.region, task.unit_id, task.service_code
LIMIT :limit
