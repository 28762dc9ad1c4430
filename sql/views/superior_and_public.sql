-- One row per region, unit, survey and period with answers: the public's index beside the superiors' predicates.
-- For: who asks whether superiors and the public see the same unit. Neither figure changes the other.
SELECT
  survey.region,
  survey.period,
  survey.unit_id,
  unit.unit_name,
  survey.survey_code,
  survey.index_value,
  survey.class_code,
  survey.respondent_count,
  coalesce(rated.rated_count, 0) AS rated_count,
  coalesce(rated.baik_or_better_count, 0) AS baik_or_better_count,
  round(1.0 * rated.baik_or_better_count / nullif(rated.rated_count, 0), 4) AS baik_or_better_share
FROM satisfaction_index AS survey
LEFT JOIN (
  SELECT
    evaluation.region,
    evaluation.unit_id,
    evaluation.period,
    count(*) AS rated_count,
    count(*) FILTER (WHERE evaluation.official_predicate IN ('sangat_baik', 'baik')) AS baik_or_better_count
  FROM evaluation
  WHERE evaluation.official_predicate IS NOT NULL
  GROUP BY evaluation.region, evaluation.unit_id, evaluation.period
) AS rated ON rated.region = survey.region AND rated.unit_id = survey.unit_id AND rated.period = survey.period
LEFT JOIN unit_latest AS unit ON unit.region = survey.region AND unit.unit_id = survey.unit_id
