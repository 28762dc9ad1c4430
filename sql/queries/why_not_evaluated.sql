-- id: Mengapa sebagian pegawai tidak dapat dinilai, dan berapa orang per alasan?
-- en: Why could some employees not be evaluated, and how many per reason?
-- :region = all
-- :period = latest month
SELECT
  evaluation.region,
  evaluation.reason,
  count(*) AS employee_count,
  count(DISTINCT evaluation.unit_id) AS unit_count
FROM evaluation
WHERE (:region = 'all' OR evaluation.region = :region) AND evaluation.period = :period
  AND evaluation.status_code = 'not_computable'
GROUP BY evaluation.region, evaluation.reason
ORDER BY employee_count DESC, evaluation.region, evaluation.reason
