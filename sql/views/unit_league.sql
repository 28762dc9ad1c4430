-- One row per region, unit and period: the unit's result and its rank in the region (1 is best, ties share).
-- For: heads of region and of units, who compare units. Without a result there is no rank.
SELECT
  result.region,
  result.period_kind,
  result.period,
  CASE WHEN result.result_score IS NOT NULL THEN
    rank() OVER (
      PARTITION BY result.region, result.period_kind, result.period ORDER BY result.result_score DESC NULLS LAST
    )
  END AS place,
  result.unit_id,
  unit.unit_name,
  unit.sector,
  result.result_score,
  result.coverage_share,
  people.employee_count,
  people.evaluated_count,
  people.sangat_baik_count + people.baik_count AS baik_or_better_count
FROM unit_result AS result
LEFT JOIN unit_latest AS unit ON unit.region = result.region AND unit.unit_id = result.unit_id
LEFT JOIN unit_evaluation AS people
  ON people.region = result.region AND people.unit_id = result.unit_id
  AND people.period_kind = result.period_kind AND people.period = result.period
