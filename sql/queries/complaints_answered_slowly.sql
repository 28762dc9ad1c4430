-- id: Unit mana yang lambat menanggapi pengaduan?
-- en: Which units are slow to answer complaints?
-- :region = all
-- :period = latest month
-- :hours = 24
SELECT
  task.region,
  task.unit_id,
  unit.unit_name,
  count(*) AS complaint_count,
  count(*) FILTER (WHERE task.first_response_hours > :hours OR task.first_response_hours IS NULL) AS slow_count,
  count(*) FILTER (WHERE task.is_repeat) AS repeat_count,
  round(CAST(avg(task.first_response_hours) AS numeric), 1) AS mean_first_response_hours
FROM task_outcome AS task
LEFT JOIN unit_latest AS unit ON unit.region = task.region AND unit.unit_id = task.unit_id
WHERE (:region = 'all' OR task.region = :region) AND task.period = :period
  AND task.task_type = 'complaint' AND task.status_code <> 'cancelled'
GROUP BY task.region, task.unit_id, unit.unit_name
HAVING count(*) FILTER (WHERE task.first_response_hours > :hours OR task.first_response_hours IS NULL) > 0
ORDER BY slow_count DESC, task.region, task.unit_id
