-- id: Di unit mana penilaian atasan dan pendapat masyarakat berlainan?
-- en: In which units do superiors and the public say opposite things?
-- :region = all
-- :period = latest month
SELECT region, unit_id, unit_name, survey_code, index_value, class_code, respondent_count, rated_count,
  baik_or_better_count, baik_or_better_share
FROM superior_and_public
WHERE (:region = 'all' OR region = :region) AND period = :period
  AND ((class_code IN ('C', 'D') AND baik_or_better_share >= 0.75)
    OR (class_code IN ('A', 'B') AND baik_or_better_share < 0.5))
ORDER BY region, unit_id, survey_code
