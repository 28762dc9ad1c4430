-- One row per region, unit, kind of task and month in which the tasks were opened: how many were done on time.
-- For: whoever watches deadlines. Counts only tasks that are due and had a promise; cancelled tasks are left out.
-- change is in percentage points to the month before; null when that month has no judged task.
SELECT
  month.region,
  month.unit_id,
  unit.unit_name,
  month.task_type,
  month.period,
  month.task_count,
  month.judged_count,
  month.on_time_count,
  round(100.0 * month.on_time_count / nullif(month.judged_count, 0), 2) AS on_time_percent,
  CASE WHEN lag(month.month_number) OVER series = month.month_number - 1 THEN
    round(
      100.0 * month.on_time_count / nullif(month.judged_count, 0)
      - 100.0 * lag(month.on_time_count) OVER series / nullif(lag(month.judged_count) OVER series, 0), 2
    )
  END AS change
FROM (
  SELECT
    task.region,
    task.unit_id,
    task.task_type,
    task.period,
    CAST(substr(task.period, 1, 4) AS integer) * 12 + CAST(substr(task.period, 6, 2) AS integer) AS month_number,
    count(*) AS task_count,
    count(task.is_on_time) AS judged_count,
    count(*) FILTER (WHERE task.is_on_time) AS on_time_count
  FROM task_outcome AS task
  WHERE task.status_code <> 'cancelled'
  GROUP BY task.region, task.unit_id, task.task_type, task.period
) AS month
LEFT JOIN unit_latest AS unit ON unit.region = month.region AND unit.unit_id = month.unit_id
WINDOW series AS (PARTITION BY month.region, month.unit_id, month.task_type ORDER BY month.month_number)
