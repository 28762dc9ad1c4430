-- One row per region, employee and month with attendance or tasks: both side by side.
-- For: superiors who watch presence together with output. Tasks count in the month in which they were opened.
SELECT
  month.region,
  month.period,
  person.unit_id,
  person.unit_name,
  month.nip,
  person.employee_name,
  attendance.workday_count,
  attendance.attendance_share,
  attendance.punctuality_share,
  attendance.late_minutes,
  coalesce(task.task_count, 0) AS task_count,
  coalesce(task.completed_count, 0) AS completed_count,
  task.on_time_share,
  task.mean_quality_score,
  evaluation.result_score
FROM (
  SELECT attendance_month.region, attendance_month.nip, attendance_month.period FROM attendance_month
  UNION
  SELECT task_outcome.region, task_outcome.nip, task_outcome.period
  FROM task_outcome
  WHERE task_outcome.nip IS NOT NULL AND task_outcome.status_code <> 'cancelled'
) AS month
LEFT JOIN attendance_month AS attendance
  ON attendance.region = month.region AND attendance.nip = month.nip AND attendance.period = month.period
LEFT JOIN (
  SELECT
    task_outcome.region,
    task_outcome.nip,
    task_outcome.period,
    count(*) AS task_count,
    count(*) FILTER (WHERE task_outcome.status_code = 'completed') AS completed_count,
    round(
      1.0 * count(*) FILTER (WHERE task_outcome.is_on_time) / nullif(count(task_outcome.is_on_time), 0), 4
    ) AS on_time_share,
    round(CAST(avg(task_outcome.quality_score) AS numeric), 2) AS mean_quality_score
  FROM task_outcome
  WHERE task_outcome.nip IS NOT NULL AND task_outcome.status_code <> 'cancelled'
  GROUP BY task_outcome.region, task_outcome.nip, task_outcome.period
) AS task ON task.region = month.region AND task.nip = month.nip AND task.period = month.period
LEFT JOIN evaluation
  ON evaluation.region = month.region AND evaluation.nip = month.nip
  AND evaluation.period_kind = 'month' AND evaluation.period = month.period
LEFT JOIN employee_latest AS person ON person.region = month.region AND person.nip = month.nip
