-- id: Unit mana yang IKM-nya turun dua bulan berturut-turut?
-- en: Which units' satisfaction index (IKM) fell two months in a row?
-- :region = all
-- :period = latest month
WITH month AS (
  SELECT
    ikm_ranking.*,
    CASE WHEN substr(period, 6, 1) BETWEEN '0' AND '1' THEN
      CAST(substr(period, 1, 4) AS integer) * 12 + CAST(substr(period, 6, 2) AS integer)
    END AS month_number
  FROM ikm_ranking
  WHERE index_value IS NOT NULL
)
SELECT
  now.region,
  now.unit_id,
  now.unit_name,
  now.survey_code,
  two_before.index_value AS index_two_months_before,
  before.index_value AS index_month_before,
  now.index_value,
  now.respondent_count
FROM month AS now
JOIN month AS before
  ON before.region = now.region AND before.unit_id = now.unit_id AND before.survey_code = now.survey_code
  AND before.month_number = now.month_number - 1
JOIN month AS two_before
  ON two_before.region = now.region AND two_before.unit_id = now.unit_id AND two_before.survey_code = now.survey_code
  AND two_before.month_number = now.month_number - 2
WHERE (:region = 'all' OR now.region = :region) AND now.period = :period
  AND now.index_value < before.index_value AND before.index_value < two_before.index_value
ORDER BY now.index_value - two_before.index_value, now.region, now.unit_id
