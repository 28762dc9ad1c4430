-- One row per region, employee and period: the result with its rank within the unit (1 is best, ties share).
-- For: heads of units. A rank is no predicate; without a result there is no rank, and the reason says why.
SELECT
  evaluation.region,
  evaluation.period_kind,
  evaluation.period,
  evaluation.unit_id,
  unit.unit_name,
  CASE WHEN evaluation.result_score IS NOT NULL THEN
    rank() OVER (
      PARTITION BY evaluation.region, evaluation.period_kind, evaluation.period, evaluation.unit_id
      ORDER BY evaluation.result_score DESC NULLS LAST
    )
  END AS place,
  count(evaluation.result_score) OVER (
    PARTITION BY evaluation.region, evaluation.period_kind, evaluation.period, evaluation.unit_id
  ) AS ranked_count,
  evaluation.nip,
  person.employee_name,
  evaluation.result_score,
  evaluation.behaviour_score,
  evaluation.recommended_predicate,
  evaluation.official_predicate,
  evaluation.status_code,
  evaluation.reason
FROM evaluation
LEFT JOIN unit_latest AS unit ON unit.region = evaluation.region AND unit.unit_id = evaluation.unit_id
LEFT JOIN employee_latest AS person ON person.region = evaluation.region AND person.nip = evaluation.nip
