-- id: Indikator mana yang paling sering tidak dapat dihitung, dan mengapa?
-- en: Which indicators are most often not computable, and why?
-- :region = all
-- :period = latest month
-- :limit = 20
SELECT kpi.region, kpi.subject_kind, kpi.indicator_id, kpi.reason, count(*) AS subject_count
FROM kpi
WHERE (:region = 'all' OR kpi.region = :region) AND kpi.period = :period AND kpi.status_code = 'not_computable'
GROUP BY kpi.region, kpi.subject_kind, kpi.indicator_id, kpi.reason
ORDER BY subject_count DESC, kpi.region, kpi.indicator_id, kpi.subject_kind, kpi.reason
LIMIT :limit
