-- id: Unsur pelayanan mana yang nilainya paling rendah di tiap unit?
-- en: Which element of service is marked lowest in each unit?
-- :region = all
-- :period = latest month
SELECT marked.region, marked.survey_code, marked.unit_id, unit.unit_name, marked.element_code, marked.mean_score,
  marked.answer_count
FROM (
  SELECT
    satisfaction_element.*,
    rank() OVER (
      PARTITION BY satisfaction_element.region, satisfaction_element.survey_code, satisfaction_element.unit_id
      ORDER BY satisfaction_element.mean_score
    ) AS place
  FROM satisfaction_element
  WHERE satisfaction_element.period = :period AND satisfaction_element.mean_score IS NOT NULL
) AS marked
LEFT JOIN unit_latest AS unit ON unit.region = marked.region AND unit.unit_id = marked.unit_id
WHERE (:region = 'all' OR marked.region = :region) AND marked.place = 1
ORDER BY marked.mean_score, marked.region, marked.unit_id, marked.element_code
