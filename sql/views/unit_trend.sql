-- One row per region, unit and month: the unit's result with the change to the month before (points of the score).
-- For: heads of units who want to see where they are going. change is null when the month before has no result.
SELECT
  month.region,
  month.unit_id,
  unit.unit_name,
  month.period,
  month.result_score,
  CASE WHEN lag(month.month_number) OVER series = month.month_number - 1 THEN
    lag(month.result_score) OVER series
  END AS result_score_before,
  CASE WHEN lag(month.month_number) OVER series = month.month_number - 1 THEN
    round(CAST(month.result_score - lag(month.result_score) OVER series AS numeric), 2)
  END AS change,
  month.coverage_share,
  month.computed_count
FROM (
  SELECT
    unit_result.*,
    CAST(substr(unit_result.period, 1, 4) AS integer) * 12
    + CAST(substr(unit_result.period, 6, 2) AS integer) AS month_number
  FROM unit_result
  WHERE unit_result.period_kind = 'month'
) AS month
LEFT JOIN unit_latest AS unit ON unit.region = month.region AND unit.unit_id = month.unit_id
WINDOW series AS (PARTITION BY month.region, month.unit_id ORDER BY month.month_number)
