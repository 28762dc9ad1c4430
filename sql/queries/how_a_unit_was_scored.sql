-- id: Dari indikator apa nilai suatu unit berasal?
-- en: From which indicators does a unit's score come?
-- :region = all
-- :period = latest month
-- :unit = all
SELECT kpi.region, kpi.unit_id, kpi.indicator_id, word.label_id, kpi.actual, kpi.target, word.unit, kpi.score,
  kpi.weight, kpi.status_code, kpi.reason AS why_not, kpi.evidence_count
FROM kpi
LEFT JOIN indicator_dictionary AS word
  ON word.region = kpi.region AND word.indicator_id = kpi.indicator_id AND word.policy_version = kpi.policy_version
WHERE (:region = 'all' OR kpi.region = :region) AND kpi.period = :period AND kpi.subject_kind = 'unit'
  AND (:unit = 'all' OR kpi.unit_id = :unit)
ORDER BY kpi.region, kpi.unit_id, kpi.weight DESC, kpi.indicator_id
