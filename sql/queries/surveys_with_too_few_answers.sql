-- id: Survei unit mana yang jawabannya belum cukup?
-- en: Which units' surveys have too few answers?
-- :region = all
-- :period = latest month
SELECT region, survey_code, unit_id, unit_name, respondent_count, required_count, index_value, flag_codes
FROM ikm_ranking
WHERE (:region = 'all' OR region = :region) AND period = :period AND respondent_count < required_count
ORDER BY 1.0 * respondent_count / required_count, region, unit_id
