-- One row per region, survey, period and unit with answers: its satisfaction index (IKM) and its rank (1 is best).
-- For: the public report and heads of units. is_enough says whether the required sample was reached.
SELECT
  survey.region,
  survey.survey_code,
  survey.period,
  CASE WHEN survey.index_value IS NOT NULL THEN
    rank() OVER (
      PARTITION BY survey.region, survey.survey_code, survey.period ORDER BY survey.index_value DESC NULLS LAST
    )
  END AS place,
  survey.unit_id,
  unit.unit_name,
  survey.index_value,
  survey.class_code,
  survey.ci_low,
  survey.ci_high,
  survey.respondent_count,
  survey.required_count,
  survey.respondent_count >= survey.required_count AS is_enough,
  survey.flag_codes
FROM satisfaction_index AS survey
LEFT JOIN unit_latest AS unit ON unit.region = survey.region AND unit.unit_id = survey.unit_id
